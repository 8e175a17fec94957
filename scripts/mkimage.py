#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Make kernel8.img: the kernel, the root server's flat image, the boot archive.

mkimage.py OUT KERNEL.elf ROOT.elf ARCHIVE.cpio

What follows the kernel is described by struct root_image of <abi/abi.h>.
"""
import struct
import sys
import zlib

PAGE = 4096
MAGIC = 0x544F4F5250534556
TEXT, DATA = 0x40000000, 0x40200000
HEADER = struct.Struct("<QQIIIIQQ")


def load_segments(path):
    """The entry address and (address, content padded to its memory size)."""
    with open(path, "rb") as f:
        elf = f.read()
    if elf[:6] != b"\x7fELF\x02\x01":
        sys.exit(f"{path}: not a little-endian ELF64 file")
    entry, phoff = struct.unpack_from("<QQ", elf, 24)
    size, count = struct.unpack_from("<HH", elf, 54)
    segments = []
    for i in range(count):
        kind, _, offset, va, _, filesz, memsz, _ = struct.unpack_from(
            "<IIQQQQQQ", elf, phoff + i * size)
        if kind == 1 and memsz:
            data = elf[offset:offset + filesz]
            segments.append((va, data.ljust(memsz, b"\0")))
    return entry, segments


def flatten(segments, base, limit, what):
    """The segments in [base, limit) as whole pages."""
    out = bytearray()
    for va, data in sorted(segments):
        if base <= va < limit:
            out = out.ljust(va - base, b"\0") + data
    if not out or len(out) > limit - base:
        sys.exit(f"root server: {what} does not fit into its 2 MiB slot")
    return pad(out)


def pad(data):
    return bytes(data).ljust(-(-len(data) // PAGE) * PAGE, b"\0")


def main():
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    out, kernel_path, root_path, archive_path = sys.argv[1:]
    _, segments = load_segments(kernel_path)
    start = min(va for va, _ in segments)
    kernel = bytearray()
    for va, data in sorted(segments):
        kernel = kernel.ljust(va - start, b"\0") + data
    kernel = pad(kernel)
    entry, segments = load_segments(root_path)
    text = flatten(segments, TEXT, DATA, "text")
    data = flatten(segments, DATA, DATA + (DATA - TEXT), "data")
    with open(archive_path, "rb") as f:
        archive = f.read()
    body = text + data + pad(archive)
    header = HEADER.pack(MAGIC, len(body), zlib.crc32(body), len(text) // PAGE,
                         len(data) // PAGE, len(pad(archive)) // PAGE,
                         len(archive), entry - TEXT)
    with open(out, "wb") as f:
        f.write(kernel + pad(header) + body)


main()
