/* SPDX-License-Identifier: BSL-1.0
 *
 * Proportional share by strides. A child's pass is the time that it had,
 * divided by its weight; the smallest pass goes next, so that all passes stay
 * within a slice of each other. Who slept does not save up: it starts at the
 * pass of the others.
 */
#include <vesper/scheduler.h>

/* Ticks / weight with fraction: 1000 at 62.5 MHz are reached after years. */
#define FRACTION 1024u

static void join(struct scheduler_table *t, uint32_t i, uint64_t now)
{
    (void)now;
    t->child[i].pass = t->pass;
}

static void wake(struct scheduler_table *t, uint32_t i, uint64_t now)
{
    (void)now;
    if (t->child[i].pass < t->pass) {
        t->child[i].pass = t->pass;
    }
}

static void charge(struct scheduler_table *t, uint32_t i, uint64_t ticks)
{
    struct scheduler_child *c = &t->child[i];
    c->pass += ticks * FRACTION / c->params.weight;
}

static struct scheduler_choice choose(struct scheduler_table *t, uint64_t now)
{
    struct scheduler_choice choice = {SCHED_NONE, 0, SCHED_NEVER};
    SCHED_EACH (i, &t->ready) {
        if (choice.child == SCHED_NONE ||
            t->child[i].pass < t->child[choice.child].pass) {
            choice.child = i;
        }
    }
    if (choice.child != SCHED_NONE) {
        t->pass = t->child[choice.child].pass;
        choice.until = now + t->slice;
    }
    return choice;
}

const struct scheduler_policy scheduler_stride = {
    .name = "stride",
    .join = join,
    .wake = wake,
    .charge = charge,
    .choose = choose,
};
