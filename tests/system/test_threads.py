# SPDX-License-Identifier: BSL-1.0
"""Programs with threads: one of any POSIX system, one with its own policy."""

import re


def test_words(bench):
    """a reader and four counters agree with wc"""
    guest = bench.boot()
    guest.run("seq 1 20000 > /numbers")
    counted, status = guest.run("words /numbers /samples/readme.txt")
    wanted, _ = guest.run("cat /numbers /samples/readme.txt | wc -w")
    if status != 0 or int(counted) != int(wanted):
        raise AssertionError(f"words says {counted}, wc {wanted}")
    _, status = guest.run("words /nothing")
    if status != 1:
        raise AssertionError(f"a missing file gives status {status}")
    guest.poweroff()


def test_lottery(bench):
    """a program's own thread policy: shares as the tickets say"""
    guest = bench.boot()
    output, status = guest.run("lottery", timeout=120)
    shares = [int(n) for n in re.findall(r"tickets: +(\d+) %", output)]
    # Of 41 tickets 1, 10, 30; about 2,000 draws leave some chance
    if status != 0 or len(shares) != 3 or not (
            shares[0] < 10 < 15 < shares[1] < 35 < 60 < shares[2]):
        raise AssertionError(f"the shares are {shares}:\n{output}")
    guest.poweroff()


def test_poll_keys(bench):
    """a program that polls the terminal wakes for what is typed"""
    guest = bench.boot()
    guest.type("/tests/poll keys")
    for line in ("first", "second"):
        guest.expect("waiting")
        guest.send(line + "\n")
        guest.expect(f"1 1: {line}")
    guest.wait_prompt()
    guest.poweroff()
