/* SPDX-License-Identifier: BSL-1.0
 *
 * Barriers: the last to arrive wakes the others.
 */
#include <errno.h>
#include <pthread.h>

#include "../core/page.h"
#include "objects.h"

int pthread_barrierattr_init(pthread_barrierattr_t *a)
{
    *a = (pthread_barrierattr_t){0};
    return 0;
}

int pthread_barrierattr_destroy(pthread_barrierattr_t *a)
{
    (void)a;
    return 0;
}

int pthread_barrierattr_setpshared(pthread_barrierattr_t *a, int shared)
{
    (void)a;
    return shared_check(shared);
}

int pthread_barrier_init(pthread_barrier_t *restrict b,
                         const pthread_barrierattr_t *restrict a,
                         unsigned count)
{
    (void)a;
    if (count == 0) {
        return EINVAL;
    }
    *b = (pthread_barrier_t){.__count = count};
    return 0;
}

int pthread_barrier_destroy(pthread_barrier_t *b)
{
    upcall_mask();
    int error = b->__count == 0 ? EINVAL : b->__arrived != 0 ? EBUSY : 0;
    if (error == 0) {
        b->__count = 0;
    }
    upcall_unmask();
    return error;
}

int pthread_barrier_wait(pthread_barrier_t *b)
{
    int answer = 0;
    upcall_mask();
    if (b->__count == 0) {
        answer = EINVAL;
    } else if (++b->__arrived < b->__count) {
        (void)sched_wait(list_of(&b->__waiters), DEADLINE_NONE, false);
    } else {
        b->__arrived = 0;
        waiters_wake_all(list_of(&b->__waiters));
        answer = PTHREAD_BARRIER_SERIAL_THREAD;
    }
    upcall_unmask();
    return answer;
}
