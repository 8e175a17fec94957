/* SPDX-License-Identifier: BSL-1.0
 *
 * Where a path leads: to the card's files, or to one of the few devices that
 * have a name. And the current directory, from which paths start.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <vesper/channel.h>

#include "path.h"

enum place_kind {
    PLACE_FILE, /* service `files` under the same path */
    PLACE_TTY,  /* /dev/tty, /dev/console: handle 0 of service `console` */
    PLACE_NULL, /* /dev/null: known to libos alone */
};

struct service;

struct place {
    enum place_kind kind;
    bool directory; /* the path was written as a directory's, see path.h */
    struct service *service; /* NULL for PLACE_NULL */
    char path[PATH_BYTES];
};

/* 0 or ENOENT, ENAMETOOLONG, ENFILE. */
int posix_place_find(const char *path, struct place *out);

/* Send a request about a file of the card by its path: op, arg0 -> answer.
 * ENOTSUP: a device. */
int posix_place_call(const struct place *p, struct channel_request *r,
                     struct channel_completion *answer);
/* The same; *generation: of the service, when it answered. */
int posix_place_open(const struct place *p, uint32_t *generation,
                     struct channel_request *r,
                     struct channel_completion *answer);

/* Copy the current directory into out[PATH_BYTES]; set it (clean, absolute). */
void posix_cwd_copy(char *out);
void posix_cwd_set(const char *path);
