/* SPDX-License-Identifier: BSL-1.0
 *
 * See spawn_actions.h. Files are opened by this program, in the name of the one
 * that it starts, so errors of opening are errors of posix_spawn.
 */
#include "spawn_actions.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <vesper/thread.h>

#include "open.h"

enum action_kind { ACTION_CLOSE, ACTION_DUP, ACTION_OPEN };

struct action {
    struct action *next;
    enum action_kind kind;
    int fd;     /* the one that changes */
    int source; /* ACTION_DUP */
    int flags;  /* ACTION_OPEN: with the path */
    char path[];
};

struct __posix_spawn_file_actions {
    struct action *first, **last;
};

int posix_spawn_file_actions_init(posix_spawn_file_actions_t *actions)
{
    *actions = malloc(sizeof(**actions));
    if (*actions == NULL) {
        return ENOMEM;
    }
    (*actions)->first = NULL;
    (*actions)->last = &(*actions)->first;
    return 0;
}

int posix_spawn_file_actions_destroy(posix_spawn_file_actions_t *actions)
{
    struct action *a = (*actions)->first;

    while (a != NULL) {
        struct action *next = a->next;

        free(a);
        a = next;
    }
    free(*actions);
    *actions = NULL;
    return 0;
}

static bool fd_is_valid(int fd)
{
    return fd >= 0 && fd < FD_MAX;
}

static int action_add(posix_spawn_file_actions_t *actions,
                      const struct action *what, const char *path)
{
    size_t path_bytes = strlen(path) + 1;
    struct action *a;

    if (!fd_is_valid(what->fd) || !fd_is_valid(what->source)) {
        return EBADF;
    }
    a = malloc(sizeof(*a) + path_bytes);
    if (a == NULL) {
        return ENOMEM;
    }
    *a = *what;
    memcpy(a->path, path, path_bytes);
    a->next = NULL;
    *(*actions)->last = a;
    (*actions)->last = &a->next;
    return 0;
}

int posix_spawn_file_actions_addclose(posix_spawn_file_actions_t *actions,
                                      int fd)
{
    struct action a = {.kind = ACTION_CLOSE, .fd = fd};

    return action_add(actions, &a, "");
}

int posix_spawn_file_actions_adddup2(posix_spawn_file_actions_t *actions,
                                     int source, int fd)
{
    struct action a = {.kind = ACTION_DUP, .fd = fd, .source = source};

    return action_add(actions, &a, "");
}

int posix_spawn_file_actions_addopen(
    posix_spawn_file_actions_t *restrict actions, int fd,
    const char *restrict path, int flags, mode_t mode)
{
    struct action a = {.kind = ACTION_OPEN, .fd = fd, .flags = flags};

    (void)mode; /* as in open */
    return action_add(actions, &a, path);
}

static void entry_set(struct fd_entry *entry, struct description *d,
                      bool close_on_exec)
{
    struct description *old = entry->description;

    *entry = (struct fd_entry){d, close_on_exec};
    if (old != NULL) {
        posix_description_drop(old);
    }
}

static int apply_close(const struct action *a, struct fd_entry *copy)
{
    if (copy[a->fd].description == NULL) {
        return EBADF;
    }
    entry_set(&copy[a->fd], NULL, false);
    return 0;
}

static int apply_dup(const struct action *a, struct fd_entry *copy)
{
    struct description *d = copy[a->source].description;

    if (d == NULL) {
        return EBADF;
    }
    /* Onto itself: POSIX wants it inherited. */
    if (a->fd == a->source) {
        copy[a->fd].close_on_exec = false;
        return 0;
    }
    posix_description_hold(d);
    entry_set(&copy[a->fd], d, false);
    return 0;
}

static int apply_open(const struct action *a, struct fd_entry *copy)
{
    struct description *d;
    int error = posix_description_open(a->path, a->flags, &d);

    if (error == 0) {
        entry_set(&copy[a->fd], d, (a->flags & O_CLOEXEC) != 0);
    }
    return error;
}

static int action_apply(const struct action *a, struct fd_entry *copy)
{
    switch (a->kind) {
    case ACTION_CLOSE:
        return apply_close(a, copy);
    case ACTION_DUP:
        return apply_dup(a, copy);
    case ACTION_OPEN:
        return apply_open(a, copy);
    }
    return EINVAL;
}

int posix_spawn_actions_apply(const posix_spawn_file_actions_t *actions,
                              struct fd_entry copy[FD_MAX])
{
    int error = 0;
    const struct action *a;

    if (actions == NULL || *actions == NULL) {
        return 0;
    }
    for (a = (*actions)->first; a != NULL && error == 0; a = a->next) {
        error = action_apply(a, copy);
    }
    return error;
}
