/* SPDX-License-Identifier: BSL-1.0
 *
 * fdopen, on which picolibc's fopen and tmpfile stand. Its own one is replaced
 * for two reasons: it keeps no list, so that exit would lose what is buffered;
 * and its buffer is 512 bytes, where each refill is a request to another
 * domain.
 */
#include "stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <vesper/thread.h>

#include "signal_state.h"

#define STREAM_BYTES 4096

struct stream {
    struct posix_stream stream; /* first; `next` is guarded by streams_lock */
    char buffer[STREAM_BYTES];
};

static struct mutex streams_lock;
static struct posix_stream *streams;

/* ---- output that is lost ----------------------------------------------- */

static struct posix_stream *stream_of(FILE *f)
{
    return (struct posix_stream *)f;
}

static FILE *file_of(struct posix_stream *s)
{
    return &s->bufio.xfile.cfile.file;
}

static void stream_lose(FILE *f)
{
    stream_of(f)->lost = errno != 0 ? errno : EIO;
    f->flags |= __SERR;
}

static int stream_put(char c, FILE *f)
{
    int put = __bufio_put(c, f);

    if (put < 0) {
        stream_lose(f);
    }
    return put;
}

/* Only clearerr makes lost output forgotten. A read error has __SERR as well,
 * but nothing was lost by it. */
static int stream_flush(FILE *f)
{
    struct posix_stream *s = stream_of(f);

    if (__bufio_flush(f) < 0) {
        stream_lose(f);
    } else if ((f->flags & __SERR) == 0) {
        s->lost = 0;
    }
    if (s->lost != 0) {
        errno = s->lost;
        return EOF;
    }
    return 0;
}

void posix_stream_start(struct posix_stream *s, int (*close)(FILE *))
{
    FILE *f = file_of(s);

    f->put = stream_put;
    f->flush = stream_flush;
    s->bufio.xfile.cfile.close = close;
    __bufio_lock_init(f);
}

int posix_stream_end(struct posix_stream *s)
{
    int error = stream_flush(file_of(s)) != 0 ? errno : 0;

    if ((s->bufio.bflags & __BALL) != 0) {
        free(s->bufio.buf);
    }
    if (close(s->bufio.fd) != 0 && error == 0) {
        error = errno;
    }
    return error;
}

/* ---- the list ---------------------------------------------------------- */

static void streams_enter(void)
{
    posix_signal_hold();
    mutex_lock(&streams_lock);
}

static void streams_leave(void)
{
    mutex_unlock(&streams_lock);
    posix_signal_release();
}

static void stream_forget(const struct posix_stream *s)
{
    struct posix_stream **at = &streams;

    streams_enter();
    while (*at != NULL && *at != s) {
        at = &(*at)->next;
    }
    if (*at != NULL) {
        *at = (*at)->next;
    }
    streams_leave();
}

static int stream_close(FILE *f)
{
    struct posix_stream *s = stream_of(f);
    int error;

    stream_forget(s);
    error = posix_stream_end(s);
    __lock_close(s->bufio.lock);
    free(s);
    if (error != 0) {
        errno = error;
    }
    return error != 0 ? EOF : 0;
}

/* 0 if mode is none. */
static uint8_t mode_flags(const char *mode)
{
    bool both = strchr(mode, '+') != NULL;

    switch (mode[0]) {
    case 'r':
        return both ? __SRD | __SWR : __SRD;
    case 'w':
    case 'a':
        return both ? __SRD | __SWR : __SWR;
    default:
        return 0;
    }
}

static struct posix_stream *stream_create(int fd, uint8_t flags)
{
    struct stream *s = calloc(1, sizeof(*s));

    if (s == NULL) {
        errno = ENOMEM;
        return NULL;
    }
    s->stream.bufio =
        (struct __file_bufio)FDEV_SETUP_BUFIO(fd, s->buffer, STREAM_BYTES, read,
                                              write, lseek, close, flags, 0);
    if (isatty(fd)) {
        s->stream.bufio.bflags |= __BLBF;
    }
    posix_stream_start(&s->stream, stream_close);
    return &s->stream;
}

FILE *fdopen(int fd, const char *mode)
{
    uint8_t flags = mode_flags(mode);
    struct posix_stream *s;
    int saved = errno;

    if (flags == 0 || fcntl(fd, F_GETFD) < 0) {
        errno = flags == 0 ? EINVAL : EBADF;
        return NULL;
    }
    s = stream_create(fd, flags);
    if (s == NULL) {
        return NULL;
    }
    errno = saved; /* isatty said ENOTTY */
    streams_enter();
    s->next = streams;
    streams = s;
    streams_leave();
    if (mode[0] == 'a') {
        fseek(file_of(s), 0, SEEK_END);
    }
    return file_of(s);
}

void posix_stream_flush_all(void)
{
    /* At exit: the other threads may still print, but nobody closes. */
    for (struct posix_stream *s = streams; s != NULL; s = s->next) {
        if ((file_of(s)->flags & __SWR) != 0) {
            fflush(file_of(s));
        }
    }
}

/* As picolibc's, and for NULL all streams as the standard says. */
int fflush(FILE *f)
{
    if (f == NULL) {
        posix_stream_flush_all();
        return fflush(stdout);
    }
    return f->flush != NULL ? f->flush(f) : 0;
}
