/* SPDX-License-Identifier: BSL-1.0
 *
 * A scheduler of domains in a program (vesper/nested.h): what the program's
 * idle time is used for. The same protocol as the root server's
 * (rootserver/schedule.c): state words in, a choice out, then run().
 *
 * Rules: the table is guarded by the mask.
 */
#include <vesper/nested.h>

#include <errno.h>

#include <abi/calls.h>
#include <vesper/root.h>
#include <vesper/root_call.h>
#include <vesper/start.h>

#include "counter.h"
#include "doorbell.h"
#include "page.h"
#include "sched.h"

_Static_assert(SPAWN_CHILDREN == SCHED_CHILDREN_MAX,
               "an index is a pid modulo");

/* What to do with idle time, and when it is over; NULL: there is no scheduler,
 * and neither it nor its table is in the program. */
static void (*idle)(uint64_t until), (*idled)(void);

static struct scheduler_table table;
static uint32_t domain[SCHED_CHILDREN_MAX]; /* who stands at each index */

static const struct identity_page *identity(void)
{
    return (const void *)(uintptr_t)start_self->dispatcher;
}

/* STOPPED: it could not take its own fault. No thread runs now, so the call
 * may. */
static void child_ended(uint32_t i, uint32_t state)
{
    if (state == CHILD_STOPPED) {
        uint64_t w[8] = {ROOT_REAP, domain[i]};
        (void)root_call(w, 0);
    }
    scheduler_remove(&table, i);
}

void sched_idled(void)
{
    if (idled != NULL) {
        idled();
    }
}

void sched_idle(uint64_t until)
{
    if (idle != NULL) {
        idle(until);
    } else {
        sched_sleep(until);
    }
}

static void children_ran(void)
{
    scheduler_ended(&table, identity()->child_from, identity()->child_to);
}

static void children_run(uint64_t until)
{
    doorbell_answer(true); /* the children are to run */
    for (;;) {
        uint64_t now = counter_now();
        uint64_t wake =
            scheduler_look(&table, identity(), upcall_page, now, child_ended);
        struct scheduler_choice next = scheduler_choose(&table, now);
        uint64_t end = next.until < wake ? next.until : wake;
        uint32_t direct = table.policy->direct ? RUN_DIRECT : 0;
        end = end < until ? end : until;
        if (next.child == SCHED_NONE) {
            (void)sys_block(end);
        } else {
            scheduler_begins(&table, counter_now());
            (void)sys_run(next.child, end, next.urgency | direct);
        }
    }
}

void nested_policy(const struct scheduler_policy *policy)
{
    upcall_mask();
    if (idle == NULL) {
        scheduler_init(&table, policy, counter_frequency());
        idle = children_run;
        idled = children_ran;
    } else {
        scheduler_use(&table, policy, counter_now());
    }
    upcall_unmask();
}

int nested_set(pid_t child, const struct scheduler_params *params,
               enum scheduler_refusal *why)
{
    uint32_t i = (uint32_t)child % SCHED_CHILDREN_MAX, left_ppm;
    *why = SCHED_FINE;
    if (idle == NULL) {
        return EAGAIN;
    }
    upcall_mask();
    *why = scheduler_check(&table, i, params, &left_ppm);
    if (*why == SCHED_FINE) {
        domain[i] = (uint32_t)child;
        scheduler_set(&table, i, params, counter_now());
    }
    upcall_unmask();
    return *why == SCHED_FINE ? 0 : EINVAL;
}

uint64_t nested_used(pid_t child)
{
    uint32_t i = (uint32_t)child % SCHED_CHILDREN_MAX;
    return domain[i] == (uint32_t)child && scheduler_has(&table.present, i)
               ? table.child[i].used
               : 0;
}
