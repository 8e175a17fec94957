/* SPDX-License-Identifier: BSL-1.0
 *
 * What threads share by <pthread.h>, <semaphore.h>, <threads.h>: what each kind
 * is for, and what misuse is answered. Prints TAP.
 */
#include "tests/unit/tap.h"

#include <errno.h>
#include <string.h>

#include "tests/target/pthread_help.h"

/* ---- mutexes, conditions ----------------------------------------------- */

static void *unlock_foreign(void *m)
{
    return (void *)(intptr_t)pthread_mutex_unlock(m);
}

static void *trylock_foreign(void *m)
{
    return (void *)(intptr_t)pthread_mutex_trylock(m);
}

static void *timedlock_foreign(void *m)
{
    struct timespec until = after(CLOCK_REALTIME, 5 * MS);
    return (void *)(intptr_t)pthread_mutex_timedlock(m, &until);
}

static void mutex_of_type(int type, int again, const char *title)
{
    pthread_mutexattr_t a;
    pthread_mutex_t m;
    struct timespec until = after(CLOCK_REALTIME, 5 * MS);
    pthread_mutexattr_init(&a);
    pthread_mutexattr_settype(&a, type);
    pthread_mutex_init(&m, &a);
    CHECK(pthread_mutex_unlock(&m) == EPERM && pthread_mutex_lock(&m) == 0 &&
              pthread_mutex_timedlock(&m, &until) == again &&
              elsewhere(unlock_foreign, &m) == EPERM &&
              elsewhere(trylock_foreign, &m) == EBUSY &&
              elsewhere(timedlock_foreign, &m) == ETIMEDOUT &&
              pthread_mutex_destroy(&m) == EBUSY,
          title);
    while (pthread_mutex_unlock(&m) == 0) {
    }
    CHECK(elsewhere(trylock_foreign, &m) == 0, "it is free afterwards");
}

static void mutex_test(void)
{
    pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutexattr_t a;
    mutex_of_type(PTHREAD_MUTEX_NORMAL, ETIMEDOUT,
                  "a normal mutex waits for itself; misuse is answered");
    mutex_of_type(PTHREAD_MUTEX_ERRORCHECK, EDEADLK,
                  "an error-checking one says EDEADLK");
    mutex_of_type(PTHREAD_MUTEX_RECURSIVE, 0, "a recursive one counts");
    pthread_mutexattr_init(&a);
    CHECK(pthread_mutexattr_settype(&a, 9) == EINVAL &&
              pthread_mutexattr_setpshared(&a, PTHREAD_PROCESS_SHARED) ==
                  ENOTSUP &&
              pthread_mutexattr_setprotocol(&a, PTHREAD_PRIO_INHERIT) ==
                  ENOTSUP,
          "what no mutex can be is refused");
    CHECK(pthread_mutex_destroy(&m) == 0 && pthread_mutex_lock(&m) == EINVAL &&
              pthread_mutex_destroy(&m) == EINVAL,
          "a destroyed mutex is EINVAL");
}

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int value, cleaned;
    bool held;
} box = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0, false};

static void box_clean(void *unused)
{
    (void)unused;
    box.held = pthread_mutex_trylock(&box.lock) == EBUSY &&
               pthread_mutex_unlock(&box.lock) == 0;
    box.cleaned++;
}

static void *box_wait(void *unused)
{
    pthread_mutex_lock(&box.lock);
    pthread_cleanup_push(box_clean, NULL);
    while (box.value == 0) {
        pthread_cond_wait(&box.changed, &box.lock);
    }
    pthread_cleanup_pop(0);
    box.value--;
    pthread_mutex_unlock(&box.lock);
    return unused;
}

static void condition_test(void)
{
    pthread_t t[3];
    void *result;
    pthread_condattr_t a;
    pthread_cond_t c;
    struct timespec until = after(CLOCK_MONOTONIC, 5 * MS);
    for (int i = 0; i < 3; i++) {
        pthread_create(&t[i], NULL, box_wait, NULL);
    }
    settle();
    CHECK(pthread_cond_destroy(&box.changed) == EBUSY,
          "a condition that somebody waits for is EBUSY");
    pthread_cancel(t[1]);
    pthread_join(t[1], &result);
    CHECK(result == PTHREAD_CANCELED && box.cleaned == 1 && box.held,
          "a cancelled wait holds the mutex in its cleanup handler");
    pthread_mutex_lock(&box.lock);
    box.value = 2;
    pthread_cond_broadcast(&box.changed);
    pthread_mutex_unlock(&box.lock);
    pthread_join(t[0], NULL);
    pthread_join(t[2], NULL);
    CHECK(box.value == 0, "a broadcast reaches all");
    pthread_condattr_init(&a);
    CHECK(pthread_condattr_setclock(&a, CLOCK_PROCESS_CPUTIME_ID) == EINVAL &&
              pthread_condattr_setclock(&a, CLOCK_MONOTONIC) == 0,
          "conditions have two clocks");
    pthread_cond_init(&c, &a);
    CHECK(pthread_cond_wait(&c, &box.lock) == EPERM,
          "waiting without the mutex is EPERM");
    pthread_mutex_lock(&box.lock);
    CHECK(pthread_cond_timedwait(&c, &box.lock, &until) == ETIMEDOUT &&
              pthread_mutex_unlock(&box.lock) == 0,
          "a wait ends by its clock, with the mutex");
    until.tv_nsec = 1000000000l;
    CHECK(pthread_cond_timedwait(&c, &box.lock, &until) == EINVAL,
          "a second has no more than 999,999,999 ns");
    CHECK(pthread_cond_destroy(&c) == 0 && pthread_cond_signal(&c) == EINVAL,
          "a destroyed condition is EINVAL");
}

/* What becomes of who is signalled while the mutex is another's: it waits for
 * that, and for nothing else. */
static char order[4];
static int answered;

static void *wait_once(void *name)
{
    struct timespec until = after(CLOCK_REALTIME, 20 * MS);
    pthread_mutex_lock(&box.lock);
    answered = name != NULL
                   ? pthread_cond_wait(&box.changed, &box.lock)
                   : pthread_cond_timedwait(&box.changed, &box.lock, &until);
    if (name != NULL) {
        strcat(order, name);
    }
    pthread_mutex_unlock(&box.lock);
    return name;
}

static void *lock_once(void *name)
{
    pthread_mutex_lock(&box.lock);
    strcat(order, name);
    pthread_mutex_unlock(&box.lock);
    return name;
}

static void *signal_held(void *name, void (*meanwhile)(pthread_t))
{
    pthread_t t;
    void *result;
    pthread_create(&t, NULL, wait_once, name);
    settle();
    pthread_mutex_lock(&box.lock);
    pthread_cond_signal(&box.changed);
    meanwhile(t);
    pthread_mutex_unlock(&box.lock);
    pthread_join(t, &result);
    return result;
}

static void nap_long(pthread_t unused)
{
    (void)unused;
    nap(40 * MS);
}

static void cancel(pthread_t t)
{
    pthread_cancel(t);
    settle();
}

static void signalled_test(void)
{
    const struct sched_param five = {.sched_priority = 5},
                             three = {.sched_priority = 3};
    pthread_t t[3];
    CHECK(signal_held(NULL, nap_long) == NULL && answered == 0,
          "who was signalled in time has the mutex late, but no ETIMEDOUT");
    CHECK(signal_held("c", cancel) != PTHREAD_CANCELED && order[0] == 'c',
          "nor is it cancelled in the wait that is over");
    order[0] = '\0';
    pthread_create(&t[0], NULL, wait_once, "a");
    pthread_create(&t[1], NULL, wait_once, "b");
    settle();
    pthread_mutex_lock(&box.lock);
    pthread_create(&t[2], NULL, lock_once, "c");
    settle();
    pthread_setschedparam(t[1], SCHED_RR, &five);
    pthread_setschedparam(t[2], SCHED_RR, &three);
    pthread_cond_broadcast(&box.changed);
    pthread_mutex_unlock(&box.lock);
    for (int i = 0; i < 3; i++) {
        pthread_join(t[i], NULL);
    }
    CHECK(strcmp(order, "bca") == 0,
          "who waits for the mutex has it by urgency, signalled or not");
}

/* ---- read-write locks, barriers, semaphores ---------------------------- */

static pthread_rwlock_t rw = PTHREAD_RWLOCK_INITIALIZER;
static int rw_order;

static void *write_late(void *unused)
{
    pthread_rwlock_wrlock(&rw);
    rw_order = rw_order * 10 + 1;
    pthread_rwlock_unlock(&rw);
    return unused;
}

static void *read_late(void *unused)
{
    pthread_rwlock_rdlock(&rw);
    rw_order = rw_order * 10 + 2;
    pthread_rwlock_unlock(&rw);
    return unused;
}

static void *read_try(void *unused)
{
    (void)unused;
    return (void *)(intptr_t)pthread_rwlock_tryrdlock(&rw);
}

static void *write_timed(void *unused)
{
    struct timespec until = after(CLOCK_REALTIME, 5 * MS);
    (void)unused;
    return (void *)(intptr_t)pthread_rwlock_timedwrlock(&rw, &until);
}

static void rwlock_test(void)
{
    pthread_t w, r;
    CHECK(pthread_rwlock_rdlock(&rw) == 0 && elsewhere(read_try, NULL) == 0 &&
              pthread_rwlock_unlock(&rw) == 0 &&
              pthread_rwlock_trywrlock(&rw) == EBUSY,
          "readers share, a writer does not");
    CHECK(elsewhere(write_timed, NULL) == ETIMEDOUT &&
              elsewhere(read_try, NULL) == 0 && pthread_rwlock_unlock(&rw) == 0,
          "a writer that gave up does not stand in the way");
    pthread_create(&w, NULL, write_late, NULL);
    settle();
    pthread_create(&r, NULL, read_late, NULL);
    settle();
    CHECK(pthread_rwlock_tryrdlock(&rw) == EBUSY &&
              pthread_rwlock_destroy(&rw) == EBUSY,
          "nobody overtakes a writer that waits");
    pthread_rwlock_unlock(&rw);
    pthread_join(w, NULL);
    pthread_join(r, NULL);
    CHECK(rw_order == 12, "in order of arrival");
    CHECK(pthread_rwlock_unlock(&rw) == EPERM &&
              pthread_rwlock_wrlock(&rw) == 0,
          "what nobody holds cannot be let go");
    CHECK(pthread_rwlock_wrlock(&rw) == EDEADLK &&
              pthread_rwlock_unlock(&rw) == 0 &&
              pthread_rwlock_destroy(&rw) == 0 &&
              pthread_rwlock_rdlock(&rw) == EINVAL,
          "a writer that waits for itself is EDEADLK; destroyed is EINVAL");
}

static pthread_barrier_t barrier;

static void *meet(void *unused)
{
    intptr_t serial = 0;
    (void)unused;
    for (int i = 0; i < 10; i++) {
        serial += pthread_barrier_wait(&barrier) != 0;
    }
    return (void *)serial;
}

static void barrier_test(void)
{
    pthread_t t[3];
    intptr_t serial = 0;
    void *result;
    CHECK(pthread_barrier_init(&barrier, NULL, 0) == EINVAL &&
              pthread_barrier_init(&barrier, NULL, 3) == 0,
          "a barrier is for one thread or more");
    for (int i = 0; i < 3; i++) {
        pthread_create(&t[i], NULL, meet, NULL);
        if (i == 0) {
            settle();
            CHECK(pthread_barrier_destroy(&barrier) == EBUSY,
                  "a barrier in use is EBUSY");
        }
    }
    for (int i = 0; i < 3; i++) {
        pthread_join(t[i], &result);
        serial += (intptr_t)result;
    }
    CHECK(serial == 10, "each of ten meetings has one serial thread");
}

static void *post_late(void *s)
{
    nap(2 * MS);
    sem_post(s);
    return NULL;
}

static void semaphore_test(void)
{
    sem_t s;
    int value;
    struct timespec until = after(CLOCK_REALTIME, 5 * MS);
    pthread_t t;
    CHECK(fails(sem_init(&s, 1, 0), ENOTSUP) &&
              fails(sem_init(&s, 0, 0x80000000u), EINVAL) &&
              sem_init(&s, 0, SEM_VALUE_MAX) == 0 &&
              fails(sem_post(&s), EOVERFLOW),
          "semaphores have limits");
    sem_init(&s, 0, 1);
    CHECK(sem_trywait(&s) == 0 && fails(sem_trywait(&s), EAGAIN) &&
              fails(sem_timedwait(&s, &until), ETIMEDOUT),
          "a semaphore that is 0 makes wait");
    pthread_create(&t, NULL, post_late, &s);
    CHECK(sem_wait(&s) == 0 && sem_getvalue(&s, &value) == 0 && value == 0,
          "until somebody posts");
    pthread_join(t, NULL);
    pthread_create(&t, NULL, wait_for, &s);
    settle();
    CHECK(fails(sem_destroy(&s), EBUSY), "in use it is EBUSY");
    sem_post(&s);
    pthread_join(t, NULL);
}

/* ---- once, keys, errno ------------------------------------------------- */

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_t once_by;
static int once_tries, once_ran;
static sem_t once_gate;

static void once_slow(void)
{
    once_by = pthread_self();
    if (once_tries++ == 0) {
        sem_wait(&once_gate);
    }
    once_ran++;
}

static void *once_run(void *unused)
{
    pthread_once(&once, once_slow);
    return unused;
}

static void once_test(void)
{
    pthread_t t[3];
    sem_init(&once_gate, 0, 0);
    for (int i = 0; i < 3; i++) {
        pthread_create(&t[i], NULL, once_run, NULL);
    }
    settle();
    CHECK(once_tries == 1 && once_ran == 0, "one does it, the others wait");
    pthread_cancel(once_by);
    for (int i = 0; i < 3; i++) {
        pthread_join(t[i], NULL);
    }
    CHECK(once_tries == 2 && once_ran == 1, "anew after a cancelled try");
}

static pthread_key_t key;
static int destroyed;

static void destroy(void *value)
{
    destroyed++;
    if (value == &destroyed && destroyed < 3) {
        pthread_setspecific(key, value);
    }
}

static void *use_key(void *unused)
{
    bool null = pthread_getspecific(key) == NULL;
    pthread_setspecific(key, &destroyed);
    errno = 77;
    nap(MS);
    return null && errno == 77 && pthread_getspecific(key) == &destroyed
               ? NULL
               : unused;
}

static void key_test(void)
{
    pthread_key_t more[PTHREAD_KEYS_MAX];
    int n = 0;
    int mine = 1;
    pthread_key_create(&key, destroy);
    pthread_setspecific(key, &mine);
    errno = 5;
    CHECK(elsewhere(use_key, &mine) == 0 && errno == 5 &&
              pthread_getspecific(key) == &mine,
          "keys and errno are each thread's own");
    CHECK(destroyed == 3, "destructors run again for what they set");
    CHECK(pthread_key_delete(key) == 0, "a key is deleted");
    CHECK(pthread_key_delete(key) == EINVAL &&
              pthread_getspecific(key) == NULL &&
              pthread_setspecific(key, &mine) == EINVAL,
          "a deleted key is EINVAL");
    while (n < PTHREAD_KEYS_MAX && pthread_key_create(&more[n], NULL) == 0) {
        n++;
    }
    CHECK(n == PTHREAD_KEYS_MAX && pthread_key_create(&key, NULL) == EAGAIN &&
              pthread_getspecific(more[0]) == NULL,
          "there are 128 keys; a new one is NULL");
    while (n > 0) {
        pthread_key_delete(more[--n]);
    }
}

int main(void)
{
    mutex_test();
    condition_test();
    signalled_test();
    rwlock_test();
    barrier_test();
    semaphore_test();
    once_test();
    key_test();
    return tap_end();
}
