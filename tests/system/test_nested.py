# SPDX-License-Identifier: BSL-1.0
"""Schedulers of domains that are ordinary programs: what they give to their
children is what they got, whoever dies."""

import os
import re
import subprocess
import sys

from bench import ROOT
from test_restart import domains, find, used_kib
from test_sched import VIRTUAL, boot, look, start
from vesper import Guest

SHARES = [(1, "stride", (75.0, 25.0)), (2, "round-robin", (50.0, 50.0)),
          (3, "stride", (33.3, 66.7))]
SECONDS = 6


def nested(guest, seconds=SECONDS):
    """Start the demo in the background: [(scheduler, its counter)] by level,
    and the two counters of the last."""
    first = int(re.search(r"\[(\d+)\]", guest.raw_run(
        f"nested {seconds} &")).group(1))
    guest.raw_run("sleep 1", timeout=60)
    levels, running = [], domains(guest)
    while True:
        children = sorted(i for i, parent, _ in running if parent == first)
        if len(children) != 2:
            raise AssertionError(f"{first} has children {children}")
        levels.append((first, children[1]))
        first = children[0]
        if not any(parent == first for _, parent, _ in running):
            return levels, children


def check_share(what, had, of, percent):
    if abs(had / of * 100 - percent) > 1:
        raise AssertionError(f"{what}: {had / of:.2%} instead of {percent} %")


def check_levels(guest):
    """What each level says of itself, at its end."""
    for number, policy, shares in SHARES:
        guest.seen = 0      # who is first to be heard is nobody's promise
        found = guest.expect(rf"level {number}, {policy} [\d:]+: "
                             r"(\d+\.\d) % (\d+\.\d) %", 60)
        for text, share in zip(found.groups(), shares):
            check_share(f"level {number}", float(text), 100, share)
    guest.type("")
    guest.wait_prompt()


def test_shares(bench):
    """three schedulers inside each other: shares hold at each level, in sum"""
    guest = boot(bench)
    guest.check("sched stride")
    neighbour = start(guest, "spin 1000000")
    levels, last = nested(guest)
    before, _ = look(guest)
    guest.raw_run("sleep 3", timeout=60)
    after, _ = look(guest)
    had = {i: after[i] - before[i] for i in after if i in before}
    counters = [level[1] for level in levels[:-1]] + last
    schedulers = [level[0] for level in levels]
    both = sum(had[i] for i in counters + schedulers)
    check_share("all of it", both, both + had[neighbour], 50)
    for i, percent in zip(counters, (25, 37.5, 12.5, 25)):
        check_share(f"counter {i}", had[i], both, percent)
    for i in schedulers:
        check_share(f"scheduler {i} itself", had[i], both, 0)
    check_levels(guest)
    guest.check(f"kill -9 {neighbour}")
    look(guest)


def test_budget(bench):
    """a scheduler whose budget is used up again and again: shares hold in it"""
    guest = boot(bench)
    guest.check("sched edf")
    neighbour = start(guest, "spin 1000000")
    # Level 3 has 15 % of the time: in 6 seconds a slice at either end is 1 %.
    levels, last = nested(guest, 2 * SECONDS)
    guest.check(f"sched {levels[0][0]} budget 4000 period 20000")
    before, _ = look(guest)
    guest.raw_run("sleep 3", timeout=60)
    after, _ = look(guest)
    had = {i: after[i] - before[i] for i in after if i in before}
    all_of_it = sum(had[i] for level in levels for i in level) \
        + sum(had[i] for i in last if i != levels[-1][1])
    check_share("the neighbour", had[neighbour], had[neighbour] + all_of_it, 80)
    check_levels(guest)


def test_orphans(bench):
    """a scheduler that is killed: its children go on, and nothing is lost"""
    guest = boot(bench)
    guest.raw_run("nested 1", timeout=60)
    used = used_kib(guest)
    levels, last = nested(guest)
    guest.check(f"sched {levels[1][1]} weight 5", "another domain", 1)
    guest.check(f"kill -9 {levels[1][0]}")
    before, _ = look(guest)
    guest.raw_run("sleep 1", timeout=60)
    after, _ = look(guest)
    if levels[1][0] in after:
        raise AssertionError("it was not killed")
    for i in [levels[0][1], levels[1][1]] + last:
        if after[i] - before[i] < 1e6:
            raise AssertionError(f"{i} does not go on: {before} {after}")
    guest.check(f"sched {levels[1][1]} weight 5")
    guest.raw_run(f"sleep {SECONDS + 2}", timeout=60)
    if any(name == "nested" for _, _, name in domains(guest)):
        raise AssertionError("they do not end")
    if used_kib(guest) != used:
        raise AssertionError(f"memory in use: {used} KiB, now "
                             f"{used_kib(guest)}")
    guest.check("ledger", "total, of 1073741824 bytes of RAM")
    look(guest)


def test_spinning(bench):
    """a scheduler that spins: its sibling has half, its child nothing"""
    guest = boot(bench)
    shown, status = guest.run("/tests/nested spinning", timeout=120)
    found = re.search(r"# (\d+) ms, and the other (\d+)", shown)
    if status != 0 or not found or "not ok" in shown:
        raise AssertionError(shown)
    had, other = (int(ms) for ms in found.groups())
    check_share("the one that spins", had, had + other, 50)


def boot_made(bench, manifest, files):
    """A system of its own: {name in the boot archive: file of the build}."""
    with open(os.path.join(bench.build, "debug.list"),
              encoding="utf-8") as lines:
        kernel, root = lines.read().split()[:2]
    text, archive = bench.path("manifest"), bench.path("boot.cpio")
    image = bench.path("kernel8.img")
    with open(text, "w", encoding="utf-8") as out:
        out.write(manifest)
    for script, *arguments in (
            ("mkarchive.py", archive, f"system.manifest={text}",
             *(f"{name}={os.path.join(bench.build, file)}"
               for name, file in files.items())),
            ("mkimage.py", image, kernel, root, archive)):
        subprocess.run([sys.executable, os.path.join(ROOT, "scripts", script),
                        *arguments], check=True, stdout=subprocess.DEVNULL)
    guest = Guest(image, bench.card().path, bench.qemu,
                  bench.path("serial.log"), VIRTUAL)
    bench.guests.append(guest)
    return guest.boot()


def test_restart(bench):
    """a scheduler of the manifest is killed: it is started again, and shares"""
    with open(os.path.join(ROOT, "rootserver/default.manifest"),
              encoding="utf-8") as file:
        manifest = file.read()
    guest = boot_made(bench, manifest.replace("priority 100", "priority 150")
                      + """
domain nested
    file nested
    memory 8M
    priority 100
    needs console files clock
    stdio console
    args 3
    restart always
""", {"drivers/uart": "boot-drivers-uart", "drivers/sd": "boot-drivers-sd",
      "drivers/dma": "boot-drivers-dma",
      "drivers/timer": "boot-drivers-timer", "fileserver": "boot-fileserver",
      "shell": "boot-shell", "tools": "boot-tools", "nested": "bin-nested"})
    first = find(guest, "nested")
    while not any(parent == first for _, parent, _ in domains(guest)):
        guest.raw_run("sleep 0.1")
    guest.type(f"kill -9 {first}")
    guest.expect("starting nested again", timeout=60)
    found = guest.expect(r"level 1, stride 3:1: (\d+\.\d) % (\d+\.\d) %", 120)
    check_share("level 1", float(found.group(1)), 100, 75)
