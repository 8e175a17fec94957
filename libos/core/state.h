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

#include <vesper/accounts.h>
#include <vesper/policy.h>

/* A preempted thread's floating point registers, as upcall.S lays them out. */
struct fp_state {
    uint64_t q[64];
    uint64_t fpcr, fpsr;
};

enum thread_state {
    THREAD_READY,     /* the policy has it, or it runs */
    THREAD_WAITING,   /* until sched_wake */
    THREAD_LISTENING, /* also until a signal or pthread_cancel */
    THREAD_DONE,
};

enum wake {
    WAKE_NORMAL,
    WAKE_TIMEOUT,
    WAKE_INTERRUPT, /* a signal, pthread_cancel */
};

/* The memory of a thread; without a stretch it is somebody else's. */
struct thread_piece {
    uint64_t base, bytes;
    cptr_t stretch;
};

struct thread_cleanup;
struct mutex;
struct fault_frame;

struct thread {
    /* Where the registers of a thread that gave up the CPU itself lie; 0: it
     * was preempted, and everything is in here. Not while it runs. upcall.S */
    uint64_t sp;
    uint64_t tpidr; /* constant; upcall.S */
    struct fp_state fp;
    struct saved_context context;

    enum thread_state state;
    struct runnable run;
    struct thread *next;  /* queue.h */
    struct thread **list; /* that it waits in, or NULL */
    struct thread *sleep_next;
    bool sleeping;
    enum wake wake;      /* why it was woken */
    uint64_t deadline;   /* ticks; valid while sleeping */
    struct mutex *mutex; /* that it is to have again; while in a condition */
    uint64_t event_mask, event_got;
    bool wants_write;    /* while it waits for a rwlock */
    uint64_t fault_page; /* while a pager has it */
    bool fault_final;    /* the pager could not help */
    uint64_t fault_address;
    bool fault_write;
    bool fault_bus;        /* final: as by SIGBUS */
    const char *fault_why; /* final: in words; NULL: a stack */
    /* fault_frame.c: what its handler is called for, while it tries its stack;
     * what it was at before the handler that runs, or was left. */
    struct upcall_fault fault;
    int fault_number;
    struct fault_frame *caught;

    /* written by the thread itself only: */
    uint32_t signals_held;          /* signals_hold nests so deep */
    bool cancel_off;                /* pthread_setcancelstate */
    bool cancel_point;              /* it may end where it waits now */
    struct thread_cleanup *cleanup; /* innermost first */
    void **keys;                    /* pthread_setspecific; or NULL */

    bool cancel_asked; /* pthread_cancel; never taken back */
    char name[THREAD_NAME_BYTES];
    struct thread_account *account; /* its CPU time: in the upcall page, or */
    struct thread_account own_account;

    /* constant: */
    struct thread_piece piece;
    uint64_t stack, stack_end; /* guard below */
    cptr_t stack_stretch; /* that the pager maps its pages in; 0: all are */
    uint64_t guard_bytes;
    int (*start_int)(void *); /* or NULL: start */
    void *(*start)(void *);
    void *argument;

    void *result;            /* valid when THREAD_DONE */
    struct thread *joiner;   /* who waits in thread_join */
    struct thread *joins;    /* whom this one waits for there */
    bool joined;             /* somebody waits for it already */
    bool detached;           /* nobody ever will */
    struct thread *all_next; /* every thread that exists */
};

static inline struct thread *runnable_thread(struct runnable *r)
{
    return (struct thread *)((char *)r - offsetof(struct thread, run));
}

/* upcall.S knows these. */
_Static_assert(offsetof(struct thread, sp) == 0, "upcall.S");
_Static_assert(offsetof(struct thread, tpidr) == 8, "upcall.S");
_Static_assert(offsetof(struct fp_state, fpcr) == 512, "upcall.S");
