/* SPDX-License-Identifier: BSL-1.0
 *
 * POSIX mutexes: core's with a type.
 */
#include <errno.h>
#include <limits.h>
#include <pthread.h>

#include "../core/page.h"
#include "../core/sync.h"
#include "deadline.h"
#include "objects.h"

#define TYPE_DEAD (-1)

int pthread_mutexattr_init(pthread_mutexattr_t *a)
{
    a->__type = PTHREAD_MUTEX_DEFAULT;
    return 0;
}

int pthread_mutexattr_destroy(pthread_mutexattr_t *a)
{
    a->__type = TYPE_DEAD;
    return 0;
}

static bool is_type(int type)
{
    return type >= PTHREAD_MUTEX_NORMAL && type <= PTHREAD_MUTEX_ERRORCHECK;
}

int pthread_mutexattr_settype(pthread_mutexattr_t *a, int type)
{
    if (!is_type(type)) {
        return EINVAL;
    }
    a->__type = type;
    return 0;
}

int pthread_mutexattr_gettype(const pthread_mutexattr_t *restrict a,
                              int *restrict type)
{
    *type = a->__type;
    return 0;
}

int pthread_mutexattr_setpshared(pthread_mutexattr_t *a, int shared)
{
    (void)a;
    return shared_check(shared);
}

int pthread_mutexattr_setprotocol(pthread_mutexattr_t *a, int protocol)
{
    (void)a;
    return protocol == PTHREAD_PRIO_NONE ? 0 : ENOTSUP;
}

int pthread_mutex_init(pthread_mutex_t *restrict m,
                       const pthread_mutexattr_t *restrict a)
{
    int type = a != NULL ? a->__type : PTHREAD_MUTEX_DEFAULT;
    if (!is_type(type)) {
        return EINVAL;
    }
    *m = (pthread_mutex_t){.__type = type};
    return 0;
}

int pthread_mutex_destroy(pthread_mutex_t *m)
{
    upcall_mask();
    int error = !is_type(m->__type) ? EINVAL : m->__owner != NULL ? EBUSY : 0;
    if (error == 0) {
        m->__type = TYPE_DEAD;
    }
    upcall_unmask();
    return error;
}

/* Masked, ours already. EBUSY: wait for ourselves; the type says so. */
static int lock_again(pthread_mutex_t *m)
{
    if (m->__type == PTHREAD_MUTEX_RECURSIVE) {
        if (m->__depth == UINT_MAX) {
            return EAGAIN;
        }
        m->__depth++;
        return 0;
    }
    return m->__type == PTHREAD_MUTEX_ERRORCHECK ? EDEADLK : EBUSY;
}

/* Masked: take it without waiting. EBUSY: that cannot be. */
static int lock_now(pthread_mutex_t *m)
{
    if (!is_type(m->__type)) {
        return EINVAL;
    }
    if (m->__owner == sched_current()) {
        return lock_again(m);
    }
    return m->__owner != NULL                       ? EBUSY
           : mutex_take(mutex_of(m), DEADLINE_NONE) ? 0
                                                    : EBUSY;
}

static int lock_until(pthread_mutex_t *m, uint64_t deadline)
{
    upcall_mask();
    int error = lock_now(m);
    if (error == EBUSY) {
        error = mutex_take(mutex_of(m), deadline) ? 0 : ETIMEDOUT;
    }
    upcall_unmask();
    return error;
}

int pthread_mutex_lock(pthread_mutex_t *m)
{
    return lock_until(m, DEADLINE_NONE);
}

int pthread_mutex_trylock(pthread_mutex_t *m)
{
    upcall_mask();
    int error = lock_now(m);
    upcall_unmask();
    return error == EDEADLK ? EBUSY : error;
}

/* The time is looked at only if it matters: it may be wrong, or cost a call. */
int pthread_mutex_clocklock(pthread_mutex_t *restrict m, clockid_t clock,
                            const struct timespec *restrict until)
{
    uint64_t deadline;
    upcall_mask();
    int error = lock_now(m);
    upcall_unmask();
    if (error != EBUSY) {
        return error;
    }
    error = deadline_of(clock, until, &deadline);
    return error != 0 ? error : lock_until(m, deadline);
}

int pthread_mutex_timedlock(pthread_mutex_t *restrict m,
                            const struct timespec *restrict until)
{
    return pthread_mutex_clocklock(m, CLOCK_REALTIME, until);
}

int pthread_mutex_unlock(pthread_mutex_t *m)
{
    upcall_mask();
    int error = !is_type(m->__type)             ? EINVAL
                : m->__owner != sched_current() ? EPERM
                                                : 0;
    if (error == 0) {
        mutex_give(mutex_of(m));
    }
    upcall_unmask();
    return error;
}
