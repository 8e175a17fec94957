#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Seeds for fat_fuzz: small good volumes with some files, made by hand.

    fat_seeds.py CORPUS-DIRECTORY

An input is 64 bytes of calls and the start of a disk. Only the used part of
the disk is kept; the harness adds the zeros.
"""
import os
import random
import struct
import sys


def slot(name, attr, cluster, size):
    return (name.ljust(11).encode() + bytes([attr]) + bytes(8) +
            struct.pack('<HHHHI', cluster >> 16, 0x6000, 0x5821,
                        cluster & 0xFFFF, size))


def long_slots(name, short):
    total = 0
    for byte in short.encode():
        total = ((total & 1) << 7 | total >> 1) + byte & 0xFF
    units = name.encode('utf-16-le') + b'\0\0'
    units += b'\xff' * (-len(units) % 26)
    units = units[:26 * ((len(name) + 12) // 13)]
    parts = [units[i:i + 26] for i in range(0, len(units), 26)]
    out = b''
    for i in range(len(parts), 0, -1):
        p = parts[i - 1]
        out += (bytes([i | (0x40 if i == len(parts) else 0)]) + p[:10] +
                bytes([0x0F, 0, total]) + p[10:22] + b'\0\0' + p[22:])
    return out


def volume(bits, spc, clusters):
    """Boot sector, FATs, a root and directories; clusters 2.. in order."""
    reserved = 2 if bits == 32 else 1
    wide = bits // 8
    fat_sectors = ((clusters + 2) * wide + 511) // 512
    root_sectors = 0 if bits == 32 else 2
    total = reserved + 2 * fat_sectors + root_sectors + clusters * spc
    boot = bytearray(512 * reserved)
    boot[:3] = b'\xeb\x58\x90'
    struct.pack_into('<HBHBHHBH', boot, 11, 512, spc, reserved, 2,
                     root_sectors * 16, 0, 0xF8,
                     0 if bits == 32 else fat_sectors)
    struct.pack_into('<I', boot, 32, total)
    boot[510:512] = b'\x55\xaa'
    if bits == 32:
        struct.pack_into('<IHHIH', boot, 36, fat_sectors, 0, 0, 2, 1)
        struct.pack_into('<I', boot, 512, 0x41615252)
        struct.pack_into('<III', boot, 512 + 484, 0x61417272, clusters - 9, 9)
    end = 0x0FFFFFFF if bits == 32 else 0xFFFF
    chain = {0: end - 7, 1: end, 2: end, 3: 4, 4: 5, 5: end, 6: end, 7: end,
             8: end}
    fat = bytearray(fat_sectors * 512)
    for cluster, value in chain.items():
        struct.pack_into('<I' if bits == 32 else '<H', fat, cluster * wide,
                         value)
    size = spc * 512
    root = slot('A', 0x20, 3, 2 * size + 100)
    root += long_slots('a long name.text', 'ALONGN~1TEX')
    root += slot('ALONGN~1TEX', 0x20, 6, 300) + slot('D', 0x10, 7, 0)
    sub = slot('.', 0x10, 7, 0) + slot('..', 0x10, 0, 0)
    sub += slot('X', 0x20, 0, 0) + slot('E', 0x10, 8, 0)
    deep = slot('.', 0x10, 8, 0) + slot('..', 0x10, 7, 0)
    body = b'' if bits == 32 else root.ljust(1024, b'\0')
    first = root if bits == 32 else b''
    for content in (first, b'3' * size, b'4', b'5', b'6', sub, deep):
        body += content.ljust(size, b'\0')
    return bytes(boot + fat + fat) + body


def in_partition(disk, kind):
    mbr = bytearray(512)
    mbr[446:462] = bytes([0, 0, 0, 0, kind, 0, 0, 0]) + \
        struct.pack('<II', 1, struct.unpack_from('<I', disk, 32)[0])
    mbr[510:512] = b'\x55\xaa'
    return bytes(mbr) + disk


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    rnd = random.Random(1)
    shapes = {
        'fat32': volume(32, 1, 60), 'fat32-c2': volume(32, 2, 40),
        'fat16': volume(16, 1, 4090),
        'fat32-mbr': in_partition(volume(32, 1, 60), 0x0C),
        'fat16-mbr': in_partition(volume(16, 1, 4090), 0x06),
    }
    for name, disk in shapes.items():
        for i in range(6):
            path = os.path.join(sys.argv[1], f'{name}-{i}')
            with open(path, 'wb') as f:
                f.write(rnd.randbytes(64) + disk)


if __name__ == '__main__':
    main()
