/* SPDX-License-Identifier: BSL-1.0
 *
 * Pipes: a ring of PIPE_BYTES between the holders of a reading and those of a
 * writing end. Reads wait for data, writes for room; both are answered in order
 * of arrival. Who holds an end alone may move it without the server
 * (vesper/pipe.h): what those write into the ring is not trusted.
 * Context: the server's only thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <vesper/channel.h>
#include <vesper/pipe.h>

#define PIPES_MAX 32u

struct pipe;

/* With one reading and one writing end. 0, ENFILE (PIPES_MAX), or what the root
 * server says to ROOT_LINK_MAKE. */
int pipe_create(struct pipe **out);

/* An end is gone. Whoever waits at the other one learns it: readers get what is
 * left, then the end of input; writers EPIPE. The last end frees the pipe. */
void pipe_close(struct pipe *p, enum pipe_end end);

/* The client moves the end from now on; -> link. EBUSY: requests wait there. */
int pipe_direct(struct pipe *p, enum pipe_end end,
                const struct server_client *c, uint64_t *link);
/* The server does again. */
void pipe_indirect(struct pipe *p, enum pipe_end end);
/* Somebody moved an end. */
void pipe_pump(struct pipe *p);

/* Answer the request now or later. data: r->bytes > 0 bytes. EALREADY: the
 * client moves that end itself. EIO: a client wrote nonsense into the ring. */
void pipe_read(struct pipe *p, struct server_client *c,
               const struct channel_request *r, void *data);
void pipe_write(struct pipe *p, struct server_client *c,
                const struct channel_request *r, void *data);

uint32_t pipe_waiting_bytes(const struct pipe *p);
/* READY_x (vesper/file.h) of an end. */
uint32_t pipe_ready(struct pipe *p, enum pipe_end end);
/* Whether any end may have become ready since this was asked last. */
bool pipe_changed(void);

/* Answer the client's waiting request of this id with ECANCELED, or, if it has
 * moved something, with that. Nothing happens if it does not wait. */
void pipe_cancel(struct server_client *c, uint32_t id);

/* Forget what the client waits for; it is gone. */
void pipe_client_drop(struct server_client *c);
