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

/* Once in the program: each page of text costs every start. */
#define ONCE __attribute__((noinline))

ONCE void policy_put(struct runnable *r, enum policy_why why)
{
    struct queue *q = &policy.ready[r->priority];
    policy.levels |= 1u << r->priority;
    if (why == POLICY_INTERRUPTED) {
        queue_push_front(q, r);
    } else {
        queue_push(q, r);
    }
}

static struct policy_choice among(struct runnable *r, bool equals)
{
    return (struct policy_choice){r, equals && !r->fifo ? THREAD_SLICE_NS
                                                        : POLICY_FOR_EVER};
}

static ONCE struct policy_choice take(void)
{
    if (policy.levels == 0) {
        return among(NULL, false);
    }
    int level = level_highest();
    struct queue *q = &policy.ready[level];
    struct runnable *r = queue_pop(q);
    if (q->tail == NULL) {
        policy.levels &= ~(1u << level);
    }
    return among(r, q->tail != NULL);
}

struct policy_choice policy_take(struct runnable *in, enum policy_why why)
{
    if (in != NULL) {
        uint32_t levels = policy.levels >> in->priority;
        if (levels == 0) {
            return among(in, false);
        }
        if (levels == 1 && why != POLICY_INTERRUPTED) {
            return among(queue_rotate(&policy.ready[in->priority], in), true);
        }
        policy_put(in, why);
    }
    return take();
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
