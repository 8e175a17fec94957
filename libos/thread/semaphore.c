/* SPDX-License-Identifier: BSL-1.0
 *
 * Semaphores: a post goes to a waiter if there is one, else into the value.
 */
#include <errno.h>
#include <semaphore.h>
#include <vesper/signals.h>

#include "../core/page.h"
#include "../core/threads.h"
#include "deadline.h"
#include "objects.h"

/* -1 with errno, or 0. */
static int answer(int error)
{
    if (error != 0) {
        errno = error;
    }
    return error != 0 ? -1 : 0;
}

int sem_init(sem_t *s, int shared, unsigned value)
{
    if (shared != 0 || value > SEM_VALUE_MAX) {
        return answer(shared != 0 ? ENOTSUP : EINVAL);
    }
    *s = (sem_t){.__value = value};
    return 0;
}

int sem_destroy(sem_t *s)
{
    return answer(s->__waiters != NULL ? EBUSY : 0);
}

/* Masked. */
static bool take_now(sem_t *s)
{
    bool there = s->__value > 0;
    s->__value -= there;
    return there;
}

int sem_trywait(sem_t *s)
{
    upcall_mask();
    bool taken = take_now(s);
    upcall_unmask();
    return answer(taken ? 0 : EAGAIN);
}

/* Masked. */
static enum wake wait_masked(sem_t *s, uint64_t deadline)
{
    if (take_now(s)) {
        return WAKE_NORMAL;
    }
    return thread_disturbed()
               ? WAKE_INTERRUPT
               : sched_wait(list_of(&s->__waiters), deadline, true);
}

static int wait_until(sem_t *s, uint64_t deadline)
{
    upcall_mask();
    enum wake why = wait_masked(s, deadline);
    upcall_unmask();
    return why == WAKE_INTERRUPT ? EINTR : why == WAKE_TIMEOUT ? ETIMEDOUT : 0;
}

/* until NULL: for ever. The time is looked at only if it matters. */
static int sem_wait_clock(sem_t *s, clockid_t clock,
                          const struct timespec *until)
{
    uint64_t deadline = DEADLINE_NONE;
    int error = 0;
    thread_cancel_begin();
    upcall_mask();
    bool taken = take_now(s);
    upcall_unmask();
    if (!taken) {
        error = until != NULL ? deadline_of(clock, until, &deadline) : 0;
        error = error != 0 ? error : wait_until(s, deadline);
    }
    thread_cancel_end(error == EINTR);
    if (error == EINTR) {
        signals_run();
    }
    return answer(error);
}

int sem_wait(sem_t *s)
{
    return sem_wait_clock(s, CLOCK_REALTIME, NULL);
}

int sem_timedwait(sem_t *restrict s, const struct timespec *restrict until)
{
    return sem_wait_clock(s, CLOCK_REALTIME, until);
}

int sem_clockwait(sem_t *restrict s, clockid_t clock,
                  const struct timespec *restrict until)
{
    return sem_wait_clock(s, clock, until);
}

int sem_post(sem_t *s)
{
    int error = 0;
    upcall_mask();
    if (s->__waiters != NULL) {
        sched_wake(s->__waiters, WAKE_NORMAL);
    } else if (s->__value == SEM_VALUE_MAX) {
        error = EOVERFLOW;
    } else {
        s->__value++;
    }
    upcall_unmask();
    return answer(error);
}

int sem_getvalue(sem_t *restrict s, int *restrict value)
{
    *value = (int)s->__value;
    return 0;
}
