/* SPDX-License-Identifier: BSL-1.0 */
/*
 * symbols.h - a program's symbols, copied beside it for crash reports.
 *
 * Why: the loader meets the ELF symbol table; a crash report comes later, when
 * the file may be gone. What is copied is what the file has: starting a program
 * sorts nothing and looks at no name (<vesper/symbols.h>).
 *
 * Rules: as in elf.h - the file is hostile and may change; nothing outside it
 * is read. Symbols are a courtesy: a file without them, or with bad ones, has
 * none, and still runs.
 */
#pragma once

#include <stdint.h>
#include <vesper/symbols.h>

enum { SYMBOLS_MAX = 65535 }; /* a file with more has none */

/* What symbols_measure() found: handed unchanged to symbols_copy(). */
struct symbols_source {
    const void *file;
    uint64_t symbols_offset; /* in the file */
    uint64_t names_offset;
    uint32_t count;
    uint32_t names_bytes; /* in the file, without the NUL that is added */
};

/*
 * symbols_measure - find the symbol table of a program
 * source  [out]  written only when the result is not 0
 * Returns the bytes that the copy needs; 0 if there are no symbols.
 */
uint64_t symbols_measure(const void *file, uint64_t file_bytes,
                         struct symbols_source *source);

/*
 * symbols_copy - copy it
 * table  [out]  as many bytes as symbols_measure() said, 8-byte aligned
 */
void symbols_copy(const struct symbols_source *source,
                  struct symbol_table *table);
