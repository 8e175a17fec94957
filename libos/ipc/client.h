/* SPDX-License-Identifier: BSL-1.0
 *
 * A channel as its client keeps it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <abi/abi.h>

#include <vesper/channel.h>
#include <vesper/thread.h>

#define CHANNELS_MAX 8u
#define CHANNEL_WAITS                                                          \
    16u /* requests at a time; a power of two. Half of the                     \
           ring: the other half is for cancelling them */
#define CHANNEL_UNITS      256u /* of the data area */
#define CHANNEL_UNIT_BYTES 1024u

/* What threads of it wait for together. */
struct client {
    struct mutex lock;        /* of all here, and of its channels */
    struct condition changed; /* completions came, or a server is gone */
    bool pumping;             /* some thread waits for the event */
    bool has_bit;
    int bit; /* the event that wakes us */
};

struct channel_wait { /* one submitted request */
    bool busy, done;
    uint32_t id; /* index + a number of its own */
    struct channel_completion answer;
};

/* Guarded by the client's lock, but for what is constant. */
struct channel {
    /* constant while connected: */
    struct client *client;
    char service[17];
    struct channel_page *page; /* NULL: this struct is free */
    uint8_t *data;
    uint32_t wanted_bytes, data_bytes;
    cptr_t server; /* event that wakes the server */
    cptr_t bell;   /* its doorbell, or an empty slot */

    struct condition room; /* units or waits were given back */
    bool dead;
    uint32_t epoch;                         /* counts connections */
    uint32_t request_tail, completion_head; /* own; never read back */
    uint32_t generation;
    struct channel_wait wait[CHANNEL_WAITS];
    uint32_t unit_used[CHANNEL_UNITS / 32]; /* bits */
};
