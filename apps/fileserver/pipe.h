/* SPDX-License-Identifier: BSL-1.0
 *
 * Pipes: a ring of PIPE_BYTES between the holders of a reading and those of a
 * writing end. Reads wait for data, writes for room; both are answered in order
 * of arrival. Context: the server's only thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <vesper/channel.h>

#define PIPE_BYTES 65536u
#define PIPES_MAX  32u

struct pipe;

/* With one reading and one writing end. 0, ENFILE (PIPES_MAX) or ENOMEM. */
int pipe_create(struct pipe **out);

/* An end is gone. Whoever waits at the other one learns it: readers get what is
 * left, then the end of input; writers EPIPE. The last end frees the pipe. */
void pipe_close(struct pipe *p, bool writing);

/* Answer the request now or later. data: r->bytes > 0 bytes. */
void pipe_read(struct pipe *p, struct server_client *c,
               const struct channel_request *r, void *data);
void pipe_write(struct pipe *p, struct server_client *c,
                const struct channel_request *r, void *data);

uint32_t pipe_waiting_bytes(const struct pipe *p);
/* READY_x (vesper/file.h) of an end. */
uint32_t pipe_ready(const struct pipe *p, bool writing);
/* Whether any end may have become ready since this was asked last. */
bool pipe_changed(void);

/* Answer the client's waiting request of this id with ECANCELED, or, if it has
 * moved something, with that. Nothing happens if it does not wait. */
void pipe_cancel(struct server_client *c, uint32_t id);

/* Forget what the client waits for; it is gone. */
void pipe_client_drop(struct server_client *c);
