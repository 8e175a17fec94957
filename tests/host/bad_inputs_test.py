#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Each bad input of tests/bad_inputs.toml has a test that gives it.

usage: bad_inputs_test.py BUILD [--write]

Also checks docs/bad-inputs.md; --write makes it anew.
"""
import os
import sys

from invariants_test import ROOT, native, test_names

TABLE = os.path.join(ROOT, "tests/bad_inputs.toml")
PAGE = os.path.join(ROOT, "docs/bad-inputs.md")
HEAD = """# Bad inputs

What can be given to the kernel, the loader, the manifest and the boot that is
wrong, what comes of it, and the test that gives it. Written by
`tests/host/bad_inputs_test.py BUILD --write` from `tests/bad_inputs.toml`; do
not edit. Errors in capitals are those of [abi-reference.md](abi-reference.md):
a call that is refused changes nothing (C9 in [assurance.md](assurance.md)).
"""


def page(rows):
    lines = [HEAD, "| | input | answer | test |", "|---|---|---|---|"]
    last = ""
    for at, text, answer, test, _ in rows:
        lines.append(f"| {at if at != last else ''} | {text} | {answer} | "
                     f"`{test}` |")
        last = at
    return "\n".join(lines) + "\n"


def sources(test, table):
    """The files that a test is made of."""
    kind, name = test.split("/")
    if kind == "unit":
        row = next(row for row in table["unit"] if row["name"] == name)
        paths = native.find_sources(row, ROOT)
        folder = os.path.join(ROOT, "tests/unit")
        return paths + [os.path.join(folder, file)
                        for file in os.listdir(folder) if file.endswith(".h")]
    if kind == "target":
        return [os.path.join(ROOT, "tests/target",
                             name.replace("-", "_") + "_test.c")]
    return [os.path.join(ROOT, "tests/system",
                         f"test_{name.split('.')[0]}.py")]


def says(test, words, table):
    for path in sources(test, table):
        with open(path, encoding="utf-8") as file:
            if words in file.read():
                return True
    return False


def complaints(rows):
    known = test_names()
    table = native.read_table(os.path.join(ROOT, "tests/tests.toml"))
    abi = native.read_table(os.path.join(ROOT, "kernel/abi/abi.toml"))
    errors = {name for name, _ in abi["error"][0]["names"]}
    for _, text, answer, test, words in rows:
        if test not in known:
            yield f"{text}: no test is called {test}"
        elif not says(test, words, table):
            yield f"{text}: {test} does not say: {words}"
        if test.startswith("unit/kernel") and answer.isupper() and \
                answer not in errors:
            yield f"{text}: no error is called {answer}"
    with open(PAGE, encoding="utf-8") as file:
        if file.read() != page(rows):
            yield "docs/bad-inputs.md is stale: run this with --write"


def main():
    rows = native.read_table(TABLE)["rows"]
    if "--write" in sys.argv:
        with open(PAGE, "w", encoding="utf-8") as file:
            file.write(page(rows))
    found = list(complaints(rows))
    for text in found:
        print(f"not ok - {text}")
    if not found:
        print(f"ok - {len(rows)} bad inputs, each with a test")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
