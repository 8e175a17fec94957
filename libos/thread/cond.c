/* SPDX-License-Identifier: BSL-1.0
 *
 * POSIX condition variables: core's with a clock.
 */
#include <errno.h>
#include <pthread.h>
#include <vesper/signals.h>

#include "../core/page.h"
#include "../core/threads.h"
#include "deadline.h"
#include "objects.h"

#define CLOCK_DEAD (-1)

/* A pthread_cond_t begins with core's. */
_Static_assert(offsetof(pthread_cond_t, __waiters) ==
                   offsetof(struct condition, waiters),
               "cond.c");

static clockid_t clock_of(const pthread_cond_t *c)
{
    return c->__clock != 0 ? (clockid_t)c->__clock : CLOCK_REALTIME;
}

int pthread_condattr_init(pthread_condattr_t *a)
{
    a->__clock = CLOCK_REALTIME;
    return 0;
}

int pthread_condattr_destroy(pthread_condattr_t *a)
{
    a->__clock = CLOCK_DEAD;
    return 0;
}

int pthread_condattr_setclock(pthread_condattr_t *a, clockid_t clock)
{
    if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC) {
        return EINVAL;
    }
    a->__clock = (int)clock;
    return 0;
}

int pthread_condattr_getclock(const pthread_condattr_t *restrict a,
                              clockid_t *restrict clock)
{
    *clock = (clockid_t)a->__clock;
    return 0;
}

int pthread_condattr_setpshared(pthread_condattr_t *a, int shared)
{
    (void)a;
    return shared_check(shared);
}

int pthread_cond_init(pthread_cond_t *restrict c,
                      const pthread_condattr_t *restrict a)
{
    if (a != NULL && a->__clock == CLOCK_DEAD) {
        return EINVAL;
    }
    *c = (pthread_cond_t){.__clock = a != NULL ? a->__clock : 0};
    return 0;
}

int pthread_cond_destroy(pthread_cond_t *c)
{
    upcall_mask();
    int error = c->__clock == CLOCK_DEAD ? EINVAL
                : c->__waiters != NULL   ? EBUSY
                                         : 0;
    if (error == 0) {
        c->__clock = CLOCK_DEAD;
    }
    upcall_unmask();
    return error;
}

/* A cancelled wait has the mutex again; after a signal's handler it returns,
 * as a condition may without reason. */
static int wait_until(pthread_cond_t *c, pthread_mutex_t *m, uint64_t deadline)
{
    thread_cancel_begin();
    upcall_mask();
    if (c->__clock == CLOCK_DEAD || m->__owner != sched_current()) {
        upcall_unmask();
        thread_cancel_end(false);
        return c->__clock == CLOCK_DEAD ? EINVAL : EPERM;
    }
    enum wake why = condition_wait_masked((struct condition *)c, mutex_of(m),
                                          deadline, true);
    upcall_unmask();
    thread_cancel_end(why == WAKE_INTERRUPT);
    if (why == WAKE_INTERRUPT) {
        signals_run();
    }
    return why == WAKE_TIMEOUT ? ETIMEDOUT : 0;
}

int pthread_cond_wait(pthread_cond_t *restrict c, pthread_mutex_t *restrict m)
{
    return wait_until(c, m, DEADLINE_NONE);
}

int pthread_cond_clockwait(pthread_cond_t *restrict c,
                           pthread_mutex_t *restrict m, clockid_t clock,
                           const struct timespec *restrict until)
{
    uint64_t deadline;
    int error = deadline_of(clock, until, &deadline);
    return error != 0 ? error : wait_until(c, m, deadline);
}

int pthread_cond_timedwait(pthread_cond_t *restrict c,
                           pthread_mutex_t *restrict m,
                           const struct timespec *restrict until)
{
    return pthread_cond_clockwait(c, m, clock_of(c), until);
}

int pthread_cond_signal(pthread_cond_t *c)
{
    if (c->__clock == CLOCK_DEAD) {
        return EINVAL;
    }
    condition_signal((struct condition *)c);
    return 0;
}

int pthread_cond_broadcast(pthread_cond_t *c)
{
    if (c->__clock == CLOCK_DEAD) {
        return EINVAL;
    }
    condition_broadcast((struct condition *)c);
    return 0;
}
