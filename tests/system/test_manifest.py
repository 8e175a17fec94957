# SPDX-License-Identifier: BSL-1.0
"""Broken manifests: the boot log says file, line and cause, and a built-in
minimal system starts all the same.

The boot archive lies uncompressed in kernel8.img, so a test replaces the
manifest's bytes in a copy of the image, padded with newlines to the same
length, and mends the checksum: what a user's edit would give, without a
rebuild."""

import os
import re
import struct
import zlib

from bench import ROOT
from vesper import Guest

ROOT_IMAGE = b"VESPROOT"            # magic of struct root_image, page aligned
PAGE = 4096
MANIFEST = os.path.join(ROOT, "rootserver/default.manifest")


def mend_checksum(image):
    at = next(i for i in range(0, len(image), PAGE)
              if image[i:i + len(ROOT_IMAGE)] == ROOT_IMAGE)
    body = image[at + PAGE:]
    return (image[:at + 16] + struct.pack("<I", zlib.crc32(body))
            + image[at + 20:])


def boot_image(bench, image):
    kernel = bench.path("kernel8.img")
    with open(kernel, "wb") as out:
        out.write(image)
    guest = Guest(kernel, bench.card().path, bench.qemu,
                  bench.path("serial.log"))
    bench.guests.append(guest)
    return guest


def read_image(bench):
    with open(os.path.join(bench.build, "kernel8.img"), "rb") as file:
        return file.read()


def boot_with(bench, change):
    with open(MANIFEST, "rb") as file:
        old = file.read()
    new = change(old.decode()).encode()
    room = re.sub(rb"(?m)^\s*#.*\n", b"", new)      # comments make room
    if len(room) > len(old):
        raise AssertionError("the changed manifest does not fit")
    room = room.ljust(len(old), b"\n")
    image = read_image(bench)
    if image.count(old) != 1:
        raise AssertionError("kernel8.img does not hold the manifest once")
    return boot_image(bench, mend_checksum(image.replace(old, room)))


def check_refused(bench, change, pattern):
    guest = boot_with(bench, change)
    guest.expect(r"manifest:\d+:\d+:.*" + pattern, timeout=60)
    guest.boot()
    guest.check("echo alive", "alive")
    guest.poweroff()


def test_unknown_key(bench):
    """an unknown key in the manifest"""
    check_refused(bench, lambda t: t.replace("priority", "priorty", 1),
                  "priorty")


def test_missing_file(bench):
    """a driver that is not in the boot archive"""
    check_refused(bench, lambda t: t.replace("file drivers/timer",
                                             "file drivers/timr"),
                  "timr")


def test_unknown_service(bench):
    """a need that no domain provides"""
    check_refused(bench, lambda t: re.sub(r"needs block", "needs blokc", t),
                  "blokc")


def test_cycle(bench):
    """two domains that need each other"""
    check_refused(
        bench, lambda t: re.sub(r"(provides block.*\n)",
                                r"\1    needs files\n", t), "cycle")


def test_text_is_no_manifest(bench):
    """something that is no manifest at all"""
    check_refused(bench, lambda t: "Dear kernel,\nplease boot.\n", "Dear")


def test_damaged_image(bench):
    """kernel8.img truncated or with a flipped bit: one line says so"""
    image = read_image(bench)
    flipped = bytearray(image)
    flipped[-PAGE - 7] ^= 4
    for damaged in (bytes(flipped), image[:-3 * PAGE]):
        boot_image(bench, damaged).expect(r"(?i)damaged|truncated",
                                          timeout=30)


def test_wrong_level(bench):
    """the kernel entered at EL1 instead of EL2: one line says so"""
    image = read_image(bench)
    first, = struct.unpack_from("<I", image)
    at = len(image)
    leave_el2 = (first,
                 0xd2b00000,    # mov   x0, #1 << 31
                 0xd51c1100,    # msr   hcr_el2, x0
                 0xd28078a0,    # mov   x0, #0x3c5      EL1h, masked
                 0xd51c4000,    # msr   spsr_el2, x0
                 0xd2a00100,    # mov   x0, #0x80000
                 0x91001000,    # add   x0, x0, #4      behind the branch
                 0xd51c4020,    # msr   elr_el2, x0
                 0xd69f03e0)    # eret
    branch = 0x14000000 | at // 4
    boot_image(bench, struct.pack("<I", branch) + image[4:]
               + struct.pack("<9I", *leave_el2)).expect(
                   "PANIC: not entered at exception level 2", timeout=30)


def test_unknown_policy(bench):
    """a scheduling policy that does not exist"""
    check_refused(bench, lambda t: t.replace("pins 48-53 alt0",
                                             "pins 48-53 alt0\nschedule fifo"),
                  'schedule "fifo" is no policy')


def test_overbooked(bench):
    """more CPU time promised than there is"""
    def change(text):
        return text.replace("memory 1M", "memory 1M\n budget 6000 10000")
    check_refused(bench, change,
                  'budget of "timer": left of each period are 4000 us')


def test_schedule(bench):
    """policy, budget, weight and slack of the manifest are what sched shows"""
    def change(text):
        text = text.replace("pins 48-53 alt0",
                            "pins 48-53 alt0\nschedule edf")
        return text.replace("priority 180",
                            "priority 180\n weight 7\n budget 900 10000\n"
                            " slack yes")
    guest = boot_with(bench, change).boot()
    shown = guest.check("sched", "policy edf")
    if not re.search(r"(?m)^ *180 +7 +900 +10000 yes +\d+ sd\[", shown):
        raise AssertionError(shown)
    guest.check("ls /", "bin")
    guest.poweroff()
