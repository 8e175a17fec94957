/* SPDX-License-Identifier: BSL-1.0
 *
 * Mutexes and conditions on the upcall mask. An unlocked mutex goes straight to
 * the thread that has waited longest, so nobody starves.
 */
#include "sync.h"

#include <stddef.h>

#include <vesper/signals.h>

#include "counter.h"
#include "page.h"
#include "sched.h"
#include "threads.h"

/* Masked. */
static void lock_masked(struct mutex *m)
{
    struct thread *self = sched_current();
    if (m->owner == NULL) {
        m->owner = self;
        m->depth = 1;
        return;
    }
    /* Unlocking makes us the owner before it wakes us. */
    (void)sched_wait(&m->waiters, DEADLINE_NONE, false);
}

/* Masked. */
static void unlock_masked(struct mutex *m)
{
    if (m->depth > 1) {
        m->depth--;
        return;
    }
    struct thread *next = m->waiters;
    m->owner = next;
    m->depth = next != NULL ? 1 : 0;
    if (next != NULL) {
        sched_wake(next, WAKE_NORMAL);
    }
}

void mutex_lock(struct mutex *m)
{
    upcall_mask();
    if (m->owner == sched_current()) {
        __builtin_trap(); /* would wait for itself for ever */
    }
    lock_masked(m);
    upcall_unmask();
}

void mutex_lock_recursive(struct mutex *m)
{
    upcall_mask();
    if (m->owner == sched_current()) {
        m->depth++;
    } else {
        lock_masked(m);
    }
    upcall_unmask();
}

bool mutex_try(struct mutex *m)
{
    upcall_mask();
    bool free = m->owner == NULL;
    if (free) {
        lock_masked(m);
    }
    upcall_unmask();
    return free;
}

void mutex_unlock(struct mutex *m)
{
    upcall_mask();
    if (m->owner != sched_current()) {
        __builtin_trap(); /* not ours to unlock */
    }
    unlock_masked(m);
    upcall_unmask();
}

bool condition_wait_signal(struct condition *c, struct mutex *m,
                           uint64_t until_ns, bool *interrupted)
{
    uint64_t deadline = ticks_from_ns(until_ns);
    upcall_mask();
    bool listen =
        interrupted != NULL && sched_current() == thread_main_thread();
    if (listen && signals_waiting()) {
        *interrupted = true;
        upcall_unmask();
        return true;
    }
    uint32_t depth = m->depth;
    m->depth = 1;
    unlock_masked(m);
    enum wake why = sched_wait(&c->waiters, deadline, listen);
    lock_masked(m);
    m->depth = depth;
    if (interrupted != NULL && why == WAKE_SIGNAL) {
        *interrupted = true;
    }
    upcall_unmask();
    return why != WAKE_TIMEOUT;
}

bool condition_wait(struct condition *c, struct mutex *m, uint64_t until_ns)
{
    return condition_wait_signal(c, m, until_ns, NULL);
}

void condition_signal(struct condition *c)
{
    upcall_mask();
    if (c->waiters != NULL) {
        sched_wake(c->waiters, WAKE_NORMAL);
    }
    upcall_unmask();
}

void condition_broadcast(struct condition *c)
{
    upcall_mask();
    while (c->waiters != NULL) {
        sched_wake(c->waiters, WAKE_NORMAL);
    }
    upcall_unmask();
}
