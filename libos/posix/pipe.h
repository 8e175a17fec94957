/* SPDX-License-Identifier: BSL-1.0
 *
 * Ends of pipes that this domain holds alone: it moves them itself, in the
 * pipe's memory (vesper/pipe.h), and sends the file server no request for it.
 * Errors are positive errno values. Context: any thread.
 */
#pragma once

#include <stddef.h>

#include <vesper/pipe.h>

struct description;

struct pipe_move {
    char *at; /* what is written is not changed */
    size_t left, done;
};

/* Read what is there, or write all, waiting for it. EALREADY: fd is no such end
 * of ours (any more): ask its service, which says what is wrong with it, too.
 * EINTR, EPIPE, EIO. What is done counts all the same. */
int posix_pipe_move(int fd, enum pipe_end end, struct pipe_move *m);

/* The server moved d's end for us; if it is a pipe's, that shall change before
 * long. Not with a piece. */
void posix_pipe_served(struct description *d);

/* The handle will be closed. */
void posix_pipe_leave(struct description *d);

/* Around a request that makes it somebody else's as well: that takes the memory
 * from us, so no thread must be in it. One thread at a time. */
void posix_pipe_grant_begin(struct description *d);
void posix_pipe_grant_end(struct description *d);
