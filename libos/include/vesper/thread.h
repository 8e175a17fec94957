/* SPDX-License-Identifier: BSL-1.0
 *
 * Threads of one domain, scheduled by libos itself on upcalls: the highest
 * priority runs, equals take turns of THREAD_SLICE_NS (<vesper/policy.h>).
 * <pthread.h> and <threads.h> are over the same threads. Context: any thread;
 * never in an upcall handler. Errors are positive errno values.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define THREAD_SLICE_NS    10000000ull
#define THREAD_STACK_BYTES 65536u /* addresses; memory comes on touch */
#define THREAD_GUARD_BYTES 16384u

struct thread;

/* Start fn(arg) on a stack of its own with a guard page below. name: for crash
 * reports, copied, 15 bytes count. ENOMEM. */
int thread_create(struct thread **out, int (*fn)(void *), void *arg,
                  const char *name);
/* Wait until t ends, free it; its result goes to *result if not NULL. EDEADLK:
 * it waits for us or is us; EINVAL: somebody else waits, or it is detached;
 * ESRCH: there is no such thread. */
int thread_join(struct thread *t, int *result);
_Noreturn void thread_exit(int result);

/* A cancellation point is what lies between these two: if pthread_cancel was
 * called, the first does not return; if it is called meanwhile, waits end as by
 * a signal (EINTR), and then thread_cancel_end(true) does not return. */
void thread_cancel_begin(void);
void thread_cancel_end(bool interrupted);
/* Between them: was it called? */
bool thread_cancelled(void);
struct thread *thread_self(void);
const char *thread_name(const struct thread *t);
void thread_yield(void);
/* Sleep until the counter (ns since boot, see time_ns) reaches `until_ns`. */
void thread_sleep_until(uint64_t until_ns);
uint64_t time_ns(void);

/* A lock; all zero is unlocked. Uncontended: no system call. */
struct mutex {
    struct thread *owner;
    uint32_t depth; /* > 1 only through mutex_lock_recursive */
    struct thread *waiters;
};
void mutex_lock(struct mutex *m);
bool mutex_try(struct mutex *m);
void mutex_unlock(struct mutex *m);
void mutex_lock_recursive(struct mutex *m);

struct condition {
    struct thread *waiters;
};
/* until_ns ~0: for ever. Returns false on timeout. */
bool condition_wait(struct condition *c, struct mutex *m, uint64_t until_ns);
void condition_signal(struct condition *c);
void condition_broadcast(struct condition *c);

/* Event bits of the dispatcher. A thread waits for any bit of mask or until the
 * time; returns the bits that came (0: timeout or, if interrupted is not NULL
 * and set, a signal). Bits are taken by the thread that waits for them. */
uint64_t event_wait(uint64_t mask, uint64_t until_ns, bool *interrupted);
/* Reserve and free an event bit >= EVENT_FREE; -1 if none is left. */
int event_take(void);
void event_give(int bit);
