/* SPDX-License-Identifier: BSL-1.0
 *
 * Round robin: a slice for everybody in turn. Nobody is more urgent: who wakes
 * waits for the end of the slice.
 */
#include <vesper/scheduler.h>

#include <stddef.h>

static struct scheduler_choice choose(struct scheduler_table *t, uint64_t now)
{
    uint32_t i = scheduler_longest_waiting(t, NULL);
    return (struct scheduler_choice){i, 0,
                                     i == SCHED_NONE ? SCHED_NEVER
                                                     : now + t->slice};
}

const struct scheduler_policy scheduler_round_robin = {
    .name = "round-robin",
    .choose = choose,
};
