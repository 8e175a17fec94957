/* SPDX-License-Identifier: BSL-1.0
 *
 * The thread scheduler: round robin, preempting every THREAD_SLICE_NS while
 * more than one thread is ready. A domain replaces it by replacing sched.c.
 *
 * Rules: every function is called masked. Those that block are called by the
 * running thread, never by the upcall handler.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "queue.h"
#include "state.h"

/* The running thread; NULL while the domain idles. */
struct thread *sched_current(void);

/* Adopt the code that runs now as thread t. */
void sched_adopt(struct thread *t);

/* Make a thread ready that waits or is new. */
void sched_ready(struct thread *t);

/* Block the running thread: it stands in *list (NULL: in none) until sched_wake
 * or, with WAKE_TIMEOUT, until the counter reaches the deadline. Returns
 * masked. */
enum wake sched_wait(struct thread **list, uint64_t deadline,
                     bool interruptible);

/* End a thread's wait; it leaves its list and the sleepers. */
void sched_wake(struct thread *t, enum wake why);

/* Let the other ready threads run first. Returns masked. */
void sched_yield_masked(void);

/* Leave the running thread for good; its state was set by the caller. */
_Noreturn void sched_leave(void);

/* ---- for the upcall handler -------------------------------------------- */

/* Take the interrupted thread's whole state out of slot and registers and make
 * it the first of the ready queue. FP registers are free to use afterwards. */
void sched_park(void);

/* Wake the sleepers whose time has come. */
void sched_expire(void);

/* True if the running thread has had its slice and another is ready. */
bool sched_slice_over(void);

/* Put the running thread, parked, behind the others. */
void sched_rotate(void);

/* Go on with the running thread, whose context is in UPCALL_SLOT. */
_Noreturn void sched_resume(void);

/* Run the next ready thread, or wait for an upcall if there is none. */
_Noreturn void sched_dispatch(void);
