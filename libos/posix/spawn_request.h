/* SPDX-License-Identifier: BSL-1.0
 *
 * Building the message of ROOT_SPAWN in memory that can be sent (root.h: struct
 * spawn_request). Errors are positive errno values.
 */
#pragma once

#include <spawn.h>
#include <stddef.h>
#include <stdint.h>
#include <vesper/memory.h>
#include <vesper/root.h>

/* What is to be started: path as the root server shall see it, NULL-ended
 * lists. */
struct spawn_what {
    const char *path;
    char *const *argv, *const *envp;
    size_t image_bytes; /* 0: of the boot archive, or one that is kept */
    uint64_t key;       /* of struct spawn_request */
    uint32_t flags;     /* of struct spawn_request */
};

struct spawn_message {
    struct memory_run run; /* address NULL: it is malloc's */
    struct spawn_request *request;
    size_t bytes; /* of the message */
};

/* What posix_spawn's attributes (NULL: none) ask of the root server. */
uint32_t posix_spawn_flags(const posix_spawnattr_t *attributes);
/* Take memory and fill in everything but image and fds. E2BIG: it does not fit
 * into one stretch. ENAMETOOLONG: the current directory's path. */
int posix_spawn_message_create(const struct spawn_what *what,
                               struct spawn_message *out);
/* Where image_bytes of program go. */
void *posix_spawn_message_image(const struct spawn_message *m);
void posix_spawn_message_free(struct spawn_message *m);
