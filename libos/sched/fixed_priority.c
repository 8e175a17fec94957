/* SPDX-License-Identifier: BSL-1.0
 *
 * Fixed priorities: the most urgent child that can run has the CPU, equals take
 * turns of a slice. Promises the one on top everything, and the others nothing.
 */
#include <vesper/scheduler.h>

#include <stddef.h>

static uint32_t urgency(const struct sched_table *t, uint32_t i)
{
    return t->child[i].params.priority;
}

static struct sched_choice choose(struct sched_table *t, uint64_t now)
{
    uint32_t i = sched_most_urgent(t, NULL);
    if (i == SCHED_NONE) {
        return (struct sched_choice){i, 0, SCHED_NEVER};
    }
    return (struct sched_choice){i, urgency(t, i), now + t->slice};
}

const struct sched_policy sched_fixed_priority = {
    .name = "priority",
    .choose = choose,
    .urgency = urgency,
};
