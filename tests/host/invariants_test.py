#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Every invariant of tests/invariants.toml has a check that really runs.

usage: invariants_test.py BUILD [--write]

Runs the random test of the kernel's core and prints how often each counted
invariant was looked at. Also checks the table in docs/assurance.md; --write
makes it anew.
"""
import os
import re
import subprocess
import sys
import types

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests"))

import native                       # noqa: E402  (needs the path above)

TABLE = os.path.join(ROOT, "tests/invariants.toml")
PAGE = os.path.join(ROOT, "docs/assurance.md")
BEGIN, END = "<!-- invariants -->\n", "<!-- end of invariants -->\n"
CHECKERS = os.path.join(ROOT, "tests/unit")
OPERATIONS = "30000"


def test_names():
    listed = subprocess.run(
        [sys.executable, os.path.join(ROOT, "tests/run.py"), "--full",
         "--list"], capture_output=True, text=True, check=True).stdout
    return {line.split()[0] for line in listed.splitlines()}


def marked():
    """Ids that a checker names."""
    found = set()
    for name in sorted(os.listdir(CHECKERS)):
        if name.endswith(".c"):
            with open(os.path.join(CHECKERS, name), encoding="utf-8") as file:
                found |= set(re.findall(r"\bINV\((\w+)\)", file.read()))
    return found


def counts(build):
    """{id: how often it was looked at} in a run of the random test."""
    options = types.SimpleNamespace(build=build, root=ROOT, qemu="")
    row = next(row for row in native.read_table(
        os.path.join(ROOT, "tests/tests.toml"))["unit"]
        if row["name"] == "kernel-random")
    program = native.compile_program(row, "gcc", native.C_FLAGS, options)
    out = subprocess.run([program, OPERATIONS], capture_output=True, text=True,
                         check=True).stdout
    return {m[1]: int(m[2]) for m in
            re.finditer(r"^# invariant (\w+) (\d+)$", out, re.MULTILINE)}


def table(rows):
    lines = ["| | what holds | checked by |", "|---|---|---|"]
    for row in rows:
        counted = "counted at run time; " if row.get("counted") else ""
        lines.append(f"| {row['id']} | {row['claim']} | {counted}"
                     + ", ".join(f"`{t}`" for t in row["tests"]) + " |")
    return "\n".join(lines) + "\n"


def page_parts():
    with open(PAGE, encoding="utf-8") as file:
        text = file.read()
    before, rest = text.split(BEGIN)
    old, after = rest.split(END)
    return before, old, after


def write(rows):
    before, _, after = page_parts()
    with open(PAGE, "w", encoding="utf-8") as file:
        file.write(before + BEGIN + table(rows) + END + after)


def complaints(rows, seen):
    known = test_names()
    ids = [row["id"] for row in rows]
    for row in rows:
        if not row["tests"]:
            yield f"{row['id']} has no check"
        for name in row["tests"]:
            if name not in known:
                yield f"{row['id']}: no test is called {name}"
        if row.get("counted") and not seen.get(row["id"]):
            yield f"{row['id']} was never looked at"
    yield from (f"INV({i}) is no row" for i in sorted(marked() - set(ids)))
    yield from (f"{i} stands twice" for i in sorted(set(ids))
                if ids.count(i) > 1)
    if page_parts()[1] != table(rows):
        yield "docs/assurance.md is stale: run this with --write"


def main():
    rows = native.read_table(TABLE)["invariant"]
    if "--write" in sys.argv:
        write(rows)
    seen = counts(os.path.abspath(sys.argv[1]))
    for row in rows:
        if row.get("counted"):
            print(f"# {row['id']}: looked at {seen.get(row['id'], 0):,} times")
    found = list(complaints(rows, seen))
    for text in found:
        print(f"not ok - {text}")
    if not found:
        print(f"ok - {len(rows)} invariants, each with a check")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
