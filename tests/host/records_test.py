#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""The figures of docs/assurance.md are the tests' own.

usage: records_test.py [--write]

From tests/records.toml: the table of the recorded long runs, which --write
makes anew, and for each figure of the page the line of a test that decides it.
"""
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests"))

import native                       # noqa: E402  (needs the path above)

TABLE = "tests/records.toml"
PAGE = "docs/assurance.md"
BEGIN, END = "<!-- records -->\n", "<!-- end of records -->\n"


def read(name):
    with open(os.path.join(ROOT, name), encoding="utf-8") as file:
        return file.read()


def table(records):
    lines = ["| run | seed | recorded by | result | repeated by |",
             "|---|---|---|---|---|"]
    lines += [f"| `{r['run']}` | {r.get('seed', '-')} | {r['recorded']}, "
              f"{r['date']} | {r['result']} | {r['now']} |" for r in records]
    return "\n".join(lines) + "\n"


def spoken(figure):
    """1,000 for what people count, 3 x 10^8 for what they do not."""
    number = int(figure)
    digits = str(number).rstrip("0")
    if number < 10**6:
        return f"{number:,}"
    power = f"10^{len(str(number)) - 1}"
    return power if digits == "1" else f"{digits} x {power}"


def complaints(rows, page):
    old = page.partition(BEGIN)[2].partition(END)[0]
    if old != table(rows["record"]):
        yield f"{PAGE} is stale: run this with --write"
    for row in rows["figure"]:
        found = re.search(row["match"], read(row["file"]))
        if not found:
            yield f"{row['file']} has no {row['match']}"
        elif row["page"].format(spoken(found[1])) not in page:
            yield (f"{PAGE} does not say \"{row['page']}\" with "
                   f"{spoken(found[1])}, as {row['file']} does")


def main():
    rows = native.read_table(os.path.join(ROOT, TABLE))
    page = read(PAGE)
    if "--write" in sys.argv:
        before, _, rest = page.partition(BEGIN)
        page = (before + BEGIN + table(rows["record"]) + END
                + rest.partition(END)[2])
        with open(os.path.join(ROOT, PAGE), "w", encoding="utf-8") as file:
            file.write(page)
    found = list(complaints(rows, page))
    for text in found:
        print(f"not ok - {text}")
    if not found:
        print(f"ok - {len(rows['record'])} records, {len(rows['figure'])} "
              "figures as in the tests")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
