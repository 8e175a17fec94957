/* SPDX-License-Identifier: BSL-1.0
 *
 * Opening and closing: open, creat, close, pipe. The mode that open is given is
 * not used: FAT keeps no owner and no rights but "read-only".
 */
#define _GNU_SOURCE /* pipe2 */
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <unistd.h>
#include <vesper/file.h>

#include "fd.h"
#include "open.h"
#include "place.h"
#include "result.h"
#include "service.h"

/* Handle 0 of the console is the terminal and needs no opening. */
static int handle_open(const struct place *place, uint32_t flags,
                       struct channel_completion *answer, uint32_t *generation)
{
    struct channel_request r = {.op = FILE_OPEN, .arg = {flags}};

    *answer = (struct channel_completion){0};
    if (place->kind != PLACE_FILE) {
        return (flags & O_DIRECTORY) != 0 ? ENOTDIR : 0;
    }
    return posix_place_open(place, generation, &r, answer);
}

static void handle_close(const struct place *place, uint64_t handle,
                         uint32_t generation)
{
    struct channel_request r = {.op = FILE_CLOSE, .handle = handle};
    struct channel_completion answer;

    if (place->kind == PLACE_FILE) {
        posix_service_call_of(place->service, &generation, &r, &answer);
    }
}

/* What is known without asking. */
static void description_mark(struct description *d, const struct place *place,
                             const struct channel_completion *opened)
{
    d->plain = place->kind == PLACE_FILE;
    d->size =
        opened->value[1] < UINT32_MAX ? (uint32_t)opened->value[1] : UINT32_MAX;
    d->type = place->kind == PLACE_TTY ? FILE_TTY : (uint32_t)opened->value[2];
}

int posix_description_open(const char *path, int flags,
                           struct description **out)
{
    struct place place;
    struct channel_completion opened;
    uint32_t generation = 0;
    uint32_t sent = (uint32_t)flags & ~(uint32_t)O_CLOEXEC;
    int error = posix_place_find(path, &place);

    if (error != 0) {
        return error;
    }
    if (place.directory) {
        if ((sent & O_CREAT) != 0) {
            return EISDIR;
        }
        sent |= O_DIRECTORY;
    }
    error = handle_open(&place, sent, &opened, &generation);
    if (error != 0) {
        return error;
    }
    error = posix_description_create(place.service, opened.value[0], sent, out);
    if (error != 0) {
        handle_close(&place, opened.value[0], generation);
        return error;
    }
    (*out)->generation = generation;
    description_mark(*out, &place, &opened);
    return 0;
}

int open(const char *path, int flags, ...)
{
    struct description *d;
    int fd;
    int error = posix_description_open(path, flags, &d);

    if (error != 0) {
        return result(error);
    }
    error = posix_fd_take(d, 0, (flags & O_CLOEXEC) != 0, &fd);
    if (error != 0) {
        posix_description_drop(d);
        return result(error);
    }
    return fd;
}

int creat(const char *path, mode_t mode)
{
    return open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
}

int close(int fd)
{
    return result(posix_fd_close(fd));
}

/* One end of a new pipe; on failure the service's handle is closed. */
static int pipe_end(struct service *files, uint32_t generation, uint64_t handle,
                    uint32_t flags, bool close_on_exec, int *fd)
{
    struct channel_request r = {.op = FILE_CLOSE, .handle = handle};
    struct channel_completion answer;
    struct description *d;
    int error = posix_description_create(files, handle, flags, &d);

    if (error != 0) {
        posix_service_call_of(files, &generation, &r, &answer);
        return error;
    }
    d->generation = generation;
    d->type = FILE_PIPE_END;
    error = posix_fd_take(d, 0, close_on_exec, fd);
    if (error != 0) {
        posix_description_drop(d);
    }
    return error;
}

int pipe2(int fds[2], int flags)
{
    struct service *files = posix_service_find("files");
    struct channel_request r = {.op = FILE_PIPE};
    struct channel_completion answer;
    bool close_on_exec = (flags & O_CLOEXEC) != 0;
    uint32_t seen = 0;
    int ends[2];
    int error;

    if ((flags & ~O_CLOEXEC) != 0) {
        return result(EINVAL);
    }
    error = files != NULL ? posix_service_call_of(files, &seen, &r, &answer)
                          : ENFILE;
    if (error != 0) {
        return result(error);
    }
    error = pipe_end(files, seen, answer.value[0], O_RDONLY, close_on_exec,
                     &ends[0]);
    if (error != 0) {
        r = (struct channel_request){.op = FILE_CLOSE,
                                     .handle = answer.value[1]};
        posix_service_call_of(files, &seen, &r, &answer);
        return result(error);
    }
    error = pipe_end(files, seen, answer.value[1], O_WRONLY, close_on_exec,
                     &ends[1]);
    if (error != 0) {
        posix_fd_close(ends[0]);
        return result(error);
    }
    fds[0] = ends[0];
    fds[1] = ends[1];
    return 0;
}

int pipe(int fds[2])
{
    return pipe2(fds, 0);
}
