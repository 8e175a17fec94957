/* SPDX-License-Identifier: BSL-1.0
 *
 * <pthread.h>, <semaphore.h>, <threads.h> on the real kernel: what each is for,
 * and what misuse is answered. Prints TAP.
 */
#include "tests/unit/tap.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#define MS 1000000l

static struct timespec after(clockid_t clock, long ns)
{
    struct timespec t;
    clock_gettime(clock, &t);
    t.tv_nsec += ns;
    t.tv_sec += t.tv_nsec / 1000000000l;
    t.tv_nsec %= 1000000000l;
    return t;
}

static void nap(long ns)
{
    struct timespec t = {0, ns};
    nanosleep(&t, NULL);
}

/* Until every other thread waits for something. */
static void settle(void)
{
    for (int i = 0; i < 50; i++) {
        sched_yield();
    }
}

static void *pass(void *argument)
{
    return argument;
}

static void *wait_for(void *semaphore)
{
    sem_wait(semaphore);
    return semaphore;
}

/* ---- threads ----------------------------------------------------------- */

static void *join_main_waiter(void *other)
{
    return (void *)(intptr_t)pthread_join(*(pthread_t *)other, NULL);
}

static void join_test(void)
{
    pthread_t t, u;
    void *result = NULL;
    sem_t go;
    sem_init(&go, 0, 0);
    CHECK(pthread_create(&t, NULL, pass, &go) == 0 &&
              pthread_join(t, &result) == 0 && result == &go,
          "a thread's result reaches who joins it");
    CHECK(pthread_join(t, NULL) == ESRCH && pthread_detach(t) == ESRCH,
          "joining or detaching it again is ESRCH");
    CHECK(pthread_join(pthread_self(), NULL) == EDEADLK,
          "joining oneself is EDEADLK");
    pthread_create(&t, NULL, wait_for, &go);
    pthread_create(&u, NULL, join_main_waiter, &t);
    settle();
    CHECK(pthread_join(t, NULL) == EINVAL && pthread_detach(t) == EINVAL,
          "what another thread joins is EINVAL");
    sem_post(&go);
    CHECK(pthread_join(u, &result) == 0 && result == NULL,
          "and that one's join succeeds");
    t = pthread_self();
    pthread_create(&u, NULL, join_main_waiter, &t);
    settle();
    CHECK(pthread_join(u, NULL) == EDEADLK,
          "two that join each other: EDEADLK");
    pthread_cancel(u);
    CHECK(pthread_join(u, &result) == 0 && result == PTHREAD_CANCELED,
          "a join is a cancellation point");
    CHECK(pthread_create(&t, NULL, wait_for, &go) == 0 &&
              pthread_detach(t) == 0 && pthread_detach(t) == EINVAL &&
              pthread_join(t, NULL) == EINVAL,
          "a detached thread cannot be detached or joined");
    sem_post(&go);
    settle();
    CHECK(pthread_kill(t, 0) == ESRCH, "it is gone when it has ended");
}

static void attributes_test(void)
{
    static _Alignas(16) char own[65536];
    pthread_attr_t a;
    pthread_t t;
    void *result;
    char name[16];
    struct sched_param p = {.sched_priority = 31};
    pthread_attr_init(&a);
    CHECK(pthread_attr_setstacksize(&a, PTHREAD_STACK_MIN - 1) == EINVAL &&
              pthread_attr_setstacksize(&a, 64 << 20) == EINVAL &&
              pthread_attr_setstack(&a, own + 1, 32768) == EINVAL &&
              pthread_attr_setdetachstate(&a, 7) == EINVAL &&
              pthread_attr_setschedpolicy(&a, 7) == EINVAL &&
              pthread_attr_setschedparam(&a, &p) == EINVAL &&
              pthread_attr_setscope(&a, PTHREAD_SCOPE_SYSTEM) == ENOTSUP,
          "bad attributes are refused");
    p.sched_priority = 3;
    pthread_attr_setschedparam(&a, &p);
    pthread_attr_setinheritsched(&a, PTHREAD_EXPLICIT_SCHED);
    CHECK(pthread_create(&t, &a, pass, NULL) == EINVAL,
          "SCHED_OTHER has no priority 3");
    pthread_attr_setschedpolicy(&a, SCHED_RR);
    pthread_attr_setname_np(&a, "three");
    CHECK(pthread_attr_setstack(&a, own, sizeof(own)) == 0 &&
              pthread_create(&t, &a, pass, own) == 0 &&
              pthread_getname_np(t, name, sizeof(name)) == 0 &&
              strcmp(name, "three") == 0 && pthread_join(t, &result) == 0 &&
              result == own,
          "a thread runs on memory of the program's, with its name");
    pthread_attr_destroy(&a);
    CHECK(pthread_create(&t, &a, pass, NULL) == EINVAL,
          "destroyed attributes are EINVAL");
    CHECK(pthread_setname_np(pthread_self(), "more than 15 bytes") == ERANGE &&
              pthread_getname_np(pthread_self(), name, 3) == ERANGE,
          "names that do not fit are ERANGE");
}

static int order[4], arrived;

static void *arrive(void *number)
{
    order[arrived++] = (int)(intptr_t)number;
    return NULL;
}

static void priorities_test(void)
{
    pthread_t t[4];
    int policy;
    struct sched_param p = {.sched_priority = 20};
    CHECK(pthread_setschedparam(pthread_self(), SCHED_FIFO, &p) == 0 &&
              pthread_getschedparam(pthread_self(), &policy, &p) == 0 &&
              policy == SCHED_FIFO && p.sched_priority == 20,
          "a thread has the priority that it was given");
    for (intptr_t i = 0; i < 4; i++) {
        pthread_create(&t[i], NULL, arrive, (void *)i);
        p.sched_priority = i % 2 == 0 ? 5 : 10;
        pthread_setschedparam(t[i], SCHED_RR, &p);
    }
    CHECK(arrived == 0, "the less urgent wait while a more urgent one runs");
    for (int i = 0; i < 4; i++) {
        pthread_join(t[i], NULL);
    }
    CHECK(order[0] == 1 && order[1] == 3 && order[2] == 0 && order[3] == 2,
          "then the more urgent run first, equals in order");
    pthread_create(&t[0], NULL, arrive, NULL);
    arrived = 0;
    CHECK(pthread_setschedprio(t[0], 30) == 0 && (sched_yield(), arrived == 1),
          "who becomes more urgent than the running thread runs at once");
    pthread_join(t[0], NULL);
    p.sched_priority = 0;
    CHECK(pthread_setschedparam(pthread_self(), SCHED_FIFO, &p) == EINVAL &&
              pthread_setschedparam(pthread_self(), SCHED_OTHER, &p) == 0,
          "priority 0 is SCHED_OTHER's alone");
}

/* ---- mutexes, conditions ----------------------------------------------- */

static void *unlock_foreign(void *m)
{
    return (void *)(intptr_t)pthread_mutex_unlock(m);
}

static void *trylock_foreign(void *m)
{
    return (void *)(intptr_t)pthread_mutex_trylock(m);
}

static int elsewhere(void *(*fn)(void *), void *argument)
{
    pthread_t t;
    void *result;
    if (pthread_create(&t, NULL, fn, argument) != 0) {
        return -1;
    }
    pthread_join(t, &result);
    return (int)(intptr_t)result;
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
    CHECK(sem_init(&s, 1, 0) == -1 && errno == ENOTSUP &&
              sem_init(&s, 0, 0x80000000u) == -1 && errno == EINVAL &&
              sem_init(&s, 0, SEM_VALUE_MAX) == 0 && sem_post(&s) == -1 &&
              errno == EOVERFLOW,
          "semaphores have limits");
    sem_init(&s, 0, 1);
    CHECK(sem_trywait(&s) == 0 && sem_trywait(&s) == -1 && errno == EAGAIN &&
              sem_timedwait(&s, &until) == -1 && errno == ETIMEDOUT,
          "a semaphore that is 0 makes wait");
    pthread_create(&t, NULL, post_late, &s);
    CHECK(sem_wait(&s) == 0 && sem_getvalue(&s, &value) == 0 && value == 0,
          "until somebody posts");
    pthread_join(t, NULL);
    pthread_create(&t, NULL, wait_for, &s);
    settle();
    CHECK(sem_destroy(&s) == -1 && errno == EBUSY, "in use it is EBUSY");
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
    CHECK(pthread_key_delete(key) == 0 && pthread_key_delete(key) == EINVAL &&
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

/* ---- cancellation ------------------------------------------------------ */

static void *sleep_long(void *unused)
{
    sleep(1000);
    return unused;
}

static int pipe_ends[2];

static void *read_long(void *unused)
{
    char byte;
    return read(pipe_ends[0], &byte, 1) == 1 ? unused : NULL;
}

/* The main thread, too: in a program of its own, which then ends. */
static void *cancel_main(void *main)
{
    settle();
    pthread_cancel(*(pthread_t *)main);
    return NULL;
}

static void main_is_cancelled(void)
{
    static pthread_t self;
    pthread_t t;
    self = pthread_self();
    if (pipe(pipe_ends) == 0 &&
        pthread_create(&t, NULL, cancel_main, &self) == 0) {
        read_long(NULL);
    }
    _exit(1);
}

static int status_of(char *argument)
{
    char *argv[] = {"pthread", argument, NULL};
    pid_t child;
    int status;
    return posix_spawn(&child, "/tests/pthread", NULL, NULL, argv, environ) ==
                       0 &&
                   waitpid(child, &status, 0) == child
               ? status
               : -1;
}

static void *stubborn(void *go)
{
    int old;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old);
    sem_wait(go);
    pthread_testcancel();
    pthread_setcancelstate(old, NULL);
    pthread_testcancel();
    return NULL;
}

static bool cancels(void *(*fn)(void *), void *argument)
{
    pthread_t t;
    void *result = NULL;
    pthread_create(&t, NULL, fn, argument);
    settle();
    pthread_cancel(t);
    return pthread_join(t, &result) == 0 && result == PTHREAD_CANCELED;
}

static void cancel_test(void)
{
    sem_t go;
    pthread_t t;
    void *result;
    char byte = 0;
    sem_init(&go, 0, 0);
    CHECK(cancels(sleep_long, NULL), "sleep is a cancellation point");
    CHECK(cancels(wait_for, &go), "so is sem_wait");
    CHECK(pipe(pipe_ends) == 0 && cancels(read_long, NULL),
          "so is read, from a pipe that nobody writes");
    CHECK(write(pipe_ends[1], "x", 1) == 1 &&
              read(pipe_ends[0], &byte, 1) == 1 && byte == 'x',
          "the pipe still works, and lost nothing");
    close(pipe_ends[0]);
    close(pipe_ends[1]);
    pthread_create(&t, NULL, stubborn, &go);
    nap(MS);
    pthread_cancel(t);
    settle();
    CHECK(pthread_kill(t, 0) == 0, "who has disabled it is not cancelled");
    sem_post(&go);
    pthread_join(t, &result);
    CHECK(result == PTHREAD_CANCELED, "until it enables it again");
    CHECK(pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL) == ENOTSUP &&
              pthread_setcancelstate(9, NULL) == EINVAL,
          "asynchronous cancellation is not there");
    CHECK(status_of("cancel") == 0,
          "the main thread can be cancelled; the last one ends the program");
    CHECK(pthread_cancel(t) == ESRCH, "who is gone cannot be cancelled");
}

/* ---- signals ----------------------------------------------------------- */

static volatile sig_atomic_t caught;
static pthread_t caught_on;

static void on_signal(int number)
{
    caught = number;
    caught_on = pthread_self();
}

static volatile bool interrupted;

static void *raise_here(void *unused)
{
    while (!interrupted) {
        raise(SIGUSR1);
        nap(5 * MS);
    }
    return unused;
}

static void signal_test(void)
{
    sem_t never;
    pthread_t t;
    struct sigaction action = {.sa_handler = on_signal};
    sem_init(&never, 0, 0);
    sigaction(SIGUSR1, &action, NULL);
    pthread_create(&t, NULL, raise_here, NULL);
    CHECK(sem_wait(&never) == -1 && errno == EINTR && caught == SIGUSR1 &&
              caught_on == pthread_self(),
          "a thread's signal reaches the main thread in its wait");
    interrupted = true;
    pthread_join(t, NULL);
    pthread_create(&t, NULL, wait_for, &never);
    CHECK(pthread_kill(t, SIGUSR1) == ENOTSUP &&
              pthread_kill(pthread_self(), SIGUSR1) == 0,
          "pthread_kill is for the main thread");
    sem_post(&never);
    pthread_join(t, NULL);
}

/* ---- timers ------------------------------------------------------------ */

static sem_t rang;
static pthread_t rang_on;

static void ring(union sigval value)
{
    rang_on = pthread_self();
    if (value.sival_int == 7) {
        sem_post(&rang);
    }
}

static void timer_test(void)
{
    timer_t id, quiet;
    struct sigevent e = {.sigev_notify = SIGEV_THREAD,
                         .sigev_notify_function = ring,
                         .sigev_value = {.sival_int = 7}};
    struct itimerspec every = {{0, 2 * MS}, {0, MS}}, got;
    struct itimerspec never = {{0, 0}, {0, 0}};
    sem_init(&rang, 0, 0);
    CHECK(timer_create(CLOCK_MONOTONIC, &e, &id) == 0 &&
              timer_settime(id, 0, &every, NULL) == 0,
          "a timer is set");
    for (int i = 0; i < 3; i++) {
        sem_wait(&rang);
    }
    CHECK(!pthread_equal(rang_on, pthread_self()) &&
              timer_settime(id, 0, &never, &got) == 0 &&
              got.it_interval.tv_nsec == 2 * MS &&
              timer_gettime(id, &got) == 0 && got.it_value.tv_nsec == 0,
          "it calls again and again on a thread, until it is disarmed");
    CHECK(timer_delete(id) == 0 && timer_delete(id) == -1 && errno == EINVAL &&
              timer_getoverrun(99) == -1 && errno == EINVAL,
          "a deleted timer is EINVAL");
    e.sigev_notify = SIGEV_SIGNAL;
    e.sigev_signo = SIGUSR1;
    caught = 0;
    every.it_interval.tv_nsec = 0;
    CHECK(timer_create(CLOCK_REALTIME, &e, &id) == 0 &&
              timer_settime(id, 0, &every, NULL) == 0 && sleep(100) > 0 &&
              caught == SIGUSR1,
          "another one's signal ends a sleep");
    e.sigev_notify = SIGEV_NONE;
    every.it_value = after(CLOCK_MONOTONIC, 3600l * 1000000000l);
    CHECK(timer_create(CLOCK_MONOTONIC, &e, &quiet) == 0 &&
              timer_settime(quiet, TIMER_ABSTIME, &every, NULL) == 0 &&
              timer_gettime(quiet, &got) == 0 && got.it_value.tv_sec >= 3500 &&
              got.it_value.tv_sec <= 3600,
          "a quiet one tells how long is left");
    e.sigev_notify = 9;
    every.it_value.tv_nsec = -1;
    CHECK(timer_create(CLOCK_MONOTONIC, &e, &quiet) == -1 && errno == EINVAL &&
              timer_settime(id, 0, &every, NULL) == -1 && errno == EINVAL,
          "what no timer can be is EINVAL");
    timer_delete(id);
    timer_delete(quiet);
}

/* ---- C11 --------------------------------------------------------------- */

static mtx_t c11_lock;
static cnd_t c11_changed;
static int c11_value;
static thread_local int c11_own = 3;

static int c11_work(void *argument)
{
    mtx_lock(&c11_lock);
    c11_value = *(int *)argument + c11_own++;
    cnd_signal(&c11_changed);
    mtx_unlock(&c11_lock);
    thrd_exit(c11_value);
}

static void c11_test(void)
{
    thrd_t t;
    int four = 4, result = 0;
    struct timespec until = after(CLOCK_REALTIME, 5 * MS);
    mtx_init(&c11_lock, mtx_timed | mtx_recursive);
    cnd_init(&c11_changed);
    mtx_lock(&c11_lock);
    mtx_lock(&c11_lock);
    CHECK(thrd_create(&t, c11_work, &four) == thrd_success,
          "thrd_create is there");
    while (c11_value == 0) {
        cnd_wait(&c11_changed, &c11_lock);
    }
    CHECK(mtx_unlock(&c11_lock) == thrd_success &&
              mtx_unlock(&c11_lock) == thrd_success &&
              mtx_unlock(&c11_lock) == thrd_error,
          "a wait keeps a recursive mutex as deep as it was");
    CHECK(thrd_join(t, &result) == thrd_success && result == 7 && c11_own == 3,
          "thrd_join gives the result; thread_local is each thread's own");
    mtx_lock(&c11_lock);
    CHECK(cnd_timedwait(&c11_changed, &c11_lock, &until) == thrd_timedout,
          "cnd_timedwait ends");
    mtx_unlock(&c11_lock);
    mtx_destroy(&c11_lock);
    CHECK(thrd_equal(thrd_current(), thrd_current()) &&
              thrd_sleep(&(struct timespec){0, MS}, NULL) == 0,
          "the rest is");
}

/* ---- many, deep, and too many ------------------------------------------ */

#define MANY 500

static pthread_mutex_t many_lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned many_counted;

static void *count(void *all_here)
{
    for (int i = 0; i < 10; i++) {
        pthread_mutex_lock(&many_lock);
        many_counted++;
        pthread_mutex_unlock(&many_lock);
        sched_yield();
    }
    sem_wait(all_here);
    return NULL;
}

static void many_test(void)
{
    static pthread_t t[MANY];
    sem_t all_here;
    int made = 0;
    sem_init(&all_here, 0, 0);
    while (made < MANY &&
           pthread_create(&t[made], NULL, count, &all_here) == 0) {
        made++;
    }
    for (int i = 0; i < made; i++) {
        sem_post(&all_here);
    }
    for (int i = 0; i < made; i++) {
        pthread_join(t[i], NULL);
    }
    CHECK(made == MANY && many_counted == 10 * MANY,
          "500 threads at a time count with a lock");
}

static unsigned sum_down(volatile unsigned char *above, unsigned depth)
{
    volatile unsigned char here[1024];
    memset((void *)here, (int)depth, sizeof(here));
    unsigned below = depth > 0 ? sum_down(here, depth - 1) : 0;
    return below + here[1000] + above[0] % 2;
}

static void *deep(void *unused)
{
    volatile unsigned char top = 0;
    (void)unused;
    return (void *)(uintptr_t)sum_down(&top, 200);
}

static void deep_test(void)
{
    pthread_attr_t a;
    pthread_t t;
    void *result = NULL;
    unsigned expected = 0;
    for (unsigned i = 0; i <= 200; i++) {
        expected += i + (i < 200 ? (i + 1) % 2 : 0);
    }
    pthread_attr_init(&a);
    pthread_attr_setstacksize(&a, 512 << 10);
    CHECK(pthread_create(&t, &a, deep, NULL) == 0 &&
              pthread_join(t, &result) == 0 && (uintptr_t)result == expected,
          "a stack of 512 KiB grows on touch, each byte kept");
}

static void exhaustion_test(void)
{
    static pthread_t t[2000];
    sem_t end;
    int made = 0, error = 0;
    sem_init(&end, 0, 0);
    while (made < 2000 &&
           (error = pthread_create(&t[made], NULL, wait_for, &end)) == 0) {
        made++;
    }
    printf("# %d threads\n", made);
    CHECK(error == EAGAIN && made >= MANY, "too many threads are EAGAIN");
    for (int i = 0; i < made; i++) {
        sem_post(&end);
    }
    bool good = true;
    for (int i = 0; i < made; i++) {
        good &= pthread_join(t[i], NULL) == 0;
    }
    CHECK(good && elsewhere(pass, NULL) == 0,
          "those that are there work on, and their memory serves others");
}

int main(int argc, char **argv)
{
    (void)argv;
    if (argc > 1) {
        main_is_cancelled();
    }
    join_test();
    attributes_test();
    priorities_test();
    mutex_test();
    condition_test();
    rwlock_test();
    barrier_test();
    semaphore_test();
    once_test();
    key_test();
    cancel_test();
    signal_test();
    timer_test();
    c11_test();
    deep_test();
    many_test();
    exhaustion_test();
    return tap_end();
}
