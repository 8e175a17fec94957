/* SPDX-License-Identifier: BSL-1.0
 *
 * A lottery scheduler, the exercise of docs/scheduling.md: a child has as many
 * tickets as its weight, and each slice one ticket is drawn. Shares are in
 * proportion in the long run only, and nobody starves.
 */
#include "lottery.h"

#include <stddef.h>

/* Marsaglia's xorshift: good enough to draw, and the same on every machine. */
static uint64_t draw(void)
{
    static uint64_t state = 88172645463325252u;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static uint32_t tickets_sold(const struct scheduler_table *t)
{
    uint32_t sold = 0;
    SCHED_EACH (i, &t->ready) {
        sold += t->child[i].params.weight;
    }
    return sold;
}

static uint32_t holder_of(const struct scheduler_table *t, uint64_t ticket)
{
    SCHED_EACH (i, &t->ready) {
        if (ticket < t->child[i].params.weight) {
            return i;
        }
        ticket -= t->child[i].params.weight;
    }
    return SCHED_NONE;
}

static struct scheduler_choice choose(struct scheduler_table *t, uint64_t now)
{
    uint32_t sold = tickets_sold(t);
    if (sold == 0) {
        return (struct scheduler_choice){SCHED_NONE, 0, SCHED_NEVER};
    }
    return (struct scheduler_choice){holder_of(t, draw() % sold), 0,
                                     now + t->slice};
}

const struct scheduler_policy lottery = {
    .name = "lottery",
    .choose = choose,
};
