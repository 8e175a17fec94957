# SPDX-License-Identifier: BSL-1.0
"""top -H: the CPU time of each thread of a domain, which adds up with all other
time to all there was, whatever the domain says of itself.

Time is virtual (-icount), and the board slow: 32 ns an instruction. A turn of
thread-load and two of the scheduler then take about as long, so that the same
thread loses the CPU each time: its time would be wrong if that were not known.
"""

import re

from test_sched import background, boot as boot_with

SLOW = ("-icount", "shift=5,sleep=off")
LOAD = "/tests/thread-load"
ROW = re.compile(r"(?m)^ *(\d+) +(\d+|-) +\d+\.\d\d +(\d+) ([ -~]+)$")


def boot(bench):
    return boot_with(bench, SLOW)


def rows(text):
    """One look of top -H: {(domain's id, name): ticks}, of how many. Threads
    of one name are one entry."""
    found = {}
    for domain, _, ticks, name in ROW.findall(text):
        key = int(domain), name
        found[key] = found.get(key, 0) + int(ticks)
    sums = re.search(r"together +(\d+) of (\d+) ticks", text)
    if not sums or sums.group(1) != sums.group(2):
        raise AssertionError("the rows of top -H are not all time:\n" + text)
    if sum(found.values()) != int(sums.group(1)):
        raise AssertionError("top -H adds up wrongly:\n" + text)
    return found, int(sums.group(1))


def looks(guest, rounds):
    text = guest.raw_run(f"top -H -n {rounds}", timeout=60)
    return [rows(part) for part in re.split(r"(?m)^ +ID THREAD ", text)[1:]]


def watched(guest, domain):
    """What the threads of a domain had in one second: {name: part of all}."""
    found, elapsed = looks(guest, 2)[1]
    return {name.split(" ", 1)[1]: ticks / elapsed
            for (of, name), ticks in found.items() if of == domain}


def check_parts(had, whole, **parts):
    """Threads had these parts of the domain's time, within 3 %, and the domain
    so much of all, but for what top and the console need."""
    total = sum(had.values())
    if abs(total - whole) > 0.06:
        raise AssertionError(f"{total:.2%} instead of {whole:.0%}: {had}")
    for name, part in parts.items():
        share = sum(had.get(n, 0) for n in name.split("_or_")) / total
        if abs(share - part) > 0.03:
            raise AssertionError(f"{name}: {share:.2%} instead of {part:.0%}")


def load(guest, how, ms=1000000):
    return background(guest, f"{LOAD} {how} {ms}")


def turns_check(guest, domain, whole):
    """Ended threads among them: those that come and go are 1 in 5."""
    had = watched(guest, domain)
    had["past"] = had.pop("(ended)", 0) + had.pop("short", 0)
    check_parts(had, whole, three=0.6, one=0.2, past=0.2)


def test_alone(bench):
    """top -H: threads that share 3:1:1, one of which is never the same"""
    guest = boot(bench)
    turns_check(guest, load(guest, "share"), 1)


def test_contended(bench):
    """top -H: what other domains had is no thread's, and no less exact"""
    guest = boot(bench)
    background(guest, "/tests/cpu-load spin 1000000")
    turns_check(guest, load(guest, "share"), 0.5)


def test_many(bench):
    """top -H: threads beyond those that are shown are time of the domain"""
    guest = boot(bench)
    had = watched(guest, load(guest, "many"))
    check_parts(had, 1, many=62 / 80)
    if had["(libos)"] < 17 / 80:
        raise AssertionError(f"threads that are not shown are lost: {had}")


def test_ended(bench):
    """top -H: a domain that ends between two looks is in the sum, once"""
    guest = boot(bench)
    domain = load(guest, "share", 1500)
    seen = [any(of == domain for of, _ in found)
            for found, _ in looks(guest, 4)]
    if seen[:2] != [True, True] or seen[3]:
        raise AssertionError(f"seen {seen}")


def test_lies(bench):
    """top -H: a domain that says nonsense of its threads harms nobody"""
    guest = boot(bench)
    liar = load(guest, "lie")
    turns = load(guest, "share")
    check_parts(watched(guest, liar), 0.5)
    turns_check(guest, turns, 0.5)
    guest.check(f"kill -9 {liar}; ps", "thread-load")
    turns_check(guest, turns, 1)
