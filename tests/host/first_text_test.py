#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""The kernel says something within its first few hundred instructions.

    first_text_test.py BUILD

QEMU traces single instructions until kprint, which writes to the UART.
"""
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests/system"))

from vesper import symbol           # noqa: E402  (needs the path above)

LIMIT = 300
PRINT = "kprint"


def address(kernel):
    return symbol(kernel, PRINT) & 0x3FFFFFFF    # the MMU is off: physical


def main():
    build = sys.argv[1]
    wanted = f"/{address(os.path.join(build, 'kernel/kernel.elf')):016x}/"
    qemu = subprocess.Popen(
        [os.environ.get("QEMU", "qemu-system-aarch64"), "-M", "raspi3b",
         "-display", "none", "-monitor", "none", "-serial", "null",
         "-singlestep", "-d", "exec,nochain", "-D", "/dev/stdout",
         "-kernel", os.path.join(build, "kernel8.img")],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    count, seen = 0, False
    for line in qemu.stdout:
        if line.startswith("Trace 0:"):
            count += 1
            seen = wanted in line
        if seen or count > 10 * LIMIT:
            break
    qemu.kill()
    qemu.wait()
    print(f"# {PRINT} after {count} instructions, the emulator's own included")
    good = seen and count <= LIMIT
    print(f"{'ok' if good else 'not ok'} 1 - first text within {LIMIT}")
    print("1..1")
    sys.exit(not good)


main()
