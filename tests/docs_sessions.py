#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""The sessions that the documents show, typed again. Prints TAP.

  docs_sessions.py BUILD [DOCUMENT...]

The ```console blocks of a document are one session on a fresh card: what comes
before the first prompt is what power-on prints; `/$ COMMAND` is typed, and the
lines that follow must come back. Numbers and widths of columns may differ.
"""

import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tests/system"))

from vesper import Card, Guest      # noqa: E402  (needs the path above)

DOCUMENTS = ("README.md", "docs/authority.md", "docs/writing-apps.md")
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.M | re.S)
PROMPT = re.compile(r"^(/\S*)\$ (.*)$")
COMMAND_S = 120


def normal(text):
    """Text with numbers, widths and blank lines at the ends made alike."""
    text = re.sub(r"0x[0-9a-f]+", "0xN", text)
    text = re.sub(r"\d[\d,.:]*", "N", text)
    return "\n".join(re.sub(r"\s+", " ", line).strip()
                     for line in text.strip("\n").split("\n"))


def session_of(text):
    """[(command or None: power-on, what it prints)]"""
    steps = []
    for block in BLOCK.findall(text):
        for line in block.split("\n")[:-1]:
            prompt = PROMPT.match(line)
            if prompt:
                steps.append((prompt.group(2), []))
            elif not steps:
                steps.append((None, [line]))
            else:
                steps[-1][1].append(line)
    return [(command, "\n".join(lines)) for command, lines in steps]


def compare(what, shown, seen):
    if normal(shown) != normal(seen):
        raise AssertionError(f"{what}: the document shows\n{shown}\n"
                             f"but it prints\n{seen}")


def replay(guest, steps):
    """Type the session; returns how many commands it had."""
    guest.boot()
    for command, shown in steps:
        if command is None:
            screen = "\n".join(guest.terminal.lines[:-1])
            compare("power-on", shown, screen)
        elif command == "poweroff":
            if guest.poweroff() != 0:
                raise AssertionError("poweroff: QEMU's exit status is not 0")
        else:
            compare(command, shown, guest.raw_run(command, COMMAND_S))
    return sum(command is not None for command, _ in steps)


def check(build, document, folder):
    with open(os.path.join(ROOT, document), encoding="utf-8") as file:
        steps = session_of(file.read())
    card = Card.copy(os.path.join(folder, "card.img"),
                     os.path.join(folder, "copy.img"))
    with Guest(os.path.join(build, "kernel8.img"), card.path) as guest:
        count = replay(guest, steps)
    if count == 0:
        raise AssertionError("there is no session in it")
    return count


def main():
    build = os.path.abspath(sys.argv[1])
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [sys.executable, os.path.join(ROOT, "scripts/mksd.py"), "create",
             os.path.join(folder, "card.img"), "--list",
             os.path.join(build, "sdcard.list")],
            check=True, stdout=subprocess.DEVNULL)
        for document in sys.argv[2:] or DOCUMENTS:
            try:
                count = check(build, document, folder)
                print(f"ok - {document}: {count} commands", flush=True)
            except AssertionError as error:
                print("# " + str(error).replace("\n", "\n# "))
                print(f"not ok - {document}", flush=True)
                failed += 1
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
