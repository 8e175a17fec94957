/* SPDX-License-Identifier: BSL-1.0
 *
 * stdin, stdout and stderr for picolibc, which leaves them to the system.
 *
 * picolibc writes character by character, and a character to the console is a
 * request to another domain. So stderr is not unbuffered: it holds a line at
 * most, and is written out earlier when the program waits
 * (posix_standard_flush) or ends. picolibc itself writes out stdout before it
 * reads from stdin.
 */
#include "standard.h"

#include <errno.h>
#include <unistd.h>

#include "stream.h"

static char input_buffer[1024];
static char output_buffer[4096];
static char error_buffer[256];

static struct posix_stream input = {
    .bufio = FDEV_SETUP_BUFIO(0, input_buffer, sizeof(input_buffer), read,
                              write, lseek, close, __SRD, 0)};
static struct posix_stream output = {
    .bufio = FDEV_SETUP_BUFIO(1, output_buffer, sizeof(output_buffer), read,
                              write, lseek, close, __SWR, __BLBF)};
static struct posix_stream error = {
    .bufio = FDEV_SETUP_BUFIO(2, error_buffer, sizeof(error_buffer), read,
                              write, lseek, close, __SWR, __BLBF)};

FILE *const stdin = &input.bufio.xfile.cfile.file;
FILE *const stdout = &output.bufio.xfile.cfile.file;
FILE *const stderr = &error.bufio.xfile.cfile.file;

/* They lie in no heap, and exit still looks at them: only emptied. */
static int standard_close(FILE *f)
{
    struct posix_stream *s = (struct posix_stream *)f;
    int failed = posix_stream_end(s);

    f->flags &= (uint8_t) ~(__SRD | __SWR);
    s->bufio.bflags &= (uint8_t)~__BALL;
    s->lost = 0;
    if (failed != 0) {
        errno = failed;
    }
    return failed != 0 ? EOF : 0;
}

/* Before other constructors, which may print. */
__attribute__((constructor(101))) static void standard_prepare(void)
{
    posix_stream_start(&input, standard_close);
    posix_stream_start(&output, standard_close);
    posix_stream_start(&error, standard_close);
}

void posix_standard_start(bool line_buffered)
{
    if (!line_buffered) {
        output.bufio.bflags &= (uint8_t)~__BLBF;
    }
}

void posix_standard_flush(void)
{
    int saved = errno;

    if (error.bufio.len != 0 && __lock_try_acquire(error.bufio.lock)) {
        __lock_release(error.bufio.lock);
        fflush(stderr);
    }
    errno = saved;
}

/* After other destructors, which may print; exit() runs them all. */
__attribute__((destructor(101))) static void standard_end(void)
{
    posix_stream_flush_all();
    fflush(stdout);
    fflush(stderr);
}
