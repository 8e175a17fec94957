/* SPDX-License-Identifier: BSL-1.0
 *
 * Earliest deadline first with constant-bandwidth budgets. A child with a
 * reservation has `left` ticks until its deadline; of those the one with the
 * earliest deadline runs. When nothing is left it waits for the deadline, and
 * gets a new budget and a deadline a period later. What they leave goes to the
 * others, and to those with a reservation that ask for slack, by priority.
 *
 * Urgencies. The kernel compares fixed numbers, deadlines move. Who wakes gets
 * a deadline a period away, so it can only be earlier than that of a child with
 * a longer period: the rank by period is the urgency. The exception, a child
 * that wakes while the deadline of its last budget holds, is looked for often.
 */
#include <vesper/scheduler.h>

#include <stddef.h>

#define URGENCY_TOP   255u
#define URGENCY_OTHER 127u /* at most, without a budget */
#define LOOK_PARTS    10u  /* of a slice */

static bool is_reserved(const struct sched_child *c)
{
    return c->params.period != 0;
}

static bool has_budget(const struct sched_child *c)
{
    return is_reserved(c) && c->left > 0;
}

static bool wants_slack(const struct sched_child *c)
{
    return !is_reserved(c) || (c->left == 0 && c->params.slack);
}

static uint32_t urgency(const struct sched_table *t, uint32_t i)
{
    const struct sched_child *c = &t->child[i];
    uint32_t priority = c->params.priority;
    if (is_reserved(c)) {
        return c->rank;
    }
    return priority < URGENCY_OTHER ? priority : URGENCY_OTHER;
}

/* URGENCY_TOP less the number of shorter periods. */
static void rank(struct sched_table *t)
{
    for (uint32_t i = 0; i < t->count; i++) {
        struct sched_child *c = &t->child[i];
        c->rank = URGENCY_TOP;
        for (uint32_t k = 0; k < t->count; k++) {
            const struct sched_child *other = &t->child[k];
            c->rank -= other->present && is_reserved(other) &&
                       other->params.period < c->params.period;
        }
    }
}

static void refill(struct sched_child *c, uint64_t deadline)
{
    c->left = c->params.budget;
    c->deadline = deadline;
}

static void join(struct sched_table *t, uint32_t i, uint64_t now)
{
    struct sched_child *c = &t->child[i];
    refill(c, now + c->params.period);
    rank(t);
}

/* What is left of the last budget is kept if the child could use it up until
 * its deadline without taking more than its share. */
static void wake(struct sched_table *t, uint32_t i, uint64_t now)
{
    struct sched_child *c = &t->child[i];
    const struct sched_params *p = &c->params;
    if (is_reserved(c) &&
        (c->deadline <= now ||
         c->left * p->period > (c->deadline - now) * p->budget)) {
        refill(c, now + p->period);
    }
}

static void charge(struct sched_table *t, uint32_t i, uint64_t ticks)
{
    struct sched_child *c = &t->child[i];
    c->left -= ticks < c->left ? ticks : c->left;
}

/* Its deadline is over. Had it a budget all the time, it is late. */
static void renew(struct sched_child *c, uint64_t now)
{
    uint64_t next = c->deadline + c->params.period;
    c->late += c->left > 0;
    refill(c, next > now ? next : now + c->params.period);
}

/* The earliest deadline with a budget; *refill_at: when the next comes. */
static uint32_t earliest(struct sched_table *t, uint64_t now,
                         uint64_t *refill_at)
{
    uint32_t first = SCHED_NONE;
    *refill_at = SCHED_NEVER;
    for (uint32_t i = 0; i < t->count; i++) {
        struct sched_child *c = &t->child[i];
        if (!c->ready || !is_reserved(c)) {
            continue;
        }
        if (c->deadline <= now) {
            renew(c, now);
        }
        if (!has_budget(c)) {
            *refill_at = c->deadline < *refill_at ? c->deadline : *refill_at;
        } else if (first == SCHED_NONE ||
                   c->deadline < t->child[first].deadline) {
            first = i;
        }
    }
    return first;
}

/* Might somebody wake with an earlier deadline, left from before? */
static bool is_contested(const struct sched_table *t, uint64_t deadline,
                         uint64_t now)
{
    for (uint32_t i = 0; i < t->count; i++) {
        const struct sched_child *c = &t->child[i];
        if (c->present && !c->ready && has_budget(c) && c->deadline > now &&
            c->deadline < deadline) {
            return true;
        }
    }
    return false;
}

static struct sched_choice choose(struct sched_table *t, uint64_t now)
{
    struct sched_choice choice;
    choice.child = earliest(t, now, &choice.until);
    choice.urgency = 0;
    uint64_t end = SCHED_NEVER;
    if (choice.child != SCHED_NONE) {
        const struct sched_child *c = &t->child[choice.child];
        choice.urgency = c->rank;
        end = now + (is_contested(t, c->deadline, now) &&
                             c->left > t->slice / LOOK_PARTS
                         ? t->slice / LOOK_PARTS
                         : c->left);
    } else {
        choice.child = sched_most_urgent(t, wants_slack);
        if (choice.child != SCHED_NONE) {
            uint32_t priority = t->child[choice.child].params.priority;
            choice.urgency =
                priority < URGENCY_OTHER ? priority : URGENCY_OTHER;
            end = now + t->slice;
        }
    }
    choice.until = end < choice.until ? end : choice.until;
    return choice;
}

const struct sched_policy sched_edf = {
    .name = "edf",
    .join = join,
    .wake = wake,
    .charge = charge,
    .choose = choose,
    .urgency = urgency,
};
