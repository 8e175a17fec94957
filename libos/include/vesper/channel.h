/* SPDX-License-Identifier: BSL-1.0
 *
 * A channel: memory shared by one client and one server, with a ring of
 * requests, a ring of completions and a data area that the client divides as it
 * likes. A client rings its server's doorbell, and the server works on its time
 * until it has to wait (docs/decisions/0020-doorbells.md); where that cannot
 * be, each side wakes the other with an event. Each ring has one producer and
 * one consumer, who trusts nothing: indices are masked, lengths checked. head
 * and tail count up for ever; entry i lies at i % CHANNEL_ENTRIES; tail - head
 * entries are full. When a channel's server is gone, magic is 0.
 *
 * Layout: struct channel_page at the start, the data area from data_offset on.
 */
#pragma once

#include <stdint.h>

#define CHANNEL_MAGIC   0x4e414843u
#define CHANNEL_ENTRIES 32u /* in each ring; a power of two */

struct channel_request {
    uint32_t op; /* of the service's protocol: file.h, block.h, clock.h */
    uint32_t id; /* chosen by the client, comes back with the completion */
    uint64_t handle;
    uint64_t arg[3];
    uint32_t data; /* offset in the data area */
    uint32_t bytes;
};

struct channel_completion {
    uint32_t id;
    int32_t error; /* 0 or a positive errno */
    uint64_t value[3];
};

struct channel_ring {
    uint32_t head; /* next entry to take; only the consumer writes it */
    uint32_t pad0[15];
    uint32_t tail; /* next entry to fill; only the producer writes it */
    uint32_t pad1[15];
};

struct channel_page {
    uint32_t magic; /* the root server writes these four */
    uint32_t id;
    uint32_t data_offset, data_bytes;
    uint32_t pad[12];
    struct channel_ring requests, completions;
    struct channel_request request[CHANNEL_ENTRIES];
    struct channel_completion completion[CHANNEL_ENTRIES];
};

/* ---- client side: libos/ipc/client.c ----------------------------------- */

struct channel; /* opaque; one a service, shared by all threads */

/* Connect to a service by name with a data area of about data_bytes.
 * 0, or a positive errno (ENOENT, EACCES, ENOMEM). Blocks the calling thread.
 */
int channel_connect(const char *service, uint32_t data_bytes,
                    struct channel **out);
/* The same for the pager's own use: no lock, and no thread, of other channels'
 * is in its way, since those may wait for the pager. */
int channel_connect_pager(const char *service, uint32_t data_bytes,
                          struct channel **out);

/* Take and give back part of the data area; blocks the calling thread while
 * there is none. bytes <= channel_data_bytes(). Returns the offset. */
uint32_t channel_data_take(struct channel *c, uint32_t bytes);
void channel_data_give(struct channel *c, uint32_t offset, uint32_t bytes);
void *channel_data(struct channel *c, uint32_t offset);
uint32_t channel_data_bytes(const struct channel *c);

/* Submit a request and block the calling thread until it is completed.
 * id is filled in. Returns the completion's error; EPIPE: the server is gone;
 * EINTR: a signal came to the main thread and its request was given up.
 * CHANNEL_CANCEL is never answered itself: the server answers the request that
 * it names with ECANCELED, or, if that is done already, ignores it. */
#define CHANNEL_CANCEL                                                         \
    0xffffffffu /* op: arg[0] = id of the request to give up */
int channel_call(struct channel *c, struct channel_request *r,
                 struct channel_completion *answer);

/* Counts connections, from 1 on; channel_reconnect makes it one more. */
uint32_t channel_epoch(struct channel *c);
/* As channel_call, but only to the server of that connection: EPIPE, if there
 * has been another since. For requests that rest on what that server knew, or
 * on data put into the data area before. */
int channel_call_epoch(struct channel *c, uint32_t epoch,
                       struct channel_request *r,
                       struct channel_completion *answer);

/* Several requests of one thread, to one or to several services. */
struct channel_call {
    struct channel *channel;
    uint32_t epoch;                 /* the connection that it is for */
    struct channel_request request; /* id is filled in */
    /* Filled in: what channel_call_epoch would return, ECANCELED if it was
     * given up; and the answer, if there was one. */
    int error;
    struct channel_completion answer;
    struct channel_wait *wait; /* the channel's own */
};

/* Submit all and block the calling thread until the first is completed; then
 * those that are not are given up. 0; ETIMEDOUT: none until until_ns (as
 * time_ns()); EINTR: a signal came before. In any case all are over: their data
 * is the caller's again. count >= 1; not the pager's together with others. */
int channel_call_any(struct channel_call *calls, uint32_t count,
                     uint64_t until_ns);

/* After EPIPE: connect anew to the same service. 0, or an errno as of
 * channel_connect. What was taken of the data area stays taken, at the same
 * offsets, but what it held is lost, and the address may be another. A pointer
 * from before never faults: the root server uses a dead channel's memory and
 * address again (root.h). */
int channel_reconnect(struct channel *c);

/* ---- server side: libos/ipc/server.c ----------------------------------- */

struct server_client { /* one connected client */
    struct channel_page *page;
    uint32_t bytes;  /* of the whole channel */
    uint32_t domain; /* id; trustworthy */
    uint32_t id;     /* of the channel */
    void *state;     /* the server's own */
};

struct server_ops {
    /* A client connected; set c->state. 0 or errno (then it is refused). */
    int (*connect)(struct server_client *c);
    /* It is gone, and its channel unmapped (page is NULL): do not touch it. */
    void (*closed)(struct server_client *c);
    /* One request, copied out of the ring. Answer now or later by
     * server_complete. `data` is checked: r->bytes bytes inside the data area,
     * NULL if the range is bad or empty. */
    void (*request)(struct server_client *c, const struct channel_request *r,
                    void *data);
    /* Interrupt bits (EVENT_IRQ..) that came, or 0 at the deadline; may be
     * NULL. */
    void (*events)(uint64_t bits);
    /* Counter value at which to call events(0) again; ~0: never. May be NULL.
     */
    uint64_t (*deadline)(void);
};

/* Once for each request but CHANNEL_CANCEL, from any callback. */
void server_complete(struct server_client *c, uint32_t id, int error,
                     uint64_t v0, uint64_t v1, uint64_t v2);

/* Serve for ever: accepts clients, hands out requests; a server is one thread.
 */
_Noreturn void server_run(const struct server_ops *ops);
