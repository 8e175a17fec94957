/* SPDX-License-Identifier: BSL-1.0
 *
 * Lines of text, see text.h.
 */
#include "text.h"

static void text_char(struct text *t, char c)
{
    if (t->length < TEXT_BYTES) {
        t->bytes[t->length++] = c;
    }
}

void text_put_bounded(struct text *t, const char *s, size_t max)
{
    for (; max > 0 && *s != '\0'; s++, max--) {
        text_char(t, *s);
    }
}

void text_put(struct text *t, const char *s)
{
    text_put_bounded(t, s, TEXT_BYTES);
}

void text_put_name(struct text *t, const char *s, size_t max)
{
    for (; max > 0 && *s != '\0'; s++, max--) {
        text_char(t, *s > ' ' && *s < 0x7f ? *s : '?');
    }
}

static void text_number(struct text *t, uint64_t value, uint64_t base)
{
    char digits[24];
    size_t n = 0;
    do {
        digits[n++] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value != 0);
    while (n > 0) {
        text_char(t, digits[--n]);
    }
}

void text_decimal(struct text *t, uint64_t value)
{
    text_number(t, value, 10);
}

void text_hex(struct text *t, uint64_t value)
{
    text_put(t, "0x");
    text_number(t, value, 16);
}
