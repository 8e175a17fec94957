/* SPDX-License-Identifier: BSL-1.0 */
/*
 * Words to arguments: quotes are removed, $NAME, ${NAME}, $?, $$, $!, $#,
 * $0..$9 replaced, what an unquoted variable holds is split at blanks, and an
 * unquoted * ? or [ in the last path component is matched against the
 * directory. A pattern that matches nothing stays as it is.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum {
    ARGUMENTS_MAX = 1024,
    ARGUMENTS_BYTES = 32 * 1024, /* all of one command's, with their NULs */
    WORD_BYTES = 4096,           /* one word after expansion */
};

struct arguments {
    char *items[ARGUMENTS_MAX + 1]; /* NULL after the last: an argv */
    size_t count;
    char text[ARGUMENTS_BYTES];
    size_t used_bytes;
};

void arguments_clear(struct arguments *arguments);

/*
 * Adds what the word becomes: none, one or many arguments. Returns NULL, or
 * the cause as text (a limit above).
 */
const char *expand_word(struct arguments *arguments, const char *word,
                        size_t n);

/*
 * The word as exactly one string, neither split nor matched (targets of
 * redirections, values). NULL if it exceeds WORD_BYTES. The string is
 * static: valid until the next call of this file.
 */
const char *expand_single(const char *word, size_t n);

/* Length of NAME at `text`; 0 if it does not start one. */
size_t expand_name_length(const char *text);
