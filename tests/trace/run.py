#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""One stream of operations on the kernel's core, built by several compilers
for two processors: the hashes of all results and all state must be the same.

  tests/trace/run.py BUILD [--steps N] [--seed S] [--native]

Steps are those of each build. Where hashes differ, the first call that does is
found and printed. Prints TAP.
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

SOURCES = ["tests/trace/trace.c", "tests/unit/kernel_random.c",
           "tests/unit/kernel_host*.c", "tests/unit/kernel_abi.c",
           "tests/unit/kernel_check*.c", "kernel/core/*.c"]
FLAGS = ["-std=gnu11", "-w", "-fno-strict-aliasing", "-static",
         "-DCONFIG_HOST=1", "-DCONFIG_ASSERTS=1", "-Itests/unit",
         "-Ikernel/core", "-Ikernel/abi/include"]
# The first is what the others are compared with
BUILDS = [(compiler, level, None) for compiler in ("gcc", "clang-14")
          for level in ("-O0", "-O2", "-Os")] + \
         [("aarch64-linux-gnu-gcc", "-O2", "qemu-aarch64"),
          ("aarch64-linux-gnu-gcc", "-Os", "qemu-aarch64")]


class Build:
    """The trace program of one compiler; what it printed."""

    def __init__(self, compiler, level, emulator, build, steps):
        self.name = f"{compiler} {level}"
        self.tools = [compiler] + ([emulator] if emulator else [])
        self.run_by = [emulator] if emulator else []
        self.program = os.path.join(build, "tests",
                                    f"trace{steps}.{compiler}{level}")
        self.flags = [level, *FLAGS, f"-I{build}/kernel/abi"]
        self.lines = []

    def missing(self):
        return [tool for tool in self.tools if not shutil.which(tool)]

    def compile(self):
        sources = [os.path.relpath(path, ROOT) for pattern in SOURCES
                   for path in sorted(glob.glob(os.path.join(ROOT, pattern)))]
        subprocess.run([self.tools[0], *self.flags, *sources, "-o",
                        self.program], cwd=ROOT, check=True)

    def run(self, *args):
        done = subprocess.run([*self.run_by, self.program,
                               *[str(arg) for arg in args]], cwd=ROOT,
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{self.name}: {done.stdout[-300:]}"
                               f"{done.stderr[-300:]}")
        return done.stdout.splitlines()


def first_difference(a, b):
    pairs = enumerate(zip(a, b))
    return next((i for i, (x, y) in pairs if x != y), min(len(a), len(b)))


def explain(one, other, options):
    """Print the first call after which two builds differ."""
    whole = sum(line.startswith("calls ") for line in one.lines)
    block = min(first_difference(one.lines, other.lines), whole)
    window = (options.steps, options.seed, block * BLOCK + 1,
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
        build.lines = build.run(options.steps, options.seed)
    except (RuntimeError, subprocess.CalledProcessError) as error:
        print(f"# {error}\nnot ok - {build.name}")
        return -1
    seconds = time.monotonic() - started
    same = build.lines == reference.lines
    if not same:
        explain(reference, build, options)
    print(f"{'ok' if same else 'not ok'} - {build.name}: "
          f"{build.lines[-1]} ({seconds:.0f} s)", flush=True)
    return int(build.lines[-2].split()[1]) if same else -1


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("build")
    parser.add_argument("--steps", type=int, default=2500000)
    parser.add_argument("--seed", default="0x7e57")
    parser.add_argument("--native", action="store_true",
                        help="gcc alone, at -O0 and -O2")
    options = parser.parse_args()
    builds = [Build(*row, os.path.abspath(options.build), options.steps)
              for row in
              (BUILDS[:2] if options.native else BUILDS)]
    calls = [check(build, builds[0], options) for build in builds]
    print("# " + builds[0].lines[-2] if builds[0].lines else "#")
    done = sum(n for n in calls if n > 0)
    good = min(calls) >= 0 and sum(n > 0 for n in calls) > 1
    print(f"{'ok' if good else 'not ok'} - one hash for {done} calls in "
          f"{sum(n > 0 for n in calls)} builds")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
