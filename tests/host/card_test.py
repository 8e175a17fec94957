#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""scripts/mksd.py: the same inputs give the same bytes, an update keeps what
a user put on the card, and bad arguments are refused. Prints TAP."""

import filecmp
import os
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests/system"))

from vesper import Card             # noqa: E402  (needs the path above)

COUNT = 0
FAILED = 0


def point(good, title):
    global COUNT, FAILED
    COUNT += 1
    FAILED += not good
    print(f"{'ok' if good else 'not ok'} {COUNT} - {title}")


def mksd(*args):
    done = subprocess.run(
        [sys.executable, os.path.join(ROOT, "scripts/mksd.py"), *args],
        capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def write(path, text):
    with open(path, "w", encoding="utf-8") as out:
        out.write(text)


def test_reproducible(folder, pairs):
    first, second = folder + "/1.img", folder + "/2.img"
    status, text = mksd("create", first, *pairs)
    point(status == 0, "create" + ("" if status == 0 else ": " + text))
    time.sleep(2.1)                 # FAT counts time in steps of 2 s
    os.utime(folder + "/kernel")
    mksd("create", second, *reversed(pairs))
    point(filecmp.cmp(first, second, False), "the same bytes 2 s later")
    card = Card(first)
    card.fsck()
    point(card.read("/bin/tool") == b"tool 1\n", "a file in a folder")
    point("/tree/deep/A long name.txt" in card.names(), "a whole folder")
    return card


def test_update(folder, pairs, card):
    card.write("/mine.txt", b"mine")
    card.write("/tree/note.txt", b"changed by the user")
    write(folder + "/tool", "tool 2\n")
    status, text = mksd("update", card.path, *pairs)
    point(status == 0 and "1 files updated" in text, "update names one file")
    point(card.read("/bin/tool") == b"tool 2\n", "the new program is there")
    point(card.read("/mine.txt") == b"mine", "the user's file stays")
    point(card.read("/tree/note.txt") == b"changed by the user",
          "a user's change of our unchanged file stays")
    status, text = mksd("update", card.path, *pairs)
    point("up to date" in text, "a second update does nothing")
    mksd("create", card.path, *pairs)
    point(Card(card.path + ".old").read("/mine.txt") == b"mine",
          "create keeps the card that was there")
    card.fsck()


def test_refusals(folder):
    image = folder + "/bad.img"
    for args, word in ((["create", image, "a=/no/such"], "no such file"),
                       (["create", image], "nothing"),
                       (["create", image, "a"], "DEST=SOURCE"),
                       (["create", image, "--size", "100M", f"a={__file__}"],
                        "power of two"),
                       (["update", image, f"a={__file__}"], "no such image")):
        status, text = mksd(*args)
        point(status != 0 and word in text and not os.path.exists(image),
              f"refused: {word}")
    write(folder + "/huge", "")
    os.truncate(folder + "/huge", 80 << 20)
    status, text = mksd("create", image, "--size", "64M",
                        f"huge={folder}/huge")
    point(status != 0 and not os.path.exists(image),
          "files larger than the card")


def main():
    with tempfile.TemporaryDirectory() as folder:
        os.makedirs(folder + "/tree/deep")
        write(folder + "/tree/deep/A long name.txt", "x")
        write(folder + "/tree/note.txt", "note")
        write(folder + "/tool", "tool 1\n")
        write(folder + "/kernel", "kernel" * 9999)
        pairs = [f"kernel8.img={folder}/kernel", f"tree={folder}/tree",
                 f"bin/tool={folder}/tool"]
        card = test_reproducible(folder, pairs)
        test_update(folder, pairs, card)
        test_refusals(folder)
    print(f"1..{COUNT}")
    return 1 if FAILED else 0


if __name__ == "__main__":
    sys.exit(main())
