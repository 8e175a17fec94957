/* SPDX-License-Identifier: BSL-1.0
 *
 * See sched_sim.h.
 */
#include "sched_sim.h"

#include <string.h>

void sim_init(struct sim *s, const struct scheduler_policy *policy)
{
    memset(s, 0, sizeof(*s));
    s->now = 12345; /* nothing may depend on a clock that starts at 0 */
    scheduler_init(&s->table, policy, SIM_HZ);
}

void sim_add(struct sim *s, uint32_t i, struct scheduler_params params)
{
    struct sim_child *c = &s->child[i];
    c->release = s->now + c->offset;
    c->rest = 0;
    scheduler_set(&s->table, i, &params, s->now);
}

static uint64_t min(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t up_to(const struct sim_child *c, uint64_t most)
{
    static uint64_t state = 1;
    if (!c->irregular) {
        return most;
    }
    state = state * 6364136223846793005u + 1442695040888963407u;
    return 1 + (state >> 33) % most;
}

/* Releases the jobs whose time has come. A job that is not done when the next
 * one comes has missed its deadline; it goes on, and the next is left out. */
static void release(struct sim *s)
{
    SCHED_EACH (i, &s->table.present) {
        struct sim_child *c = &s->child[i];
        while (c->period != 0 && c->release <= s->now) {
            c->missed += c->rest > 0;
            c->rest = c->rest > 0 ? c->rest : up_to(c, c->work);
            c->release += up_to(c, c->period);
        }
    }
}

static bool runnable(const struct sim *s, uint32_t i)
{
    const struct sim_child *c = &s->child[i];
    return c->period == 0 || c->rest > 0;
}

static void look(struct sim *s)
{
    SCHED_EACH (i, &s->table.present) {
        scheduler_ready(&s->table, i, runnable(s, i), s->now);
    }
}

/* When a release takes the CPU from a child of that urgency. */
static uint64_t preempted_at(const struct sim *s, uint32_t urgency)
{
    uint64_t at = SCHED_NEVER;
    SCHED_EACH (i, &s->table.present) {
        const struct sim_child *c = &s->child[i];
        if (c->period != 0 && c->rest == 0 &&
            s->table.child[i].urgency > urgency) {
            at = min(at, c->release);
        }
    }
    return at;
}

static uint64_t next_release(const struct sim *s)
{
    uint64_t at = SCHED_NEVER;
    SCHED_EACH (i, &s->table.present) {
        if (s->child[i].period != 0) {
            at = min(at, s->child[i].release);
        }
    }
    return at;
}

static void use(struct sim *s, uint32_t i, uint64_t until)
{
    struct sim_child *c = &s->child[i];
    uint64_t ticks = until - s->now;
    if (c->period != 0) {
        ticks = min(ticks, c->rest);
        c->rest -= ticks;
        c->done += c->rest == 0 && ticks > 0;
    }
    c->had += ticks;
    s->now += ticks;
    c->missed += c->period != 0 && c->rest == 0 && s->now > c->release;
    scheduler_ended(&s->table, 0, s->now);
}

void sim_run(struct sim *s, uint64_t ticks)
{
    uint64_t end = s->now + ticks;
    while (s->now < end) {
        release(s);
        look(s);
        struct scheduler_choice choice = scheduler_choose(&s->table, s->now);
        uint64_t until = min(end, choice.until);
        if (choice.child == SCHED_NONE) {
            until = min(until, next_release(s));
            s->idle += until - s->now;
            s->now = until;
        } else {
            use(s, choice.child, min(until, preempted_at(s, choice.urgency)));
        }
    }
    release(s);
}
