/* SPDX-License-Identifier: BSL-1.0
 *
 * POSIX's scheduling policies in those of <vesper/policy.h>: SCHED_OTHER is
 * priority 0, SCHED_RR and SCHED_FIFO are 1 .. SCHED_PRIORITY_MAX. Above is the
 * pager, so that no thread that spins keeps others from their stacks.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <vesper/policy.h>

#define SCHED_PRIORITY_MAX (THREAD_PRIORITY_MAX - 1)

static inline bool sched_is_policy(int policy)
{
    return policy == SCHED_OTHER || policy == SCHED_FIFO || policy == SCHED_RR;
}

static inline bool sched_is_priority(int policy, int priority)
{
    return policy == SCHED_OTHER
               ? priority == 0
               : priority >= 1 && priority <= SCHED_PRIORITY_MAX;
}

struct thread_attributes;
int attr_read(const pthread_attr_t *a, struct thread_attributes *out);
