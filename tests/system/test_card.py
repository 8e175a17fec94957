# SPDX-License-Identifier: BSL-1.0
"""Bad cards: a clear error, and a prompt that still works."""

import json
import os
import re
import socket
import subprocess

from vesper import Card


def check_bare(guest):
    """Without a file system: an error that says why, and a working shell."""
    output, status = guest.run("ls /")
    if status == 0 or not re.search(
            r"(?i)medium|card|file system|not a FAT|I/O|Input/output",
            output):
        raise AssertionError(f"`ls /` gave status {status} and {output!r}")
    guest.check("echo still here", "still here")
    _, status = guest.run("echo x > /file")
    if status == 0:
        raise AssertionError("writing without a file system gave status 0")
    guest.check("ps", "shell")
    if guest.poweroff() != 0:
        raise AssertionError("QEMU's exit status is not 0")


def test_no_card(bench):
    """no SD card: error, prompt, poweroff"""
    check_bare(bench.power_on(None).boot())


def monitor(path, command, **arguments):
    """Run a command of QEMU's monitor; what it returned."""
    with socket.socket(socket.AF_UNIX) as end:
        end.connect(path)
        lines = end.makefile("rw")
        lines.readline()
        for step in ({"execute": "qmp_capabilities"},
                     {"execute": command, "arguments": arguments}):
            lines.write(json.dumps(step) + "\n")
            lines.flush()
            answer = lines.readline()
            if "return" not in answer:
                raise AssertionError(f"QEMU: {answer}")
    return json.loads(answer)["return"]


def test_removed(bench):
    """the card is pulled out at the prompt: a clear error, the shell goes on"""
    path = bench.path("qmp")
    guest = bench.boot(extra=("-qmp", f"unix:{path},server=on,wait=off"))
    guest.check("cat /samples/readme.txt", "Files to play with")
    # As a user of QEMU's monitor does
    monitor(path, "eject", device="sd0", force=True)
    # What was read before may still be answered from memory
    guest.check("cat /samples/garden/plan.txt", "No card in the slot",
                status=1)
    guest.check("echo x > /new", "No card in the slot", status=1)
    check_bare(guest)


def test_card_of_zeros(bench):
    """a card full of zeros: error, prompt, poweroff"""
    check_bare(bench.power_on(bench.blank_card()).boot())


def test_no_fat(bench):
    """a partition without a FAT file system"""
    card = bench.card()
    with open(card.path, "r+b") as image:
        image.seek(Card.OFFSET)
        image.write(b"\xf6" * 65536)
    check_bare(bench.boot(card))


def test_truncated_image(bench):
    """an image cut short: the partition table names more than there is"""
    card = bench.card()
    with open(card.path, "r+b") as image:
        image.truncate(32 << 20)    # QEMU takes powers of two only
    guest = bench.boot(card)
    output, status = guest.run("ls /")
    if status != 0:                 # refused as a whole: then it says why
        if not output.strip():
            raise AssertionError("`ls /` failed without a message")
    guest.check("echo still here", "still here")
    guest.poweroff()


def test_high_capacity(bench):
    """an SDHC card (4 GiB: block addresses): files are written and kept"""
    card = bench.card()
    os.truncate(card.path, 4 << 30)     # sparse
    guest = bench.boot(card)
    guest.check("echo on a big card > /big.txt")
    guest.check("cat /big.txt", "on a big card")
    guest.poweroff()
    if card.read("/big.txt") != b"on a big card\n":
        raise AssertionError("/big.txt is not on the card")


def test_fat16(bench):
    """FAT16 over the whole card, without a partition table"""
    card = bench.blank_card()
    os.truncate(card.path, 32 << 20)
    subprocess.run(["mkfs.fat", "-F", "16", card.path], check=True,
                   capture_output=True)
    guest = bench.boot(card)
    guest.check("mkdir /folder")
    guest.check('echo text > "/folder/A rather long name.txt"')
    guest.check("ls -l /folder", "A rather long name.txt")
    guest.poweroff()
    done = subprocess.run(["fsck.fat", "-n", card.path], capture_output=True,
                          text=True, check=False)
    if done.returncode != 0:
        raise AssertionError(done.stdout)


def test_broken_fat_chain(bench):
    """a cluster chain that loops: an error, then read-only, not worse"""
    card = bench.card()
    card.write("/victim.bin", b"v" * 300_000)
    card.write("/other.txt", b"other file\n")
    loop_chain(card)
    guest = bench.boot(card)
    output, status = guest.run("cat /victim.bin > /dev/null", timeout=60)
    if status == 0:
        raise AssertionError("reading a looped chain gave status 0")
    guest.check("cat /other.txt", "other file")
    output, status = guest.run("echo x > /new.txt")
    if status == 0 or "ead-only" not in output:
        raise AssertionError("writing to a volume known to be broken gave "
                             f"status {status}: {output!r}")
    guest.check("echo still here", "still here")
    guest.poweroff()
    if "/new.txt" in card.names():
        raise AssertionError("the refused write is on the card")


def loop_chain(card):
    """Point the third cluster of /victim.bin back to its first."""
    shown = card.mtool("mshowfat", "::/victim.bin").decode()
    first = int(re.search(r"<(\d+)", shown).group(1))
    with open(card.path, "r+b") as image:
        image.seek(Card.OFFSET)
        boot = image.read(512)
        reserved = int.from_bytes(boot[14:16], "little")
        copies = boot[16]
        fat_bytes = int.from_bytes(boot[36:40], "little") * 512
        for copy in range(copies):
            image.seek(Card.OFFSET + reserved * 512 + copy * fat_bytes
                       + (first + 2) * 4)
            image.write(first.to_bytes(4, "little"))


def test_disk_full(bench):
    """the card fills up in the middle of a copy: the target is gone"""
    card = bench.card()
    card.write("/big.bin", bytes(range(256)) * 4 * 1024 * 30)   # 30 MiB
    guest = bench.boot(card)
    failed = None
    for turn in range(8):
        output, status = guest.run(f"cp /big.bin /copy{turn}", timeout=180)
        if status != 0:
            failed = (turn, output)
            break
    if failed is None or "No space left" not in failed[1]:
        raise AssertionError(f"the card never got full: {failed}")
    guest.check("cat /config.txt", "kernel8.img")
    guest.check(f"ls /copy{failed[0]}", "No such file", status=1)
    guest.check("rm /copy0")
    guest.check("echo room again > /after.txt")
    guest.poweroff()
    card.fsck()
    if card.read("/copy1") != card.read("/big.bin"):
        raise AssertionError("an earlier copy was damaged")
    if card.read("/after.txt") != b"room again\n":
        raise AssertionError("the write after freeing space is not there")
