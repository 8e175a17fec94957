#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Line and branch coverage by unit tests, measured with gcov of gcc.

  tests/coverage/run.py BUILD [GROUP...]

gate.toml says which files are measured by which rows of tests/tests.toml, the
percentages reached, which may only rise, and which lines and branches nothing
can reach, with the reason. Tests run without sanitizers: those are the
business of the rows themselves. Prints TAP: a line per file, what was not
reached and is not explained, and a test per group.

What is explained counts as not reached. Not counted is the failing side of an
ASSERT: only a bug of the code itself takes it.
"""

import argparse
import collections
import fnmatch
import glob
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.dirname(HERE))

import native  # noqa: E402  (needs the path above)

C_FLAGS = ["-std=gnu11", "-g", "-w"]
MEASURED = ["-O0", "--coverage"]
TEXT_COLUMNS = 48
RISE = 0.25                     # percent above the gate that are mentioned


class Failed(Exception):
    pass


def run(command, timeout_s=300):
    done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=timeout_s, check=False)
    if done.returncode != 0:
        text = done.stdout[-3000:].decode(errors="replace")
        raise Failed(" ".join(command)[-300:] + "\n" + text)
    return done.stdout


class Group:
    """Files that are measured together, and the tests that run them."""

    def __init__(self, row, table, build):
        self.row = row
        self.name = row["name"]
        self.table = table
        self.build = build
        self.folder = os.path.join(build, "tests", "coverage", self.name)
        self.files = sorted({
            os.path.relpath(path, ROOT) for pattern in row["files"]
            for path in glob.glob(os.path.join(ROOT, pattern))})
        self.counted = {}           # objects with counters -> source

    def rows(self, kind):
        wanted = self.row.get(kind, [])
        skipped = self.row.get("skip", [])
        found = [row for row in self.table[kind] if row["name"] not in skipped
                 and any(fnmatch.fnmatch(row["name"], w) for w in wanted)]
        if wanted and not found:
            raise Failed(f"no {kind} row is called {wanted}")
        return found

    def compile(self, row, source):
        """The object of a source; counted if it is one of our files."""
        name = os.path.relpath(source, ROOT)
        own = name in self.files
        flags = [*C_FLAGS, *(MEASURED if own else ["-O1"]),
                 *["-I" + os.path.join(ROOT, path)
                   for path in row.get("include", ["."])],
                 *[flag.replace("@ROOT@", ROOT).replace("@BUILD@", self.build)
                   for flag in row.get("flags", [])]]
        key = hashlib.sha256("\n".join(flags).encode()).hexdigest()[:8]
        made = os.path.join(self.folder, f"{name.replace('/', '_')}.{key}.o")
        if not os.path.exists(made):
            run(["gcc", *flags, "-c", source, "-o", made])
        if own:
            self.counted[made] = name
        return made

    def link(self, row, extra=()):
        sources = [*native.find_sources(row, ROOT), *extra]
        objects = [self.compile(row, source) for source in sources]
        program = os.path.join(self.folder, row["name"])
        run(["gcc", "--coverage", *objects, "-o", program,
             *row.get("libs", [])])
        return program

    def run_tests(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        os.makedirs(self.folder)
        for row in self.rows("unit"):
            args = self.row.get("args", {}).get(row["name"],
                                                row.get("args", []))
            run([self.link(row), *args])
        for row in self.rows("fuzz"):
            program = self.link(row, [os.path.join(HERE, "replay.c")])
            corpus = program + ".corpus"
            os.makedirs(corpus)
            if "seeds" in row:
                run([*row["seeds"], corpus])
            run([program, corpus])

    def counters(self):
        """source -> line -> (times reached, [times each branch was taken])"""
        total = {name: {} for name in self.files}
        for made, name in self.counted.items():
            if not os.path.exists(made[:-2] + ".gcda"):
                continue            # linked into no program that ended well
            text = run(["gcov", "--json-format", "--branch-probabilities",
                        "--stdout", made])
            for file in json.loads(text)["files"]:
                path = os.path.join(ROOT, file["file"])
                if os.path.relpath(path, ROOT) == name:
                    add_lines(total[name], file["lines"])
        return total


def add_lines(total, lines):
    """Add one object's counters; a line may occur once per function."""
    mine = collections.defaultdict(lambda: (0, []))
    for line in lines:
        count, taken = mine[line["line_number"]]
        mine[line["line_number"]] = (
            count + line["count"],
            taken + [branch["count"] for branch in line["branches"]])
    for number, (count, taken) in mine.items():
        old, old_taken = total.get(number, (0, [0] * len(taken)))
        total[number] = (old + count,
                         [a + b for a, b in zip(old_taken, taken)])


class Tally:
    """Of one file or of a group."""

    def __init__(self):
        self.lines = self.lines_hit = self.lines_excused = 0
        self.branches = self.branches_hit = self.branches_excused = 0

    def add(self, other):
        for key, value in vars(other).items():
            setattr(self, key, getattr(self, key) + value)

    def line_rate(self):
        return 100.0 * self.lines_hit / max(self.lines, 1)

    def branch_rate(self):
        return 100.0 * self.branches_hit / max(self.branches, 1)

    def is_explained(self):
        return self.lines == self.lines_hit + self.lines_excused and \
            self.branches == self.branches_hit + self.branches_excused

    def text(self):
        text = (f"{self.lines_hit} of {self.lines} lines "
                f"({self.line_rate():.2f} %), "
                f"{self.branches_hit} of {self.branches} branches "
                f"({self.branch_rate():.2f} %)")
        if self.lines_excused or self.branches_excused:
            text += (f"; explained: {self.lines_excused} lines, "
                     f"{self.branches_excused} branches")
        return text


class Excuses:
    """The [[unreached]] rows of gate.toml; each must be needed."""

    def __init__(self, rows):
        self.left = [dict(row) for row in rows]

    def take(self, name, text, branches):
        """Are this many branches (0: the line itself) explained?"""
        for row in self.left:
            if row["file"] == name and row["text"] == text and \
                    row.get("branches", 0) == branches and \
                    row.get("places", 1) > row.get("used", 0):
                row["used"] = row.get("used", 0) + 1
                return True
        return False

    def unused(self, files):
        return [row for row in self.left if row["file"] in files
                and row.get("used", 0) < row.get("places", 1)]


def measure_file(name, lines, excuses, tally):
    """Counts a file's lines; yields what is neither reached nor excused."""
    with open(os.path.join(ROOT, name), encoding="utf-8") as file:
        source = [""] + [line.strip() for line in file]
    for number, (count, taken) in sorted(lines.items()):
        text = source[number]
        tally.lines += 1
        if count == 0:
            tally.branches += len(taken)
            if excuses.take(name, text, 0):
                tally.lines_excused += 1
                tally.branches_excused += len(taken)
            else:
                yield number, "never reached", text
            continue
        tally.lines_hit += 1
        missed = taken.count(0)
        if text.startswith("ASSERT("):
            taken = taken[missed:]
            missed = 0
        tally.branches += len(taken)
        tally.branches_hit += len(taken) - missed
        if missed and excuses.take(name, text, missed):
            tally.branches_excused += missed
        elif missed:
            yield number, f"{missed} of {len(taken)} branches not taken", text


def report(group, excuses):
    total = Tally()
    for name, lines in group.counters().items():
        tally = Tally()
        missed = list(measure_file(name, lines, excuses, tally))
        print(f"# {name}: {tally.text()}")
        for number, what, text in missed:
            print(f"#   {name}:{number}: {what}: {text[:TEXT_COLUMNS]}")
        if not lines:
            raise Failed(f"{name}: nothing was measured")
        total.add(tally)
    for row in excuses.unused(group.files):
        raise Failed(f"gate.toml excuses what is reached, or is not there: "
                     f"{row['file']}: {row['text']}")
    return total


def check_group(group, excuses):
    """Prints the group's test; true if it reached its gate."""
    try:
        group.run_tests()
        total = report(group, excuses)
    except (Failed, OSError, subprocess.TimeoutExpired) as error:
        print("# " + str(error).replace("\n", "\n# "))
        print(f"not ok - coverage: {group.name}")
        return False
    lines, branches = group.row["lines"], group.row["branches"]
    good = total.line_rate() >= lines and total.branch_rate() >= branches
    if good and (total.line_rate() > lines + RISE or
                 total.branch_rate() > branches + RISE):
        print("# clearly more than the gate: raise it in gate.toml")
    if group.row.get("explained") and not total.is_explained():
        print("# what is not reached must be explained in gate.toml")
        good = False
    print(f"{'ok' if good else 'not ok'} - coverage: {group.name}: "
          f"{total.text()}; gate {lines} % and {branches} %")
    return good


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("build")
    parser.add_argument("groups", nargs="*")
    options = parser.parse_args()
    build = os.path.abspath(options.build)
    table = native.read_table(os.path.join(ROOT, "tests", "tests.toml"))
    gate = native.read_table(os.path.join(HERE, "gate.toml"))
    good = True
    for row in gate["group"]:
        if not options.groups or row["name"] in options.groups:
            excuses = Excuses(gate.get("unreached", []))
            good &= check_group(Group(row, table, build), excuses)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
