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

static uint32_t tickets_of(const struct scheduler_child *c)
{
    return c->ready ? c->params.weight : 0;
}

static uint32_t tickets_sold(const struct scheduler_table *t)
{
    uint32_t sold = 0;
    for (uint32_t i = 0; i < t->count; i++) {
        sold += tickets_of(&t->child[i]);
    }
    return sold;
}

static uint32_t holder_of(const struct scheduler_table *t, uint64_t ticket)
{
    uint32_t i = 0;
    while (ticket >= tickets_of(&t->child[i])) {
        ticket -= tickets_of(&t->child[i]);
        i++;
    }
    return i;
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
