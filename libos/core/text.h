/* SPDX-License-Identifier: BSL-1.0
 *
 * A line of text in a fixed buffer; what does not fit is left out. For the
 * crash report: no libc, no FP registers, no allocation. Pure.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define TEXT_BYTES 192u

struct text {
    size_t length;
    char bytes[TEXT_BYTES];
};

void text_put(struct text *t, const char *s);
void text_put_bounded(struct text *t, const char *s, size_t max);
/* A name that somebody chose: what a terminal might obey becomes '?'. */
void text_put_name(struct text *t, const char *s, size_t max);
void text_decimal(struct text *t, uint64_t value);
void text_hex(struct text *t, uint64_t value); /* with 0x */
