/* SPDX-License-Identifier: BSL-1.0 */
/* Names for addresses: see symbol.h. */
#include "symbol.h"

#include <stdbool.h>
#include <stddef.h>

enum { TYPE_MASK = 15, TYPE_NONE = 0, TYPE_OBJECT = 1, TYPE_FUNCTION = 2 };
#define SECTIONS_RESERVED 0xff00u /* from here on: absolute values and such */

static const char *name_of(const struct symbol_table *table,
                           const struct symbol *s)
{
    return s->name < table->names_bytes
               ? (const char *)&table->symbol[table->count] + s->name
               : "";
}

/* Labels of assembly have no type and count; "$x" and "$d" only mark where code
 * and data begin, and do not. */
static bool names_code(const struct symbol_table *table, const struct symbol *s)
{
    uint32_t type = s->info & TYPE_MASK;
    const char first = *name_of(table, s);
    return (type == TYPE_FUNCTION || type == TYPE_NONE) && s->shndx != 0 &&
           s->shndx < SECTIONS_RESERVED && first != '\0' && first != '$';
}

const char *symbol_find(const struct symbol_table *table, uint64_t offset,
                        uint64_t *distance)
{
    const struct symbol *best = NULL;
    for (uint32_t i = 0; i < table->count; i++) {
        const struct symbol *s = &table->symbol[i];
        if (s->value <= offset && (best == NULL || s->value > best->value) &&
            names_code(table, s)) {
            best = s;
        }
    }
    if (best == NULL) {
        return NULL;
    }
    *distance = offset - best->value;
    return name_of(table, best);
}

static bool is_variable(const struct symbol *s)
{
    return (s->info & TYPE_MASK) == TYPE_OBJECT && s->shndx != 0 &&
           s->shndx < SECTIONS_RESERVED;
}

const char *symbol_variable(const struct symbol_table *table, uint64_t offset,
                            uint64_t *distance)
{
    for (uint32_t i = 0; i < table->count; i++) {
        const struct symbol *s = &table->symbol[i];
        const char *name = name_of(table, s);
        if (offset >= s->value && offset - s->value < s->size &&
            is_variable(s) && *name != '\0') {
            *distance = offset - s->value;
            return name;
        }
    }
    return NULL;
}
