/* SPDX-License-Identifier: BSL-1.0
 *
 * posix_spawn: the one way to start a program. The message for the root server
 * holds the program itself, its arguments, and the open files that it inherits.
 *
 * Open files belong to a domain, so each one is first granted, at its service,
 * to "the next domain that the root server starts for this client". That is why
 * only one thread at a time spawns, and why grants are taken back when it
 * fails.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include <vesper/file.h>
#include <vesper/root.h>
#include <vesper/root_call.h>
#include <vesper/thread.h>

#include "fd.h"
#include "place.h"
#include "service.h"
#include "signal_state.h"
#include "spawn_actions.h"
#include "spawn_request.h"
#include "pipe.h"
#include "standard.h"

#define IMAGE_MAX    (MEMORY_RUN_MAX - 65536)
#define BOOT_PREFIX  "/boot/"
#define NULL_SERVICE "null" /* what /dev/null is called in struct start_fd */

static struct mutex spawn_lock;

/* Make one open file the child's; handle 0 is everybody's. */
static int grant(struct description *d, uint64_t *number)
{
    struct channel_request r = {.op = FILE_GRANT, .handle = d->handle};
    struct channel_completion answer;
    int error;

    *number = 0;
    if (d->service == NULL || d->handle == 0) {
        return 0;
    }
    error = posix_description_check(d);
    if (error == 0) {
        uint32_t generation = d->generation;

        posix_pipe_grant_begin(d);
        error = posix_service_call_of(d->service, &generation, &r, &answer);
        posix_pipe_grant_end(d);
    }
    if (error == 0) {
        *number = answer.value[0];
    }
    return error;
}

static void ungrant(const struct start_fd_request *fd)
{
    struct channel_request r = {.op = FILE_UNGRANT, .arg = {fd->handle}};
    struct channel_completion answer;
    struct service *s = posix_service_find(fd->service);

    if (fd->handle != 0 && s != NULL) {
        posix_service_call(s, &r, &answer);
    }
}

/* The same number stands in several entries; take it back once. */
static void ungrant_all(const struct spawn_request *r)
{
    for (uint32_t i = 0; i < r->fd_count; i++) {
        bool again = false;

        for (uint32_t j = 0; j < i; j++) {
            again |= r->fd[j].handle == r->fd[i].handle &&
                     strcmp(r->fd[j].service, r->fd[i].service) == 0;
        }
        if (!again) {
            ungrant(&r->fd[i]);
        }
    }
}

static bool has_grant(const struct spawn_request *r, uint32_t count,
                      const char *service)
{
    for (uint32_t i = 0; i < count; i++) {
        if (r->fd[i].handle != 0 && strcmp(r->fd[i].service, service) == 0) {
            return true;
        }
    }
    return false;
}

/* Whose the grants are: a child may end before its services could see it. */
static void granted_all(const struct spawn_request *r, pid_t pid)
{
    struct channel_request q = {.op = FILE_GRANTED, .arg = {(uint64_t)pid}};
    struct channel_completion answer;

    for (uint32_t i = 0; i < r->fd_count; i++) {
        struct service *s = posix_service_find(r->fd[i].service);

        if (r->fd[i].handle != 0 && s != NULL &&
            !has_grant(r, i, r->fd[i].service)) {
            (void)posix_service_call(s, &q, &answer);
        }
    }
}

/* The entry of an earlier file descriptor for the same description. */
static const struct start_fd_request *find_same(const struct spawn_request *r,
                                                const struct fd_entry *copy,
                                                const struct description *d)
{
    for (uint32_t i = 0; i < r->fd_count; i++) {
        if (copy[r->fd[i].fd].description == d) {
            return &r->fd[i];
        }
    }
    return NULL;
}

static int inherit(struct spawn_request *r, const struct fd_entry *copy, int fd)
{
    struct description *d = copy[fd].description;
    const struct start_fd_request *same = find_same(r, copy, d);
    struct start_fd_request *wanted = &r->fd[r->fd_count];
    int error = 0;

    if (r->fd_count == SPAWN_FDS) {
        return EMFILE;
    }
    *wanted = (struct start_fd_request){.fd = fd, .flags = d->flags};
    strcpy(wanted->service,
           d->service == NULL ? NULL_SERVICE : posix_service_name(d->service));
    if (same != NULL) {
        wanted->handle = same->handle;
    } else {
        error = grant(d, &wanted->handle);
    }
    if (error == 0) {
        r->fd_count++;
    }
    return error;
}

static int inherit_all(struct spawn_request *r, const struct fd_entry *copy,
                       int end)
{
    int error = 0;

    for (int fd = 0; fd < end && error == 0; fd++) {
        if (copy[fd].description != NULL && !copy[fd].close_on_exec) {
            error = inherit(r, copy, fd);
        }
    }
    return error;
}

static int root_spawn(const struct spawn_message *m, pid_t *pid)
{
    uint64_t w[8] = {ROOT_SPAWN, (uint64_t)(uintptr_t)m->request, m->bytes};
    int error = root_call(w, LOAN(m->request, RIGHT_READ));

    if (error == 0) {
        *pid = (pid_t)w[1];
    }
    return error;
}

static int image_read(int fd, char *to, size_t bytes)
{
    size_t done = 0;

    while (done < bytes) {
        ssize_t now = read(fd, to + done, bytes - done);

        if (now == 0 || (now < 0 && errno != EINTR)) {
            return now == 0 ? EIO : errno;
        }
        done += now > 0 ? (size_t)now : 0;
    }
    return 0;
}

static int image_check(int fd, size_t *bytes)
{
    struct description *d;
    int error = posix_fd_hold(fd, &d);

    if (error != 0) {
        return error;
    }
    if (d->type != FILE_REGULAR) {
        error = EACCES;
    } else if (d->size == 0) {
        error = ENOEXEC;
    } else if (d->size > IMAGE_MAX) {
        error = E2BIG;
    }
    *bytes = d->size;
    posix_description_drop(d);
    return error;
}

/* Open the program and see how long it is. */
static int image_open(const char *path, int *fd, size_t *bytes)
{
    int error;

    *fd = open(path, O_RDONLY | O_CLOEXEC);
    if (*fd < 0) {
        return errno;
    }
    error = image_check(*fd, bytes);
    if (error != 0) {
        close(*fd);
    }
    return error;
}

static int message_send(struct spawn_message *m,
                        const posix_spawn_file_actions_t *actions, pid_t *pid)
{
    static struct fd_entry copy[FD_MAX]; /* guarded by spawn_lock */
    int error, end = FD_MAX;

    posix_signal_hold();
    mutex_lock(&spawn_lock);
    posix_fd_copy_take(copy);
    error = posix_spawn_actions_apply(actions, copy);
    while (end > 0 && copy[end - 1].description == NULL) {
        end--;
    }
    if (error == 0) {
        error = inherit_all(m->request, copy, end);
        if (error == 0) {
            error = root_spawn(m, pid);
        }
        if (error != 0) {
            ungrant_all(m->request);
        } else {
            granted_all(m->request, *pid);
        }
    }
    posix_fd_copy_give(copy, end);
    mutex_unlock(&spawn_lock);
    posix_signal_release();
    return error;
}

/* The message with the program in it, which is read into it. */
static int image_send(struct spawn_what *what,
                      const posix_spawn_file_actions_t *actions, pid_t *pid)
{
    int fd;
    int error = image_open(what->path, &fd, &what->image_bytes);
    struct spawn_message m;

    if (error != 0) {
        return error;
    }
    error = posix_spawn_message_create(what, &m);
    if (error == 0) {
        error =
            image_read(fd, posix_spawn_message_image(&m), what->image_bytes);
        if (error == 0) {
            error = message_send(&m, actions, pid);
        }
        posix_spawn_message_free(&m);
    }
    close(fd);
    return error;
}

/* Without: it lies in the boot archive, or is kept. */
static int name_send(const struct spawn_what *what,
                     const posix_spawn_file_actions_t *actions, pid_t *pid)
{
    struct spawn_message m;
    int error = posix_spawn_message_create(what, &m);

    if (error == 0) {
        error = message_send(&m, actions, pid);
        posix_spawn_message_free(&m);
    }
    return error;
}

static bool is_boot(const char *path)
{
    return strncmp(path, BOOT_PREFIX, sizeof(BOOT_PREFIX) - 1) == 0;
}

/* What the file server says of the bytes, before they are read: should they
 * change meanwhile, this number is not seen again. */
static uint64_t stamp_ask(const struct place *place)
{
    struct channel_request r = {.op = FILE_STAMP};
    struct channel_completion answer;

    return posix_place_call(place, &r, &answer) == 0 ? answer.value[0] : 0;
}

static int spawn_at(const char *path, struct spawn_what what,
                    const posix_spawn_file_actions_t *actions, pid_t *child)
{
    struct place place;
    int error = posix_place_find(path, &place);

    what.path = place.path;
    if (error != 0) {
        return error;
    }
    if (is_boot(place.path)) {
        return name_send(&what, actions, child);
    }
    what.key = stamp_ask(&place);
    error = what.key != 0 ? name_send(&what, actions, child) : ESTALE;
    return error == ESTALE ? image_send(&what, actions, child) : error;
}

int posix_spawn(pid_t *restrict pid, const char *restrict path,
                const posix_spawn_file_actions_t *actions,
                const posix_spawnattr_t *restrict attributes,
                char *const argv[], char *const envp[])
{
    struct spawn_what what = {.argv = argv,
                              .envp = envp,
                              .flags = posix_spawn_flags(attributes)};
    int saved = errno, error;
    pid_t child;

    posix_standard_flush();
    do { /* a signal is no reason for it to fail: its handler has run now */
        error = spawn_at(path, what, actions, &child);
    } while (error == EINTR);
    if (error == 0 && pid != NULL) {
        *pid = child;
    }
    errno = saved;
    return error;
}
