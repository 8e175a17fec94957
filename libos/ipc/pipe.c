/* SPDX-License-Identifier: BSL-1.0 */
/* The memory of a pipe; the contract is in <vesper/pipe.h>. */
#include <vesper/pipe.h>

#include "../core/copy.h"

static uint8_t *byte_at(struct pipe_ring *r, uint32_t position)
{
    return (uint8_t *)r + PAGE_BYTES + position % PIPE_BYTES;
}

/* How many bytes from a position on lie in one piece. */
static uint32_t straight(uint32_t position)
{
    return PIPE_BYTES - position % PIPE_BYTES;
}

/* n bytes that do not. */
static __attribute__((noinline)) void take_split(struct pipe_ring *r, void *to,
                                                 uint32_t head, uint32_t n)
{
    uint32_t first = straight(head);

    copy_long(to, byte_at(r, head), first);
    copy_long((uint8_t *)to + first, byte_at(r, 0), n - first);
}

static __attribute__((noinline)) void put_split(struct pipe_ring *r,
                                                const void *from, uint32_t tail,
                                                uint32_t n)
{
    uint32_t first = straight(tail);

    copy_long(byte_at(r, tail), from, first);
    copy_long(byte_at(r, 0), (const uint8_t *)from + first, n - first);
}

uint32_t pipe_take(struct pipe_ring *r, void *to, size_t bytes)
{
    uint32_t head = __atomic_load_n(&r->head, __ATOMIC_RELAXED);
    /* acquire: pairs with release in pipe_put. */
    uint32_t used = __atomic_load_n(&r->tail, __ATOMIC_ACQUIRE) - head;
    uint32_t n = bytes < used ? (uint32_t)bytes : used;

    if (used > PIPE_BYTES) {
        return PIPE_BROKEN;
    }
    if (n != 0) {
        if (n <= straight(head)) {
            copy_long(to, byte_at(r, head), n);
        } else {
            take_split(r, to, head, n);
        }
        __atomic_store_n(&r->head, head + n, __ATOMIC_RELEASE);
    }
    return n;
}

uint32_t pipe_put(struct pipe_ring *r, const void *from, size_t bytes,
                  uint32_t least)
{
    uint32_t tail = __atomic_load_n(&r->tail, __ATOMIC_RELAXED);
    /* acquire: pairs with release in pipe_take. */
    uint32_t used = tail - __atomic_load_n(&r->head, __ATOMIC_ACQUIRE);
    uint32_t room = PIPE_BYTES - used;
    uint32_t n = bytes < room ? (uint32_t)bytes : room;

    if (used > PIPE_BYTES) {
        return PIPE_BROKEN;
    }
    if (n == 0 || n < least) {
        return 0;
    }
    if (n <= straight(tail)) {
        copy_long(byte_at(r, tail), from, n);
    } else {
        put_split(r, from, tail, n);
    }
    __atomic_store_n(&r->tail, tail + n, __ATOMIC_RELEASE);
    return n;
}
