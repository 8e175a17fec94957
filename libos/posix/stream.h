/* SPDX-License-Identifier: BSL-1.0
 *
 * Streams as this system has them: picolibc's buffered FILE, that it is written
 * out at exit, and that an output which was lost is not forgotten.
 *
 * picolibc drops what it could not write and goes on as if nothing had been.
 * Here the stream keeps the error: ferror() says so, and fflush() and fclose()
 * fail with that errno, until clearerr().
 */
#pragma once

#include <stdio-bufio.h>
#include <stdio.h>

struct posix_stream {
    struct __file_bufio bufio; /* first: a FILE is found by its address */
    struct posix_stream *next; /* of those that fdopen made */
    int lost;                  /* errno of an output that failed; or 0 */
};

/* Hooks and lock; `bufio` is set up already. close: for fclose(). */
void posix_stream_start(struct posix_stream *s, int (*close)(FILE *));
/* Write out, close the descriptor. Returns 0, or an errno. */
int posix_stream_end(struct posix_stream *s);

void posix_stream_flush_all(void);
