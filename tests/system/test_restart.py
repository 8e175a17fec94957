# SPDX-License-Identifier: BSL-1.0
"""Servers and programs that are killed again and again: the system goes on,
and neither memory nor files are lost."""

import re
import time

from bench import lane
from vesper import PATIENCE

ROUNDS = 20
KEPT = "this was here before\n"
SLACK_KIB = 0       # what may be in use more after warming up


def domains(guest):
    """What ps lists: [(id, parent, name)]; ps itself is not there."""
    listed = re.findall(r"(?m)^ *(\d+) +(\d+) +\d+ \w+ .* (\S+) *$",
                        guest.raw_run("ps"))
    return [(int(i), int(parent), name) for i, parent, name in listed
            if name != "ps"]


def find(guest, name):
    found = [i for i, parent, n in domains(guest) if (parent, n) == (0, name)]
    if len(found) != 1:
        raise AssertionError(f"{len(found)} domains are called {name}")
    return found[0]


def used_kib(guest):
    found = re.search(r"used\s+(\d+) KiB", guest.raw_run("free"))
    if not found:
        raise AssertionError("free does not say what is used")
    return int(found.group(1))


def check_used(guest, before, slack=SLACK_KIB):
    """Pages of what just ended may take a moment to come back."""
    for _ in range(10):
        after = used_kib(guest)
        if after <= before + slack:
            return
        guest.raw_run("sleep 0.2")
    raise AssertionError(f"{before} KiB in use before, {after} KiB after")


def kill_server(guest, name):
    """kill -9 by hand, typed; the next of its kind must be there."""
    old = find(guest, name)
    start = guest.wait_prompt()
    guest.type(f"kill -9 {old}")
    guest.expect(rf"starting {name} again", timeout=20)
    guest.wait_prompt(after=start)
    if find(guest, name) == old:
        raise AssertionError(f"{name} [{old}] was not killed")


def check_life(guest):
    """Everything that a user does still works."""
    guest.check("ls /", "kept.txt")
    guest.check("echo fresh > /fresh.txt")
    guest.check("cat /fresh.txt", "fresh")
    guest.check("cat /kept.txt | cat", KEPT.strip())
    guest.check("hello one", "argument 1: one")
    guest.check("lua -e 'print(6 * 7)'", "42")
    guest.check("date; sleep 0.1", ":")


def kill_all(guest, names):
    for name in names:
        kill_server(guest, name)
    guest.check("cat /kept.txt", KEPT.strip())
    guest.raw_run("sleep 1")        # who lives that long died by hand


def test_servers(bench):
    """each server killed 20 times in turn: the shell, files and memory stay"""
    names = ("uart", "timer", "dma", "sd", "files")
    card = bench.card()
    card.write("/kept.txt", KEPT.encode())
    guest = bench.boot(card)
    guest.check("echo written early > /early.txt")
    kill_all(guest, names)
    check_life(guest)
    before = used_kib(guest)
    for _ in range(ROUNDS):
        kill_all(guest, names)
    check_life(guest)
    check_used(guest, before)
    guest.check("cat /early.txt", "written early")
    guest.poweroff()
    card.fsck()
    for name, text in (("/kept.txt", KEPT), ("/early.txt", "written early\n"),
                       ("/fresh.txt", "fresh\n")):
        if card.read(name) != text.encode():
            raise AssertionError(f"{name} holds {card.read(name)!r}")


def test_shell(bench):
    """the shell is killed: a new one prompts, and costs nothing"""
    guest = bench.boot()
    guest.check(f"echo {KEPT.strip()} > /kept.txt")
    guest.check("hello", "Hello")   # the drivers' own channels are there now
    kill_server(guest, "shell")
    before = used_kib(guest)
    for _ in range(5):
        guest.raw_run("sleep 1.1")
        kill_server(guest, "shell")
    guest.check("crash spin & sleep 0.2; hello", "Hello")
    guest.raw_run("sleep 1.1")
    kill_server(guest, "shell")     # with a job: it goes on as an orphan
    spinning = [i for i, _, name in domains(guest) if name == "crash"]
    guest.check("kill -9 " + " ".join(map(str, spinning)))
    check_used(guest, before)
    check_life(guest)
    guest.poweroff()


def spin_and_kill(guest, number):
    guest.raw_run(f"crash spin & sleep 0.{1 + number % 6}")  # it speaks first
    jobs = [i for i, _, name in domains(guest) if name == "crash"]
    if len(jobs) != 1:
        raise AssertionError(f"{len(jobs)} jobs spin, not 1")
    guest.check(f"kill -9 {jobs[0]}")
    guest.raw_run("wait")


def test_many_programs(bench):
    """200 x hello, and 20 spinning jobs killed: free says the same"""
    card = bench.card()
    card.write("/many.sh", b"hello\n" * 200)
    card.write("/few.sh", b"hello\n" * 20)
    guest = bench.boot(card)
    guest.check("sh /few.sh | wc -l", "20")
    spin_and_kill(guest, 0)  # a larger file than hello: memory to read it into
    before = used_kib(guest)
    guest.check("sh /many.sh | wc -l", "200", timeout=240)
    check_used(guest, before)
    for number in range(20):
        spin_and_kill(guest, number)
    check_used(guest, before)
    guest.poweroff()


@lane("full")
def test_killed_while_busy(bench):
    """servers killed while a copy runs: it ends with an error or is right"""
    card = bench.card()
    data = bytes(range(256)) * 4096 * 4
    card.write("/big.bin", data)
    card.write("/kept.txt", KEPT.encode())
    guest = bench.boot(card)
    for name in ("sd", "files", "timer", "files", "sd", "files"):
        guest.raw_run("cp /big.bin /copy.bin &")
        kill_server(guest, name)
        guest.raw_run("wait", timeout=120)
        guest.raw_run("sleep 1")
    guest.check("cp /big.bin /copy.bin", timeout=120)
    check_life(guest)
    guest.poweroff()
    card.fsck()
    if card.read("/copy.bin") != data or card.read("/big.bin") != data:
        raise AssertionError("a copy is damaged")


def test_power_cut(bench):
    """the power goes during a copy: the next boot mends the card by itself"""
    card = bench.card()
    data = bytes(range(256)) * 4096 * 8
    card.write("/big.bin", data)
    guest = bench.boot(card)
    guest.check("echo kept > /kept.txt; sync")
    guest.type("cp /big.bin /copy.bin")
    time.sleep(0.5 * PATIENCE)
    guest.stop()
    guest = bench.boot(card)
    guest.check("cat /kept.txt", "kept", timeout=60)
    guest.check("rm -f /copy.bin")
    guest.poweroff()
    card.fsck()
    if card.read("/big.bin") != data:
        raise AssertionError("the file that was read is damaged")
