# SPDX-License-Identifier: BSL-1.0
"""Domains get the CPU that they were promised, whatever their neighbours do.

Time is virtual (-icount): it counts instructions, and so does not depend on
how busy the machine is that runs the test."""

import os
import re
import subprocess

from bench import ROOT, lane

VIRTUAL = ("-icount", "shift=3,sleep=off")      # 8 ns an instruction
# For deadlines: 2 ns. The root server does not let itself be interrupted while
# it makes a domain, as each command typed here does; at 8 ns an instruction a
# few of 2,000 jobs were up to 1.7 ms late.
FASTER = ("-icount", "shift=1,sleep=off")
PERIOD_US, BUDGET_US = 10000, 3000
WORK_US = 2800      # of each job; what is left is for the calls around it
LOAD = "/tests/cpu-load"


def boot(bench, extra=VIRTUAL):
    guest = bench.boot(extra=extra)
    guest.check("sched shell priority 150")     # it answers, whoever spins
    return guest


def share_check(before, after, domain, part):
    """The domain had this part of all time, within 1 % of it."""
    had = after[0][domain] - before[0][domain]
    share = had / (after[1] - before[1])
    if abs(share - part) > part / 100:
        raise AssertionError(f"{share:.4%} of the CPU instead of {part:.0%}")
    return share


def background(guest, command):
    """Start a program in the background; its domain."""
    started = re.search(r"\[(\d+)\]", guest.raw_run(f"{command} &"))
    if not started:
        raise AssertionError(f"{command} did not start")
    return int(started.group(1))


def start(guest, load):
    return background(guest, f"{LOAD} {load}")


def rows(text):
    """What one look of top says: {name or id: ticks}, of how many ticks."""
    found = {int(i) or name: int(ticks) for i, ticks, name in re.findall(
        r"(?m)^ *(\d+) +\d+\.\d\d +(\d+) (.+)$", text)}
    sums = re.search(r"together +(\d+) of (\d+) ticks", text)
    if not sums or sums.group(1) != sums.group(2):
        raise AssertionError("the rows of top are not all time:\n" + text)
    if sum(found.values()) != int(sums.group(2)):
        raise AssertionError("top adds up wrongly:\n" + text)
    return found, int(sums.group(2))


def look(guest):
    """Who has had how much since power-on."""
    return rows(guest.raw_run("top -n 1"))


def periodic(guest, jobs, priority=1):
    """A domain that reserves its budget itself, before its first job."""
    return start(guest, f"periodic {PERIOD_US} {BUDGET_US} {WORK_US} {jobs} "
                        f"{priority}")


def wait_deadlines(guest, jobs, timeout=120):
    """All were in time; how many us the slowest took."""
    found = guest.expect(r"periodic: (\d+) jobs, (\d+) missed, longest (\d+)",
                         timeout)
    if int(found.group(1)) != jobs or found.group(2) != "0":
        raise AssertionError(found.group(0))
    return int(found.group(3))


def check_deadlines(guest, jobs, timeout=120):
    guest.seen = 0      # it may have ended while something was typed
    longest = wait_deadlines(guest, jobs, timeout)
    guest.type("")
    guest.wait_prompt()
    return longest


def test_reservation(bench):
    """edf: 10 ms / 30 % keeps all deadlines while neighbours spin and change"""
    guest = boot(bench, FASTER)
    guest.check("sched edf")
    spinners = [start(guest, "spin 100000") for _ in range(3)]
    periodic(guest, 500)
    for i, spinner in enumerate(spinners):
        guest.check(f"sched {spinner} period {7000 + i * 4000} "
                    f"budget {1400 + i * 800} priority 255")
    guest.check(f"sched {spinners[0]} slack yes priority 50")
    check_deadlines(guest, 500)
    guest.check("sched", "policy edf")


def test_priority(bench):
    """fixed priority: the most urgent domain keeps all its deadlines"""
    guest = boot(bench)
    for _ in range(3):
        start(guest, "spin 100000")
    periodic(guest, 500, 190)
    check_deadlines(guest, 500)


def test_change(bench):
    """policy and neighbours change while a reserved domain misses nothing"""
    guest = boot(bench, FASTER)
    guest.check("sched edf")
    spinners = [start(guest, "spin 100000") for _ in range(2)]
    periodic(guest, 600, 190)
    for i in range(4):
        guest.check(f"sched {('priority', 'edf')[i % 2]}")
        guest.check(f"sched {spinners[i % 2]} period {5000 + 1000 * i} "
                    "budget 1000 slack yes")
    check_deadlines(guest, 600)


ATTACKS = ("mask", "signal", "call", "nap", "spawn")
THRASH = "/tests/pager-load"


def promised(guest, jobs, also=()):
    """Two domains whose promises hold for so many periods: one has deadlines,
    the other 20 % and wants more. Started before `also`."""
    start(guest, f"share {PERIOD_US} 2000 {jobs * PERIOD_US // 1000}")
    periodic(guest, jobs)
    for attack in also:
        start(guest, attack)


def wait_promised(guest, jobs, timeout):
    """What the 20 % were, and the longest that a job took, in us."""
    seen = guest.seen
    longest = wait_deadlines(guest, jobs, timeout)
    guest.seen = seen   # either may end first
    had, of = map(int, guest.expect(r"share: (\d+) of (\d+) us",
                                    timeout).groups())
    if abs(had / of - 0.2) > 0.2 / 100:
        raise AssertionError(f"{had / of:.4%} of the CPU instead of 20 %")
    return had / of, longest


def attack(guest, jobs, timeout=120):
    """Twice so many periods while neighbours do harm; then those of whom the
    shell hears nothing more, too. The share, of who has 20 %, that is farther
    off, and the longest that a job took, in us."""
    guest.check("sched edf")
    guest.check("sched shell budget 1000 period 10000 slack yes")
    for how in ATTACKS:
        start(guest, f"attack {how}")
    background(guest, THRASH)
    promised(guest, jobs)
    guest.seen = 0      # they may have ended while something was typed
    first = wait_promised(guest, jobs, timeout)
    guest.type("")
    guest.wait_prompt()
    # The reports of `fault` go between all other text
    promised(guest, jobs, ("attack bomb", "attack fault"))
    second = wait_promised(guest, jobs, timeout)
    return (min(first[0], second[0]), max(first[1], second[1]))


@lane("full")
def test_attack(bench):
    """edf: neighbours do all the harm they can; promises and deadlines hold"""
    attack(boot(bench), 300)


def fetch(bench, card, name):
    """A file of the card, on this machine; its path here."""
    path = bench.path(name)
    with open(path, "wb") as out:
        out.write(card.read(f"/{name}"))
    return path


def check_trace(*arguments):
    """The exit status of scripts/check_trace, and what it says."""
    done = subprocess.run([os.path.join(ROOT, "scripts/check_trace"),
                           *arguments], capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def test_trace(bench):
    """a trace under attack: who had the core when; its promises are kept"""
    card = bench.card()
    guest = bench.boot(card, VIRTUAL)
    guest.check("trace write /early.json", "there is no trace", 1)
    guest.check("sched edf")
    guest.check("sched shell budget 1000 period 10000 slack yes")
    spinner = start(guest, "spin 1000000")
    guest.check(f"sched {spinner} budget 2000 period 10000")
    loads = [start(guest, f"attack {how}") for how in ("mask", "call", "spawn")]
    loads.append(periodic(guest, 10000))
    guest.check("trace start; sleep 1; trace stop", timeout=120)
    guest.check(f"kill -9 {spinner} {' '.join(map(str, loads))}")
    guest.check("trace status", "off, ")
    guest.check("trace write /trace.json", timeout=120)
    guest.check("trace write /no/folder.json", "No such file", 1)
    guest.check("ledger", "total, of 1073741824 bytes of RAM")
    guest.check("trace start; trace write /now.json", "trace stop", 1)
    guest.check("trace write", "usage: trace start | stop", 2)
    guest.poweroff()
    path = fetch(bench, card, "trace.json")
    promises = (f"--share={spinner}=20", f"--period={loads[-1]}={PERIOD_US}")
    status, said = check_trace(path, *promises)
    if status != 0 or f"cpu-load[{spinner}]" not in said:
        raise AssertionError(said)
    status, said = check_trace(path, f"--share={spinner}=21")
    if status != 1 or "violated: share: cpu-load" not in said:
        raise AssertionError(said)


def traced(bench, how):
    """What check_trace says of a program that traces itself, beside a spinner:
    in its two files, and when they are merged."""
    card = bench.card()
    guest = bench.boot(card, VIRTUAL)
    spinner = start(guest, "spin 1000000")
    guest.check("trace start; /tests/trace-load /own.json 1000 "
                f"{how}; trace stop", timeout=120)
    guest.check(f"kill -9 {spinner}")
    guest.check("trace write /trace.json", timeout=120)
    guest.check(f"/tests/trace-load /no/file 1 {how}", "No such file", 1)
    guest.poweroff()
    merged = bench.path("merged.json")
    status, said = check_trace(*(fetch(bench, card, name) for name in
                                 ("trace.json", "own.json")),
                               "--merge", merged)
    if status != 0 or check_trace(merged) != (status, said):
        raise AssertionError(said)
    return said


def check_parts(said, *parts):
    """Each of (track, percent, by how much it may be off)."""
    for track, percent, off in parts:
        had = re.search(rf"(\d+\.\d+) % of it +{track}\n", said)
        if not had or abs(float(had.group(1)) - percent) > off:
            raise AssertionError(said)


def test_trace_threads(bench):
    """a program's own trace: what each of its threads had of its time"""
    check_parts(traced(bench, "threads"), ("left", 49, 1.5), ("right", 49, 1.5))


def test_trace_nested(bench):
    """a scheduler's own trace: what each of its domains had of its time"""
    said = traced(bench, "nested")
    child = sorted(re.findall(r"child \d+", said))
    check_parts(said, (child[0], 24, 2), (child[1], 74, 2))


def test_stride(bench):
    """stride: spinners get 1:2:4 within 1 %, and again after a change"""
    guest = boot(bench)
    ids = [start(guest, "spin 1000000") for _ in range(3)]
    for domain, weight in zip(ids, (100, 200, 400)):
        guest.check(f"sched {domain} weight {weight}")
    guest.check("sched stride")
    for weights in ((100, 200, 400), (100, 200, 300)):
        guest.check(f"sched {ids[2]} weight {weights[2]}")
        before, _ = look(guest)
        guest.raw_run("sleep 14", timeout=120)
        after, _ = look(guest)
        had = [after[i] - before[i] for i in ids]
        for ticks, weight in zip(had, weights):
            wanted = sum(had) * weight / sum(weights)
            if abs(ticks - wanted) > wanted / 100:
                raise AssertionError(f"weights {weights} had {had}")


def test_round_robin(bench):
    """round robin: equal shares, whatever priority and weight say"""
    guest = boot(bench)
    ids = [start(guest, "spin 1000000") for _ in range(3)]
    guest.check(f"sched {ids[0]} weight 900 priority 1")
    guest.check("sched round-robin")
    before, _ = look(guest)
    guest.raw_run("sleep 10", timeout=120)
    after, _ = look(guest)
    had = [after[i] - before[i] for i in ids]
    if max(had) > min(had) * 1.01:
        raise AssertionError(f"turns of {had}")


def test_account(bench):
    """all time is somebody's, to the tick: domains, ended, root, idle"""
    guest = boot(bench)
    before, began = look(guest)
    guest.raw_run("sleep 5", timeout=60)
    after, ended = look(guest)
    idle = after["(idle)"] - before["(idle)"]
    if not 0.95 * (ended - began) < idle < ended - began:
        raise AssertionError(f"idle {idle} of {ended - began} ticks")
    spinner = start(guest, "spin 2000")
    guest.raw_run("sleep 1", timeout=60)
    running, _ = look(guest)
    guest.raw_run("sleep 2", timeout=60)
    gone, _ = look(guest)
    if spinner in gone or gone["(ended)"] < running[spinner]:
        raise AssertionError("time of a domain that ended is lost")
    text = guest.raw_run("top -n 3", timeout=60)
    for part in re.split(r"(?m)^ +ID ", text)[1:]:
        rows("   ID " + part)


REFUSED = (
    ("fifo", 1, "fifo: no such policy; there are priority round-robin edf"),
    ("nobody weight 3", 1, "nobody: no such domain"),
    ("root priority 3", 1, "root: no such domain"),
    ("99999 priority 3", 1, "99999: no such domain"),
    ("shell priority 0", 1, "priority is not 1..255"),
    ("shell priority 256", 1, "priority is not 1..255"),
    ("shell weight 1001", 1, "weight is not 1..1000"),
    ("shell budget 5", 1, "a budget needs a period, which is 0"),
    ("shell period 10000", 1, "a period needs a budget, which is 0"),
    ("shell budget 10001 period 10000", 1, "budget is larger than the period"),
    ("shell budget 1 period 999", 1, "period is not 1 ms to 10 s"),
    ("shell budget 1 period 10000001", 1, "period is not 1 ms to 10 s"),
    ("shell budget 4000000000 period 4294967295", 1,
     "period is not 1 ms to 10 s"),
    ("shell budget -1 period 10000", 2, "-1: not a whole number"),
    ("shell budget 99999999999 period 1", 2, "not a whole number"),
    ("shell colour 3", 2, "colour: none of priority, weight, budget"),
    ("shell slack maybe", 2, "maybe: neither yes nor no"),
    ("shell weight", 2, "usage: sched"),
)


def test_refused(bench):
    """bad input to sched: each told with its cause, and nothing changed"""
    guest = boot(bench)
    guest.check("sched uart budget 7500 period 10000")
    guest.check("sched sd budget 2501 period 10000", status=1,
                contains="so much of the CPU is not left: left is 25.0000 %")
    guest.check("sched sd budget 2500 period 10000")
    shown = guest.raw_run("sched")
    for words, status, cause in REFUSED:
        guest.check(f"sched {words}", cause, status)
    # all but the id of sched itself
    if re.sub(r"sched\[.*", "", guest.raw_run("sched")) != \
            re.sub(r"sched\[.*", "", shown):
        raise AssertionError("something changed")
