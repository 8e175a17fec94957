/* SPDX-License-Identifier: BSL-1.0
 *
 * What libos knows of a thread. Everything here is guarded by the upcall mask,
 * but for what is said to be constant.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <abi/abi.h>

/* A thread's floating point registers, as upcall.S lays them out. */
struct fp_state {
    uint64_t q[64];
    uint64_t fpcr, fpsr;
};

enum thread_state {
    THREAD_READY,   /* in the ready queue */
    THREAD_RUNNING, /* sched_current() */
    THREAD_WAITING, /* until sched_wake */
    THREAD_DONE,
};

enum wake {
    WAKE_NORMAL,
    WAKE_TIMEOUT,
    WAKE_SIGNAL, /* only who waits interruptibly */
};

struct thread {
    uint64_t sp;    /* where a voluntary thread's registers lie; upcall.S */
    uint64_t tpidr; /* constant; upcall.S */
    /* Not voluntary: it was preempted, and everything is in here. */
    bool voluntary;
    struct fp_state fp;
    struct saved_context context;

    enum thread_state state;
    struct thread *next;  /* queue.h */
    struct thread **list; /* that it waits in, or NULL */
    struct thread *sleep_next;
    bool sleeping;
    bool interruptible;
    enum wake wake;    /* why it was woken */
    uint64_t deadline; /* ticks; valid while sleeping */
    uint64_t event_mask, event_got;

    /* written by the thread itself only: */
    uint32_t signals_held; /* signals_hold nests so deep */

    /* constant: */
    char name[16];
    uint64_t stack, stack_end; /* mapped; guard below */
    uint64_t guard_bytes;
    int (*start)(void *);
    void *argument;

    int result;              /* valid when THREAD_DONE */
    struct thread *joiner;   /* waiters of thread_join */
    bool joined;             /* somebody waits for it already */
    struct thread *all_next; /* every thread that exists */
};

/* upcall.S knows these. */
_Static_assert(offsetof(struct thread, sp) == 0, "upcall.S");
_Static_assert(offsetof(struct thread, tpidr) == 8, "upcall.S");
_Static_assert(offsetof(struct fp_state, fpcr) == 512, "upcall.S");
