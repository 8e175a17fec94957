/* SPDX-License-Identifier: BSL-1.0
 *
 * The part of a scheduler that does not depend on its policy: who is there,
 * who can run, who ran for how long, and what may be promised.
 */
#include <vesper/scheduler.h>

#include <stddef.h>
#include <string.h>

#define SLICE_HZ      100u
#define SLICE_PARTS   10u
#define PERIOD_MIN_HZ 1000u
#define PERIOD_MAX_S  10u
#define WHOLE_PPM     1000000u

const struct scheduler_policy *const scheduler_policies[] = {
    &scheduler_fixed_priority, &scheduler_round_robin, &scheduler_edf,
    &scheduler_stride, NULL};

const struct scheduler_policy *scheduler_policy_find(const char *name)
{
    const struct scheduler_policy *const *p = scheduler_policies;
    while (*p != NULL && strcmp((*p)->name, name) != 0) {
        p++;
    }
    return *p;
}

/* ---- what may be promised ---------------------------------------------- */

const char *scheduler_refusal_text(enum scheduler_refusal why)
{
    static const char *const text[SCHED_REFUSALS] = {
        [SCHED_FINE] = "fine",
        [SCHED_BAD_PRIORITY] = "priority is not 1..255",
        [SCHED_BAD_WEIGHT] = "weight is not 1..1000",
        [SCHED_NO_PERIOD] = "a budget needs a period, which is 0",
        [SCHED_NO_BUDGET] = "a period needs a budget, which is 0",
        [SCHED_BAD_PERIOD] = "period is not 1 ms to 10 s",
        [SCHED_OVER_PERIOD] = "budget is larger than the period",
        [SCHED_FULL] = "so much of the CPU is not left",
    };
    return (uint32_t)why < SCHED_REFUSALS ? text[why] : "?";
}

/* Rounded up: what is promised together never exceeds the whole. */
static uint64_t reserved_ppm(const struct scheduler_params *p)
{
    return p->period == 0 ? 0
                          : (p->budget * WHOLE_PPM + p->period - 1) / p->period;
}

static enum scheduler_refusal check_reservation(
    const struct scheduler_table *t, const struct scheduler_params *p)
{
    if (p->period == 0) {
        return p->budget == 0 ? SCHED_FINE : SCHED_NO_PERIOD;
    }
    if (p->budget == 0) {
        return SCHED_NO_BUDGET;
    }
    if (p->period < t->hz / PERIOD_MIN_HZ || p->period > t->hz * PERIOD_MAX_S) {
        return SCHED_BAD_PERIOD;
    }
    return p->budget > p->period ? SCHED_OVER_PERIOD : SCHED_FINE;
}

enum scheduler_refusal scheduler_check(const struct scheduler_table *t,
                                       uint32_t i,
                                       const struct scheduler_params *params,
                                       uint32_t *left_ppm)
{
    uint64_t promised = 0;
    SCHED_EACH (k, &t->present) {
        promised += k == i ? 0 : reserved_ppm(&t->child[k].params);
    }
    *left_ppm = (uint32_t)(WHOLE_PPM - promised);
    if (params->priority - 1u >= 255) {
        return SCHED_BAD_PRIORITY;
    }
    if (params->weight - 1u >= 1000) {
        return SCHED_BAD_WEIGHT;
    }
    enum scheduler_refusal why = check_reservation(t, params);
    return why == SCHED_FINE && reserved_ppm(params) > *left_ppm ? SCHED_FULL
                                                                 : why;
}

/* ---- time -------------------------------------------------------------- */

void scheduler_ended(struct scheduler_table *t, uint64_t from, uint64_t to)
{
    uint32_t i = t->running;
    if (i == SCHED_NONE) {
        return;
    }
    if (from > t->since) {
        t->since = from;
        t->lag = from - t->child[i].last_run;
    }
    from = t->since;
    uint64_t ticks = to > from ? to - from : 0;
    t->child[i].used += ticks;
    if (t->policy->charge != NULL) {
        t->policy->charge(t, i, ticks);
    }
    t->running = SCHED_NONE;
}

/* Before something changes: the running child runs on. */
static void charge_so_far(struct scheduler_table *t, uint64_t now)
{
    uint32_t i = t->running;
    scheduler_ended(t, t->since, now);
    t->running = i;
    t->since = now;
}

/* ---- children come, change and go -------------------------------------- */

void scheduler_init(struct scheduler_table *t,
                    const struct scheduler_policy *policy, uint64_t hz)
{
    memset(t, 0, sizeof(*t));
    t->policy = policy;
    t->hz = hz;
    t->slice = hz / SLICE_HZ;
    t->running = SCHED_NONE;
}

static void join(struct scheduler_table *t, uint32_t i, uint64_t now)
{
    if (t->policy->join != NULL) {
        t->policy->join(t, i, now);
    }
}

/* The kernel compares with the urgency that a child had when it ran last: is
 * that less than what the policy means? */
static bool is_behind(const struct scheduler_table *t, uint32_t i)
{
    return t->policy->urgency != NULL &&
           t->child[i].urgency < t->policy->urgency(t, i);
}

/* When what the policy means may have changed. */
static void find_behind(struct scheduler_table *t)
{
    SCHED_EACH (i, &t->present) {
        scheduler_put(&t->behind, i, is_behind(t, i));
    }
}

void scheduler_set(struct scheduler_table *t, uint32_t i,
                   const struct scheduler_params *params, uint64_t now)
{
    struct scheduler_child *c = &t->child[i];
    if (!scheduler_has(&t->present, i)) {
        *c = (struct scheduler_child){0};
        scheduler_put(&t->present, i, true);
        scheduler_put(&t->timed, i, true);
        t->wake = 0;
    }
    charge_so_far(t, now);
    c->params = *params;
    join(t, i, now);
    find_behind(t);
}

void scheduler_remove(struct scheduler_table *t, uint32_t i)
{
    scheduler_put(&t->present, i, false);
    scheduler_put(&t->ready, i, false);
    scheduler_put(&t->timed, i, false);
    scheduler_put(&t->behind, i, false);
    if (t->running == i) {
        t->running = SCHED_NONE;
    }
}

void scheduler_use(struct scheduler_table *t,
                   const struct scheduler_policy *policy, uint64_t now)
{
    charge_so_far(t, now);
    t->policy = policy;
    t->pass = 0;
    SCHED_EACH (i, &t->present) {
        join(t, i, now);
    }
    find_behind(t);
}

/* ---- who runs ---------------------------------------------------------- */

void scheduler_ready(struct scheduler_table *t, uint32_t i, bool ready,
                     uint64_t now)
{
    struct scheduler_child *c = &t->child[i];
    bool wakes = ready && !scheduler_has(&t->ready, i);
    scheduler_put(&t->ready, i, ready);
    if (wakes) {
        c->woken = now;
        c->used_at_wake = c->used;
    }
    if (wakes && t->policy->wake != NULL) {
        t->policy->wake(t, i, now);
    }
}

/* Of those that are behind nobody is told when one wakes. */
static bool wakes_unnoticed(const struct scheduler_table *t, uint32_t urgency)
{
    SCHED_EACH (i, &t->behind) {
        if (!scheduler_has(&t->ready, i) && t->child[i].urgency <= urgency &&
            t->policy->urgency(t, i) > urgency) {
            return true;
        }
    }
    return false;
}

struct scheduler_choice scheduler_choose(struct scheduler_table *t,
                                         uint64_t now)
{
    struct scheduler_choice choice = t->policy->choose(t, now);
    if (choice.child == SCHED_NONE) {
        return choice;
    }
    struct scheduler_child *c = &t->child[choice.child];
    uint64_t look = now + t->slice / SLICE_PARTS;
    c->urgency = choice.urgency;
    scheduler_put(&t->behind, choice.child, is_behind(t, choice.child));
    c->last_run = now;
    t->running = choice.child;
    t->since = now;
    if (look < choice.until && wakes_unnoticed(t, choice.urgency)) {
        choice.until = look;
    }
    return choice;
}

void scheduler_begins(struct scheduler_table *t, uint64_t when)
{
    t->since = when;
}

/* ---- for policies ------------------------------------------------------ */

static uint32_t best(const struct scheduler_table *t,
                     bool (*eligible)(const struct scheduler_child *),
                     bool by_priority)
{
    uint32_t found = SCHED_NONE;
    SCHED_EACH (i, &t->ready) {
        const struct scheduler_child *c = &t->child[i];
        if (eligible != NULL && !eligible(c)) {
            continue;
        }
        const struct scheduler_child *f = &t->child[found % SCHED_CHILDREN_MAX];
        uint32_t mine = by_priority ? c->params.priority : 0;
        uint32_t its = by_priority ? f->params.priority : 0;
        if (found == SCHED_NONE || mine > its ||
            (mine == its && c->last_run < f->last_run)) {
            found = i;
        }
    }
    return found;
}

uint32_t scheduler_longest_waiting(
    const struct scheduler_table *t,
    bool (*eligible)(const struct scheduler_child *))
{
    return best(t, eligible, false);
}

uint32_t scheduler_most_urgent(const struct scheduler_table *t,
                               bool (*eligible)(const struct scheduler_child *))
{
    return best(t, eligible, true);
}
