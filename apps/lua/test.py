#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Runs the sample scripts with Lua built for the host.

Takes the sources that scripts/setup fetched (subprojects/packagefiles); says
so and fails if they are not there. Prints `ok` and `not ok` lines.
"""
import os
import re
import subprocess
import sys
import tarfile
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
PACKAGES = os.path.join(HERE, "../../subprojects/packagefiles")
SAMPLES = os.path.join(HERE, "samples")
FLAGS = ["-O1", "-w", "-include", "unistd.h",
         "-Dlua_stdin_is_tty()=isatty(0)",
         '-DLUA_PATH_DEFAULT="/lib/lua/?.lua;./?.lua"',
         '-DLUA_CPATH_DEFAULT=""']

# sample, arguments, standard input, what the output has to match
CASES = [
    ("hello.lua", ["a", "b c"], "", r"Hello from Lua 5\.4\n1\ta\n2\tb c\n"),
    ("fib.lua", ["10"], "",
     r"0 1 1 2 3 5 8 13 21 34 55\nfib\(10\) = 55 in \d+\.\d\d s\n"),
    ("files.lua", [], "", r"written:\n.* 27 bytes\nappended:\n.* 41 bytes\n"
     r".*files: all done\n"),
    ("files.lua", ["kept"], "", r".*files: all done\n"),
    ("sieve.lua", ["100"], "", r"25 primes below 100, the last is 97\n"),
    ("words.lua", [], "b a A\nc b a\n", r" +3 a\n +2 b\n +1 c\n"),
    ("words.lua", ["kept"], "", r" +3 line\n.*"),
]


def build(folder):
    tar = os.path.join(PACKAGES, "lua5.4_5.4.4.orig.tar.gz")
    if not os.path.exists(tar):
        sys.exit("not ok - no Lua sources: run scripts/setup first")
    with tarfile.open(tar) as archive:
        archive.extractall(folder, filter="data")
    source = os.path.join(folder, "lua-5.4.4")
    for patch in sorted(os.listdir(PACKAGES)):
        if patch.endswith(".patch"):
            subprocess.run(
                ["patch", "-p1", "-s", "-i",
                 os.path.abspath(os.path.join(PACKAGES, patch))],
                cwd=source, check=True, timeout=20)
    program = os.path.join(folder, "lua")
    files = [os.path.join(source, "src", name)
             for name in os.listdir(os.path.join(source, "src"))
             if name.endswith(".c") and name != "luac.c"]
    subprocess.run(["gcc", *FLAGS, "-o", program, *files, "-lm"], check=True,
                   timeout=300, stderr=subprocess.DEVNULL)
    return program


def run(program, folder, name, arguments, text):
    done = subprocess.run(
        [program, os.path.join(SAMPLES, name), *arguments], cwd=folder,
        input=text, capture_output=True, text=True, timeout=20, check=False)
    return done.returncode, done.stdout + done.stderr


def main():
    failed = 0
    with tempfile.TemporaryDirectory(prefix="lua-test-") as folder:
        program = build(folder)
        for number, (name, arguments, text, wanted) in enumerate(CASES, 1):
            status, output = run(program, folder, name, arguments, text)
            passed = status == 0 and re.fullmatch(wanted, output, re.S)
            failed += not passed
            print(f"{'ok' if passed else 'not ok'} {number} - "
                  f"{' '.join([name, *arguments])}")
            if not passed:
                print(f"# status {status}: {output!r}")
        unused = set(os.listdir(SAMPLES)) - {case[0] for case in CASES}
        failed += len(unused)
        print(f"{'not ok' if unused else 'ok'} {len(CASES) + 1} - "
              f"every sample is run {' '.join(sorted(unused))}")
    print(f"1..{len(CASES) + 1}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
