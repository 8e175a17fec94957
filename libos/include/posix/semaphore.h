/* SPDX-License-Identifier: BSL-1.0
 *
 * <semaphore.h>: unnamed semaphores within one program. sem_open and what
 * belongs to it is not there.
 */
#pragma once

#include <time.h>

#define SEM_VALUE_MAX 0x7fffffff
#define SEM_FAILED    ((sem_t *)0)

typedef struct {
    unsigned __value;
    void *__waiters;
} sem_t;

/* ENOTSUP: `shared` between programs. EINVAL: value. */
int sem_init(sem_t *s, int shared, unsigned value);
/* EBUSY: somebody waits. */
int sem_destroy(sem_t *s);
/* Cancellation points. EINTR: a signal handler has run, on the main thread. */
int sem_wait(sem_t *s);
int sem_timedwait(sem_t *__restrict s, const struct timespec *__restrict until);
int sem_clockwait(sem_t *__restrict s, clockid_t clock,
                  const struct timespec *__restrict until);
int sem_trywait(sem_t *s); /* EAGAIN */
int sem_post(sem_t *s);    /* EOVERFLOW. A signal handler may call it. */
int sem_getvalue(sem_t *__restrict s, int *__restrict value);
