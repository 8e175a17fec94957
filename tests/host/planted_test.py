#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Do the tests that watch over tests and code turn red? Each row below is
planted in a copy of the tree, where its test must fail and say why.

  planted_test.py BUILD [WORD...]

WORD picks the rows whose name has it. Lanes that plant their own bugs are not
here: closure, hostile, board, model, mutants, proof, bench. Prints TAP.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
LEFT_OUT = shutil.ignore_patterns("build*", ".git", "__pycache__")
FUZZ = ["tests/fuzz/run.py", "build"]
TIMEOUT_S = 300
ON_IMAGE = {"tests/paths/run.py", "tests/host/kernel_test.py"}
IMAGE = ["kernel8.img", "rootserver/rootserver.elf", "boot.cpio"]

# Name, file, what is there, what comes instead, the test, what it must say
BUGS = [
    ("records: a figure of a document",
     "docs/assurance.md", "<!-- records -->\n|", "<!-- records -->\n| |",
     ["tests/host/records_test.py"], "is stale"),
    ("invariants: a checker that looks at nothing",
     "tests/unit/kernel_check.c", "INV(C1);", ";",
     ["tests/host/invariants_test.py", "build"],
     "^not ok - C1 was never looked at"),
    ("trace: a result that depends on the compiler",
     "kernel/core/untyped.c", "uint8_t device = s->attr & ATTR_DEVICE;",
     "uint8_t device = s->attr & ATTR_DEVICE;\n"
     "#ifdef __OPTIMIZE__\n    kernel.epoch++;\n#endif",
     ["tests/trace/run.py", "build", "--native", "--steps", "200000"],
     "^not ok - one hash"),
    ("coverage: lines that no test reaches",
     "rootserver/manifest_line.c", "    if (text == digits) {",
     "    if (value == 0x123456789) {\n        value++;\n        value--;\n"
     "        value ^= 1;\n        return NULL;\n    }\n"
     "    if (text == digits) {",
     ["tests/coverage/run.py", "build", "loader"],
     "manifest_line.c:[0-9]+: never reached"),
    ("paths: a long way with interrupts off",
     "kernel/core/syscall.c", "enum abi_error op_cap_identify(uint64_t *x)\n{",
     "enum abi_error op_cap_identify(uint64_t *x)\n{\n"
     "    for (volatile uint32_t i = 0; i < 5000; i++) {\n    }",
     ["tests/paths/run.py", "build", "--program", "/tests/kernel-calls"],
     "^not ok - cap_identify: [0-9,]+ instructions with interrupts off"),
    ("kernel-elf: a function that calls itself",
     "kernel/core/syscall.c", "enum abi_error op_cap_identify(uint64_t *x)\n{",
     "enum abi_error op_cap_identify(uint64_t *x)\n{\n"
     "    if (x[7] == 0x123456789) {\n"
     "        volatile enum abi_error again = op_cap_identify(x);\n"
     "        return again;\n    }",
     ["tests/host/kernel_test.py", "build"], "^not ok .*no recursion"),
    ("fuzz: a manifest with a device too many",
     "rootserver/manifest.c", "n >= MANIFEST_DEVICES_MAX",
     "n > MANIFEST_DEVICES_MAX",
     [*FUZZ, "manifest", "--inputs", "200"], ", 1 findings"),
    ("fuzz: a FAT file that has more bytes than it says",
     "libos/fat/file.c", "info->is_dir ? 0 : node->size",
     "info->is_dir ? 0 : node->size / 2",
     [*FUZZ, "fat", "--inputs", "500"], ", 1 findings"),
    ("fuzz: a kernel that makes objects of what is used",
     "kernel/core/untyped.c", "    r->watermark = r->at;", "    ;",
     [*FUZZ, "kernel", "--inputs", "200"], ", 1 findings"),
]


class Tree:
    """A copy of the sources with a build directory in it, where the kernel is
    compiled anew and all else is what BUILD holds."""

    def __init__(self, folder, built):
        self.root = os.path.join(folder, "tree")
        self.built = os.path.abspath(built)
        shutil.copytree(ROOT, self.root, ignore=LEFT_OUT, symlinks=True)
        self.run(["meson", "setup", "build", "--cross-file",
                  "cross/aarch64-gcc.ini"], check=True)
        self.run(["ninja", "-C", "build", "kernel/kernel.elf"], check=True)
        shutil.copy(os.path.join(self.built, "sdcard.list"),
                    os.path.join(self.root, "build"))
        os.makedirs(os.path.join(self.root, "build", "tests"), exist_ok=True)

    def run(self, command, check=False):
        return subprocess.run(command, cwd=self.root, text=True, check=check,
                              stdin=subprocess.DEVNULL, timeout=TIMEOUT_S,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def make_image(self):
        self.run(["ninja", "-C", "build", "kernel/kernel.elf"], check=True)
        image, root, archive = IMAGE
        self.run([sys.executable, "scripts/mkimage.py", "build/" + image,
                  "build/kernel/kernel.elf",
                  os.path.join(self.built, root),
                  os.path.join(self.built, archive)], check=True)

    def test(self, file, old, new, command):
        """The test's end with `new` in the place of `old`, or None."""
        path = os.path.join(self.root, file)
        with open(path, encoding="utf-8") as source:
            text = source.read()
        if text.count(old) != 1:
            return None
        with open(path, "w", encoding="utf-8") as target:
            target.write(text.replace(old, new))
        try:
            if command[0] in ON_IMAGE:
                self.make_image()
            done = self.run([sys.executable, *command])
        except subprocess.CalledProcessError as error:
            done = error        # has the same fields
        with open(path, "w", encoding="utf-8") as target:
            target.write(text)
        return done


def trouble(done, wanted):
    """What is wrong: "" if the test failed as it must."""
    if done is None:
        return "there is no place for it, or more than one"
    if done.returncode == 0:
        return "the test passes:\n" + done.stdout[-500:]
    if not re.search(wanted, done.stdout, re.M):
        return f"it does not say {wanted}:\n" + done.stdout[-2000:]
    return ""


def main():
    words = sys.argv[2:]
    good = True
    with tempfile.TemporaryDirectory() as folder:
        tree = Tree(folder, sys.argv[1])
        for name, *bug, wanted in BUGS:
            if words and not any(word in name for word in words):
                continue
            wrong = trouble(tree.test(*bug), wanted)
            good &= not wrong
            print(f"{'not ok' if wrong else 'ok'} - {name}", flush=True)
            print("".join(f"# {line}\n" for line in wrong.splitlines()),
                  end="")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
