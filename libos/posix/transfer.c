/* SPDX-License-Identifier: BSL-1.0
 *
 * Moving contents: read, write, pread, pwrite, lseek, fsync. All but what
 * ends of pipes move that are ours (pipe.h) passes through the channel's data
 * area, piece by piece.
 *
 * A read from a terminal or pipe is one request, so it returns what is there; a
 * file is read on until `bytes` are together. Pieces that may wait for long (a
 * terminal's or pipe's) are small, so that a few waiting threads do not use up
 * the data area for the others.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include <vesper/file.h>
#include <vesper/thread.h>

#include "../core/copy.h"
#include "fd.h"
#include "pipe.h"
#include "result.h"
#include "service.h"
#include "signal_state.h"
#include "standard.h"

#define OFFSET_OWN    (~UINT64_C(0)) /* the handle's own position */
#define WAITING_PIECE 8192u

struct transfer {
    struct description *d;
    uint64_t offset; /* or OFFSET_OWN */
    size_t bytes;
    bool waits; /* a terminal or a pipe */
};

static bool may_access(const struct description *d, uint32_t without)
{
    return (d->flags & O_ACCMODE) != without;
}

/* Find the description and what is to be known of it. Drop it afterwards. */
static __attribute__((noinline)) int transfer_start(int fd, uint32_t without,
                                                    struct transfer *t)
{
    uint32_t type = 0;
    int error = posix_fd_hold(fd, &t->d);

    if (error != 0) {
        return error;
    }
    if (t->bytes > PTRDIFF_MAX) {
        error = EINVAL;
    } else if (!may_access(t->d, without)) {
        error = EBADF;
    } else {
        error = posix_description_check(t->d);
        if (error == 0 && !t->d->plain) {
            error = posix_description_type(t->d, &type);
        }
        t->waits = type == FILE_TTY || type == FILE_PIPE_END;
    }
    if (error != 0) {
        posix_description_drop(t->d);
    }
    return error;
}

static uint32_t piece_bytes(const struct transfer *t)
{
    uint32_t most = t->waits ? WAITING_PIECE : PIECE_MAX;

    return t->bytes < most ? (uint32_t)t->bytes : most;
}

/* The terminal is there again after its driver was started anew; files that
 * were open are not. */
static bool transfer_again(const struct transfer *t, int error, unsigned *tries)
{
    return t->d->handle == 0 && posix_service_again(error, tries);
}

/* One request for up to p->bytes; *done: how many the service says it moved,
 * which is checked, because a service may lie. */
static int transfer_piece(const struct transfer *t, uint32_t op,
                          struct piece *p, size_t at, uint32_t *done)
{
    size_t left = t->bytes - at;
    uint32_t bytes = left < p->bytes ? (uint32_t)left : p->bytes;
    struct channel_request r = posix_request(op, t->d->handle);
    struct channel_completion answer;
    int error;

    r.arg[0] = t->offset == OFFSET_OWN ? OFFSET_OWN : t->offset + at;
    error = posix_piece_call(p, &r, bytes, &answer);
    if (error == 0 && answer.value[0] > bytes) {
        error = EIO;
    }
    *done = error == 0 ? (uint32_t)answer.value[0] : 0;
    return error;
}

static int read_pieces(const struct transfer *t, char *to, size_t *total)
{
    struct piece p;
    uint32_t done;
    unsigned tries = 0;
    bool more;
    int error = posix_description_piece(t->d, piece_bytes(t), &p);

    *total = 0;
    if (error != 0) {
        return error;
    }
    do {
        error = transfer_piece(t, FILE_READ, &p, *total, &done);
        copy_long(to + *total, p.data, done);
        *total += done;
        more = error == 0 && done == p.bytes && *total < t->bytes && !t->waits;
    } while (more || transfer_again(t, error, &tries));
    posix_piece_give(&p);
    return error;
}

/* Blocking writes go on until all is written; a service that takes nothing
 * would keep us here for ever, so that is an error. */
static int write_pieces(const struct transfer *t, const char *from,
                        size_t *total)
{
    struct piece p;
    uint32_t done;
    unsigned tries = 0;
    int error = posix_description_piece(t->d, piece_bytes(t), &p);

    *total = 0;
    if (error != 0) {
        return error;
    }
    do {
        size_t left = t->bytes - *total;

        copy_long(p.data, from + *total, left < p.bytes ? left : p.bytes);
        error = transfer_piece(t, FILE_WRITE, &p, *total, &done);
        if (error == 0 && done == 0) {
            error = EIO;
        }
        *total += done;
    } while ((error == 0 && *total < t->bytes) ||
             transfer_again(t, error, &tries));
    posix_piece_give(&p);
    return error;
}

/* A function of its own: who moves a pipe's end saves no registers for it. */
#define SERVED static __attribute__((noinline)) int

/* EALREADY: a pipe's end that is ours to move now. */
SERVED read_served(int fd, struct pipe_move *m, uint64_t offset)
{
    struct transfer t = {.offset = offset, .bytes = m->left};
    int error = transfer_start(fd, O_WRONLY, &t);

    if (error != 0) {
        return error;
    }
    if (t.waits) {
        posix_standard_flush();
    }
    if (t.d->service != NULL && t.bytes != 0) {
        do {
            error = read_pieces(&t, m->at, &m->done);
        } while (error == EINTR && m->done == 0 && posix_signal_restarts());
    }
    if (t.waits) {
        posix_pipe_served(t.d);
    }
    posix_description_drop(t.d);
    return error;
}

SERVED write_served(int fd, struct pipe_move *m, uint64_t offset)
{
    struct transfer t = {.offset = offset, .bytes = m->left};
    size_t total = 0;
    int error = transfer_start(fd, O_RDONLY, &t);

    if (error != 0) {
        return error;
    }
    if (t.d->service == NULL) {
        total = t.bytes;
    } else if (t.bytes != 0) {
        do {
            error = write_pieces(&t, m->at, &total);
        } while (error == EINTR && total == 0 && posix_signal_restarts());
    }
    if (t.waits) {
        posix_pipe_served(t.d);
    }
    posix_description_drop(t.d);
    m->at += total;
    m->left -= total;
    m->done += total;
    return error;
}

/* Who moves a pipe's end may change while one waits there. Cancellation points:
 * a wait that was cancelled ends with EINTR. */
static ssize_t read_at(int fd, void *to, size_t bytes, uint64_t offset)
{
    struct pipe_move m = {to, bytes, 0};
    int error;

    thread_cancel_begin();
    do {
        error = posix_pipe_move(fd, PIPE_READING, &m);
        if (error == EALREADY) {
            error = read_served(fd, &m, offset);
        }
    } while (error == EALREADY);
    thread_cancel_end(m.done == 0 && error == EINTR);
    return m.done > 0 ? (ssize_t)m.done : result(error);
}

static ssize_t write_at(int fd, const void *from, size_t bytes, uint64_t offset)
{
    struct pipe_move m = {(char *)from, bytes, 0};
    int error;

    thread_cancel_begin();
    do {
        error = posix_pipe_move(fd, PIPE_WRITING, &m);
        if (error == EALREADY) {
            error = write_served(fd, &m, offset);
        }
    } while (error == EALREADY);
    if (error == EPIPE) {
        posix_signal_cause(SIGPIPE); /* a pipe that nobody reads any more */
    }
    thread_cancel_end(m.done == 0 && error == EINTR);
    return m.done > 0 ? (ssize_t)m.done : result(error);
}

ssize_t read(int fd, void *to, size_t bytes)
{
    return read_at(fd, to, bytes, OFFSET_OWN);
}

ssize_t write(int fd, const void *from, size_t bytes)
{
    return write_at(fd, from, bytes, OFFSET_OWN);
}

ssize_t pread(int fd, void *to, size_t bytes, off_t offset)
{
    return offset < 0 ? result(EINVAL)
                      : read_at(fd, to, bytes, (uint64_t)offset);
}

ssize_t pwrite(int fd, const void *from, size_t bytes, off_t offset)
{
    return offset < 0 ? result(EINVAL)
                      : write_at(fd, from, bytes, (uint64_t)offset);
}

/* A request about an open file that carries no data. */
static int handle_call(int fd, struct channel_request *r,
                       struct channel_completion *answer)
{
    struct description *d;
    int error = posix_fd_hold(fd, &d);

    if (error != 0) {
        return error;
    }
    *answer = (struct channel_completion){0};
    error = posix_description_check(d);
    if (error == 0 && d->service != NULL) {
        uint32_t generation = d->generation;

        r->handle = d->handle;
        error = posix_service_call_of(d->service, &generation, r, answer);
    }
    posix_description_drop(d);
    return error;
}

off_t lseek(int fd, off_t offset, int whence)
{
    struct channel_request r = {.op = FILE_SEEK,
                                .arg = {(uint64_t)offset, (uint64_t)whence}};
    struct channel_completion answer;
    int error = handle_call(fd, &r, &answer);

    return error != 0 ? result(error) : (off_t)answer.value[0];
}

int ftruncate(int fd, off_t size)
{
    struct channel_request r = {.op = FILE_TRUNCATE, .arg = {(uint64_t)size}};
    struct channel_completion answer;

    return size < 0 ? result(EINVAL) : result(handle_call(fd, &r, &answer));
}

int fsync(int fd)
{
    struct channel_request r = {.op = FILE_SYNC};
    struct channel_completion answer;

    return result(handle_call(fd, &r, &answer));
}

int fdatasync(int fd)
{
    return fsync(fd);
}
