# SPDX-License-Identifier: BSL-1.0
"""Test programs that run on the build machine: compile (only when a source
or an included header changed), run with a time limit, read their TAP."""

import glob
import os
import shutil
import subprocess
import tomllib

from outcome import Outcome, read_tap

SANITIZE = "-fsanitize=address,undefined"
C_FLAGS = ["-std=gnu11", "-g", "-O1", "-fno-omit-frame-pointer", SANITIZE,
           "-fno-sanitize-recover=all", "-Wall", "-Wextra", "-Wshadow",
           "-Wundef", "-Wvla", "-Wstrict-prototypes", "-Wmissing-prototypes",
           "-Werror"]
TIMEOUT_S = 300                     # of a row that says nothing
OUTPUT_BYTES_MAX = 4 << 20


def read_table(path):
    with open(path, "rb") as file:
        return tomllib.load(file)


def find_sources(row, root):
    found = []
    for pattern in row["sources"]:
        paths = sorted(glob.glob(os.path.join(root, pattern)))
        if not paths:
            raise FileNotFoundError(f"no source matches {pattern}")
        found += paths
    return [path for path in found if os.path.relpath(path, root)
            not in row.get("except", [])]


def is_fresh(program, command):
    """Is the program newer than all it was made from, by this command?"""
    try:
        with open(program + ".cmd", encoding="utf-8") as file:
            if file.read() != "\n".join(command):
                return False
        made = os.path.getmtime(program)
        with open(program + ".d", encoding="utf-8") as file:
            names = file.read().replace("\\\n", " ").split()
        paths = [name for name in names if not name.endswith(":")]
        return all(os.path.getmtime(path) <= made for path in paths)
    except OSError:
        return False


def compile_program(row, compiler, flags, options, suffix=""):
    """The program's path; CompileError's text is what the compiler said.

    Sources are compiled one by one into one .d file each: a single compiler
    run over many sources would overwrite it."""
    program = os.path.join(options.build, "tests", row["name"] + suffix)
    os.makedirs(os.path.dirname(program), exist_ok=True)
    include = ["-I" + os.path.join(options.root, path)
               for path in row.get("include", ["."])]
    flags = [*flags, *include, *[f.replace("@ROOT@", options.root)
                                 .replace("@BUILD@", options.build)
                                 for f in row.get("flags", [])]]
    objects = []
    for source in find_sources(row, options.root):
        name = os.path.relpath(source, options.root).replace("/", "_")
        objects.append(f"{program}.{name}.o")
        command = [compiler, *flags, "-c", source, "-MD", "-MF",
                   objects[-1] + ".d", "-o", objects[-1]]
        if not is_fresh(objects[-1], command):
            run_compiler(command, options)
            with open(objects[-1] + ".cmd", "w", encoding="utf-8") as file:
                file.write("\n".join(command))
    run_compiler([compiler, *flags, *objects, "-o", program,
                  *row.get("libs", [])], options)
    return program


class CompileError(Exception):
    pass


def run_compiler(command, options):
    done = subprocess.run(command, cwd=options.root, capture_output=True,
                          text=True, check=False)
    if done.returncode != 0:
        raise CompileError(" ".join(command) + "\n" + done.stderr)


def run_program(command, timeout_s, options):
    """Run with a time limit that also holds if it ignores SIGTERM."""
    env = dict(os.environ, ASAN_OPTIONS="detect_leaks=1:abort_on_error=0",
               UBSAN_OPTIONS="print_stacktrace=1", LC_ALL="C",
               QEMU=options.qemu)
    try:
        done = subprocess.run(command, cwd=options.root, env=env,
                              stdin=subprocess.DEVNULL, check=False,
                              stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=timeout_s)
    except subprocess.TimeoutExpired as error:
        text = (error.stdout or b"")[-4000:].decode(errors="replace")
        return Outcome.failure(f"{text}\nno end after {timeout_s} s")
    text = done.stdout[-OUTPUT_BYTES_MAX:].decode(errors="replace")
    return read_tap(text, done.returncode)


def run_unit(row, options):
    try:
        program = compile_program(row, "gcc", C_FLAGS, options)
    except (CompileError, OSError) as error:
        return Outcome.failure(str(error))
    return run_program([program, *row.get("args", [])],
                       row.get("timeout", TIMEOUT_S), options)


def find_clang():
    return shutil.which("clang-14") or shutil.which("clang")


def run_fuzz(row, options):
    """A counted libFuzzer run from the seeds; one run is one test."""
    if not find_clang():
        return Outcome.skip("no clang; scripts/setup --full installs it")
    return run_program(
        ["python3", "tests/fuzz/run.py", options.build, row["name"], "--lane",
         options.lane], row.get("timeout", TIMEOUT_S), options)
