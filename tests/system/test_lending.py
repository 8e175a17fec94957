# SPDX-License-Identifier: BSL-1.0
"""A program that is lent memory and keeps the address: the crash report names
the buffer and who lent it (tests/lending)."""

import os
import re
import subprocess
import sys

from bench import ROOT
from vesper import Guest, symbol


def boot(bench):
    """The built system, with a root server that lets programs be called."""
    image = bench.path("kernel8.img")
    parts = ("kernel/kernel.elf", "tests/lending/lending-root.elf", "boot.cpio")
    subprocess.run([sys.executable, os.path.join(ROOT, "scripts/mkimage.py"),
                    image, *(os.path.join(bench.build, p) for p in parts)],
                   check=True)
    guest = Guest(image, bench.card().path, bench.qemu,
                  bench.path("serial.log"))
    bench.guests.append(guest)
    return guest.boot()


def test_after_answer(bench):
    """used after the answer: a fault, told by the names of buffer and lender"""
    guest = boot(bench)
    output, status = guest.run("/tests/lender")
    offset = symbol(os.path.join(bench.build, "tests/lending/lender.elf"),
                    "letter") + 8
    for pattern in (r"lender: OK, the sum is 1230$",
                    r"^crash: borrower \[\d+\] thread main: cannot read "
                    r"0x[0-9a-f]+: nothing is mapped there$",
                    rf"^crash: that is letter\+0x8, {offset:#x} in the memory "
                    r"of lender \[\d+\], which does not lend it now$",
                    r"borrower: killed by signal 11"):
        if not re.search(pattern, output, re.MULTILINE):
            raise AssertionError(f"the report lacks {pattern!r}:\n{output}")
    if status != 1:
        raise AssertionError(f"the lender's status is {status}")
    guest.poweroff()


def test_lender_killed(bench):
    """used after the lender was killed in the midst of its call: a fault"""
    guest = boot(bench)
    guest.type("/tests/lender keep &")
    lender = guest.expect(r"lender (\d+) lends").group(1)
    guest.type(f"sleep 0.5; kill -9 {lender}")  # it says so before it does
    guest.expect(r"crash: borrower \[\d+\] thread none \(idle\), in a critical "
                 r"section: cannot read 0x[0-9a-f]{8}")
    guest.expect(r"borrower: killed by signal 11")
    guest.type("")
    guest.check("echo still here", "still here")
    guest.poweroff()
