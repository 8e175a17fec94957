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

struct channel_wait { /* one submitted request */
    bool busy, done;
    uint32_t id; /* index + a number of its own */
    struct channel_completion answer;
};

struct channel {
    /* constant while connected: */
    char service[17];
    struct channel_page *page; /* NULL: this struct is free */
    uint8_t *data;
    uint32_t wanted_bytes, data_bytes;
    cptr_t server; /* event that wakes the server */
    int bit;       /* event that wakes us */

    struct mutex lock;
    /* guarded by lock: */
    struct condition changed; /* completions came, or the server is gone */
    struct condition room;    /* units or waits were given back */
    bool pumping;             /* some thread waits for the event */
    bool dead;
    uint32_t epoch;                         /* counts connections */
    uint32_t request_tail, completion_head; /* own; never read back */
    uint32_t generation;
    struct channel_wait wait[CHANNEL_WAITS];
    uint8_t unit_used[CHANNEL_UNITS];
};

/* With the lock: take what the server completed. */
void channel_drain(struct channel *c);
