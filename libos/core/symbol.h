/* SPDX-License-Identifier: BSL-1.0
 *
 * Names for addresses, from the table that the loader made. Pure.
 */
#pragma once

#include <stdint.h>

#include <vesper/symbols.h>

/* The function that `offset` of the image lies in and how far; NULL: none.
 * Looks at every symbol: a crash has time, and a start has not. */
const char *symbol_find(const struct symbol_table *table, uint64_t offset,
                        uint64_t *distance);

/* The same of variables; NULL: it lies in none that has a name. */
const char *symbol_variable(const struct symbol_table *table, uint64_t offset,
                            uint64_t *distance);
