/* SPDX-License-Identifier: BSL-1.0
 *
 * Event bits: level-triggered, so none is ever lost. A bit goes to the thread
 * that has waited longest for it, or is kept until one asks.
 */
#include "event.h"

#include <stddef.h>

#include <vesper/start.h>
#include <vesper/thread.h>

#include "counter.h"
#include "page.h"
#include "sched.h"
#include "threads.h"

/* All guarded by the upcall mask. */
static struct {
    uint64_t kept;  /* came, and nobody waited */
    uint64_t taken; /* bits that event_take gave out */
    struct thread *waiters;
} event;

void event_arrived(uint64_t bits)
{
    struct thread *next;
    for (struct thread *t = event.waiters; t != NULL && bits != 0; t = next) {
        next = t->next;
        uint64_t got = bits & t->event_mask;
        if (got != 0) {
            t->event_got = got;
            bits &= ~got;
            sched_wake(t, WAKE_NORMAL);
        }
    }
    event.kept |= bits;
}

void event_post(int bit)
{
    upcall_mask();
    event_arrived(1ull << bit);
    upcall_unmask();
}

/* Masked. Blocks. */
static uint64_t event_block(uint64_t mask, uint64_t deadline, bool *interrupted)
{
    struct thread *self = sched_current();
    bool listen = interrupted != NULL;
    if (listen && thread_disturbed()) {
        *interrupted = true;
        return 0;
    }
    self->event_mask = mask;
    self->event_got = 0;
    enum wake why = sched_wait(&event.waiters, deadline, listen);
    if (listen && why == WAKE_INTERRUPT) {
        *interrupted = true;
    }
    return why == WAKE_NORMAL ? self->event_got : 0;
}

uint64_t event_await(uint64_t mask, uint64_t deadline, bool *interrupted)
{
    if (interrupted != NULL) {
        *interrupted = false;
    }
    upcall_mask();
    uint64_t bits = event.kept & mask;
    event.kept &= ~bits;
    if (bits == 0) {
        bits = event_block(mask, deadline, interrupted);
    }
    upcall_unmask();
    return bits;
}

uint64_t event_wait(uint64_t mask, uint64_t until_ns, bool *interrupted)
{
    return event_await(mask, ticks_from_ns(until_ns), interrupted);
}

int event_take(void)
{
    int bit = -1;
    upcall_mask();
    uint64_t free = ~event.taken >> EVENT_FREE << EVENT_FREE;
    if (free != 0) {
        bit = __builtin_ctzll(free);
        event.taken |= 1ull << bit;
        event.kept &= ~(1ull << bit);
    }
    upcall_unmask();
    return bit;
}

void event_give(int bit)
{
    upcall_mask();
    event.taken &= ~(1ull << bit);
    upcall_unmask();
}
