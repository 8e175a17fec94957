/* SPDX-License-Identifier: BSL-1.0
 *
 * The table of function symbols that the loader puts next to a program, so that
 * a crash report can name functions. Sorted by offset.
 */
#pragma once

#include <stdint.h>

struct symbol {
    uint32_t offset; /* from the image's address */
    uint32_t name;   /* offset in the pool */
};

struct symbol_table {
    uint32_t count, pool_bytes;
    struct symbol symbol[]; /* then the pool of NUL-ended names */
};
