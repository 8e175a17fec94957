# SPDX-License-Identifier: BSL-1.0
"""What a system test gets: a scratch folder, fresh cards, and guests.

A system test is a function test_NAME(bench) in a file tests/system/test_*.py;
its first docstring line is its title. It fails by raising. @lane("quick") or
@lane("full") moves it out of the normal lane.
"""

import os
import subprocess
import sys

from vesper import Card, Guest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))


def lane(name):
    """quick: runs always; full: only with --full (default: normal)."""
    def mark(function):
        function.lane = name
        return function
    return mark


class Bench:
    """Files and guests of one test; close() ends what still runs."""

    def __init__(self, folder, build, qemu):
        os.makedirs(folder, exist_ok=True)
        self.folder = folder
        self.build = build
        self.qemu = qemu
        self.guests = []
        self.cards = 0

    def path(self, name):
        return os.path.join(self.folder, name)

    def card(self):
        """A fresh copy of the card that the build makes."""
        self.cards += 1
        return Card.copy(os.path.join(self.build, "test-card.img"),
                         self.path(f"card{self.cards}.img"))

    def blank_card(self, size_bytes=64 << 20):
        """A card full of zeros."""
        self.cards += 1
        path = self.path(f"card{self.cards}.img")
        with open(path, "wb") as out:
            out.truncate(size_bytes)
        return Card(path)

    def power_on(self, card=None, extra=()):
        """Start QEMU; the test goes on with .boot() or .expect()."""
        kernel = os.path.join(self.build, "kernel8.img")
        if not os.path.exists(kernel):
            raise AssertionError(f"{kernel} is not built")
        log = self.path(f"serial{len(self.guests) + 1}.log")
        guest = Guest(kernel, card.path if card else None, self.qemu, log,
                      extra)
        self.guests.append(guest)
        return guest

    def boot(self, card=None, extra=()):
        """Start QEMU and wait for the prompt. No card given: a fresh one."""
        return self.power_on(card or self.card(), extra).boot()

    def close(self, keep):
        """End guests; keep: leave the folder for a look at the transcript."""
        for guest in self.guests:
            guest.stop()
        for name in os.listdir(self.folder):
            if not keep or name.endswith(".img"):
                os.unlink(self.path(name))


def make_card(build):
    """The card of all tests: build/test-card.img, from build/sdcard.list."""
    subprocess.run(
        [sys.executable, os.path.join(ROOT, "scripts/mksd.py"), "create",
         os.path.join(build, "test-card.img"),
         "--list", os.path.join(build, "sdcard.list")],
        check=True, stdout=subprocess.DEVNULL)
    for name in ("test-card.img.old",):
        if os.path.exists(os.path.join(build, name)):
            os.unlink(os.path.join(build, name))
