/* SPDX-License-Identifier: BSL-1.0 */
/* Whole numbers from arguments. */
#pragma once

#include <stdbool.h>

/* All of text is one decimal number that fits; *out only then. */
bool number_parse(const char *text, long long *out);
