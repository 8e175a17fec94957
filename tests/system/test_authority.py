# SPDX-License-Identifier: BSL-1.0
"""`ledger` and `caps` at the prompt: whose is all memory, who holds what and
why, and is it what the manifest says; before and after crashes and kills."""

import collections
import re

from test_drivers import find_domain, kill_domain
from test_manifest import MANIFEST, boot_with

BOARD_BYTES = 1 << 30


def read_ledger(guest):
    """[(bytes, "type state", owner)]; the sum is checked here, too."""
    output = guest.check("ledger", timeout=60)
    rows = []
    for line in output.splitlines()[1:-1]:
        found = re.fullmatch(r" *(\d+)  (.{13}) (.{15}) (\S.*)", line.rstrip())
        if not found:
            raise AssertionError(f"not a row of the ledger: {line!r}")
        rows.append((int(found[1]),
                     f"{found[2].strip()} {found[3].strip()}", found[4]))
    total = f"{BOARD_BYTES}  total, of {BOARD_BYTES} bytes of RAM"
    if output.splitlines()[-1].strip() != total:
        raise AssertionError(f"not {total!r}:\n{output}")
    if sum(row[0] for row in rows) != BOARD_BYTES:
        raise AssertionError(f"the rows are {sum(r[0] for r in rows)} bytes")
    return rows


def state_of(rows):
    """What two ledgers must agree in: without the tool itself, whose id is
    another each time, without the numbers of channels, and whether frames are
    mapped or not: the shell may still hold what it read the tool into."""
    held = collections.Counter()
    for size, what, owner in rows:
        if not owner.startswith("ledger["):
            held[re.sub(r"^frame .*", "frame", what),
                 re.sub(r"^channel \d+", "channel", owner)] += size
    return sorted((size, *row) for row, size in held.items())


def need(text, *patterns):
    for pattern in patterns:
        if not re.search(pattern, text, re.M):
            raise AssertionError(f"{pattern!r} is not in:\n{text}")


def test_ledger(bench):
    """all memory by type, owner and state, to the last byte"""
    guest = bench.boot()
    rows = read_ledger(guest)
    seen = {(what, re.sub(r"\[\d+\]|\d+$", "", owner)): size
            for size, what, owner in rows}
    for what, size in {
            ("reserved not the ARM's", "videocore"): 48 << 20,
            ("reserved under devices", "videocore"): 16 << 20,
            ("spin table fixed", "firmware"): 4096}.items():
        if seen.get(what) != size:
            raise AssertionError(f"{what}: {seen.get(what)}, not {size}")
    for what in [("image fixed", "kernel"), ("directory fixed", "kernel"),
                 ("boot archive mapped", "root"), ("untyped free", "-"),
                 ("frame mapped", "channel ")] + [
                     (what, name) for name in
                     ("uart", "timer", "sd", "files", "shell", "ledger")
                     for what in ("cnode in use", "frame mapped",
                                  "page table in use", "dispatcher in use",
                                  "untyped given, free")]:
        if seen.get(what, 0) <= 0:
            raise AssertionError(f"no {what} in {sorted(seen)}")
    guest.check("ledger now", "usage: ledger", status=2)
    guest.check("help", "ledger")
    guest.poweroff()


def test_ledger_comes_back(bench):
    """crashes and kills leave the ledger as it was, row by row"""
    guest = bench.boot()
    guest.check("echo warm > /warm; cat /warm | wc")
    guest.raw_run("crash null", timeout=60)
    before = state_of(read_ledger(guest))
    for _ in range(3):
        guest.raw_run("crash null", timeout=60)
        guest.run("sleep 100 &")
        guest.check(f"kill -9 {find_domain(guest, 'sleep')}")
        guest.raw_run("wait")
        guest.raw_run("sleep 0.3")
    after = state_of(read_ledger(guest))
    if before != after:
        raise AssertionError(
            f"gone: {[r for r in before if r not in after]}\n"
            f"new: {[r for r in after if r not in before]}")
    guest.poweroff()


def line_of(text):
    """Its number in the manifest."""
    with open(MANIFEST, encoding="utf-8") as file:
        lines = [line.split("#")[0].split() for line in file]
    return lines.index(text.split()) + 1


def test_caps(bench):
    """capabilities of all and of one domain, and the chain to each"""
    guest = bench.boot()
    guest.check("echo x > /x")          # the shell itself opens a file
    need(guest.check("caps"), r"^ +\d+ +\d+ +0 +96 .* root$",
         r"^( +\d+){3} +1 +\d+ +\d+ +1 +\d+  uart\[\d+\]$",
         r"^( +\d+){3} +0 +\d+ +\d+ +0 +\d+  shell\[\d+\]$")
    need(guest.check("caps sd"), r"^slot:1 +endpoint +---c--- copy",
         r"^slot:4 +irq .* line 56", r"^kept:1 +domain ",
         r"^kept:2 +dispatcher ", r"^kept:\d+-\d+ +frame ",
         r"^device:0x3f202000 ")
    need(guest.check("caps root"), r"^slot:\d+ +cpu ")
    need(guest.check(f"caps {find_domain(guest, 'shell')}"),
         r"^service:files +may connect", r"^channel:\d+ +files of files")
    need(guest.check("caps why sd irq:56"), r"^irq, line 56: sd\[\d+\], slot:4",
         rf"^  declared: system.manifest:{line_of('irq 56')}, domain sd: irq",
         r"^  copied from the original: root, slot:\d+$",
         r"^  given to the root server by the kernel, at boot$")
    line = line_of("device 0x3f202000 4096")
    need(guest.check("caps why sd device:0x3f202000"),
         rf"^  declared: system.manifest:{line}, domain sd: device 0x3f202000",
         r"^  made from untyped 0x3f200000 of \d+ bytes: root",
         r"^  given to the root server by the kernel, at boot$")
    line = line_of("needs console files clock")
    need(guest.check("caps why caps service:files"),
         r"^  caps\[\d+\] was started by shell\[\d+\]",
         rf"^  declared: system.manifest:{line}, domain shell: needs files$")
    # memory: through the domain's own untyped, the root server's, the kernel's
    guest.check("caps why shell slot:18", "made from untyped")
    guest.poweroff()


def test_caps_errors(bench):
    """caps says what it does not understand"""
    guest = bench.boot()
    guest.check("caps nobody", "caps: nobody: no such domain", status=1)
    guest.check("caps 99999", "caps: 99999: no such domain", status=1)
    guest.check("caps -1", "caps: -1: no such domain", status=1)
    guest.check("caps why nobody irq:56", "no such domain", status=1)
    guest.check("caps why sd irq:57", "does not hold it", status=1)
    guest.check("caps why sd irq:", "not the name of an object", status=1)
    guest.check("caps why sd irq:5x", "not the name of an object", status=1)
    guest.check("caps why shell device:0x3f202000", "does not hold it",
                status=1)
    guest.check("caps why sd service:files", "does not hold it", status=1)
    guest.check("caps why sd controller", "not the name of an object",
                status=1)
    guest.check("caps why sd", "usage: caps", status=2)
    guest.check("caps diff now", "usage: caps", status=2)
    guest.poweroff()


def test_caps_diff(bench):
    """no differences: at start, in use, after crashes, kills and restarts"""
    guest = bench.boot()
    guest.check("caps diff", "no differences")
    guest.check("echo x > /x; sleep 0.1; cat /x | cat; caps diff",
                "no differences")
    guest.raw_run("crash null", timeout=60)
    kill_domain(guest, "sd")
    kill_domain(guest, "timer")
    kill_domain(guest, "files")
    guest.check("cat /x", "x")
    guest.check("caps diff", "no differences")
    read_ledger(guest)
    guest.poweroff()


def test_caps_difference(bench):
    """a domain that is not started again is a difference, with its line"""
    guest = boot_with(bench, lambda text: re.sub(
        r"(domain timer.*?restart) always", r"\1 never", text, flags=re.S))
    guest.boot()
    guest.check("caps diff", "no differences")
    guest.raw_run(f"kill -9 {find_domain(guest, 'timer')}")
    need(guest.check("caps diff", status=1),
         r"^timer: is not running \(system.manifest:\d+\)$")
    read_ledger(guest)
    guest.poweroff()
