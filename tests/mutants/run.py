#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Test the tests of the kernel's core: break it, and see whether they notice.

  tests/mutants/run.py BUILD [--count N] [--seed S] [--file NAME] [--all]

operators.toml says how to break; N of the places where that can be done are
picked by the seed, the same share of every file. Each mutant is a copy of one
file, compiled and linked with the kernel unit tests of tests/tests.toml and the
comparison with the model, without sanitizers, likeliest and cheapest test
first, until one fails or takes too long. Mutants that compile to the same code
as the original are not counted, nor those that equivalent.toml explains. Prints
a line per mutant; the test fails if less than 95 % are killed.
"""

import argparse
import collections
import glob
import hashlib
import os
import random
import re
import shutil
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.dirname(HERE))

import native  # noqa: E402  (needs the path above)

CORE = "kernel/core"
KILLED_MIN = 95.0
PER_FILE_MIN = 4
C_FLAGS = ["-std=gnu11", "-O1", "-w"]
# Tests of other lanes that are run, too, for a fraction of a second; with a
# seed that meets every call and every promised error
SHORT = {"kernel-random": ["20000", "3"],
         "model": ["100000", "3", "256"]}
NOT_CODE = re.compile(r"/\*.*?\*/|^#[^\n]*|ASSERT\([^;]*;|\"[^\"\n]*\"",
                      re.DOTALL | re.MULTILINE)

Mutant = collections.namedtuple("Mutant", "file line operator was becomes text")


def read_core():
    return {os.path.relpath(path, ROOT): open(path, encoding="utf-8").read()
            for path in sorted(glob.glob(os.path.join(ROOT, CORE, "*.c")))}


def line_at(text, offset):
    start = text.rfind("\n", 0, offset) + 1
    return text[start:text.find("\n", offset)].strip()


def find_mutants(file, text, operators):
    """Every way to break one file, in order of place and operator."""
    skipped = [match.span() for match in NOT_CODE.finditer(text)]
    for operator in operators:
        for match in re.finditer(operator["find"], text, re.MULTILINE):
            # A match may begin with the blanks before what it changes
            at = match.start() + len(match[0]) - len(match[0].lstrip())
            if any(start <= at < end for start, end in skipped):
                continue
            changed = (text[:match.start()]
                       + match.expand(operator["replace"])
                       + text[match.end():])
            yield Mutant(file, text.count("\n", 0, at) + 1, operator["name"],
                         line_at(text, at), line_at(changed, at)
                         if "dropped" not in operator["name"]
                         or "if (" in match[0] or match[0] == "!"
                         else "(dropped)", changed)


def pick(mutants, count, seed):
    """As many of every file as its share, but some of each; by the seed."""
    chooser = random.Random(seed)
    files = collections.defaultdict(list)
    for mutant in mutants:
        files[mutant.file].append(mutant)
    for found in files.values():
        share = max(PER_FILE_MIN, round(count * len(found) / len(mutants)))
        # Operators take turns, so that the rare ones are tried as well
        turns = collections.defaultdict(list)
        for mutant in chooser.sample(found, len(found)):
            turns[mutant.operator].append(mutant)
        order = []
        while any(turns.values()):
            order += [left.pop() for left in turns.values() if left]
        yield from sorted(order[:share], key=lambda m: (m.line, m.operator))


class Bench:
    """The unit tests, compiled once, and the core, file by file."""

    def __init__(self, build):
        table = native.read_table(os.path.join(ROOT, "tests", "tests.toml"))
        rows = [row for row in table["unit"]
                if row["name"] in SHORT or (
                    row["name"].startswith("kernel-")
                    and row.get("lane", "quick") == "quick")]
        self.include = ["-I" + os.path.join(ROOT, path) for path in
                        sorted({path for row in rows
                                for path in row["include"]})]
        self.build = build
        self.folder = os.path.join(build, "tests", "mutants")
        shutil.rmtree(self.folder, ignore_errors=True)
        os.makedirs(self.folder)
        self.made = {}              # source, flags -> object
        self.core = collections.defaultdict(dict)   # flags -> file -> object
        self.tests = {}             # name -> its flags, its own objects
        self.seconds = {}           # name -> how long it takes
        self.kills = collections.Counter()      # (file, test)
        for row in rows:
            self.add_test(row)

    def compile(self, source, flags):
        """The object; None if the compiler does not accept it."""
        key = hashlib.sha256("\n".join(flags).encode()).hexdigest()[:8]
        name = os.path.relpath(source, ROOT).replace("/", "_")
        made = os.path.join(self.folder, f"{name}.{key}.o")
        done = subprocess.run(["gcc", *C_FLAGS, *self.include, *flags, "-c",
                               source, "-o", made], cwd=ROOT,
                              capture_output=True, text=True, check=False)
        self.complaint = done.stderr
        return made if done.returncode == 0 else None

    def add_test(self, row):
        flags = tuple(flag.replace("@BUILD@", self.build)
                      for flag in row["flags"])
        core, objects = self.core[flags], []
        for source in native.find_sources(row, ROOT):
            name = os.path.relpath(source, ROOT)
            made = self.made.get((name, flags)) or self.compile(source, flags)
            if made is None:
                raise RuntimeError(self.complaint)
            self.made[name, flags] = made
            if name.startswith(CORE):
                core[name] = made
            else:
                objects.append(made)
        self.tests[row["name"]] = (flags, objects)

    def run(self, test, changed, timeout_s):
        """Is the core found right by a test, with these files changed?"""
        program = os.path.join(self.folder, "program")
        flags, objects = self.tests[test]
        core = {**self.core[flags], **changed}
        subprocess.run(["gcc", *objects, *core.values(), "-o", program],
                       check=True, capture_output=True)
        try:
            return subprocess.run(
                [program, *SHORT.get(test, [])], cwd=ROOT,
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL, timeout=timeout_s,
                check=False).returncode == 0
        except subprocess.TimeoutExpired:
            return False

    def check_original(self):
        for test in self.tests:
            started = time.monotonic()
            if not self.run(test, {}, 120):
                raise RuntimeError(f"{test} fails without any mutant")
            self.seconds[test] = time.monotonic() - started

    def killer(self, mutant):
        """The test that kills it, "" if none does; None: not a mutant."""
        source = os.path.join(self.folder, os.path.basename(mutant.file))
        with open(source, "w", encoding="utf-8") as file:
            file.write(mutant.text)
        made = {}                   # flags -> object
        for flags, core in self.core.items():
            made[flags] = self.compile(source, flags)
            if made[flags] is None or \
                    same_code(made[flags], core[mutant.file]):
                return None
        for test in sorted(self.tests, key=lambda t: (
                -self.kills[mutant.file, t], self.seconds[t])):
            changed = {mutant.file: made[self.tests[test][0]]}
            if not self.run(test, changed, 2 + 20 * self.seconds[test]):
                self.kills[mutant.file, test] += 1
                return test
        return ""


def same_code(a, b):
    """Do two objects differ only in the name of their source?"""
    text = []
    for path in (a, b):
        bare = path + ".bare"
        subprocess.run(["strip", "-s", "-o", bare, path], check=True)
        with open(bare, "rb") as file:
            text.append(file.read())
    return text[0] == text[1]


def run_all(bench, mutants, known):
    """Counts what became of the mutants; prints each."""
    total = collections.Counter()
    survivors = []
    for mutant in mutants:
        key = (mutant.file, mutant.was, mutant.becomes)
        where = (f"{mutant.file}:{mutant.line}: {mutant.operator}: "
                 f"{mutant.was}  ->  {mutant.becomes}")
        test = bench.killer(mutant)
        if test is None:
            total["same"] += 1
            continue
        if test == "" and key in known:
            total["equivalent"] += 1
            continue
        if test and key in known:
            print(f"# killed, though equivalent.toml says it cannot be: "
                  f"{where}")
            total["wrong"] += 1
        total["killed" if test else "survived"] += 1
        print(f"# {'killed' if test else 'SURVIVED'} {where}"
              + (f"  [{test}]" if test else ""), flush=True)
        if not test:
            survivors.append(where)
    if survivors:
        print("# Survivors:")
    for where in survivors:
        print("#   " + where)
    return total


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("build")
    parser.add_argument("--count", type=int, default=120)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--file", default="", help="only files named so")
    parser.add_argument("--all", action="store_true", help="every mutant")
    options = parser.parse_args()
    operators = native.read_table(
        os.path.join(HERE, "operators.toml"))["operator"]
    known = {(row["file"], row["was"], row["becomes"]) for row in
             native.read_table(os.path.join(HERE, "equivalent.toml"))
             .get("equivalent", [])}
    found = [mutant for file, text in read_core().items()
             if options.file in file
             for mutant in find_mutants(file, text, operators)]
    stale = known - {(m.file, m.was, m.becomes) for m in found}
    if stale and not options.file:
        sys.exit("not ok - mutants: equivalent.toml has what is no mutant: "
                 + "; ".join(map(str, sorted(stale))))
    chosen = found if options.all else list(
        pick(found, options.count, options.seed))
    bench = Bench(os.path.abspath(options.build))
    bench.check_original()
    total = run_all(bench, chosen, known)
    tried = total["killed"] + total["survived"]
    rate = 100.0 * total["killed"] / max(tried, 1)
    good = rate >= KILLED_MIN and tried > 0 and not total["wrong"]
    print(f"{'ok' if good else 'not ok'} - mutants: {total['killed']} of "
          f"{tried} killed ({rate:.1f} %), seed {options.seed}; "
          f"{len(found)} possible, {total['same']} compile to the same code, "
          f"{total['equivalent']} equivalent")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
