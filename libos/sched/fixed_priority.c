/* SPDX-License-Identifier: BSL-1.0
 *
 * Fixed priorities: the most urgent child that can run has the CPU, equals take
 * turns of a slice. Promises the one on top everything, and the others nothing.
 */
#include <vesper/scheduler.h>

#include <stddef.h>

static uint32_t urgency(const struct scheduler_table *t, uint32_t i)
{
    return t->child[i].params.priority;
}

static struct scheduler_choice choose(struct scheduler_table *t, uint64_t now)
{
    uint32_t i = scheduler_most_urgent(t, NULL);
    if (i == SCHED_NONE) {
        return (struct scheduler_choice){i, 0, SCHED_NEVER};
    }
    return (struct scheduler_choice){i, urgency(t, i), now + t->slice};
}

const struct scheduler_policy scheduler_fixed_priority = {
    .name = "priority",
    .choose = choose,
    .urgency = urgency,
    .direct = true,
};
