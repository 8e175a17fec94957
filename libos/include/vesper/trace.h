/* SPDX-License-Identifier: BSL-1.0 */
/*
 * vesper/trace.h - the trace of scheduling, asked of the root server: who had
 * the core when, and why no longer. docs/scheduling.md, "The trace".
 *
 * It is a ring of some thousand records; the oldest are lost first. Records are
 * numbered from 0 on, at each start anew. While it is on, no child is entered
 * directly (RUN_DIRECT): each change is a decision, and none is missing.
 *
 * All functions return 0, or -1 and errno. Any domain may call them, and there
 * is one trace. Times are ticks of the counter.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum trace_kind {
    TRACE_NAMED,     /* what the domain is called; the others: it ran */
    TRACE_IDLE,      /* domain 0: nobody could run */
    TRACE_BLOCKED,   /* until it waited */
    TRACE_CALLING,   /* until it waited for the answer to a call */
    TRACE_ENDED,     /* until it ended, or stopped */
    TRACE_EXPIRED,   /* until its slice or budget was over */
    TRACE_PREEMPTED, /* until somebody more urgent could run */
    TRACE_KINDS,
};

struct trace_record {
    uint64_t begin;
    uint32_t domain, kind;
    union {
        char name[16]; /* TRACE_NAMED: cut off there, maybe without a NUL */
        struct {
            uint64_t end;
            uint64_t woken; /* when it could run first since it last waited;
                               of a timer: for when it was set. 0: idle */
        };
    };
};

enum trace_operation { /* w1 of ROOT_TRACE */
                       TRACE_START,
                       TRACE_STOP,
                       TRACE_STATUS,
                       TRACE_READ,
};

struct trace_status {
    bool on;
    uint64_t first, next; /* records first..next-1 can be read */
    uint64_t room;        /* records that the ring holds */
    uint64_t hz;          /* ticks a second */
};

/* Records from now on; those there were are gone. ENOMEM */
int trace_start(void);
/* No more records; those there are stay. */
int trace_stop(void);
int trace_status(struct trace_status *out);
/* ESTALE: it was overwritten; ENOENT: there is none of that number yet. */
int trace_read(uint64_t number, struct trace_record *out);
