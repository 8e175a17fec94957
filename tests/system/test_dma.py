# SPDX-License-Identifier: BSL-1.0
"""The DMA broker: it dies, is not there, or does not work, and files are what
they should be; what it is asked for by a program, it refuses."""

import re

from test_card import monitor
from test_drivers import kill_domain
from test_manifest import boot_with
from vesper import Card

CHANNEL = 0x3f007400            # of the controller, as in drivers/dma/regs.h
BIG = bytes(range(256)) * 4096


def test_killed(bench):
    """the broker is killed between and during copies: nothing is lost"""
    card = bench.card()
    card.write("/big.bin", BIG)
    path = bench.path("qmp")
    guest = bench.boot(card, ("-qmp", f"unix:{path},server=on,wait=off"))
    guest.run("cp /big.bin /first.bin")
    source_target = monitor(path, "human-monitor-command",
                            **{"command-line": f"xp /2wx {CHANNEL + 0xc:#x}"})
    if "0x7e202040" not in source_target:
        raise AssertionError(f"the engine had no part: {source_target}")
    guest.run("cp /big.bin /copy.bin &")
    for name in ("dma", "sd", "dma"):
        kill_domain(guest, name)
    guest.raw_run("wait", timeout=120)
    guest.poweroff()
    card.fsck()
    for name in ("/first.bin", "/copy.bin"):
        if card.read(name) != BIG:
            raise AssertionError(f"{name} is damaged")


def copies(bench, change):
    """With another manifest, files are copied all the same."""
    guest = boot_with(bench, change).boot()
    guest.run("cp /bin/lua /copy.bin")
    guest.run("cp /copy.bin /again.bin")
    output = guest.raw_run("ps")
    guest.poweroff()
    card = Card(bench.path("card1.img"))
    card.fsck()
    if card.read("/again.bin") != card.read("/bin/lua"):
        raise AssertionError("the copy is damaged")
    return output


def without(text):
    """The manifest as if there were no DMA."""
    text = re.sub(r"domain dma\b.*\n( .*\n)*", "", text)
    return re.sub(r" +needs dma\b.*\n", "", text)


def test_without(bench):
    """a manifest without the broker: the driver moves the words itself"""
    if re.search(r"\bdma\b", copies(bench, without)):
        raise AssertionError("there is a domain dma")


def test_useless(bench):
    """a broker that always ends, as it has no controller: likewise"""
    copies(bench, lambda t: re.sub(r" +device 0x3f007000.*\n", "", t))


def test_refused(bench):
    """a program that the manifest lets connect gets nothing moved for it"""
    guest = boot_with(bench, lambda t: re.sub(r"needs console files clock",
                                              r"\g<0> dma", t)).boot()
    output = guest.check("/tests/dma granted", "the card's data for no channel",
                         timeout=60)
    if "not ok" in output:
        raise AssertionError(output)
    guest.poweroff()
