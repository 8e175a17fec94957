/* SPDX-License-Identifier: BSL-1.0
 *
 * Binary search in the symbol table. The root server wrote the table and the
 * domain cannot: it is trusted, but for a name outside the pool.
 */
#include "symbol.h"

#include <stddef.h>

const char *symbol_find(const struct symbol_table *table, uint64_t offset,
                        uint64_t *distance)
{
    uint32_t low = 0, high = table->count; /* answer: the one before `low` */
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (table->symbol[middle].offset <= offset) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == 0 || table->symbol[low - 1].name >= table->pool_bytes) {
        return NULL;
    }
    *distance = offset - table->symbol[low - 1].offset;
    return (const char *)&table->symbol[table->count] +
           table->symbol[low - 1].name;
}
