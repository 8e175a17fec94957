/* SPDX-License-Identifier: BSL-1.0
 *
 * libos' own thread policy: the highest priority runs, equals take turns of
 * THREAD_SLICE_NS. All threads start as equals, so without priorities this is
 * round robin. Every operation takes constant time.
 */
#include <vesper/policy.h>

#include <stddef.h>

#include <vesper/thread.h>

#include "queue.h"

static struct {
    uint32_t levels; /* bit n: somebody of priority n is ready */
    struct queue ready[THREAD_PRIORITY_MAX + 1];
} policy;

static int level_highest(void)
{
    return 31 - __builtin_clz(policy.levels);
}

void policy_put(struct runnable *r, enum policy_why why)
{
    struct queue *q = &policy.ready[r->priority];
    policy.levels |= 1u << r->priority;
    if (why == POLICY_INTERRUPTED) {
        queue_push_front(q, r);
    } else {
        queue_push(q, r);
    }
}

struct runnable *policy_take(void)
{
    if (policy.levels == 0) {
        return NULL;
    }
    int level = level_highest();
    struct runnable *r = queue_pop(&policy.ready[level]);
    if (policy.ready[level].head == NULL) {
        policy.levels &= ~(1u << level);
    }
    return r;
}

uint64_t policy_slice_ns(const struct runnable *running)
{
    if (policy.levels == 0 || level_highest() < running->priority) {
        return POLICY_FOR_EVER;
    }
    if (level_highest() > running->priority) {
        return 0;
    }
    return running->fifo ? POLICY_FOR_EVER : THREAD_SLICE_NS;
}
