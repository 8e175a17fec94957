/* SPDX-License-Identifier: BSL-1.0
 *
 * What the row of bulk data writes and reads (bulk.c).
 */
#pragma once

#include <stdint.h>

#define BULK_WORDS (1u << 18) /* 2 MiB */

/* Write them all; different ones by `from`. Returns their sum. */
uint64_t bulk_write(uint64_t *words, uint64_t from);
uint64_t bulk_sum(const uint64_t *words);
