/* SPDX-License-Identifier: BSL-1.0
 *
 * The services that file descriptors stand for, connected when first needed and
 * then kept. Errors are positive errno values. Context: any thread.
 *
 * A server may die and be started again. Then the request that noticed it fails
 * with ESTALE, the channel is connected anew, and handles from before mean
 * nothing any more: who keeps handles keeps their generation with them. What
 * rests on no handle (paths, and handle 0) can be sent again, see
 * posix_service_again. EIO: the server did not come back.
 *
 * While a request travels, signal handlers wait (posix_signal_hold), so that a
 * handler that itself calls write() finds no lock taken by the code it
 * interrupted.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <vesper/channel.h>

struct service;

#define SERVICE_MAX 4u /* a domain uses */

/* A request that says no more. Field by field, because to clear a structure is
 * a call of memset, which needs FP registers, and with them a trap. */
static inline struct channel_request posix_request(uint32_t op, uint64_t handle)
{
    struct channel_request r;

    r.op = op;
    r.id = 0;
    r.handle = handle;
    r.arg[0] = r.arg[1] = r.arg[2] = 0;
    r.data = r.bytes = 0;
    return r;
}

/* The service of that name (up to 15 bytes); does not connect yet. NULL: more
 * names than SERVICE_MAX are in use. */
struct service *posix_service_find(const char *name);
const char *posix_service_name(const struct service *s);
/* Changes when the server was started again. */
uint32_t posix_service_generation(const struct service *s);
/* Whether to send a request without handle once more. *tries starts at 0. */
bool posix_service_again(int error, unsigned *tries);

/* One request without data. */
int posix_service_call(struct service *s, struct channel_request *r,
                       struct channel_completion *answer);
/* The same. *generation: in, since when r->handle is good (if it is not 0);
 * out, which generation answered. */
int posix_service_call_of(struct service *s, uint32_t *generation,
                          struct channel_request *r,
                          struct channel_completion *answer);

/* A part of the channel's data area, for one or more requests. */
struct piece {
    struct service *service;
    struct channel *channel;
    uint32_t generation; /* of the service that it is for, or that answered */
    uint32_t offset, bytes;
    void *data;
};

#define PIECE_MAX 32768u /* half the data area: two threads can move data */

/* bytes in 1..PIECE_MAX; blocks while the data area is used up. */
int posix_piece_take(struct service *s, uint32_t bytes, struct piece *out);
/* Send r with the first `bytes` of the piece. After ESTALE what the piece held
 * is lost, and p->data may be another; so it is if the server came back between
 * take and call. */
int posix_piece_call(struct piece *p, struct channel_request *r, uint32_t bytes,
                     struct channel_completion *answer);
void posix_piece_give(struct piece *p);

/* A request with a piece, under way with others: channel_call_any. */
struct piece_call {
    struct piece *piece;
    struct channel_request request; /* data and bytes are the whole piece */
    int error;                      /* as of posix_piece_call */
};
/* 1 <= count <= SERVICE_MAX; each of another service. 0, ETIMEDOUT, EINTR. */
int posix_pieces_call_any(struct piece_call *calls, uint32_t count,
                          uint64_t until_ns);
