/* SPDX-License-Identifier: BSL-1.0
 *
 * The symbols that the loader puts next to a program, read-only, so that a
 * crash report can name functions: .symtab and .strtab as they stand in the
 * file. The loader vouches for the two counts and for a NUL at the very end,
 * for nothing else: who reads an entry checks it.
 */
#pragma once

#include <stdint.h>

/* As in an ELF64 file. */
struct symbol {
    uint32_t name; /* offset in the names */
    uint8_t info;  /* type in the lower four bits */
    uint8_t other;
    uint16_t shndx; /* 0: not defined here */
    uint64_t value; /* offset from the image's address */
    uint64_t size;
};

struct symbol_table {
    uint32_t count, names_bytes;
    struct symbol symbol[]; /* then names_bytes bytes of NUL-ended names */
};
