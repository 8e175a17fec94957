/* SPDX-License-Identifier: BSL-1.0
 *
 * Lines of any length: getdelim, getline.
 */
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define ROOM_FIRST 128

/* Make room for `used` characters and a NUL. */
static bool line_grow(char **line, size_t *room, size_t used)
{
    size_t wanted = *room < ROOM_FIRST ? ROOM_FIRST : *room;
    char *grown;

    if (*line != NULL && used < *room) {
        return true;
    }
    if (used >= PTRDIFF_MAX / 2) {
        errno = EOVERFLOW;
        return false;
    }
    while (wanted <= used) {
        wanted *= 2;
    }
    grown = realloc(*line, wanted);
    if (grown == NULL) {
        errno = ENOMEM;
        return false;
    }
    *line = grown;
    *room = wanted;
    return true;
}

ssize_t getdelim(char **line, size_t *room, int delimiter, FILE *f)
{
    size_t used = 0;
    int c = EOF;

    if (line == NULL || room == NULL) {
        errno = EINVAL;
        return -1;
    }
    if (!line_grow(line, room, 0)) {
        return -1;
    }
    while (c != delimiter && (c = getc(f)) != EOF) {
        if (!line_grow(line, room, used + 1)) {
            return -1;
        }
        (*line)[used++] = (char)c;
    }
    (*line)[used] = '\0';
    return used > 0 ? (ssize_t)used : -1;
}

ssize_t getline(char **line, size_t *room, FILE *f)
{
    return getdelim(line, room, '\n', f);
}
