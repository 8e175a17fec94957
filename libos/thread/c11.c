/* SPDX-License-Identifier: BSL-1.0
 *
 * C11 threads: POSIX ones with other names and answers.
 */
#include <errno.h>
#include <threads.h>

#include "../core/threads.h"
#include "objects.h"

static int answer(int error)
{
    switch (error) {
    case 0:
        return thrd_success;
    case EBUSY:
        return thrd_busy;
    case ETIMEDOUT:
        return thrd_timedout;
    case ENOMEM:
    case EAGAIN:
        return thrd_nomem;
    default:
        return thrd_error;
    }
}

int thrd_create(thrd_t *out, thrd_start_t fn, void *argument)
{
    struct thread *t = NULL;
    int error = thread_create(&t, fn, argument, thread_defaults.name);
    if (error == 0) {
        *out = (thrd_t)t;
    }
    return answer(error);
}

thrd_t thrd_current(void)
{
    return pthread_self();
}

int thrd_detach(thrd_t t)
{
    return answer(pthread_detach(t));
}

int thrd_equal(thrd_t a, thrd_t b)
{
    return a == b;
}

_Noreturn void thrd_exit(int result)
{
    thread_exit(result);
}

int thrd_join(thrd_t t, int *result)
{
    return answer(thread_join(thread_of(t), result));
}

/* 0, -1: a signal's handler has run, or -2. */
int thrd_sleep(const struct timespec *time, struct timespec *left)
{
    if (nanosleep(time, left) == 0) {
        return 0;
    }
    return errno == EINTR ? -1 : -2;
}

void thrd_yield(void)
{
    thread_yield();
}

int mtx_init(mtx_t *m, int type)
{
    if ((type & ~(mtx_plain | mtx_timed | mtx_recursive)) != 0) {
        return thrd_error;
    }
    *m = (mtx_t){.__type = (type & mtx_recursive) != 0 ? PTHREAD_MUTEX_RECURSIVE
                                                       : PTHREAD_MUTEX_NORMAL};
    return thrd_success;
}

void mtx_destroy(mtx_t *m)
{
    (void)pthread_mutex_destroy(m);
}

int mtx_lock(mtx_t *m)
{
    return answer(pthread_mutex_lock(m));
}

int mtx_trylock(mtx_t *m)
{
    return answer(pthread_mutex_trylock(m));
}

int mtx_timedlock(mtx_t *restrict m, const struct timespec *restrict until)
{
    return answer(pthread_mutex_timedlock(m, until));
}

int mtx_unlock(mtx_t *m)
{
    return answer(pthread_mutex_unlock(m));
}

int cnd_init(cnd_t *c)
{
    return answer(pthread_cond_init(c, NULL));
}

void cnd_destroy(cnd_t *c)
{
    (void)pthread_cond_destroy(c);
}

int cnd_wait(cnd_t *c, mtx_t *m)
{
    return answer(pthread_cond_wait(c, m));
}

int cnd_timedwait(cnd_t *restrict c, mtx_t *restrict m,
                  const struct timespec *restrict until)
{
    return answer(pthread_cond_timedwait(c, m, until));
}

int cnd_signal(cnd_t *c)
{
    return answer(pthread_cond_signal(c));
}

int cnd_broadcast(cnd_t *c)
{
    return answer(pthread_cond_broadcast(c));
}

void call_once(once_flag *once, void (*fn)(void))
{
    (void)pthread_once(once, fn);
}

int tss_create(tss_t *key, tss_dtor_t destructor)
{
    return answer(pthread_key_create(key, destructor));
}

void tss_delete(tss_t key)
{
    (void)pthread_key_delete(key);
}

void *tss_get(tss_t key)
{
    return pthread_getspecific(key);
}

int tss_set(tss_t key, void *value)
{
    return answer(pthread_setspecific(key, value));
}
