# SPDX-License-Identifier: BSL-1.0
"""The experiment of Nemesis (Hand, Self-Paging in the Nemesis Operating
System, 1999): three domains that page get 10, 20 and 40 % of the CPU, and
each must come forward by its own share, whatever the others fault."""

import re

VIRTUAL = ("-icount", "shift=3,sleep=off")      # 8 ns an instruction
LOAD = "/tests/pager-load"
SHARES = (10, 20, 40)
PERIOD_US = 20000


def start(guest, share):
    name = f"share{share}"
    match = re.search(r"\[(\d+)\]", guest.raw_run(f"{LOAD} {name} > "
                                                  f"/{name}.log &"))
    domain = int(match.group(1))
    guest.check(f"sched {domain} period {PERIOD_US} "
                f"budget {PERIOD_US * share // 100}")


def progress(guest):
    """{share: [(ms, faults)]}"""
    found = {}
    for share in SHARES:
        text, _ = guest.run(f"cat /share{share}.log")
        found[share] = [(int(ms), int(done)) for done, ms in
                        re.findall(rf"share{share} (\d+) (\d+)", text)]
    return found


def measure(guest, seconds):
    """Progress of each domain in the time in which all had their share."""
    guest.check("sched shell priority 150")
    guest.check("sched edf")
    for share in SHARES:
        start(guest, share)
    guest.run(f"sleep {seconds}", timeout=600)
    return progress(guest)


def rates(found):
    """Faults a second of each, from the time at which the last one began."""
    begin = max(points[0][0] for points in found.values())
    end = min(points[-1][0] for points in found.values())
    result = {}
    for share, points in found.items():
        inside = [p for p in points if begin <= p[0] <= end]
        (from_ms, first), (to_ms, last) = inside[0], inside[-1]
        result[share] = (last - first) * 1000 / (to_ms - from_ms)
    return result


def check(rates_found, tolerance):
    for share, rate in rates_found.items():
        wanted = rates_found[SHARES[0]] * share / SHARES[0]
        if abs(rate - wanted) > tolerance * wanted:
            raise AssertionError(
                f"{share} %: {rate:.0f} faults a second, not {wanted:.0f}: "
                f"{rates_found}")


def test_nemesis(bench):
    """three paging domains at 10, 20 and 40 %: progress in these ratios"""
    guest = bench.boot(extra=VIRTUAL)
    check(rates(measure(guest, 6)), 0.1)
    guest.poweroff()
