#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""House rules that no compiler checks: SPDX line, file comment, length of
files and lines, #pragma once, no tabs in C, no TODO without an issue, no
package host named anywhere, no #ifdef.

  check_style.py [ROOT]          prints TAP
"""

import os
import re
import subprocess
import sys

FILE_LINES_MAX = 600
TEST_LINES_MAX = 900       # a test file is a list, not a mechanism
LINE_COLUMNS_MAX = 80
SPDX = "SPDX-License-Identifier: BSL-1.0"
# Assembled, so that this file does not name what it forbids
HOSTS = re.compile("|".join((r"deb\." + "debian", r"snapshot\." + "debian",
                             r"registry\." + "npmjs", r"security\." + "debian",
                             r"pypi\." + "org")))
OPEN_WORK = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b(?!\(#?\d+\))")


def list_files(root):
    done = subprocess.run(
        ["git", "-C", root, "ls-files", "-co", "--exclude-standard"],
        capture_output=True, text=True, check=True)
    return [path for path in done.stdout.splitlines()
            if os.path.isfile(os.path.join(root, path))
            and not path.startswith("tests/fuzz/corpus/")]     # any bytes


def check_text(path, text):
    """Yields (line number, offence) for any kind of text file."""
    for number, line in enumerate(text.split("\n"), 1):
        if HOSTS.search(line):
            yield number, "names a package host"
        if line.endswith((" ", "\t")) and not path.endswith(".md"):
            yield number, "blank at the end of the line"


def check_code(path, text):
    """Yields (line number, offence) for C, headers, assembly, scripts."""
    lines = text.split("\n")
    if SPDX not in "\n".join(lines[:3]):
        yield 1, "no SPDX line among the first three"
    limit = TEST_LINES_MAX if path.startswith("tests/") else FILE_LINES_MAX
    if len(lines) > limit:
        yield len(lines), f"more than {limit} lines"
    for number, line in enumerate(lines, 1):
        if OPEN_WORK.search(line) and "check_style" not in path:
            yield number, "open work without an issue number"
        if len(line.expandtabs(8)) > LINE_COLUMNS_MAX:
            yield number, f"more than {LINE_COLUMNS_MAX} columns"


def check_c(path, text):
    lines = text.split("\n")
    if path.endswith(".h") and "#pragma once" not in text and \
            "/posix/" not in path:
        yield 1, "no #pragma once"
    if not any(line.lstrip().startswith(("/*", "*", "//"))
               for line in lines[1:6]):
        yield 2, "no file comment after the SPDX line"
    for number, line in enumerate(lines, 1):
        if "\t" in line:
            yield number, "tab"
        if re.match(r"\s*#\s*ifn?def\b", line):
            yield number, "#ifdef: use #if CONFIG_X, always defined"


def offences_in(root, path):
    try:
        with open(os.path.join(root, path), encoding="utf-8") as file:
            text = file.read()
    except UnicodeDecodeError:
        return                      # a binary test input
    yield from check_text(path, text)
    script = text.startswith("#!")
    if path.endswith((".c", ".h", ".S", ".py")) or script:
        yield from check_code(path, text)
    if path.endswith((".c", ".h")):
        yield from check_c(path, text)


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else os.path.join(
        os.path.dirname(os.path.abspath(__file__)), "..")
    files = list_files(root)
    count = 0
    for path in files:
        for number, why in offences_in(root, path):
            count += 1
            print(f"# {path}:{number}: {why}")
    word = "not ok" if count or not files else "ok"
    print(f"{word} - style: {len(files)} files, {count} offences")
    return 1 if word == "not ok" else 0


if __name__ == "__main__":
    sys.exit(main())
