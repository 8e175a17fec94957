# SPDX-License-Identifier: BSL-1.0
"""Programs that misbehave: the report names domain, access and place; the
shell, the files and the other domains go on."""

import os
import re

from vesper import symbol

SEGMENTATION = 128 + 11


def check_report(guest, command, status, *patterns):
    output, got = guest.run(command, timeout=60)
    if status is not None and got != status:
        raise AssertionError(f"`{command}` gave status {got}, not {status}:\n"
                             + output)
    if status is None and got == 0:
        raise AssertionError(f"`{command}` gave status 0")
    for pattern in patterns:
        if not re.search(pattern, output):
            raise AssertionError(f"`{command}`: the report lacks "
                                 f"{pattern!r}:\n{output}")
    guest.check("echo still here", "still here")


def test_null(bench):
    """NULL: which domain, what access, function names, backtrace"""
    guest = bench.boot()
    check_report(guest, "crash null", SEGMENTATION,
                 r"crash", r"(?i)read|write", r"0x0\b|0000000000000000",
                 r"(?i)\w+\+(0x)?[0-9a-f]+", r"\bmain\b")
    guest.poweroff()


def test_foreign(bench):
    """an address of another domain's: the report names whose it is"""
    guest = bench.boot()
    check_report(guest, "crash at 0x4010000010", SEGMENTATION,
                 r"crash: that is 0x10 in the memory of uart \[\d+\], "
                 r"which does not lend it now")
    offset = symbol(os.path.join(bench.build, "drivers/uart.elf"), "readers")
    check_report(guest, f"crash at {0x4010000008 + offset:#x}", SEGMENTATION,
                 rf"that is readers\+0x8, {offset + 8:#x} in the memory of ")
    # Behind the image and in no domain at all
    check_report(guest, "crash at 0x4018000000", SEGMENTATION,
                 r"that is 0x8000000 in the memory of uart ")
    check_report(guest, "crash at 0x7000000000", SEGMENTATION)
    guest.poweroff()


def test_handler(bench):
    """a fault in the upcall handler, and its stack's overflow: both reported"""
    guest = bench.boot()
    for what in ("handler", "deep"):
        check_report(guest, f"/tests/fault {what}", SEGMENTATION,
                     r"crash: \S*fault \[\d+\] thread .*, in a critical "
                     r"section: (?i:.*write)", r"  at \w+\+0x")
    guest.poweroff()


def test_thread_stack(bench):
    """a thread's stack overflows: the report names the thread"""
    guest = bench.boot()
    check_report(guest, "crash overflow", SEGMENTATION,
                 r"thread digger: stack overflow of thread digger",
                 r"stack_use\+")
    guest.poweroff()


def test_wrong_code(bench):
    """executing data, a trap, a division trap, abort"""
    guest = bench.boot()
    check_report(guest, "crash exec", SEGMENTATION, r"(?i)exec")
    check_report(guest, "crash div", None, r"crash")
    check_report(guest, "crash abort", 128 + 6)
    check_report(guest, "crash exit 7", 7)
    guest.poweroff()


def test_stack_overflow(bench):
    """a stack overflow is called so"""
    guest = bench.boot()
    check_report(guest, "crash stack", SEGMENTATION, r"(?i)stack overflow")
    guest.poweroff()


def test_threads_and_stdin(bench):
    """exit with threads running; stdin closed"""
    guest = bench.boot()
    output, status = guest.run("crash threads", timeout=60)
    guest.check("echo still here", "still here")
    output, status = guest.run("crash stdin", timeout=60)
    guest.check("echo still here", "still here")
    if "crash" in guest.check("ps"):
        raise AssertionError("a crashed program is still listed by ps")
    guest.poweroff()


def used_kib(guest):
    shown = guest.check("free")
    return int(re.search(r"used\s+(\d+) KiB", shown).group(1))


def test_many_crashes(bench):
    """thirty crashes leave the free memory where it was"""
    guest = bench.boot()
    for _ in range(3):
        guest.raw_run("crash null", timeout=60)
    before = used_kib(guest)
    for _ in range(30):
        guest.raw_run("crash null", timeout=60)
    after = used_kib(guest)
    if after > before:
        raise AssertionError(f"{before} KiB in use before, {after} KiB after")
    guest.poweroff()
