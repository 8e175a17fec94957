/* SPDX-License-Identifier: BSL-1.0 */
/* The last 32 lines that were entered. */
#pragma once

#include <stddef.h>

enum { HISTORY_LINES = 32 };

/* Adds a line unless it is empty or equals the last one. */
void history_add(const char *line);

/* The line entered `back` (1: the last) ago; NULL if there is none. */
const char *history_get(size_t back);
