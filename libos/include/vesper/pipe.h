/* SPDX-License-Identifier: BSL-1.0
 *
 * The memory of a pipe: a link (ROOT_LINK_x, vesper/root.h) between the file
 * server and the domains that hold the two ends
 * (docs/decisions/0022-links.md). At any time each end is moved by one domain:
 * by the one that holds it alone and asked for it (FILE_DIRECT), else by the
 * server, for all that hold it. Who moves an end trusts nobody: what the
 * others wrote is checked, and wrong numbers are an error, never a fault.
 *
 * Who has to wait says so in `waits` of its end, looks once more, and is woken
 * by whoever moves the other end.
 *
 * Context: any thread; who moves an end takes care that it is one at a time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <abi/abi.h>

#define PIPE_BYTES 32768u /* a power of two */
#define PIPE_PAGES 9u     /* of the link */

enum pipe_end { PIPE_READING, PIPE_WRITING };
#define PIPE_BIT(end) (1u << (end))

enum pipe_waits {
    PIPE_WAITS_DIRECT = 1, /* the domain that has the end: by its event */
    PIPE_WAITS_SERVER = 2, /* the server, for somebody: by FILE_PUMP */
};

struct pipe_ring {
    uint32_t magic, id, data_offset, data_bytes; /* as struct channel_page */
    /* Written by the server alone, PIPE_BIT of ends: that nobody holds any
     * more; that are moved by the domain that holds them. */
    uint32_t gone, direct;
    uint32_t waits[2]; /* of each end: enum pipe_waits */
    uint32_t pad0[8];
    uint32_t head; /* bytes ever read; only who reads writes it */
    uint32_t pad1[15];
    uint32_t tail; /* bytes ever written; only who writes writes it */
};

_Static_assert((PIPE_BYTES & (PIPE_BYTES - 1)) == 0, "positions are masked");
_Static_assert((PIPE_PAGES - 1) * PAGE_BYTES == PIPE_BYTES, "pages");

/* Bytes to be read; more than PIPE_BYTES: somebody broke it. */
static inline uint32_t pipe_used(const struct pipe_ring *r)
{
    /* acquire: pairs with release in pipe_put and pipe_take. */
    uint32_t head = __atomic_load_n(&r->head, __ATOMIC_ACQUIRE);

    return __atomic_load_n(&r->tail, __ATOMIC_ACQUIRE) - head;
}

#define PIPE_BROKEN (~0u)

/* Move what can be moved; how many bytes that were, or PIPE_BROKEN. Nothing is
 * written as long as there is no room for `least` bytes. */
uint32_t pipe_take(struct pipe_ring *r, void *to, size_t bytes);
uint32_t pipe_put(struct pipe_ring *r, const void *from, size_t bytes,
                  uint32_t least);

/* From now on the other end's mover wakes this one as said, once: look again
 * after it. This and pipe_waiters are sequentially consistent: either who waits
 * sees what was moved, or who moved sees that it waits. */
static inline void pipe_wait(struct pipe_ring *r, enum pipe_end end,
                             enum pipe_waits how)
{
    __atomic_fetch_or(&r->waits[end], (uint32_t)how, __ATOMIC_SEQ_CST);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/* After an end was moved: does somebody wait at the other one? */
static inline bool pipe_waited(const struct pipe_ring *r, enum pipe_end end)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return __atomic_load_n(&r->waits[!end], __ATOMIC_RELAXED) != 0;
}

/* Then: who? It is to be woken now. Bits of enum pipe_waits. */
static inline uint32_t pipe_wakes(struct pipe_ring *r, enum pipe_end end)
{
    return __atomic_exchange_n(&r->waits[!end], 0, __ATOMIC_SEQ_CST);
}

static inline uint32_t pipe_waiters(struct pipe_ring *r, enum pipe_end end)
{
    return pipe_waited(r, end) ? pipe_wakes(r, end) : 0;
}
