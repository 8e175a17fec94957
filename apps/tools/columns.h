/* SPDX-License-Identifier: BSL-1.0 */
/* A list of names laid out for an 80-column terminal. */
#pragma once

#include "names.h"

/* Prints the names to stdout, sorted down each column. */
void columns_print(const struct names *names);
