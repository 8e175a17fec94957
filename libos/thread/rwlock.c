/* SPDX-License-Identifier: BSL-1.0
 *
 * Read-write locks, in order of arrival: who lets go gives the lock to the
 * first waiter, and to the readers right behind it.
 */
#include <errno.h>
#include <pthread.h>

#include "../core/page.h"
#include "deadline.h"
#include "objects.h"

int pthread_rwlockattr_init(pthread_rwlockattr_t *a)
{
    *a = (pthread_rwlockattr_t){0};
    return 0;
}

int pthread_rwlockattr_destroy(pthread_rwlockattr_t *a)
{
    (void)a;
    return 0;
}

int pthread_rwlockattr_setpshared(pthread_rwlockattr_t *a, int shared)
{
    (void)a;
    return shared_check(shared);
}

int pthread_rwlock_init(pthread_rwlock_t *restrict l,
                        const pthread_rwlockattr_t *restrict a)
{
    (void)a;
    *l = (pthread_rwlock_t){0};
    return 0;
}

int pthread_rwlock_destroy(pthread_rwlock_t *l)
{
    upcall_mask();
    int error = l->__dead                                  ? EINVAL
                : l->__writer != NULL || l->__readers != 0 ? EBUSY
                                                           : 0;
    if (error == 0) {
        l->__dead = 1;
    }
    upcall_unmask();
    return error;
}

/* Masked: may t have it now, as far as its holders are concerned? */
static bool is_free(const pthread_rwlock_t *l, bool write)
{
    return l->__writer == NULL && (!write || l->__readers == 0);
}

/* Masked. */
static void hold(pthread_rwlock_t *l, struct thread *t, bool write)
{
    if (write) {
        l->__writer = t;
    } else {
        l->__readers++;
    }
}

/* Masked: somebody let go, or gave up waiting. */
static void pass_on(pthread_rwlock_t *l)
{
    struct thread **waiters = list_of(&l->__waiters);
    while (*waiters != NULL && is_free(l, (*waiters)->wants_write)) {
        hold(l, *waiters, (*waiters)->wants_write);
        sched_wake(*waiters, WAKE_NORMAL);
    }
}

/* Masked: without waiting. Nobody overtakes who waits. */
static int lock_now(pthread_rwlock_t *l, bool write)
{
    if (l->__dead) {
        return EINVAL;
    }
    if (l->__waiters != NULL || !is_free(l, write)) {
        return EBUSY;
    }
    if (l->__readers == UINT32_MAX) {
        return EAGAIN;
    }
    hold(l, sched_current(), write);
    return 0;
}

/* Masked. */
static int lock_wait(pthread_rwlock_t *l, bool write, uint64_t deadline)
{
    struct thread *self = sched_current();
    if (l->__writer == self) {
        return EDEADLK;
    }
    self->wants_write = write;
    if (sched_wait(list_of(&l->__waiters), deadline, false) == WAKE_NORMAL) {
        return 0;
    }
    pass_on(l);
    return ETIMEDOUT;
}

static int lock(pthread_rwlock_t *l, bool write, const struct timespec *until)
{
    upcall_mask();
    int error = lock_now(l, write);
    upcall_unmask();
    uint64_t deadline = DEADLINE_NONE;
    if (error == EBUSY && until != NULL) {
        int wrong = deadline_of(CLOCK_REALTIME, until, &deadline);
        error = wrong != 0 ? wrong : error;
    }
    if (error != EBUSY) {
        return error;
    }
    upcall_mask();
    error = lock_now(l, write);
    error = error == EBUSY ? lock_wait(l, write, deadline) : error;
    upcall_unmask();
    return error;
}

static int try(pthread_rwlock_t *l, bool write)
{
    upcall_mask();
    int error = lock_now(l, write);
    upcall_unmask();
    return error;
}

int pthread_rwlock_rdlock(pthread_rwlock_t *l)
{
    return lock(l, false, NULL);
}

int pthread_rwlock_wrlock(pthread_rwlock_t *l)
{
    return lock(l, true, NULL);
}

int pthread_rwlock_tryrdlock(pthread_rwlock_t *l)
{
    return try(l, false);
}

int pthread_rwlock_trywrlock(pthread_rwlock_t *l)
{
    return try(l, true);
}

int pthread_rwlock_timedrdlock(pthread_rwlock_t *restrict l,
                               const struct timespec *restrict until)
{
    return lock(l, false, until);
}

int pthread_rwlock_timedwrlock(pthread_rwlock_t *restrict l,
                               const struct timespec *restrict until)
{
    return lock(l, true, until);
}

int pthread_rwlock_unlock(pthread_rwlock_t *l)
{
    int error = 0;
    upcall_mask();
    if (l->__writer == sched_current()) {
        l->__writer = NULL;
    } else if (l->__writer == NULL && l->__readers > 0) {
        l->__readers--;
    } else {
        error = EPERM;
    }
    pass_on(l);
    upcall_unmask();
    return error;
}
