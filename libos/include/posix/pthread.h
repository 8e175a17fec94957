/* SPDX-License-Identifier: BSL-1.0
 *
 * <pthread.h>: the threads of one program. Functions answer 0 or a positive
 * errno value, as POSIX says; what is said here is what it leaves open.
 *
 *   - Locks that are free and waits that need not wait make no system call.
 *     A lock that is let go belongs at once to its most urgent, then longest
 *     waiter, so nobody starves.
 *   - Misuse is answered, not undefined, where it can be seen: unlocking what
 *     is not ours is EPERM for every type of mutex; destroying what is in use
 *     is EBUSY; using what was destroyed is EINVAL; a thread that is gone is
 *     ESRCH until its memory serves another one.
 *   - Cancellation is deferred. Cancellation points: pthread_testcancel, _join,
 *     _cond_wait and its relatives, sem_wait and its relatives, read, write,
 *     pread, pwrite, nanosleep, clock_nanosleep, sleep, usleep, wait, waitpid,
 *     and the C11 functions over these.
 *   - Priorities are 0 (SCHED_OTHER) or 1 .. 30 (SCHED_FIFO, SCHED_RR) within
 *     the program; another program's are nothing to it.
 *   - Signal handlers run on the main thread only, but that of a fault on the
 *     thread that faulted; pthread_sigmask is the program's mask.
 *
 * Not there (does not link): process-shared objects (ENOTSUP where an attribute
 * asks for one), priority inheritance and ceilings (ENOTSUP), robust mutexes,
 * asynchronous cancellation (ENOTSUP), pthread_atfork, spin locks.
 */
#pragma once

#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

typedef struct __pthread *pthread_t;

/* ---- threads ----------------------------------------------------------- */

#define PTHREAD_STACK_MIN 16384u

enum { PTHREAD_CREATE_JOINABLE, PTHREAD_CREATE_DETACHED };
enum { PTHREAD_INHERIT_SCHED, PTHREAD_EXPLICIT_SCHED };
enum { PTHREAD_SCOPE_SYSTEM, PTHREAD_SCOPE_PROCESS };
#define PTHREAD_CANCELED ((void *)-1)

typedef struct __pthread_attr {
    void *__stack;
    size_t __stack_bytes, __guard_bytes;
    int __detached, __inherit, __policy, __priority;
    char __name[16];
    unsigned __valid; /* 0 when destroyed */
} pthread_attr_t;

int pthread_attr_init(pthread_attr_t *a);
int pthread_attr_destroy(pthread_attr_t *a);
int pthread_attr_setdetachstate(pthread_attr_t *a, int state);
int pthread_attr_getdetachstate(const pthread_attr_t *a, int *state);
/* EINVAL: below PTHREAD_STACK_MIN or above 1 MiB. Address space that is used,
 * page by page, when it is touched; 64 KiB unless said. */
int pthread_attr_setstacksize(pthread_attr_t *a, size_t bytes);
int pthread_attr_getstacksize(const pthread_attr_t *__restrict a,
                              size_t *__restrict bytes);
/* The program's own memory; no guard then. */
int pthread_attr_setstack(pthread_attr_t *a, void *stack, size_t bytes);
int pthread_attr_getstack(const pthread_attr_t *__restrict a,
                          void **__restrict stack, size_t *__restrict bytes);
/* Rounded up to pages; 16 KiB unless said. EINVAL: above 1 MiB. */
int pthread_attr_setguardsize(pthread_attr_t *a, size_t bytes);
int pthread_attr_getguardsize(const pthread_attr_t *__restrict a,
                              size_t *__restrict bytes);
int pthread_attr_setinheritsched(pthread_attr_t *a, int inherit);
int pthread_attr_getinheritsched(const pthread_attr_t *__restrict a,
                                 int *__restrict inherit);
int pthread_attr_setschedpolicy(pthread_attr_t *a, int policy);
int pthread_attr_getschedpolicy(const pthread_attr_t *__restrict a,
                                int *__restrict policy);
int pthread_attr_setschedparam(pthread_attr_t *__restrict a,
                               const struct sched_param *__restrict p);
int pthread_attr_getschedparam(const pthread_attr_t *__restrict a,
                               struct sched_param *__restrict p);
/* Only PTHREAD_SCOPE_PROCESS, else ENOTSUP. */
int pthread_attr_setscope(pthread_attr_t *a, int scope);
int pthread_attr_getscope(const pthread_attr_t *__restrict a,
                          int *__restrict scope);
/* Not in POSIX: the name to start with. ERANGE: 16 bytes or more. */
int pthread_attr_setname_np(pthread_attr_t *a, const char *name);

/* EAGAIN: no memory. EINVAL: the attributes. */
int pthread_create(pthread_t *__restrict t, const pthread_attr_t *__restrict a,
                   void *(*fn)(void *), void *__restrict argument);
int pthread_join(pthread_t t, void **result);
int pthread_detach(pthread_t t);
_Noreturn void pthread_exit(void *result);
pthread_t pthread_self(void);
int pthread_equal(pthread_t a, pthread_t b);
/* Shown in crash reports, and by top -H. ERANGE: 16 bytes or more; or no room
 * for it. */
int pthread_setname_np(pthread_t t, const char *name);
int pthread_getname_np(pthread_t t, char *name, size_t bytes);
int pthread_setschedparam(pthread_t t, int policy, const struct sched_param *p);
int pthread_getschedparam(pthread_t t, int *policy, struct sched_param *p);
int pthread_setschedprio(pthread_t t, int priority);
/* The clock of the CPU time of t, as clock_gettime takes it: EINVAL there, once
 * t has ended. ESRCH: it has, or is none. */
int pthread_getcpuclockid(pthread_t t, clockid_t *clock);
/* The main thread takes signals; for others: 0 tests, the rest is ENOTSUP. */
int pthread_kill(pthread_t t, int signal);

/* ---- cancellation ------------------------------------------------------ */

enum { PTHREAD_CANCEL_ENABLE, PTHREAD_CANCEL_DISABLE };
enum { PTHREAD_CANCEL_DEFERRED, PTHREAD_CANCEL_ASYNCHRONOUS };

int pthread_cancel(pthread_t t);
void pthread_testcancel(void);
int pthread_setcancelstate(int state, int *old);
int pthread_setcanceltype(int type, int *old); /* ENOTSUP: asynchronous */

struct __pthread_cleanup {
    void (*__routine)(void *);
    void *__argument;
    struct __pthread_cleanup *__outer;
};
void __pthread_cleanup_push(struct __pthread_cleanup *c);
void __pthread_cleanup_pop(int execute);

#define pthread_cleanup_push(routine, argument)                                \
    do {                                                                       \
        struct __pthread_cleanup __cleanup = {(routine), (argument), NULL};    \
    __pthread_cleanup_push(&__cleanup)
#define pthread_cleanup_pop(execute)                                           \
    __pthread_cleanup_pop(execute);                                            \
    }                                                                          \
    while (0)

/* ---- once, keys -------------------------------------------------------- */

typedef struct {
    int __state;
    void *__waiters;
} pthread_once_t;
#define PTHREAD_ONCE_INIT                                                      \
    {                                                                          \
        0, NULL                                                                \
    }
int pthread_once(pthread_once_t *once, void (*fn)(void));

#define PTHREAD_KEYS_MAX              128
#define PTHREAD_DESTRUCTOR_ITERATIONS 4
typedef unsigned pthread_key_t;
int pthread_key_create(pthread_key_t *key, void (*destructor)(void *));
int pthread_key_delete(pthread_key_t key);
void *pthread_getspecific(pthread_key_t key);
int pthread_setspecific(pthread_key_t key, const void *value); /* ENOMEM */

/* ---- mutexes ----------------------------------------------------------- */

enum {
    PTHREAD_MUTEX_NORMAL,
    PTHREAD_MUTEX_RECURSIVE,
    PTHREAD_MUTEX_ERRORCHECK,
};
#define PTHREAD_MUTEX_DEFAULT PTHREAD_MUTEX_NORMAL
enum { PTHREAD_PROCESS_PRIVATE, PTHREAD_PROCESS_SHARED };
enum { PTHREAD_PRIO_NONE, PTHREAD_PRIO_INHERIT, PTHREAD_PRIO_PROTECT };

typedef struct {
    void *__owner;
    unsigned __depth;
    void *__waiters;
    int __type;
} pthread_mutex_t;
typedef struct {
    int __type;
} pthread_mutexattr_t;

#define PTHREAD_MUTEX_INITIALIZER                                              \
    {                                                                          \
        NULL, 0, NULL, PTHREAD_MUTEX_NORMAL                                    \
    }
#define PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP                                 \
    {                                                                          \
        NULL, 0, NULL, PTHREAD_MUTEX_RECURSIVE                                 \
    }
#define PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP                                \
    {                                                                          \
        NULL, 0, NULL, PTHREAD_MUTEX_ERRORCHECK                                \
    }

int pthread_mutexattr_init(pthread_mutexattr_t *a);
int pthread_mutexattr_destroy(pthread_mutexattr_t *a);
int pthread_mutexattr_settype(pthread_mutexattr_t *a, int type);
int pthread_mutexattr_gettype(const pthread_mutexattr_t *__restrict a,
                              int *__restrict type);
int pthread_mutexattr_setpshared(pthread_mutexattr_t *a, int shared);
int pthread_mutexattr_setprotocol(pthread_mutexattr_t *a, int protocol);
int pthread_mutex_init(pthread_mutex_t *__restrict m,
                       const pthread_mutexattr_t *__restrict a);
int pthread_mutex_destroy(pthread_mutex_t *m);
int pthread_mutex_lock(pthread_mutex_t *m);
int pthread_mutex_trylock(pthread_mutex_t *m);
int pthread_mutex_timedlock(pthread_mutex_t *__restrict m,
                            const struct timespec *__restrict until);
int pthread_mutex_clocklock(pthread_mutex_t *__restrict m, clockid_t clock,
                            const struct timespec *__restrict until);
int pthread_mutex_unlock(pthread_mutex_t *m);

/* ---- condition variables ----------------------------------------------- */

typedef struct {
    void *__waiters;
    int __clock; /* 0: CLOCK_REALTIME; -1: destroyed */
} pthread_cond_t;
typedef struct {
    int __clock;
} pthread_condattr_t;
#define PTHREAD_COND_INITIALIZER                                               \
    {                                                                          \
        NULL, 0                                                                \
    }

int pthread_condattr_init(pthread_condattr_t *a);
int pthread_condattr_destroy(pthread_condattr_t *a);
int pthread_condattr_setclock(pthread_condattr_t *a, clockid_t clock);
int pthread_condattr_getclock(const pthread_condattr_t *__restrict a,
                              clockid_t *__restrict clock);
int pthread_condattr_setpshared(pthread_condattr_t *a, int shared);
int pthread_cond_init(pthread_cond_t *__restrict c,
                      const pthread_condattr_t *__restrict a);
int pthread_cond_destroy(pthread_cond_t *c);
int pthread_cond_wait(pthread_cond_t *__restrict c,
                      pthread_mutex_t *__restrict m);
int pthread_cond_timedwait(pthread_cond_t *__restrict c,
                           pthread_mutex_t *__restrict m,
                           const struct timespec *__restrict until);
int pthread_cond_clockwait(pthread_cond_t *__restrict c,
                           pthread_mutex_t *__restrict m, clockid_t clock,
                           const struct timespec *__restrict until);
int pthread_cond_signal(pthread_cond_t *c);
int pthread_cond_broadcast(pthread_cond_t *c);

/* ---- read-write locks -------------------------------------------------- */

/* In order of arrival: a reader waits behind a writer that waits. */
typedef struct {
    void *__writer;
    unsigned __readers;
    void *__waiters;
    int __dead;
} pthread_rwlock_t;
typedef struct {
    int __none;
} pthread_rwlockattr_t;
#define PTHREAD_RWLOCK_INITIALIZER                                             \
    {                                                                          \
        NULL, 0, NULL, 0                                                       \
    }

int pthread_rwlockattr_init(pthread_rwlockattr_t *a);
int pthread_rwlockattr_destroy(pthread_rwlockattr_t *a);
int pthread_rwlockattr_setpshared(pthread_rwlockattr_t *a, int shared);
int pthread_rwlock_init(pthread_rwlock_t *__restrict l,
                        const pthread_rwlockattr_t *__restrict a);
int pthread_rwlock_destroy(pthread_rwlock_t *l);
int pthread_rwlock_rdlock(pthread_rwlock_t *l);
int pthread_rwlock_wrlock(pthread_rwlock_t *l);
int pthread_rwlock_tryrdlock(pthread_rwlock_t *l);
int pthread_rwlock_trywrlock(pthread_rwlock_t *l);
int pthread_rwlock_timedrdlock(pthread_rwlock_t *__restrict l,
                               const struct timespec *__restrict until);
int pthread_rwlock_timedwrlock(pthread_rwlock_t *__restrict l,
                               const struct timespec *__restrict until);
int pthread_rwlock_unlock(pthread_rwlock_t *l);

/* ---- barriers ---------------------------------------------------------- */

#define PTHREAD_BARRIER_SERIAL_THREAD (-1)
typedef struct {
    unsigned __count, __arrived; /* count 0: destroyed */
    void *__waiters;
} pthread_barrier_t;
typedef struct {
    int __none;
} pthread_barrierattr_t;

int pthread_barrierattr_init(pthread_barrierattr_t *a);
int pthread_barrierattr_destroy(pthread_barrierattr_t *a);
int pthread_barrierattr_setpshared(pthread_barrierattr_t *a, int shared);
int pthread_barrier_init(pthread_barrier_t *__restrict b,
                         const pthread_barrierattr_t *__restrict a,
                         unsigned count);
int pthread_barrier_destroy(pthread_barrier_t *b);
int pthread_barrier_wait(pthread_barrier_t *b);
