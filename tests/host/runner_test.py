#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""The test runner tested: a runner that reads a failure as success would
make every other test worthless. Prints TAP."""

import os
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
sys.path[:0] = [os.path.join(ROOT, "tests"),
                os.path.join(ROOT, "tests/system")]

from outcome import read_tap        # noqa: E402  (needs the path above)
from vesper import PROMPT, Terminal  # noqa: E402

COUNT = 0
FAILED = 0


def point(good, title):
    global COUNT, FAILED
    COUNT += 1
    FAILED += not good
    print(f"{'ok' if good else 'not ok'} {COUNT} - {title}")


def counts(text, status):
    outcome = read_tap(text, status)
    return outcome.passed, outcome.failed, outcome.skipped


def test_tap():
    point(counts("ok 1 - a\nok 2 - b\n1..2\n", 0) == (2, 0, 0), "two pass")
    point(counts("ok - a\nnot ok - b\n", 1) == (1, 1, 0), "one fails")
    point(counts("not ok - b\n", 0) == (0, 1, 0), "not ok beats status 0")
    point(counts("1..3\nok 1\nok 2\n", 0) == (2, 1, 0), "a plan not kept")
    point(counts("ok 1\n", 3) == (1, 1, 0), "a bad status alone")
    point(counts("okay, nothing ran\n", 0) == (0, 1, 0), "no point at all")
    point(counts("ok 1 # SKIP no clang\n", 0) == (0, 0, 1), "a skip")


def screen(*chunks):
    terminal = Terminal()
    for chunk in chunks:
        terminal.feed(chunk)
    return terminal


def test_terminal():
    point(screen("/$ lx\b \bs\r\nfile\r\n/$ ").lines
          == ["/$ ls", "file", "/$ "], "backspace and newline")
    point(screen("/$ a\r\x1b[K/$ abc\x1b[2D").column == 4, "cursor left")
    point(screen("/$ old text\r/$ new\x1b[", "K").lines == ["/$ new"],
          "an escape cut in two")
    point(screen("ab\x1b[1;31mcd\x1b[0m").lines == ["abcd"], "colours")
    point(PROMPT.search("/samples$ ") and PROMPT.search("tail/$ ")
          and not PROMPT.search("costs 5$ "), "what a prompt looks like")


def check_layers(folder):
    return subprocess.run(
        [sys.executable, os.path.join(ROOT, "scripts/check_layers.py"),
         folder], capture_output=True, text=True, check=False)


def test_layers():
    cases = [("apps/x/main.c", "<abi/abi.h>", False),
             ("apps/x/main.c", "<stdio.h>", True),
             ("apps/x/main.c", "<vesper/system.h>", True),
             ("kernel/core/cap.c", "<stdio.h>", False),
             ("kernel/core/cap.c", "<abi/abi.h>", True),
             ("kernel/main.c", "<vesper/system.h>", False),
             ("libos/core/a.c", '"../../kernel/core/cap.h"', False),
             ("drivers/sd/sd.c", '"../mmio.h"', True),
             ("drivers/sd/sd.c", '"../uart/uart.h"', False)]
    for path, include, allowed in cases:
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(["git", "init", "-q", folder], check=True)
            for header in ("kernel/core/cap.h", "drivers/mmio.h",
                           "drivers/uart/uart.h"):
                put(folder, header, "")
            put(folder, path, f"#include {include}\n")
            good = (check_layers(folder).returncode == 0) == allowed
            verb = "may" if allowed else "may not"
            point(good, f"{path} {verb} include {include}")


def put(folder, path, text):
    path = os.path.join(folder, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as out:
        out.write(text)


def test_empty_run():
    """A pattern that matches nothing must not look like success."""
    done = subprocess.run(
        [sys.executable, os.path.join(ROOT, "tests/run.py"), "-k",
         "no-test-has-this-name"], capture_output=True, text=True,
        check=False)
    point(done.returncode == 1 and done.stdout.endswith(
        "0 passed, 0 failed\n"), "nothing run is a failure")


def main():
    test_tap()
    test_terminal()
    test_layers()
    test_empty_run()
    print(f"1..{COUNT}")
    return 1 if FAILED else 0


if __name__ == "__main__":
    sys.exit(main())
