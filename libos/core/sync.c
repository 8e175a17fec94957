/* SPDX-License-Identifier: BSL-1.0
 *
 * Mutexes and conditions. A free mutex is taken by one store; all else is done
 * under the upcall mask. An unlocked mutex goes straight to the thread that has
 * waited longest, so nobody starves.
 */
#include "sync.h"

#include <stddef.h>

#include "counter.h"
#include "page.h"
#include "sched.h"
#include "threads.h"

/* Who unlocks makes the waiter the owner before it wakes it. */
bool mutex_take(struct mutex *m, uint64_t deadline)
{
    if (m->owner == NULL) {
        m->owner = sched_current();
        m->depth = 1;
        return true;
    }
    return sched_wait(&m->waiters, deadline, false) == WAKE_NORMAL;
}

/* Who has it now, and is to be woken; or NULL. */
static struct thread *pass_on(struct mutex *m)
{
    struct thread *next = m->waiters;
    m->owner = next;
    m->depth = next != NULL ? 1 : 0;
    return next;
}

void mutex_give(struct mutex *m)
{
    if (m->depth > 1) {
        m->depth--;
        return;
    }
    struct thread *next = pass_on(m);
    if (next != NULL) {
        sched_wake(next, WAKE_NORMAL);
    }
}

static bool take_free(struct mutex *m)
{
    struct thread *nobody = NULL;
    if (!__atomic_compare_exchange_n(&m->owner, &nobody, sched_current(), false,
                                     __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
        return false;
    }
    m->depth = 1;
    return true;
}

static void take_waiting(struct mutex *m)
{
    upcall_mask();
    if (m->owner == sched_current()) {
        __builtin_trap(); /* would wait for itself for ever */
    }
    (void)mutex_take(m, DEADLINE_NONE);
    upcall_unmask();
}

void mutex_lock(struct mutex *m)
{
    if (!take_free(m)) {
        take_waiting(m);
    }
}

void mutex_lock_recursive(struct mutex *m)
{
    if (m->owner == sched_current()) {
        m->depth++;
    } else {
        mutex_lock(m);
    }
}

bool mutex_try(struct mutex *m)
{
    return take_free(m);
}

static __attribute__((noinline)) void give_waited(struct mutex *m)
{
    upcall_mask();
    mutex_give(m);
    upcall_unmask();
}

/* Only whether somebody waits can change meanwhile. */
void mutex_unlock(struct mutex *m)
{
    if (m->owner != sched_current()) {
        __builtin_trap(); /* not ours to unlock */
    }
    if (m->depth > 1) {
        m->depth--;
        return;
    }
    upcall_mask_leaf();
    if (m->waiters == NULL) {
        /* release: pairs with take_free. */
        __atomic_store_n(&m->owner, NULL, __ATOMIC_RELEASE);
        upcall_unmask();
        return;
    }
    upcall_unmask();
    give_waited(m);
}

static inline enum wake wait_masked(struct condition *c, struct mutex *m,
                                    uint64_t deadline, bool interruptible)
{
    if (interruptible && thread_disturbed()) {
        return WAKE_INTERRUPT;
    }
    struct thread *self = sched_current();
    uint32_t depth = m->depth;
    self->mutex = m;
    enum wake why =
        sched_wait_waking(pass_on(m), &c->waiters, deadline, interruptible);
    if (m->owner != self) { /* not signalled, or it would be */
        (void)mutex_take(m, DEADLINE_NONE);
    }
    m->depth = depth;
    return why;
}

enum wake condition_wait_masked(struct condition *c, struct mutex *m,
                                uint64_t deadline, bool interruptible)
{
    return wait_masked(c, m, deadline, interruptible);
}

bool condition_wait_signal(struct condition *c, struct mutex *m,
                           uint64_t until_ns, bool *interrupted)
{
    uint64_t deadline = ticks_from_ns(until_ns);
    upcall_mask();
    enum wake why = wait_masked(c, m, deadline, interrupted != NULL);
    if (interrupted != NULL && why == WAKE_INTERRUPT) {
        *interrupted = true;
    }
    upcall_unmask();
    return why != WAKE_TIMEOUT;
}

bool condition_wait(struct condition *c, struct mutex *m, uint64_t until_ns)
{
    return condition_wait_signal(c, m, until_ns, NULL);
}

/* Who is signalled has the mutex when it runs: a free one at once, else it
 * waits for that now, where it stands by its priority. Returns the link behind
 * it, at most where the next one stands: both lists have the same order. */
static struct thread **signalled(struct condition *c, struct thread *t,
                                 struct thread **at)
{
    struct mutex *m = t->mutex;
    if (m->owner == NULL) {
        m->owner = t;
        m->depth = 1;
        sched_wake(t, WAKE_NORMAL);
        return &m->waiters;
    }
    c->waiters = t->next;
    t->list = &m->waiters;
    t->state = THREAD_WAITING;
    if (t->sleeping) {
        sched_stay(t);
    }
    return list_insert(at, t);
}

/* Who waits is in the list before the mutex is free: with the mutex, an empty
 * list says that nobody waits; without it, a wait may begin at any time. */
static inline void waiters_signal(struct condition *c, bool all)
{
    upcall_mask();
    struct thread *t = c->waiters, **at = NULL;
    struct mutex *m = NULL;
    while (t != NULL) {
        at = at != NULL && t->mutex == m ? at : &t->mutex->waiters;
        m = t->mutex;
        at = signalled(c, t, at);
        t = all ? c->waiters : NULL;
    }
    upcall_unmask();
}

void condition_signal(struct condition *c)
{
    if (c->waiters != NULL) {
        waiters_signal(c, false);
    }
}

void condition_broadcast(struct condition *c)
{
    if (c->waiters != NULL) {
        waiters_signal(c, true);
    }
}
