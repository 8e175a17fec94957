/* SPDX-License-Identifier: BSL-1.0
 *
 * How the types of <pthread.h>, which keep their insides from programs, are
 * core's. All are guarded by the upcall mask.
 */
#pragma once

#include <errno.h>
#include <pthread.h>
#include <stddef.h>

#include "../core/sync.h"

static inline struct thread *thread_of(pthread_t t)
{
    return (struct thread *)t;
}

_Static_assert(
    offsetof(pthread_mutex_t, __owner) == offsetof(struct mutex, owner) &&
        offsetof(pthread_mutex_t, __depth) == offsetof(struct mutex, depth) &&
        offsetof(pthread_mutex_t, __waiters) == offsetof(struct mutex, waiters),
    "a pthread_mutex_t begins with a struct mutex");

static inline struct mutex *mutex_of(pthread_mutex_t *m)
{
    return (struct mutex *)m;
}

/* The list of waiters that a type has as void *__waiters. */
static inline struct thread **list_of(void **waiters)
{
    return (struct thread **)waiters;
}

static inline int shared_check(int shared)
{
    return shared == PTHREAD_PROCESS_PRIVATE  ? 0
           : shared == PTHREAD_PROCESS_SHARED ? ENOTSUP
                                              : EINVAL;
}
