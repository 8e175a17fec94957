/* SPDX-License-Identifier: BSL-1.0 */
/*
 * symbols_copy.h - what the loader copies and a crash report reads, for tests.
 */
#pragma once

#include "libos/core/symbol.h"
#include "rootserver/symbols.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* The copy that a program gets, or NULL. */
static inline struct symbol_table *table_make(const uint8_t *file,
                                              uint64_t file_bytes)
{
    struct symbols_source source;
    uint64_t bytes = symbols_measure(file, file_bytes, &source);
    struct symbol_table *table;

    if (bytes == 0) {
        return NULL;
    }
    table = malloc(bytes);
    memset(table, 0xee, bytes);
    symbols_copy(&source, table);
    return table;
}

static inline bool found_is(const struct symbol_table *table, uint64_t offset,
                            const char *name, uint64_t distance)
{
    uint64_t away = 0;
    const char *found = symbol_find(table, offset, &away);

    return name == NULL
               ? found == NULL
               : found != NULL && strcmp(found, name) == 0 && away == distance;
}
