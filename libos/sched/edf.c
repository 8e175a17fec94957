/* SPDX-License-Identifier: BSL-1.0
 *
 * Earliest deadline first with constant-bandwidth budgets. A child with a
 * reservation has `left` ticks until its deadline; of those the one with the
 * earliest deadline runs. When nothing is left it waits for the deadline, and
 * gets a new budget and a deadline a period later. What they leave goes to the
 * others, and to those with a reservation that ask for slack, by priority.
 *
 * A turn on a budget ends when the budget will be used up, if it begins as late
 * after its decision as the last one did. What that was too much is taken off
 * the next budget, up to 10 us: a call on which the child was waited for costs
 * it no more.
 *
 * Urgencies. The kernel compares fixed numbers, deadlines move. Who wakes gets
 * a deadline a period away, so it can only be earlier than that of a child with
 * a longer period: the rank by period is the urgency.
 */
#include <vesper/scheduler.h>

#include <stddef.h>

#define URGENCY_TOP   255u
#define URGENCY_OTHER 127u /* at most, without a budget */
#define OWED_HZ       100000u

static uint64_t min(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static bool is_reserved(const struct scheduler_child *c)
{
    return c->params.period != 0;
}

static bool has_budget(const struct scheduler_child *c)
{
    return is_reserved(c) && c->left > 0;
}

static bool wants_slack(const struct scheduler_child *c)
{
    return !is_reserved(c) || (c->left == 0 && c->params.slack);
}

static uint32_t slack_urgency(const struct scheduler_child *c)
{
    return (uint32_t)min(c->params.priority, URGENCY_OTHER);
}

static uint32_t urgency(const struct scheduler_table *t, uint32_t i)
{
    const struct scheduler_child *c = &t->child[i];
    return is_reserved(c) ? c->rank : slack_urgency(c);
}

/* URGENCY_TOP less the number of shorter periods. */
static void rank(struct scheduler_table *t)
{
    SCHED_EACH (i, &t->present) {
        struct scheduler_child *c = &t->child[i];
        c->rank = URGENCY_TOP;
        SCHED_EACH (k, &t->present) {
            const struct scheduler_child *other = &t->child[k];
            c->rank -=
                is_reserved(other) && other->params.period < c->params.period;
        }
    }
}

static void refill(struct scheduler_table *t, struct scheduler_child *c,
                   uint64_t deadline)
{
    uint64_t owed = min(c->owed, t->hz / OWED_HZ);
    c->left = c->params.budget - min(c->params.budget, owed);
    c->owed = 0;
    c->deadline = deadline;
}

/* As if it had been here when it woke last: so a change of policy in the midst
 * of a job neither takes of its budget nor gives it two. */
static void join(struct scheduler_table *t, uint32_t i, uint64_t now)
{
    struct scheduler_child *c = &t->child[i];
    const struct scheduler_params *p = &c->params;
    uint64_t had = c->used - c->used_at_wake;
    c->owed = 0;
    refill(t, c, now + p->period);
    if (had < p->budget && c->woken + p->period > now) {
        c->deadline = c->woken + p->period;
        c->left = p->budget - had;
    }
    rank(t);
}

/* What is left of the last budget is kept if the child could use it up until
 * its deadline without taking more than its share. */
static void wake(struct scheduler_table *t, uint32_t i, uint64_t now)
{
    struct scheduler_child *c = &t->child[i];
    const struct scheduler_params *p = &c->params;
    if (is_reserved(c) &&
        (c->deadline <= now ||
         c->left * p->period > (c->deadline - now) * p->budget)) {
        refill(t, c, now + p->period);
    }
}

static void charge(struct scheduler_table *t, uint32_t i, uint64_t ticks)
{
    struct scheduler_child *c = &t->child[i];
    if (c->left > 0) { /* or it runs on slack */
        c->owed = ticks - min(ticks, c->left);
        c->left -= ticks - c->owed;
    }
}

/* Its deadline is over. Had it a budget all the time, it is late. */
static void renew(struct scheduler_table *t, struct scheduler_child *c,
                  uint64_t now)
{
    uint64_t next = c->deadline + c->params.period;
    c->late += c->left > 0;
    refill(t, c, next > now ? next : now + c->params.period);
}

/* The earliest deadline with a budget; *refill_at: when the next comes. */
static uint32_t earliest(struct scheduler_table *t, uint64_t now,
                         uint64_t *refill_at)
{
    uint32_t first = SCHED_NONE;
    *refill_at = SCHED_NEVER;
    SCHED_EACH (i, &t->ready) {
        struct scheduler_child *c = &t->child[i];
        if (!is_reserved(c)) {
            continue;
        }
        if (c->deadline <= now) {
            renew(t, c, now);
        }
        if (!has_budget(c)) {
            *refill_at = min(*refill_at, c->deadline);
        } else if (first == SCHED_NONE ||
                   c->deadline < t->child[first].deadline) {
            first = i;
        }
    }
    return first;
}

static struct scheduler_choice choose(struct scheduler_table *t, uint64_t now)
{
    uint64_t refill_at, end;
    uint32_t i = earliest(t, now, &refill_at);
    bool on_budget = i != SCHED_NONE;
    if (!on_budget) {
        i = scheduler_most_urgent(t, wants_slack);
    }
    if (i == SCHED_NONE) {
        return (struct scheduler_choice){i, 0, refill_at};
    }
    end = now + (on_budget ? t->lag + t->child[i].left : t->slice);
    return (struct scheduler_choice){i,
                                     on_budget ? t->child[i].rank
                                               : slack_urgency(&t->child[i]),
                                     min(end, refill_at)};
}

const struct scheduler_policy scheduler_edf = {
    .name = "edf",
    .join = join,
    .wake = wake,
    .charge = charge,
    .choose = choose,
    .urgency = urgency,
};
