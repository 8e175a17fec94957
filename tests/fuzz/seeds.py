#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Write the files a fuzzer starts from: seeds.py [elf|manifest] FOLDER.

Without a kind, all. They are made, not kept: a seed must be near to what is
accepted, and this text says what it is made of.
"""

import os
import struct
import sys

RELATIVE = 1027
LOAD, DYNAMIC = 1, 2
RX, R, RW = 5, 4, 6
DATA_VADDR = 0x200000


def elf_header(phnum, shoff=0, shnum=0):
    ident = b"\x7fELF\x02\x01\x01".ljust(16, b"\0")
    return ident + struct.pack("<HHIQQQIHHHHHH", 3, 183, 1, 0x200, 64, shoff,
                               0, 64, 56, phnum, 64, shnum, 0)


def program(kind, flags, offset, vaddr, filesz, memsz):
    return struct.pack("<IIQQQQQQ", kind, flags, offset, vaddr, vaddr, filesz,
                       memsz, 4096)


def place(*parts):
    """Bytes of (offset, content) pairs, zeros between them."""
    file = bytearray()
    for offset, content in parts:
        file = file.ljust(offset, b"\0") + content
    return bytes(file)


def elf_small():
    """Code and the dynamic section in one segment, no relocation."""
    heads = program(LOAD, RX, 0, 0, 0x240, 0x240) \
        + program(DYNAMIC, R, 0x210, 0x210, 16, 16)
    return place((0, elf_header(2) + heads), (0x240, b""))


def elf_full():
    """Three segments, two relocations, four functions by name."""
    heads = program(LOAD, RX, 0, 0, 0x300, 0x300) \
        + program(LOAD, R, 0x300, 0x1300, 0x100, 0x100) \
        + program(LOAD, RW, 0x400, DATA_VADDR + 0x400, 64, 4096) \
        + program(DYNAMIC, R, 0x340, 0x1340, 64, 64)
    rela = struct.pack("<6Q", DATA_VADDR + 0x400, RELATIVE, 0x210,
                       DATA_VADDR + 0x800, RELATIVE, DATA_VADDR)
    dynamic = struct.pack("<8Q", 7, 0x1300, 8, 48, 9, 24, 0, 0)
    names = b"\0main\0start\0"
    symbols = bytes(24) \
        + struct.pack("<IBBHQQ", 1, 0x12, 0, 1, 0x210, 8) \
        + struct.pack("<IBBHQQ", 6, 0x10, 0, 1, 0x200, 0) \
        + struct.pack("<IBBHQQ", 1, 0x12, 0, 1, 0x230, 8) \
        + struct.pack("<IBBHQQ", 6, 0x12, 0, 1, 0x220, 8)
    sections = bytes(64) \
        + struct.pack("<IIQQQQIIQQ", 0, 2, 0, 0, 0x700, 120, 2, 1, 8, 24) \
        + struct.pack("<IIQQQQIIQQ", 0, 3, 0, 0, 0x550, 12, 0, 0, 1, 0)
    return place((0, elf_header(4, 0x560, 3) + heads), (0x300, rela),
                 (0x340, dynamic), (0x400, bytes(64)), (0x550, names),
                 (0x560, sections), (0x700, symbols))


DRIVERS = b"""# drivers
epoch 1767225600
schedule edf
pins 48-53 alt0
domain uart
    file drivers/uart
    device 0x3f201000 4096
    irq 57
    memory 512K
    priority 200
    weight 300
    budget 3000 10000
    slack yes
    provides console
    restart always
    critical yes
domain sd
    file drivers/sd
    device 0x3f202000 0x1000
    irq 56
    provides sd
    restart 3
"""

SHELL = b"""domain shell
    file bin/shell
    needs a b
    stdio a
    args one "two words" ""
domain a
    file f
    provides a
    memory 2M
domain b
    file f
    provides b
    needs a
    restart never
    critical no
"""

LIMITS = {     # one word or line too many of each kind
    "devices": "".join(f"device 0x{i}000 4096\n" for i in range(1, 6)),
    "irqs": "irq 1\nirq 2\nirq 3\nirq 4\nirq 5\n",
    "provides": "".join(f"provides s{i}\n" for i in range(5)),
    "needs": "needs a b c d e f g h i\n",
    "needs-twice": "needs a a\n",
    "needs-nobody": "needs a\n",
    "file-empty": "file \"\"\n",
    "file-twice": "file g\n",
    "device-end": "device 0xfffffffffffff000 0x2000\n",
    "device-base": "device 0x1001 4096\n",
    "device-size": "device 0x1000 1\n",
    "device-word": "device x 1\n",
    "device-twice": "device 0x1000 4096\ndevice 0x1000 4096\n",
    "irq-word": "irq x\n",
    "irq-twice": "irq 1\nirq 1\n",
    "memory-unit": "memory 5\n",
    "memory-size": "memory 1K\n",
    "priority": "priority 0\n",
    "weight": "weight 0\n",
    "budget-period": "budget 1 0\n",
    "budget-over": "budget 3 2\n",
    "slack": "slack maybe\n",
    "restart-word": "restart x\n",
    "restart-number": "restart 70000\n",
    "critical": "critical maybe\n",
    "provides-twice": "provides s\nprovides s\n",
    "line": "args " + 300 * "a" + "\n",
}
GLOBAL = {
    "pins": "".join(f"pins {i} input\n" for i in range(17)),
    "pins-twice": "pins 1-4 alt0\npins 3 alt1\n",
    "pins-range": "pins 9-3 alt0\n",
    "schedule": "schedule x\n",
    "schedule-twice": "schedule edf\nschedule edf\n",
    "pins-function": "pins 9 x\n",
}
TWO = "domain b\nfile f\n"
SAME = {
    "device": "device 0x1000 4096\n",
    "irq": "irq 1\n",
    "service": "provides s\n",
}


def manifest_seeds():
    first = "domain a\nfile f\n"
    made = {name: first + line for name, line in LIMITS.items()}
    made |= {name: line + first for name, line in GLOBAL.items()}
    made |= {"two-" + name: first + line + TWO + line
             for name, line in SAME.items()}
    made["two-names"] = first + first
    made["domains"] = "".join(f"domain d{i}\nfile f\n" for i in range(33))
    return {name: lambda text=text: text.encode()
            for name, text in made.items()}


def patched(offset, data, make=elf_full):
    """The good file with other bytes in one place."""
    def changed():
        file = bytearray(make())
        file[offset:offset + len(data)] = data
        return bytes(file)
    return changed


PROGRAM = 64            # where program header 0 begins; each has 56 bytes
ELF_BAD = {
    "x86": patched(18, b"\x3e\0"),
    "i386": patched(18, b"\3\0"),
    "core": patched(16, b"\4\0"),
    "object": patched(16, b"\1\0"),
    "arm": patched(18, b"\x28\0"),
    "riscv": patched(18, b"\xf3\0"),
    "empty": lambda: b"",
    "same-page": patched(PROGRAM + 56 + 16, struct.pack("<Q", 0x300)),
    "rights-twice": patched(PROGRAM + 2 * 56 + 16,
                            struct.pack("<Q", 0x1400)),
    "slot-twice": patched(PROGRAM + 2 * 56 + 16, struct.pack("<Q", 0x2400)),
    "two-dynamic": patched(PROGRAM + 56, struct.pack("<I", DYNAMIC)),
    "rela-far": patched(0x300, struct.pack("<Q", DATA_VADDR + 0x2000)),
    "rela-odd": patched(0x300, struct.pack("<Q", DATA_VADDR + 0x401)),
    "rela-code": patched(0x300, struct.pack("<Q", 0x210)),
    "rela-addend": patched(0x310, struct.pack("<Q", 1 << 40)),
    "rela-kind": patched(0x308, struct.pack("<Q", 257)),
}

SEEDS = {
    "elf": {"small": elf_small, "full": elf_full, **ELF_BAD},
    "manifest": {
        **manifest_seeds(),
        "tiny": lambda: b"domain a\nfile f\n",
        "drivers": lambda: DRIVERS,
        "shell": lambda: SHELL,
        "all": lambda: DRIVERS + SHELL.replace(b"a b", b"a b sd console"),
        "cycle": lambda: b"domain a\nfile f\nneeds b\nprovides a\n"
                         b"domain b\nfile f\nneeds a\nprovides b\n",
    },
}


def main():
    kinds = sys.argv[1:-1] or list(SEEDS)
    if len(sys.argv) < 2 or not set(kinds) <= set(SEEDS):
        print(f"usage: seeds.py [{'|'.join(SEEDS)}] FOLDER", file=sys.stderr)
        return 2
    os.makedirs(sys.argv[-1], exist_ok=True)
    for kind in kinds:
        for name, make in SEEDS[kind].items():
            path = os.path.join(sys.argv[-1], f"seed-{kind}-{name}")
            with open(path, "wb") as file:
                file.write(make())
    return 0


if __name__ == "__main__":
    sys.exit(main())
