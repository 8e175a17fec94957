#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Lines of the kernel's sources and bytes of its ELF file, with budgets.

  size.py KERNEL_ELF [--check] [FILE...]

Counts non-blank lines of C, headers and assembly below kernel/; generated
files are in the build folder and so do not count. Bytes are those of the
loaded segments, and of each further FILE as it is. --check fails when a
budget of docs/architecture.md is exceeded.
"""

import glob
import os
import struct
import sys

BUDGET_C_LINES = 8000
BUDGET_ASM_LINES = 800
BUDGET_TEXT_BYTES = 64 * 1024
SHT_NOBITS = 8
SHF_WRITE, SHF_ALLOC, SHF_EXEC = 1, 2, 4


def count_lines(root, suffixes):
    """(non-blank lines, files) below root/kernel with one of the suffixes."""
    lines = files = 0
    for path in glob.glob(os.path.join(root, "kernel/**/*"), recursive=True):
        if path.endswith(suffixes):
            with open(path, encoding="utf-8") as source:
                lines += sum(1 for line in source if line.strip())
            files += 1
    return lines, files


def read_sections(path):
    """(type, flags, bytes) of each section of an ELF64 file."""
    with open(path, "rb") as file:
        data = file.read()
    if data[:5] != b"\x7fELF\x02":
        raise ValueError(f"{path}: not a 64-bit ELF file")
    offset, = struct.unpack_from("<Q", data, 40)
    size, count = struct.unpack_from("<HH", data, 58)
    for i in range(count):
        _, kind, flags, _, _, length = struct.unpack_from(
            "<IIQQQQ", data, offset + i * size)
        yield kind, flags, length


def measure_bytes(path):
    """code, constants, data and bss, in bytes."""
    out = {"code": 0, "rodata": 0, "data": 0, "bss": 0}
    for kind, flags, length in read_sections(path):
        if not flags & SHF_ALLOC:
            continue
        if kind == SHT_NOBITS:
            out["bss"] += length
        elif flags & SHF_EXEC:
            out["code"] += length
        elif flags & SHF_WRITE:
            out["data"] += length
        else:
            out["rodata"] += length
    return out


def measure(root, elf):
    """All figures as {label: (value, unit, budget or None)}."""
    c_lines, c_files = count_lines(root, (".c", ".h"))
    asm_lines, asm_files = count_lines(root, (".S",))
    sizes = measure_bytes(elf)
    return {
        f"kernel C and headers ({c_files} files)":
            (c_lines, "lines", BUDGET_C_LINES),
        f"kernel assembly ({asm_files} files)":
            (asm_lines, "lines", BUDGET_ASM_LINES),
        "kernel code": (sizes["code"], "bytes", BUDGET_TEXT_BYTES),
        "kernel constants": (sizes["rodata"], "bytes", None),
        "kernel data": (sizes["data"], "bytes", None),
        "kernel bss": (sizes["bss"], "bytes", None),
    }


def main():
    arguments = [a for a in sys.argv[1:] if a != "--check"]
    if not arguments:
        sys.exit(__doc__)
    root = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
    try:
        figures = measure(root, arguments[0])
        for path in arguments[1:]:
            figures[os.path.basename(path)] = (os.path.getsize(path), "bytes",
                                               None)
    except (OSError, ValueError) as error:
        sys.exit(f"size: error: {error}")
    over = []
    for label, (value, unit, budget) in figures.items():
        note = f"  of {budget:,}" if budget else ""
        print(f"{label:34} {value:>10,} {unit}{note}")
        if budget and value > budget:
            over.append(label)
    if over and "--check" in sys.argv:
        sys.exit("size: over budget: " + ", ".join(over))


if __name__ == "__main__":
    main()
