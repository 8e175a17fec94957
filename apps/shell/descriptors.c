/* SPDX-License-Identifier: BSL-1.0 */
/* Descriptors that stay in the shell; the contract is in descriptors.h. */
#include "descriptors.h"

#include <errno.h>
#include <stddef.h>
#include <unistd.h>

static struct {
    int fd;
    int stage;
} held[DESCRIPTORS_MAX];
static size_t held_count;

bool descriptors_add(int fd, int stage)
{
    if (held_count == DESCRIPTORS_MAX) {
        close(fd);
        errno = EMFILE;
        return false;
    }
    held[held_count].fd = fd;
    held[held_count].stage = stage;
    held_count++;
    return true;
}

void descriptors_close(int stage)
{
    size_t kept = 0;

    for (size_t i = 0; i < held_count; i++) {
        if (held[i].stage == stage) {
            close(held[i].fd);
        } else {
            held[kept++] = held[i];
        }
    }
    held_count = kept;
}

int descriptors_exclude(posix_spawn_file_actions_t *actions)
{
    int error = 0;

    for (size_t i = 0; i < held_count && error == 0; i++) {
        error = posix_spawn_file_actions_addclose(actions, held[i].fd);
    }
    return error;
}
