/* SPDX-License-Identifier: BSL-1.0
 *
 * The thread policy: which of the ready threads runs, and for how long. A
 * program that defines the three functions below replaces libos' own
 * (libos/core/policy.c: fixed priorities, round robin among equals) when it is
 * linked; apps/lottery is an example.
 *
 * Rules: called in critical sections and in the upcall handler. They must not
 * block, make a system call, use libc, or touch a stack deeper than 1 KiB; a
 * lock is not needed. Floating point registers may be another thread's: the
 * functions, and what they call, are POLICY_CODE, which does not use them.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define THREAD_PRIORITY_MAX 31

/* A thread as its policy sees it. */
struct runnable {
    struct runnable *next; /* the policy's own */
    int priority;          /* 0 (least) .. THREAD_PRIORITY_MAX */
    bool fifo;             /* SCHED_FIFO: no slice among equals */
    uint64_t own[2];       /* the policy's own; 0 in a new thread */
};

enum policy_why {
    POLICY_READY,       /* it is new, or its wait is over */
    POLICY_INTERRUPTED, /* it has not had its slice */
    POLICY_YIELDED,     /* it has, or gave up the rest */
};

#define POLICY_FOR_EVER (~0ull)

#define POLICY_CODE __attribute__((target("general-regs-only")))

/* Take in a thread that may run. */
POLICY_CODE void policy_put(struct runnable *r, enum policy_why why);

struct policy_choice {
    struct runnable *next; /* NULL: none is ready */
    uint64_t slice_ns;     /* what policy_slice_ns would say of it */
};

/* Take in `in`, if it is not NULL, as policy_put does; then take out the thread
 * that is to run now, which may be the same. */
POLICY_CODE struct policy_choice policy_take(struct runnable *in,
                                             enum policy_why why);

/* How many ns the running thread may have from its start, seen who is ready
 * now; POLICY_FOR_EVER: until it waits; 0: it is to give way at once, and is
 * put back as POLICY_INTERRUPTED. Asked when a thread becomes ready while
 * another one runs, and in the upcall handler. */
POLICY_CODE uint64_t policy_slice_ns(const struct runnable *running);
