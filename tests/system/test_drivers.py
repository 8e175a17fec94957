# SPDX-License-Identifier: BSL-1.0
"""Drivers that die: the root server starts them again, clients go on."""

import re

from vesper import Timeout


def find_domain(guest, name):
    output = guest.raw_run("ps")    # without $?: a job may end right here
    found = re.search(rf"(?m)^\s*(\d+)\s.*\s{name}\s*$", output)
    if not found:
        raise AssertionError(f"no {name} in {output!r}")
    return int(found.group(1))


def kill_domain(guest, name):
    """Kill a server and wait for the next of its kind."""
    old = find_domain(guest, name)
    guest.raw_run(f"kill -9 {old}")
    for _ in range(20):
        guest.raw_run("sleep 0.2")
        try:
            if find_domain(guest, name) != old:
                return
        except AssertionError:
            pass
    raise AssertionError(f"{name} was not started again")


def test_restart_sd(bench):
    """the SD driver is killed between and during writes: nothing is lost"""
    card = bench.card()
    card.write("/big.bin", bytes(range(256)) * 4096 * 4)
    guest = bench.boot(card)
    guest.check("echo before > /a.txt")
    kill_domain(guest, "sd")
    guest.check("cat /a.txt", "before")
    guest.check("echo after >> /a.txt")
    guest.run("cp /big.bin /copy.bin &")
    for _ in range(3):
        kill_domain(guest, "sd")
    guest.raw_run("wait", timeout=120)
    guest.poweroff()
    card.fsck()
    if card.read("/a.txt") != b"before\nafter\n":
        raise AssertionError(f"/a.txt holds {card.read('/a.txt')!r}")
    if card.read("/copy.bin") != card.read("/big.bin"):
        raise AssertionError("the copy is damaged")


def test_restart_files(bench):
    """the file server is killed: what was written is there"""
    card = bench.card()
    guest = bench.boot(card)
    guest.check("echo written > /a.txt")
    kill_domain(guest, "files")
    guest.check("cat /a.txt", "written")
    guest.check("echo again > /b.txt; cat /b.txt | cat", "again")
    guest.poweroff()


def test_restart_console(bench):
    """the console's driver is killed: the prompt comes back"""
    guest = bench.boot()
    old = find_domain(guest, "uart")
    guest.send(f"kill -9 {old}\r")
    try:
        guest.expect("starting uart again", timeout=20)
    except Timeout as error:
        raise AssertionError("uart was not started again") from error
    guest.run("sleep 0.5")
    guest.check("echo alive", "alive")
    guest.poweroff()


def test_restart_timer(bench):
    """the timer's driver is killed: sleep and date go on"""
    guest = bench.boot()
    kill_domain(guest, "timer")
    guest.check("sleep 0.1; date", "20")
    guest.poweroff()
