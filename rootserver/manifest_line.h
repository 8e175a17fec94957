/* SPDX-License-Identifier: BSL-1.0 */
/*
 * manifest_line.h - one line of the manifest as a list of words.
 *
 * Private to manifest.c. Knows bytes, blanks, quotes and comments; knows no
 * key.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "manifest.h"

/* A key and its values; one more value than any key takes is an error. */
enum { LINE_WORDS_MAX = 1 + MANIFEST_ARGS_MAX };

struct line_word {
    uint16_t begin;  /* of a C string in the line's buffer */
    uint16_t column; /* from 1 */
};

struct line {
    uint16_t number;     /* from 1 */
    uint16_t word_count; /* 0: blank or comment */
    struct line_word words[LINE_WORDS_MAX];
    char buffer[MANIFEST_LINE_MAX_BYTES + 2]; /* the last two stay NUL */
};

/*
 * line_split - check the bytes of a line and cut it into words
 * text  [in]   the line is text[begin..end), without the newline
 * line  [out]  all but `number`; zeroed when the first line is split
 * Returns 0, or -1 and *error.
 */
int line_split(struct line *line, const char *text, size_t begin, size_t end,
               struct manifest_error *error);

/*
 * number_read - decimal, or hexadecimal after 0x, up to `limit`
 * Returns the end of the digits in `text`, or NULL if there are none or the
 * number is greater than `limit`; *number is written only if not NULL.
 */
const char *number_read(const char *text, uint64_t limit, uint64_t *number);
