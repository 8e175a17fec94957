/* SPDX-License-Identifier: BSL-1.0 */
/*
 * symbols.h - the function names of a program, compact, for crash reports.
 *
 * Why: the loader meets the ELF symbol table; a crash report comes later, when
 * the file may be gone. This makes a sorted table of "offset -> name" in a
 * buffer of the caller's, which can be handed to anybody.
 *
 * Rules: as in elf.h - the file is hostile and may change; the table written
 * is well formed all the same. Symbols are a courtesy: a file without them, or
 * with bad ones, has none, and still runs.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "elf.h"

enum symbols_limits {
    SYMBOLS_MAX = 65535,          /* a file with more has none */
    SYMBOLS_NAME_MAX_BYTES = 127, /* longer names are cut */
};

/*
 * The table: this header, `count` entries in ascending order of offset, then
 * `pool_bytes` bytes of names, each ended by a NUL, of printable ASCII.
 */
struct symbols_entry {
    uint32_t offset; /* of the function in the image */
    uint32_t name;   /* of its name in the pool */
};

struct symbols_table {
    uint32_t count;
    uint32_t pool_bytes;
    struct symbols_entry entries[];
};

/* What symbols_measure() found: handed unchanged to symbols_fill(). */
struct symbols_source {
    const void *file;
    const struct elf_plan *plan;
    uint64_t symbols_offset; /* in the file, entries of 24 bytes */
    uint64_t symbols_count;
    uint64_t names_offset; /* in the file */
    uint64_t names_bytes;
    uint32_t count; /* entries of the table to be made */
    uint32_t pool_bytes;
};

/*
 * symbols_measure - find the symbol table of a program
 * plan    [in]   from elf_plan() of this file; must outlive *source
 * source  [out]  written only when the result is not 0
 * Returns the bytes that the compact table needs; 0 if there are no symbols.
 */
uint64_t symbols_measure(const void *file, uint64_t file_bytes,
                         const struct elf_plan *plan,
                         struct symbols_source *source);

/*
 * symbols_fill - write the compact table
 * table  [out]  table_bytes bytes, 4-byte aligned
 * Returns 0, or -1 if table_bytes is less than symbols_measure() said, or the
 * file changed meanwhile; the table is then worth nothing.
 * O(n log n), no recursion.
 */
int symbols_fill(const struct symbols_source *source,
                 struct symbols_table *table, uint64_t table_bytes);

/*
 * symbols_find - the function that holds an offset of the image
 * table     [in]   need not be trusted: table_bytes bytes
 * distance  [out]  offset minus the function's own
 * Returns its name, or NULL and nothing written if no function begins at or
 * before `offset`, or the table is malformed.
 */
const char *symbols_find(const struct symbols_table *table,
                         uint64_t table_bytes, uint32_t offset,
                         uint32_t *distance);
