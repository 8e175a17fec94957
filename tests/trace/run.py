#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""One stream of operations on the kernel's core, built by several compilers
for two processors: the hashes of all results and all state must be the same.

  tests/trace/run.py BUILD [--steps N] [--seed S] [--native]

Steps are those of the first build; others go as far as BUILDS says. Where
hashes differ, the first call that does is found and printed. Prints TAP.
"""

import argparse
import glob
import os
import shutil
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BLOCK = 65536                   # calls to a line of trace.c

CORE = ["tests/trace/trace.c", "tests/unit/kernel_random.c",
        "tests/unit/kernel_host*.c", "tests/unit/kernel_check*.c",
        "kernel/core/*.c"]
FLAGS = ["-std=gnu11", "-w", "-fno-strict-aliasing", "-static",
         "-DCONFIG_HOST=1", "-DCONFIG_ASSERTS=1", "-DRAM_CELLS=(1u<<16)",
         "-Itests/unit", "-Ikernel/core", "-Ikernel/abi/include"]
# On the board: the kernel's own flags (meson.build), and what it starts with
PREFIX = "aarch64-linux-gnu-"
PICOLIBC = "/usr/lib/picolibc/aarch64-linux-gnu"
BARE = ["kernel/arch/*.S", "kernel/arch/mmu.c", "kernel/arch/print.c",
        "kernel/arch/trap.c", "kernel/plat/*.c", "tests/trace/bare.c"]
BARE_FLAGS = ("-mcpu=cortex-a53 -mno-outline-atomics -mgeneral-regs-only "
              "-mstrict-align -fno-pie -fno-stack-protector -fno-common "
              "-ffunction-sections -fdata-sections -fno-jump-tables "
              "-fno-omit-frame-pointer -U__linux__ -Ulinux -U__unix__ -Uunix "
              "-nostdinc -Ikernel/arch -DCONFIG_MMIO_HOOK=0 "
              "-DCONFIG_LOG_LEVEL=1").split()
ARRAYS = "0xffffffc000400000"   # bare.c maps them
OBJCOPY = {"tests/unit/kernel_host": [
    f"--rename-section=.bss.{name}=.arrays,alloc"
    for name in ("ram_host", "before_ram", "saved_ram")],
    "kernel/arch": ["--weaken"]}
BOARD = os.environ.get("QEMU", "qemu-system-aarch64")
# Compiler, level, by what it runs, and which part of the calls it makes: the
# first makes them all, the others are compared with it
BUILDS = [("gcc", "-O2", None, 1), ("gcc", "-O0", None, 1),
          ("gcc", "-Os", None, 1), ("clang-14", "-O2", None, 1),
          ("clang-14", "-O0", None, 1), ("clang-14", "-Os", None, 1),
          (PREFIX + "gcc", "-O2", "qemu-aarch64", 1),
          (PREFIX + "gcc", "-Os", "qemu-aarch64", 10),
          (PREFIX + "gcc", "-O2", BOARD, 1),
          (PREFIX + "gcc", "-Os", BOARD, 40)]


class Build:
    """The trace program of one compiler; what it printed."""

    def __init__(self, compiler, level, emulator, part, options):
        self.name = f"{compiler} {level}"
        self.name += f" ({emulator})" if emulator else ""
        self.tools = [compiler] + ([emulator] if emulator else [])
        self.run_by = [emulator] if emulator else []
        self.steps = options.steps // part
        build = os.path.abspath(options.build)
        self.program = os.path.join(build, "tests",
                                    f"trace{options.steps}.{compiler}{level}"
                                    f".{emulator or 'native'}")
        self.flags = [level, *FLAGS, f"-I{build}/kernel/abi"]
        self.lines = []

    def missing(self):
        return [tool for tool in self.tools if not shutil.which(tool)]

    def compile(self):
        subprocess.run([self.tools[0], *self.flags,
                        *sources(CORE + ["tests/unit/kernel_abi.c"]), "-o",
                        self.program], cwd=ROOT, check=True)

    def run(self, *args):
        return self.finish([*self.run_by, self.program,
                            *[str(arg) for arg in args]])

    def finish(self, command):
        done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=False)
        lines = done.stdout.splitlines()
        if done.returncode != 0 or not lines[-1:] or \
                not lines[-1].startswith("hash of everything"):
            raise RuntimeError(f"{self.name}: {done.stdout[-300:]}"
                               f"{done.stderr[-300:]}")
        return [line for line in lines
                if line.startswith(("call", "total", "hash"))]

    def same_as(self, other):
        """As far as both go: blocks of calls, and the end if it is one."""
        if self.steps == other.steps:
            return self.lines == other.lines
        blocks = min(len(self.lines), len(other.lines)) - 2
        return self.lines[:blocks] == other.lines[:blocks] and blocks > 0


class BoardBuild(Build):
    """The same without a system below it: an image for the emulated board."""

    def compile(self):
        gcc, folder = self.tools[0], self.program + ".d"
        os.makedirs(folder, exist_ok=True)
        include = subprocess.run([gcc, "-print-file-name=include"], text=True,
                                 capture_output=True, check=True).stdout
        flags = [*self.flags, *BARE_FLAGS, "-isystem",
                 PICOLIBC + "/include/release", "-idirafter", include.strip()]
        objects = [self.compile_one(flags, path, folder)
                   for path in sources(BARE + CORE)]
        elf = os.path.join(folder, "trace.elf")
        subprocess.run([gcc, "-o", elf, *objects, "-nostdlib", "-static",
                        "-no-pie", "-Wl,--build-id=none,--gc-sections",
                        "-Wl,--no-warn-rwx-segments",
                        "-Wl,--section-start=.arrays=" + ARRAYS,
                        "-T", "kernel/kernel.ld",
                        "-L" + PICOLIBC + "/lib/release",
                        "-Wl,--start-group", "-lc", "-lgcc",
                        "-Wl,--end-group"], cwd=ROOT, check=True)
        subprocess.run([PREFIX + "objcopy", "-O", "binary", "-R", ".arrays",
                        elf, self.program], check=True)

    def compile_one(self, flags, path, folder):
        target = os.path.join(folder, path.replace("/", "_") + ".o")
        subprocess.run([self.tools[0], *flags, "-c", path, "-o", target],
                       cwd=ROOT, check=True)
        for start, change in OBJCOPY.items():
            if path.startswith(start):
                subprocess.run([PREFIX + "objcopy", *change, target],
                               check=True)
        return target

    def run(self, *args):
        image = self.program + ".img"
        with open(self.program, "rb") as file:
            code = file.read()
        text = " ".join(["trace", *[str(arg) for arg in args]])
        with open(image, "wb") as file:
            file.write(code + text.encode() + bytes(4096 - len(text)))
        return self.finish([BOARD, "-M", "raspi3b", "-display", "none",
                            "-monitor", "none", "-serial", "stdio",
                            "-no-reboot", "-kernel", image])


def sources(patterns):
    return [os.path.relpath(path, ROOT) for pattern in patterns
            for path in sorted(glob.glob(os.path.join(ROOT, pattern)))]


def first_difference(a, b):
    pairs = enumerate(zip(a, b))
    return next((i for i, (x, y) in pairs if x != y), min(len(a), len(b)))


def explain(one, other, options):
    """Print the first call after which two builds differ."""
    whole = sum(line.startswith("calls ") for line in one.lines)
    block = min(first_difference(one.lines, other.lines), whole)
    window = (other.steps, options.seed, block * BLOCK + 1,
              (block + 1) * BLOCK)
    a, b = one.run(*window), other.run(*window)
    at = first_difference(a, b)
    for build, lines in ((one, a), (other, b)):
        print(f"# {build.name}: {lines[at] if at < len(lines) else 'end'}")


def check(build, reference, options):
    """Runs one build, prints its test; its number of calls, 0 if it failed."""
    if build.missing():
        print(f"ok - {build.name} # SKIP no {' '.join(build.missing())}; "
              "scripts/setup --full installs it")
        return 0
    started = time.monotonic()
    try:
        build.compile()
        build.lines = build.run(build.steps, options.seed)
    except (RuntimeError, subprocess.CalledProcessError) as error:
        print(f"# {error}\nnot ok - {build.name}")
        return -1
    seconds = time.monotonic() - started
    same = build.same_as(reference)
    if not same:
        explain(reference, build, options)
    print(f"{'ok' if same else 'not ok'} - {build.name}: {build.lines[-2]}, "
          f"{build.lines[-1]} ({seconds:.0f} s)", flush=True)
    return int(build.lines[-2].split()[1]) if same else -1


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("build")
    parser.add_argument("--steps", type=int, default=10020000)
    parser.add_argument("--seed", default="0x7e57")
    parser.add_argument("--native", action="store_true",
                        help="gcc alone, at -O0 and -O2")
    options = parser.parse_args()
    rows = BUILDS[:2] if options.native else BUILDS
    builds = [(BoardBuild if row[2] == BOARD else Build)(*row, options)
              for row in rows]
    calls = [check(build, builds[0], options) for build in builds]
    print("# " + builds[0].lines[-2] if builds[0].lines else "#")
    done = sum(n for n in calls if n > 0)
    good = min(calls) >= 0 and sum(n > 0 for n in calls) > 1
    print(f"{'ok' if good else 'not ok'} - one hash for {done} calls in "
          f"{sum(n > 0 for n in calls)} builds")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
