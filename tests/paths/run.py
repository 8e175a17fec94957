#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""How long the kernel stays with interrupts off, in instructions.

usage: run.py BUILD [--qemu PATH] [--write] [--program P...]

Boots the built system under -icount with plugin.c and types PROGRAMS, or P...;
without P... also the cases of tests/board on the same kernel. Prints for every
system call the longest way with interrupts off: from entry to exit, or to the
next look at pending interrupts. A way over GATE fails, and so does one that is
longer than docs/paths.md says, by more than TOLERANCE; --write makes that page
anew.
"""
import argparse
import os
import subprocess
import sys
import tempfile
import tomllib

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "tests/system"))

from vesper import Card, Guest, symbol      # noqa: E402  (needs the path above)

PAGE = os.path.join(ROOT, "docs/paths.md")
GATE = 4000         # the longest that may be
TARGET = 2000       # what each should be
TOLERANCE = 1.10    # when what is typed arrives is not the guest's time
PROGRAMS = ("/tests/kernel-calls", "/tests/kernel-space",
            "/tests/kernel-upcalls", "/tests/kernel-registers",
            "/tests/kernel-worst", "/tests/hostile", "cat /samples/readme.txt")
VECTOR = 0x10000
KINDS = {           # what plugin.c numbers apart from system calls
    0x4000: "reply", 0x8000: "call", VECTOR + 8: "fault, FP or exception",
    VECTOR + 9: "interrupt", VECTOR + 11: "error", VECTOR + 15: "wake-up",
}


def names():
    with open(os.path.join(ROOT, "kernel/abi/abi.toml"), "rb") as file:
        table = tomllib.load(file)
    return KINDS | {row["nr"]: row["name"] for row in table["syscall"]}


def run_system(options, folder, extra):
    """The built system, and what is typed there."""
    image = os.path.join(folder, "card.img")
    subprocess.run(
        [sys.executable, os.path.join(ROOT, "scripts/mksd.py"), "create",
         image, "--list", os.path.join(options.build, "sdcard.list")],
        check=True, stdout=subprocess.DEVNULL)
    with Guest(os.path.join(options.build, "kernel8.img"), Card(image).path,
               options.qemu, extra=extra) as guest:
        guest.boot(180)
        for program in options.program or PROGRAMS:
            guest.check(program, timeout=300)
        guest.poweroff()


def run_board(options, _folder, extra):
    """In the root server's place: calls that wait in line, saved replies."""
    with Guest(os.path.join(options.build, "tests/board/board.img"), None,
               options.qemu, extra=extra) as guest:
        guest.expect(r"\nend\r?\n", 180)
        guest.process.terminate()       # the plugin writes at QEMU's exit
        guest.process.wait(60)


def merge(one, other):
    """(count, longest part, longest stay, total) of both."""
    return (one[0] + other[0], max(one[1], other[1]), max(one[2], other[2]),
            one[3] + other[3])


def measure(options, folder):
    """{kind: (count, longest part, longest stay, total)}"""
    plugin = os.path.join(folder, "plugin.so")
    counts = os.path.join(folder, "counts")
    subprocess.run(["cc", "-std=gnu11", "-O2", "-shared", "-fPIC", "-I", ROOT,
                    "-o", plugin, os.path.join(HERE, "plugin.c")], check=True)
    vectors = symbol(os.path.join(options.build, "kernel/kernel.elf"),
                     "vectors")
    extra = ("-icount", "shift=0,sleep=off", "-plugin",
             f"{plugin},vectors={vectors:#x},out={counts}")
    found = {}
    for run in (run_system,) if options.program else (run_system, run_board):
        run(options, folder, extra)
        with open(counts, encoding="utf-8") as file:
            rows = [tuple(map(int, line.split())) for line in file]
        for kind, *row in rows:
            found[kind] = merge(found.get(kind, (0, 0, 0, 0)), row)
    return found


def recorded():
    """{name: longest part} of the page."""
    try:
        with open(PAGE, encoding="utf-8") as file:
            rows = [line.split("|") for line in file if line.startswith("| ")]
    except OSError:
        return {}
    return {row[1].strip(): int(row[3].replace(",", "")) for row in rows
            if len(row) > 4 and row[3].strip().replace(",", "").isdigit()}


def judge(name, part, old):
    """Prints a TAP line; True if all is well."""
    limit = min(GATE, old.get(name, GATE) * TOLERANCE)
    good = part <= limit
    text = f"{name}: {part:,} instructions with interrupts off"
    print(f"ok - {text}" if good else f"not ok - {text}, limit {limit:,.0f}")
    return good


def write(found):
    lines = [
        "# Interrupts off", "",
        "Written by `tests/paths/run.py BUILD --write`; do not edit. "
        "Instructions of the kernel with interrupts off, counted",
        "by a QEMU plugin (`tests/paths/plugin.c`) under",
        "`-icount shift=0,sleep=off` while these ran: "
        + ", ".join(f"`{p}`" for p in PROGRAMS)
        + "; and `tests/board`, in the root server's place.", "",
        "*Longest* is the longest way from entry to exit or to the next look "
        "at pending interrupts: how long an interrupt",
        f"may have to wait. The target is {TARGET:,}, more than {GATE:,} fails "
        "the tests. *Longest stay* is from entry to exit when",
        "no interrupt came. *Mean* is of whole stays.", "",
        "| entry | count | longest | longest stay | mean |",
        "|---|--:|--:|--:|--:|"]
    for name, (count, part, stay, total) in found:
        lines.append(f"| {name} | {count:,} | {part:,} | {stay:,} | "
                     f"{total // count:,} |")
    with open(PAGE, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    print(f"# {PAGE} written")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("build")
    parser.add_argument("--qemu", default=os.environ.get("QEMU"))
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--program", nargs="+")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        kinds = measure(options, folder)
    known = names()
    found = sorted(((known[k], v) for k, v in kinds.items() if k in known),
                   key=lambda row: -row[1][1])
    missing = [name for kind, name in known.items() if kind not in kinds
               and kind not in (VECTOR + 11,)]
    good = not missing
    if missing:
        print("not ok - never entered: " + ", ".join(missing))
    if options.write:
        write(found)
    old = recorded()
    for name, (_, part, _, _) in found:
        good &= judge(name, part, old)
    return 0 if good else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (AssertionError, OSError, subprocess.CalledProcessError) as error:
        sys.exit(f"not ok - paths: {error}")
