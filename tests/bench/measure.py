# SPDX-License-Identifier: BSL-1.0
"""Boot the benchmark under QEMU and count its marked regions.

A Figure is what one row needs, by exception level, in instructions. Nothing is
subtracted: the counter is proven on regions whose length is known, and a row
whose runs do not agree is an error, not a mean. Runs in which an interrupt
came do not count, unless the row is about one.
"""

import collections
import os
import re
import subprocess
import sys
import tomllib

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "tests/system"))

from vesper import Card, Guest, symbol      # noqa: E402  (needs the path above)

ICOUNT = ("-icount", "shift=0,sleep=off", "-seed", "1")
RUNS = 8                        # of each row, as in mark.h
WARM = 5                        # of them, those that must agree
IRQ_VECTOR = 0x480              # of interrupts from user mode
BOOT_S = 300
COUNTERS = ("el0", "el1", "barrier", "isb", "tlbi", "ttbr", "irq")
Run = collections.namedtuple("Run", COUNTERS)
ROW = re.compile(r"^row (\d+) (.+)$", re.MULTILINE)
DOMAIN = re.compile(r"^domain (0x[0-9a-f]+) (.+)$", re.MULTILINE)
AXIS = re.compile(r"(\w+) (\d+): (.+)")
PROOF = {                       # row: (EL0 instructions, passes the kernel)
    "proof: empty region": (0, False),
    "proof: 100 nops": (100, False),
    "proof: loop of 2,001 instructions": (2001, False),
    "proof: a system call and 3 nops": (4, True),
}


class BenchError(Exception):
    """A count that cannot be trusted, for the user."""


# One row: the warm run that five agree on, and the total of the first run.
Figure = collections.namedtuple(
    "Figure", "total el1 el0 first barrier isb tlbi ttbr")


def figure_of(first, warm, per):
    """Counts of a run, each divided by `per`."""
    counts = (warm.el0 + warm.el1, warm.el1, warm.el0, first.el0 + first.el1,
              warm.barrier, warm.isb, warm.tlbi, warm.ttbr)
    return Figure(*(count if per == 1 else round(count / per, 3)
                    for count in counts))


def load_rows():
    """rows.toml: order, goals and what peers need."""
    with open(os.path.join(HERE, "rows.toml"), "rb") as file:
        return tomllib.load(file)


def quoted():
    """(row, value) of what docs/report.md measures and its own test keeps."""
    with open(os.path.join(ROOT, "docs/report.md"), encoding="utf-8") as file:
        report = file.read()
    for row in load_rows()["quoted"]:
        match = re.search(row["pattern"], report)
        yield row, int(match.group(1).replace(",", ""))


def plugin_options(build, folder, **more):
    """QEMU's options to count, and the file of the counts; more: trace, until.
    """
    plugin, counts = (os.path.join(folder, n) for n in ("plugin.so", "counts"))
    if not os.path.exists(plugin):
        subprocess.run(["cc", "-std=gnu11", "-O2", "-shared", "-fPIC", "-I",
                        ROOT, "-o", plugin, os.path.join(HERE, "plugin.c")],
                       check=True)
    irq = symbol(os.path.join(build, "kernel/kernel.elf"),
                 "vectors") + IRQ_VECTOR
    text = "".join(f",{name}={value}" for name, value in more.items() if value)
    return ICOUNT + ("-plugin", f"{plugin},irq={irq:#x},out={counts}{text}"), \
        counts


def boot_image(options, folder, image, trace=None):
    """Names in order, the lines that the plugin wrote, and {address: domain}.
    """
    extra, counts = plugin_options(options.build, folder, trace=trace)
    path = os.path.join(options.build, "tests/bench", image)
    with Guest(path, None, options.qemu, extra=extra) as guest:
        found = guest.expect(r"row \d+ end\s|failed [^\n]*\n", BOOT_S).group()
        text = guest.text
    return finish(found, text, counts)


def boot_system(options, folder, trace=None):
    """The same of the program /tests/bench on the system itself."""
    extra, counts = plugin_options(options.build, folder, trace=trace)
    card = os.path.join(folder, "card.img")
    subprocess.run(
        [sys.executable, os.path.join(ROOT, "scripts/mksd.py"), "create", card,
         "--list", os.path.join(options.build, "sdcard.list")],
        check=True, stdout=subprocess.DEVNULL)
    with Guest(os.path.join(options.build, "kernel8.img"), Card(card).path,
               options.qemu, extra=extra) as guest:
        guest.boot(BOOT_S)
        guest.type("/tests/bench")
        found = guest.expect(r"row \d+ end\s|failed [^\n]*\n", BOOT_S).group()
        text = guest.text
    return finish(found, text, counts)


def finish(found, text, counts):
    if found.startswith("failed"):
        raise BenchError(found.strip())
    names = [(int(runs), name.strip())
             for runs, name in ROW.findall(text.replace("\r", ""))]
    domains = {int(address, 16): name.strip() for address, name
               in DOMAIN.findall(text.replace("\r", ""))}
    with open(counts, encoding="utf-8") as file:
        return names[:-1], file.read().splitlines(), domains


def runs_by_row(names, lines):
    """{name: its runs}; every region belongs to a row, and to one."""
    runs = [Run(*map(int, line.split())) for line in lines]
    if sum(count for count, _ in names) != len(runs):
        raise BenchError(f"{len(runs)} regions were counted, the rows have "
                         f"{sum(count for count, _ in names)}")
    rows, at = {}, 0
    for count, name in names:
        if name in rows:
            raise BenchError(f"two rows are called {name!r}")
        rows[name] = runs[at:at + count]
        at += count
    return rows


def settle(name, runs, row):
    """The figure of a row, or BenchError: its runs do not agree."""
    warm = runs[1:]
    if not row.get("interrupt"):
        warm = [run for run in warm if run.irq == 0]
    warm = warm[:WARM]
    totals = sorted(run.el0 + run.el1 for run in warm)
    allowed = row.get("spread_percent", 0) / 100 * totals[0] if totals else 0
    if len(warm) < WARM or totals[-1] - totals[0] > allowed:
        raise BenchError(f"{name}: unstable: {totals}")
    middle = next(run for run in warm
                  if run.el0 + run.el1 == totals[WARM // 2])
    return figure_of(runs[0], middle, row.get("per", 1))


def prove(rows):
    """The counter counts what is there, in every run."""
    null = {run.el1 for run in rows["null system call"]}
    for name, (el0, kernel) in PROOF.items():
        el1 = null if kernel else {0}
        found = {(run.el0, run.el1) for run in rows.pop(name)}
        if found != {(el0, count) for count in el1}:
            raise BenchError(f"{name}: the counter says {sorted(found)}")


def figures(rows, known):
    """{name: Figure} of all rows, which rows.toml must know."""
    found = {}
    for name, runs in rows.items():
        if name not in known and not AXIS.fullmatch(name):
            raise BenchError(f"{name}: not in tests/bench/rows.toml")
        found[name] = settle(name, runs, known.get(name, {}))
    return found


def measure(options, folder, image="bench.img", quick=False):
    """All figures; quick: only those of the bare set of domains."""
    known = {row["name"]: row for row in load_rows()["row"]}
    rows = runs_by_row(*boot_image(options, folder, image)[:2])
    prove(rows)
    found = figures(rows, known)
    if not quick:
        found |= figures(runs_by_row(*boot_system(options, folder)[:2]), known)
    return found


def second_runs(names, lines):
    """{name: addresses of the instructions of its second run}"""
    found, addresses = [], []
    for line in lines:
        if line == "@begin":
            addresses = []
        elif line.startswith("@"):
            addresses.append(int(line[1:], 16))
        else:
            found.append(addresses)
    return {name: found[at * RUNS + 1] for at, (_, name) in enumerate(names)}


def traces(options, folder):
    """The second runs of the bare set of domains; those of the system, and
    where its domains lie."""
    bare = boot_image(options, folder, "bench.img", RUNS)
    system = boot_system(options, folder, RUNS)
    return second_runs(*bare[:2]), second_runs(*system[:2]), system[2]
