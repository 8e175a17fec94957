/* SPDX-License-Identifier: BSL-1.0
 *
 * Memory that several domains see: of a channel, or of a link. It is the root
 * server's, not that of one of them, so no domain faults because another died.
 * It begins with the four words of struct channel_page that say what it is.
 */
#pragma once

#include "root.h"

#define SHARED_PAGES_MAX 56u
#define RW               (RIGHT_READ | RIGHT_WRITE)

/* Slots of its CNode. */
enum shared_place {
    PLACE_STRETCH = 1,
    PLACE_WAKE_CLIENT, /* the event of one side, */
    PLACE_WAKE_SERVER, /* and that of the other */
    PLACE_FRAMES = 8,
    SHARED_PLACES = 128,
};

struct shared {
    uint32_t id; /* of a channel or link; 0: nothing is there */
    uint32_t objects, chunk, block, bytes;
    uint64_t va;
};

/* 2 <= pages <= SHARED_PAGES_MAX. It is cleared, has an id, and the root server
 * sees it. ENOMEM, EIO: nothing is left of it. */
int shared_make(struct shared *m, uint32_t pages);
void shared_free(struct shared *m);

/* Clear its first page and begin it anew, by another id; the root server sees
 * it. */
void shared_renew(struct shared *m);
/* Its magic goes: nobody is behind it any more. */
void shared_end(const struct shared *m);

/* Let a domain (NULL: the root server) read and write it, or no more. ENOMEM */
int shared_show(const struct shared *m, const struct domain *d);
void shared_hide(const struct shared *m, const struct domain *d);

/* The answer of ROOT_CHANNELS, but for the name of the service. */
static inline void shared_row(const struct shared *m, uint64_t client,
                              uint64_t server, uint64_t w[8])
{
    w[1] = m->id | client << 32;
    w[2] = server;
    w[3] = m->va;
    w[4] = m->bytes;
}

static inline cptr_t shared_slot(const struct shared *m, uint32_t place)
{
    return CPTR(m->objects, place);
}
