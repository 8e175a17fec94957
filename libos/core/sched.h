/* SPDX-License-Identifier: BSL-1.0
 *
 * The thread scheduler's mechanism: waiting with a deadline, waking, switching,
 * preemption by the domain's own timer. Which thread runs and for how long is
 * the policy's (<vesper/policy.h>).
 *
 * All that threads wait for is a list of this kind: mutexes, conditions,
 * semaphores, joins, events. Who ends a wait (sched_wake) takes the thread off
 * its list, so a waiter's claim is settled before it runs again.
 *
 * Rules: every function is called masked. Those that block are called by the
 * running thread, never by the upcall handler.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "queue.h"
#include "state.h"

/* The running thread; NULL while the domain idles. sched.c's to write. */
extern struct thread *sched_running;

static inline struct thread *sched_current(void)
{
    return sched_running;
}

/* Ticks that the domain has had, from no time in particular: the counter
 * without what others had. */
uint64_t sched_clock(void);

/* Adopt the code that runs now as thread t. */
void sched_adopt(struct thread *t);

/* Make a new thread ready. */
void sched_ready(struct thread *t);

/* Give t another priority, wherever it stands: the policy sees all ready
 * threads come anew. */
void sched_priority(struct thread *t, int priority);

/* Block the running thread: it stands in *list (NULL: in none) until sched_wake
 * or, with WAKE_TIMEOUT, until the counter reaches the deadline. Before, wake
 * `woken`, if it is not NULL, with WAKE_NORMAL. Returns masked. */
enum wake sched_wait_waking(struct thread *woken, struct thread **list,
                            uint64_t deadline, bool interruptible);

static inline enum wake sched_wait(struct thread **list, uint64_t deadline,
                                   bool interruptible)
{
    return sched_wait_waking(NULL, list, deadline, interruptible);
}

/* End a thread's wait; it leaves its list and the sleepers. */
void sched_wake(struct thread *t, enum wake why);

/* A thread that waits with a deadline does so without one from now on. */
void sched_stay(struct thread *t);

/* Leave the running thread for good; its state was set by the caller. */
_Noreturn void sched_leave(void);

/* ---- for the upcall handler -------------------------------------------- */

/* Take the interrupted thread's whole state out of slot and registers and give
 * it to the policy. FP registers are free to use afterwards. */
void sched_park(void);

/* The same, but let it wait in *list until sched_wake. */
void sched_park_in(struct thread **list);

/* Wake the sleepers whose time has come; before one of the last three. */
void sched_expire(void);

/* True if the running thread is to make room for another. */
bool sched_slice_over(void);

/* Go on with the running thread, whose context is in UPCALL_SLOT. */
_Noreturn void sched_resume(void);

/* Run the next ready thread, or sched_idle if there is none. */
_Noreturn void sched_dispatch(void);

/* No thread can run before the counter reaches `until`: wait for an upcall.
 * Returns only if it could not; the upcall after it calls sched_idled first. A
 * program that schedules domains links other ones than those here, which block
 * (libos/core/nested.c). */
void sched_idle(uint64_t until);
void sched_idled(void);

/* Answer the doorbell and block the domain. Returns if it could not. */
void sched_sleep(uint64_t until);
