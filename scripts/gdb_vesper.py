# SPDX-License-Identifier: BSL-1.0
"""gdb commands for Vesper. All domains live in one address space, so all
their symbols can be loaded at once; the loader chooses the addresses, and
the boot log or a crash report names them.

  vesper programs            the programs with symbols in this build
  vesper symbols NAME BASE   symbols of NAME, loaded at address BASE
"""

import os

import gdb


def read_programs():
    """{name: ELF file with symbols}, from the build's debug.list."""
    build = os.path.dirname(gdb.objfiles()[0].filename)
    while not os.path.exists(os.path.join(build, "debug.list")):
        if build == "/":
            raise gdb.GdbError("debug.list not found beside the kernel")
        build = os.path.dirname(build)
    with open(os.path.join(build, "debug.list"), encoding="utf-8") as lines:
        paths = [line.strip() for line in lines if line.strip()]
    return {os.path.splitext(os.path.basename(p))[0]: p for p in paths}


class Vesper(gdb.Command):
    """vesper programs | vesper symbols NAME BASE"""

    def __init__(self):
        super().__init__("vesper", gdb.COMMAND_FILES)

    def invoke(self, argument, from_tty):
        words = gdb.string_to_argv(argument)
        programs = read_programs()
        if words == ["programs"]:
            for name, path in programs.items():
                print(f"{name:16} {path}")
        elif len(words) == 3 and words[0] == "symbols":
            if words[1] not in programs:
                raise gdb.GdbError(f"no program {words[1]} in this build")
            gdb.execute(f"add-symbol-file {programs[words[1]]} -o {words[2]}")
        else:
            print(__doc__)


Vesper()
