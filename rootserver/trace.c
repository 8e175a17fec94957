/* SPDX-License-Identifier: BSL-1.0
 *
 * The trace of scheduling (vesper/trace.h): who had the core, from when until
 * when, and why no longer, as the scheduler of domains sees it. A ring, whose
 * oldest records are lost first; its memory is taken at the first start, and
 * kept. While it is off, a decision costs the looks at trace_on.
 */
#include "root.h"

#include <errno.h>
#include <string.h>

#include <vesper/trace.h>

#define RING_VA     (ROOT_PAGES_VA + 0x80000)
#define PLACES_LOG2 6u /* slots of its CNode; the first is empty */
#define FRAMES      60u
#define RECORDS     (FRAMES * PAGE_BYTES / sizeof(struct trace_record))
#define NOBODY      UINT32_MAX

bool trace_on;

static struct {
    uint32_t chunk, objects;
    uint64_t first, next; /* numbers of the oldest record, and of the next */
    uint64_t begin;       /* when `domain` began to run */
    uint64_t woken;
    uint32_t domain, index; /* 0: idle; NOBODY: the root server's own time */
} trace;

static struct trace_record *record_at(uint64_t number)
{
    struct trace_record *ring = (void *)(uintptr_t)RING_VA;
    return &ring[number % RECORDS];
}

static struct trace_record *record_new(void)
{
    if (trace.next - trace.first == RECORDS) {
        trace.first++;
    }
    return record_at(trace.next++);
}

/* ---- what happens ------------------------------------------------------ */

void trace_named(const struct domain *d)
{
    struct trace_record *r = record_new();
    *r = (struct trace_record){.begin = now(),
                               .domain = d->id,
                               .kind = TRACE_NAMED};
    memcpy(r->name, d->name, sizeof(r->name));
}

void trace_begins(uint32_t child, const struct scheduler_table *t)
{
    bool idle = child == SCHED_NONE;
    trace.index = child % DOMAINS_MAX;
    trace.domain = idle ? 0 : domains[trace.index].id;
    trace.woken = idle ? 0 : t->child[trace.index].woken;
    trace.begin = now();
}

static enum trace_kind why_ended(uint32_t reasons)
{
    const struct domain *d = &domains[trace.index % DOMAINS_MAX];
    if (trace.domain == 0) {
        return TRACE_IDLE;
    }
    if (d->id != trace.domain || d->phase != DOMAIN_LIVE) {
        return TRACE_ENDED;
    }
    switch (identity()->child[d->index].state) {
    case CHILD_BLOCKED:
        return TRACE_BLOCKED;
    case CHILD_CALLING:
        return TRACE_CALLING;
    case CHILD_STOPPED:
    case CHILD_DEAD:
        return TRACE_ENDED;
    default:
        return reasons & REASON_EXPIRED ? TRACE_EXPIRED : TRACE_PREEMPTED;
    }
}

void trace_ended(uint32_t reasons, uint64_t when)
{
    if (trace.domain != NOBODY && when > trace.begin) {
        *record_new() = (struct trace_record){.begin = trace.begin,
                                              .domain = trace.domain,
                                              .kind = why_ended(reasons),
                                              .end = when,
                                              .woken = trace.woken};
    }
    trace.domain = NOBODY;
}

/* ---- operations -------------------------------------------------------- */

static bool ring_make(void)
{
    extern uint32_t slot_pages;
    uint32_t chunk = chunk_take(CHUNK_LOG2_MAX), objects = slot_take();
    if (chunk != 0 && objects != 0 &&
        sys_untyped_retype(chunk, objects, TYPE_CNODE, PLACES_LOG2 + SLOT_LOG2,
                           1, 0, 6) == ERR_OK &&
        sys_untyped_retype(chunk, CPTR(objects, 1), TYPE_FRAME, PAGE_LOG2,
                           FRAMES, 0, 0) == ERR_OK &&
        frames_map(CPTR(objects, 1), slot_pages, RING_VA,
                   RIGHT_READ | RIGHT_WRITE, FRAMES) == ERR_OK) {
        trace.chunk = chunk;
        trace.objects = objects;
        return true;
    }
    if (objects != 0) {
        (void)sys_cap_delete(objects);
        slot_give(objects);
    }
    if (chunk != 0) {
        chunk_give(chunk);
    }
    return false;
}

static int start(void)
{
    if (trace.chunk == 0 && !ring_make()) {
        return ENOMEM;
    }
    trace.first = trace.next = 0;
    trace.domain = NOBODY;
    for (uint32_t i = 0; i < DOMAINS_MAX; i++) {
        if (domains[i].phase == DOMAIN_LIVE) {
            trace_named(&domains[i]);
        }
    }
    trace_on = true;
    schedule_again();
    return 0;
}

static int record_read(uint64_t w[8])
{
    uint64_t number = w[2];
    if (number < trace.first) {
        return ESTALE;
    }
    if (number >= trace.next) {
        return ENOENT;
    }
    memcpy(&w[1], record_at(number), sizeof(struct trace_record));
    return 0;
}

int trace_operate(uint64_t w[8])
{
    switch (w[1]) {
    case TRACE_START:
        return start();
    case TRACE_STOP:
        trace_on = false;
        return 0;
    case TRACE_STATUS:
        w[1] = trace_on;
        w[2] = trace.first;
        w[3] = trace.next;
        w[4] = RECORDS;
        w[5] = identity()->frequency;
        return 0;
    case TRACE_READ:
        return record_read(w);
    default:
        return EINVAL;
    }
}

uint32_t trace_memory(uint32_t *objects, uint32_t *places)
{
    *objects = trace.objects;
    *places = 1u << PLACES_LOG2;
    return trace.chunk;
}
