# SPDX-License-Identifier: BSL-1.0
"""Self-paging: a program that uses more memory than it has."""

import re

from bench import lane
from test_drivers import find_domain

MASK = (1 << 64) - 1


def mix(x):
    x = ((x ^ x >> 30) * 0xbf58476d1ce4e5b9) & MASK
    x = ((x ^ x >> 27) * 0x94d049bb133111eb) & MASK
    return x ^ x >> 31


def path(kib, steps):
    """What apps/walk finds on its way, calculated without its table."""
    words = (kib << 10) // 8
    changed, at, found = set(), 0, 0
    for i in range(steps):
        at = mix(at ^ (i * 0x9e3779b97f4a7c15 & MASK)) % words
        found = mix(found ^ mix(at) ^ (MASK if at in changed else 0))
        changed ^= {at}
    return found


def walk(guest, kib, frame_kib, steps, timeout):
    output, status = guest.run(f"walk {kib} {frame_kib} {steps}",
                               timeout=timeout)
    wanted = f"path {path(kib, steps):016x}, 0 of {(kib << 10) // 8}"
    counts = [int(n) for n in re.findall(r"\d+", output.split("\n")[1])]
    if status != 0 or wanted not in output:
        raise AssertionError(f"status {status}, wanted {wanted}:\n{output}")
    pages, frames = kib >> 2, frame_kib >> 2
    _, _, read, written, used = counts
    if used > frames or read < pages - frames or written < pages - frames:
        raise AssertionError(f"that was not paged:\n{output}")


def test_walk(bench):
    """4 MiB of memory in 512 KiB of frames, and the right answer"""
    card = bench.card()
    guest = bench.boot(card)
    walk(guest, 4096, 512, 200, 200)
    guest.check("ls /", "samples")
    guest.poweroff()
    card.fsck()


def wait_for_file(guest, name, there):
    for _ in range(50):
        if (name in guest.raw_run("ls /").split()) == there:
            return
        guest.raw_run("sleep 0.2")
    raise AssertionError(f"{name} is {'not ' if there else 'still '}there")


def test_walk_ended(bench):
    """what a program paged to is gone with it, also if it is killed"""
    card = bench.card()
    guest = bench.boot(card)
    for end in ("kill -9", "kill"):
        guest.raw_run("walk 4096 512 1000000 &")
        wait_for_file(guest, "walk.tmp", True)
        guest.raw_run(f"{end} {find_domain(guest, 'walk')}")
        wait_for_file(guest, "walk.tmp", False)
    guest.poweroff()
    card.fsck()


@lane("full")
def test_walk_far(bench):
    """16 MiB of memory in 2 MiB of frames, and the right answer"""
    card = bench.card()
    guest = bench.boot(card)
    walk(guest, 16384, 2048, 500, 600)
    guest.poweroff()
    card.fsck()
