/* SPDX-License-Identifier: BSL-1.0 */
/* manifest_error.c - put together an error message without stdio. */
#include "manifest_error.h"

#include <stddef.h>
#include <string.h>

/* A piece that is longer than this is cut and ends in "...". */
enum { PIECE_MAX = 64 };

void manifest_error_begin(struct manifest_error *error, uint32_t line,
                          uint32_t column)
{
    error->line = line;
    error->column = column;
    memset(error->message, 0, sizeof(error->message));
}

static void message_append(struct manifest_error *error, const char *from,
                           size_t n)
{
    size_t at = strlen(error->message);
    size_t i;

    for (i = 0; i < n && at < sizeof(error->message) - 1; i++) {
        error->message[at++] = from[i];
    }
}

void manifest_error_add(struct manifest_error *error, const char *piece)
{
    size_t n = strlen(piece);

    if (n <= PIECE_MAX) {
        message_append(error, piece, n);
        return;
    }
    message_append(error, piece, PIECE_MAX - 3);
    message_append(error, "...", 3);
}

void manifest_error_add_number(struct manifest_error *error, uint64_t number)
{
    char digits[20];
    size_t first = sizeof(digits);

    do {
        digits[--first] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    message_append(error, digits + first, sizeof(digits) - first);
}

int manifest_error_set(struct manifest_error *error, uint32_t line,
                       uint32_t column, const char *const pieces[])
{
    manifest_error_begin(error, line, column);
    for (; *pieces != NULL; pieces++) {
        manifest_error_add(error, *pieces);
    }
    return -1;
}
