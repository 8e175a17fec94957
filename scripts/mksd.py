#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Make or update an SD card image with mtools: no root, no loop mount.

  mksd.py create IMAGE [--size 128M] [--list FILE] [DEST=SOURCE ...]
  mksd.py update IMAGE [--list FILE] [DEST=SOURCE ...]

The card: an MBR, one FAT32 partition from sector 2048 to the end. DEST is a
path on the card; a SOURCE folder is copied with all that is in it. --list
reads DEST=SOURCE lines from a file (Meson writes build/sdcard.list).

create  Same inputs and SOURCE_DATE_EPOCH give the same bytes. An image that
        stood there is kept as IMAGE.old.
update  Writes only files whose source changed since this program last put
        them there (IMAGE.inputs remembers), so whatever else a user keeps on
        the card stays.
"""

import argparse
import hashlib
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile

SECTOR_BYTES = 512
PARTITION_LBA = 2048
SERIAL = 0x56535052
DEFAULT_EPOCH = 1767225600          # 2026-01-01 00:00:00 UTC
FAT32_CLUSTERS_MIN = 66000          # the format asks for 65,525; some spare
CLUSTER_SECTORS_MAX = 64


class CardError(Exception):
    """A message for the user; the program ends with it."""


def parse_size(text):
    """Bytes of '128M' or '1G'. QEMU takes powers of two only."""
    units = {"M": 1 << 20, "G": 1 << 30}
    try:
        size = int(text[:-1]) * units[text[-1].upper()]
    except (KeyError, ValueError, IndexError):
        raise CardError(f"size '{text}': write it as 128M or 1G") from None
    if size & (size - 1) or not 64 << 20 <= size <= 32 << 30:
        raise CardError(f"size '{text}': must be a power of two, 64M to 32G")
    return size


def run_mtool(program, image, *args):
    env = dict(os.environ, MTOOLSRC="/dev/null", MTOOLS_SKIP_CHECK="1",
               TZ="UTC", LC_ALL="C")
    env.setdefault("SOURCE_DATE_EPOCH", str(DEFAULT_EPOCH))
    where = f"{image}@@{PARTITION_LBA * SECTOR_BYTES}"
    try:
        done = subprocess.run([program, "-i", where, *args], env=env,
                              stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, check=False)
    except FileNotFoundError:
        raise CardError(f"{program} not found: run scripts/setup") from None
    if done.returncode != 0:
        reason = (done.stderr or done.stdout).strip()
        raise CardError(f"{program}: {reason}")
    return done.stdout


def write_mbr(image, size_bytes):
    sectors = size_bytes // SECTOR_BYTES - PARTITION_LBA
    no_chs = b"\xfe\xff\xff"
    mbr = bytearray(SECTOR_BYTES)
    struct.pack_into("<I", mbr, 440, SERIAL)
    struct.pack_into("<B3sB3sII", mbr, 446, 0x80, no_chs, 0x0c, no_chs,
                     PARTITION_LBA, sectors)
    mbr[510:512] = b"\x55\xaa"
    with open(image, "wb") as out:
        out.write(mbr)
        out.truncate(size_bytes)
    return sectors


def format_card(image, size_bytes):
    sectors = write_mbr(image, size_bytes)
    cluster = CLUSTER_SECTORS_MAX
    while sectors // cluster < FAT32_CLUSTERS_MIN and cluster > 1:
        cluster //= 2
    run_mtool("mformat", image, "-F", "-v", "VESPER", "-N", f"{SERIAL:08x}",
              "-T", str(sectors), "-h", "64", "-s", "32",
              "-H", str(PARTITION_LBA), "-c", str(cluster), "::")


def expand(dest, source):
    """(path on the card, source file) of a file or of a whole folder."""
    if os.path.isfile(source):
        return [(dest, source)]
    if not os.path.isdir(source):
        raise CardError(f"{source}: no such file (for /{dest} on the card)")
    found = []
    for folder, folders, names in os.walk(source):
        folders.sort()
        for name in sorted(names):
            path = os.path.join(folder, name)
            inside = os.path.relpath(path, source)
            found.append((os.path.normpath(os.path.join(dest, inside)), path))
    return found


def read_inputs(pairs, list_file):
    """{path on the card: source file}, sorted by path."""
    if list_file:
        with open(list_file, encoding="utf-8") as lines:
            pairs = [line.rstrip("\n") for line in lines
                     if line.strip() and not line.startswith("#")] + pairs
    inputs = {}
    for pair in pairs:
        dest, equals, source = pair.partition("=")
        if not equals or not dest.strip("/"):
            raise CardError(f"'{pair}': expected DEST=SOURCE")
        inputs.update(expand(dest.strip("/"), source))
    if not inputs:
        raise CardError("nothing to put on the card")
    return dict(sorted(inputs.items()))


def hash_inputs(inputs):
    hashes = {}
    for dest, source in inputs.items():
        with open(source, "rb") as file:
            hashes[dest] = hashlib.file_digest(file, "sha256").hexdigest()
    return hashes


def folders_of(paths):
    """Every folder that the paths need, parents first."""
    found = set()
    for path in paths:
        while path := os.path.dirname(path):
            found.add(path)
    return sorted(found)


def copy_files(image, inputs, present=()):
    """Copy {dest: source} to the card; `present`: folders it has already."""
    for folder in folders_of(inputs):
        if folder not in present:
            run_mtool("mmd", image, "-D", "s", f"::/{folder}")
    with tempfile.TemporaryDirectory() as stage:
        for folder in ["", *folders_of(inputs)]:
            names = [d for d in inputs if os.path.dirname(d) == folder]
            staged = []
            for number, dest in enumerate(names):
                # one folder each: mcopy names the target after the source
                place = os.path.join(stage, str(number))
                os.makedirs(place, exist_ok=True)
                staged.append(os.path.join(place, os.path.basename(dest)))
                shutil.copyfile(inputs[dest], staged[-1])
            if staged:
                run_mtool("mcopy", image, "-o", *staged, f"::/{folder}")
            for path in staged:
                os.unlink(path)


def save_hashes(image, hashes):
    with open(image + ".inputs", "w", encoding="utf-8") as out:
        json.dump(hashes, out, indent=0, sort_keys=True)


def load_hashes(image):
    try:
        with open(image + ".inputs", encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError):
        return {}


def create(image, size_text, inputs):
    size_bytes = parse_size(size_text)
    fresh = image + ".new"
    try:
        format_card(fresh, size_bytes)
        copy_files(fresh, inputs)
    except BaseException:
        if os.path.exists(fresh):
            os.unlink(fresh)
        raise
    if os.path.exists(image):
        os.replace(image, image + ".old")
        print(f"mksd: the card that was there is now {image}.old")
    os.replace(fresh, image)
    save_hashes(image, hash_inputs(inputs))
    print(f"mksd: {image}: new card, {size_bytes >> 20} MiB, "
          f"{len(inputs)} files")


def card_folders(image):
    listed = run_mtool("mdir", image, "-/", "-b", "-a", "::/")
    return {line.strip()[3:].strip("/") for line in listed.splitlines()
            if line.strip().endswith("/")}


def update(image, inputs):
    if not os.path.exists(image):
        raise CardError(f"{image}: no such image; make one with create")
    hashes = hash_inputs(inputs)
    before = load_hashes(image)
    changed = {d: s for d, s in inputs.items() if before.get(d) != hashes[d]}
    if changed:
        copy_files(image, changed, card_folders(image))
        save_hashes(image, {**before, **hashes})
        print(f"mksd: {image}: {len(changed)} files updated: "
              + " ".join(sorted(changed)[:8])
              + (" ..." if len(changed) > 8 else ""))
    else:
        print(f"mksd: {image}: up to date")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("verb", choices=["create", "update"])
    parser.add_argument("image")
    parser.add_argument("pairs", nargs="*", metavar="DEST=SOURCE")
    parser.add_argument("--list", help="file of DEST=SOURCE lines")
    parser.add_argument("--size", default="128M",
                        help="power of two, 64M to 32G (default 128M)")
    options = parser.parse_intermixed_args()
    try:
        inputs = read_inputs(options.pairs, options.list)
        if options.verb == "create":
            create(options.image, options.size, inputs)
        else:
            update(options.image, inputs)
    except (CardError, OSError) as error:
        sys.exit(f"mksd: error: {error}")


if __name__ == "__main__":
    main()
