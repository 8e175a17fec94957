/* SPDX-License-Identifier: BSL-1.0
 *
 * The policies on a machine that is simulated: shares, deadlines, admission,
 * and changes while everything runs.
 */
#include "sched_sim.h"
#include "tap.h"

#include <string.h>

#include "docs/exercises/lottery.h"

#define SECOND ((uint64_t)SIM_HZ)

static struct sim s;

static struct scheduler_params plain(uint32_t priority, uint32_t weight)
{
    return (struct scheduler_params){.priority = priority, .weight = weight};
}

static struct scheduler_params reserved(uint64_t period, uint64_t budget)
{
    return (struct scheduler_params){.priority = 100,
                                     .weight = 100,
                                     .period = period,
                                     .budget = budget};
}

static void add_spinner(uint32_t i, struct scheduler_params params)
{
    s.child[i] = (struct sim_child){0};
    sim_add(&s, i, params);
}

static void add_periodic(uint32_t i, uint64_t period, uint64_t work,
                         struct scheduler_params params)
{
    s.child[i] = (struct sim_child){.period = period, .work = work};
    sim_add(&s, i, params);
}

/* Is had within 1 % of part / whole of all the time? */
static bool has_share(uint32_t i, uint64_t part, uint64_t whole, uint64_t all)
{
    uint64_t wanted = all * part / whole;
    uint64_t had = s.child[i].had;
    return had + wanted / 100 >= wanted && had <= wanted + wanted / 100;
}

static uint64_t sum(void)
{
    uint64_t ticks = s.idle;
    SCHED_EACH (i, &s.table.present) {
        ticks += s.child[i].had;
    }
    return ticks;
}

static void test_stride(void)
{
    sim_init(&s, &scheduler_stride);
    add_spinner(1, plain(1, 100));
    add_spinner(2, plain(200, 200));
    add_spinner(5, plain(100, 400));
    sim_run(&s, 70 * SECOND);
    CHECK(has_share(1, 1, 7, 70 * SECOND) && has_share(2, 2, 7, 70 * SECOND) &&
              has_share(5, 4, 7, 70 * SECOND),
          "stride: shares of 1:2:4 within 1 %");
    CHECK(sum() == 70 * SECOND && s.table.child[5].used == s.child[5].had,
          "stride: all time is accounted, to the tick");
    sim_run(&s, 7000);
    scheduler_remove(&s.table, 5);
    s.child[1].had = s.child[2].had = 0;
    sim_run(&s, 30 * SECOND);
    CHECK(has_share(1, 1, 3, 30 * SECOND) && has_share(2, 2, 3, 30 * SECOND),
          "stride: who stays shares what is left");
    add_spinner(3, plain(100, 300));
    struct scheduler_params same = plain(1, 100);
    scheduler_set(&s.table, 1, &same, s.now);
    s.child[1].had = s.child[2].had = 0;
    sim_run(&s, 60 * SECOND);
    CHECK(has_share(3, 1, 2, 60 * SECOND) && has_share(1, 1, 6, 60 * SECOND),
          "stride: a newcomer has its share, and not the past");
}

static void test_stride_sleeper(void)
{
    sim_init(&s, &scheduler_stride);
    add_spinner(1, plain(1, 100));
    s.child[2] = (struct sim_child){.period = 5 * SECOND,
                                    .work = 2 * SECOND,
                                    .offset = 20 * SECOND};
    sim_add(&s, 2, plain(1, 100));
    sim_run(&s, 22 * SECOND);
    CHECK(s.child[2].had <= SECOND + s.table.slice,
          "stride: sleep is not saved up");
}

static void test_round_robin(void)
{
    sim_init(&s, &scheduler_round_robin);
    for (uint32_t i = 0; i < 5; i++) {
        add_spinner(i, plain(i + 1, i + 1));
    }
    sim_run(&s, 50 * SECOND);
    bool equal = true;
    for (uint32_t i = 0; i < 5; i++) {
        equal = equal && s.child[i].had == 10 * SECOND;
    }
    CHECK(equal, "round robin: everybody the same, to the tick");
}

static void test_priority(void)
{
    sim_init(&s, &scheduler_fixed_priority);
    add_spinner(1, plain(50, 1));
    add_spinner(2, plain(50, 1));
    add_periodic(3, 10 * SIM_MS, 3 * SIM_MS, plain(200, 1));
    sim_run(&s, 10 * SECOND);
    CHECK(s.child[3].missed == 0 && s.child[3].done == 1000,
          "priority: the urgent one has its time when it wants it");
    CHECK(s.child[1].had == s.child[2].had && s.child[1].had * 2 == 7 * SECOND,
          "priority: equals share the rest alike");
}

static void test_edf(void)
{
    sim_init(&s, &scheduler_edf);
    add_periodic(1, 10 * SIM_MS, 3 * SIM_MS, reserved(10 * SIM_MS, 3 * SIM_MS));
    add_periodic(2, 15 * SIM_MS, 6 * SIM_MS, reserved(15 * SIM_MS, 6 * SIM_MS));
    add_periodic(3, 40 * SIM_MS, 12 * SIM_MS,
                 reserved(40 * SIM_MS, 12 * SIM_MS));
    add_spinner(4, plain(255, 1000));
    sim_run(&s, 600 * SECOND);
    CHECK(s.child[1].missed + s.child[2].missed + s.child[3].missed == 0 &&
              s.child[1].done >= 59999,
          "edf: no deadline missed at 100 % in 10 minutes");
    CHECK(s.child[4].had <= SECOND,
          "edf: what is promised to others is not slack");
}

static void test_edf_greedy(void)
{
    sim_init(&s, &scheduler_edf);
    add_periodic(1, 10 * SIM_MS, 3 * SIM_MS, reserved(10 * SIM_MS, 3 * SIM_MS));
    add_spinner(2, reserved(7 * SIM_MS, 3 * SIM_MS));
    add_spinner(3, reserved(100 * SIM_MS, 20 * SIM_MS));
    sim_run(&s, 70 * SECOND);
    CHECK(s.child[1].missed == 0, "edf: greedy neighbours make no miss");
    CHECK(has_share(2, 3, 7, 70 * SECOND) && has_share(3, 1, 5, 70 * SECOND),
          "edf: the greedy get their budgets and no more");
    CHECK(s.idle > 0 && sum() == 70 * SECOND, "edf: rest is idle time");
    struct scheduler_params more = s.table.child[3].params;
    more.slack = true;
    scheduler_set(&s.table, 3, &more, s.now);
    uint64_t idle = s.idle;
    sim_run(&s, 70 * SECOND);
    CHECK(s.idle == idle && s.child[1].missed == 0,
          "edf: who asks for slack has it, still nobody misses");
}

/* The promise itself: with 99 % reserved, and jobs of any length at any
 * time, no budget ever outlives its deadline. */
static void test_edf_irregular(void)
{
    static const uint64_t share[] = {14, 30, 9, 25, 21}; /* % */
    uint32_t late = 0;
    for (uint32_t round = 0; round < 300; round++) {
        sim_init(&s, &scheduler_edf);
        s.table.slice = 100;
        add_spinner(0, plain(100, 1));
        for (uint32_t i = 0; i < 5; i++) {
            uint64_t period = 1000 + (round * 37 + i * i * 977) % 9000;
            uint64_t budget = period * share[i] / 100;
            s.child[1 + i] =
                (struct sim_child){period * (1 + (round + i) % 3) / 2,
                                   2 * budget,
                                   0,
                                   true,
                                   0,
                                   0,
                                   0,
                                   0,
                                   0};
            sim_add(&s, 1 + i, reserved(period, budget));
        }
        sim_run(&s, SECOND);
        for (uint32_t i = 1; i <= 5; i++) {
            late += s.table.child[i].late;
        }
    }
    CHECK(late == 0,
          "edf: no budget outlives its deadline, whoever wakes when");
}

/* Waking again and again does not give more than the reservation. */
static void test_edf_waker(void)
{
    sim_init(&s, &scheduler_edf);
    add_periodic(1, 6 * SIM_MS, 2900, reserved(10 * SIM_MS, 3 * SIM_MS));
    add_spinner(2, reserved(20 * SIM_MS, 14 * SIM_MS));
    sim_run(&s, 100 * SECOND);
    CHECK(has_share(2, 7, 10, 100 * SECOND), "edf: wakers take from nobody");
    CHECK(s.child[1].had <= 30 * SECOND, "edf: nor exceed their share");
}

/* Reservations hold while everything around them changes. */
static void test_change(void)
{
    sim_init(&s, &scheduler_fixed_priority);
    struct scheduler_params mine = reserved(10 * SIM_MS, 3 * SIM_MS);
    mine.priority = 200;
    add_periodic(1, 10 * SIM_MS, 3 * SIM_MS, mine);
    add_spinner(2, plain(100, 1));
    for (uint32_t round = 0; round < 1000; round++) {
        sim_run(&s, 10 * SIM_MS * (1 + round % 3) + round * 7 % 9000);
        scheduler_use(&s.table,
                      round % 2 ? &scheduler_fixed_priority : &scheduler_edf,
                      s.now);
        struct scheduler_params other =
            reserved((20 + round % 7) * SIM_MS, (2 + round % 5) * SIM_MS);
        add_spinner(2 + round % 2, other);
    }
    CHECK(s.child[1].missed == 0 && s.child[1].done > 1000,
          "policy and neighbours change 1,000 times without a miss");
}

/* The urgency that the kernel remembers is of the former policy: who wakes
 * next must be seen to all the same. */
static void test_stale(void)
{
    sim_init(&s, &scheduler_round_robin);
    add_periodic(1, 10 * SIM_MS, 3 * SIM_MS, plain(200, 1));
    sim_run(&s, 109 * SIM_MS);
    add_spinner(2, plain(100, 1));
    scheduler_use(&s.table, &scheduler_fixed_priority, s.now);
    sim_run(&s, SECOND);
    CHECK(s.child[1].missed == 0, "urgency is told anew after a change");
}

static void test_return(void)
{
    sim_init(&s, &scheduler_stride);
    add_spinner(1, plain(1, 1));
    sim_run(&s, 100 * SECOND);
    scheduler_use(&s.table, &scheduler_round_robin, s.now);
    add_spinner(2, plain(1, 1));
    sim_run(&s, SECOND);
    scheduler_use(&s.table, &scheduler_stride, s.now);
    s.child[1].had = 0;
    sim_run(&s, 20 * SECOND);
    CHECK(has_share(1, 1, 2, 20 * SECOND),
          "stride: what was before it began does not count");
}

static void test_lottery(void)
{
    sim_init(&s, &lottery);
    add_spinner(1, plain(1, 300));
    add_spinner(2, plain(1, 100));
    sim_run(&s, 4000 * SECOND);
    CHECK(has_share(1, 3, 4, 4000 * SECOND), "lottery: three of four win");
    add_periodic(1, 10 * SIM_MS, 1, plain(1, 1));
    scheduler_remove(&s.table, 2);
    uint64_t idle = s.idle;
    sim_run(&s, SECOND);
    CHECK(s.idle > idle, "lottery: nobody to draw is idle time");
}

/* ---- admission --------------------------------------------------------- */

static enum scheduler_refusal check(uint64_t period, uint64_t budget,
                                    uint32_t *left)
{
    struct scheduler_params p = reserved(period, budget);
    return scheduler_check(&s.table, 9, &p, left);
}

static void test_admission(void)
{
    uint32_t left;
    sim_init(&s, &scheduler_edf);
    add_spinner(1, reserved(10 * SIM_MS, 3 * SIM_MS));
    add_spinner(2, reserved(3 * SIM_MS, 1 * SIM_MS));
    CHECK(check(10 * SIM_MS, 4 * SIM_MS, &left) == SCHED_FULL &&
              left == 1000000 - 300000 - 333334,
          "more than 100 % is refused, and what is left is told");
    CHECK(check(1000 * SIM_MS, 366666, &left) == SCHED_FINE,
          "all that is left is admitted");
    CHECK(check(1000 * SIM_MS, 366667, &left) == SCHED_FULL,
          "and no millionth more");
    CHECK(check(0, 5, &left) == SCHED_NO_PERIOD, "period 0");
    CHECK(check(10 * SIM_MS, 0, &left) == SCHED_NO_BUDGET, "budget 0");
    CHECK(check(10 * SIM_MS, 11 * SIM_MS, &left) == SCHED_OVER_PERIOD,
          "budget > period");
    CHECK(check(999, 1, &left) == SCHED_BAD_PERIOD &&
              check(10 * SECOND + 1, 1, &left) == SCHED_BAD_PERIOD &&
              check(~0ull, ~0ull, &left) == SCHED_BAD_PERIOD,
          "periods too short and too long");
    struct scheduler_params p = plain(0, 1);
    CHECK(scheduler_check(&s.table, 9, &p, &left) == SCHED_BAD_PRIORITY,
          "priority 0");
    p = plain(256, 1);
    CHECK(scheduler_check(&s.table, 9, &p, &left) == SCHED_BAD_PRIORITY,
          "priority 256");
    p = plain(1, 0);
    CHECK(scheduler_check(&s.table, 9, &p, &left) == SCHED_BAD_WEIGHT,
          "weight 0");
    p = reserved(10 * SIM_MS, 6 * SIM_MS);
    CHECK(scheduler_check(&s.table, 1, &p, &left) == SCHED_FINE,
          "a child's own reservation does not count against it");
    scheduler_remove(&s.table, 1);
    CHECK(check(10 * SIM_MS, 6 * SIM_MS, &left) == SCHED_FINE,
          "who is gone leaves its reservation");
}

static void test_names(void)
{
    uint32_t n = 0;
    bool found = true;
    for (; scheduler_policies[n] != NULL; n++) {
        found = found && scheduler_policy_find(scheduler_policies[n]->name) ==
                             scheduler_policies[n];
    }
    CHECK(found && n == 4, "policies are found by their names");
    CHECK(scheduler_policy_find("fifo") == NULL, "others are not");
    CHECK(strcmp(scheduler_refusal_text(SCHED_REFUSALS), "?") == 0 &&
              scheduler_refusal_text(SCHED_FULL)[0] != 0,
          "refusals have a text");
}

/* Nobody there; and all places taken. */
static void test_edges(void)
{
    for (uint32_t n = 0; scheduler_policies[n] != NULL; n++) {
        sim_init(&s, scheduler_policies[n]);
        sim_run(&s, SECOND);
        bool good = s.idle == SECOND;
        for (uint32_t i = 0; i < SCHED_CHILDREN_MAX; i++) {
            add_spinner(i, plain(100, 100));
        }
        sim_run(&s, 128 * SECOND);
        good = good && sum() == 129 * SECOND;
        for (uint32_t i = 0; i < SCHED_CHILDREN_MAX; i++) {
            good = good && has_share(i, 1, 128, 128 * SECOND);
        }
        CHECK(good, scheduler_policies[n]->name);
    }
}

/* At 1000, one that has 2 ms in 10. */
static void choose_reserved(struct scheduler_table *t)
{
    struct scheduler_params params = reserved(SECOND / 100, SECOND / 500);

    scheduler_init(t, &scheduler_edf, SIM_HZ);
    scheduler_set(t, 0, &params, 0);
    scheduler_ready(t, 0, true, 0);
    (void)scheduler_choose(t, 1000);
}

static void test_decision(void)
{
    static struct scheduler_table t;

    choose_reserved(&t);
    scheduler_begins(&t, 1400);
    scheduler_ended(&t, 1450, 3000);
    CHECK(t.child[0].used == 1550 && t.child[0].left == SECOND / 500 - 1550,
          "the time of a decision is not the child's");
}

/* A turn begins later than it was decided, and ends when that was to be. */
static void test_budget_exact(void)
{
    static struct scheduler_table t;
    const uint64_t period = SECOND / 100, budget = SECOND / 500,
                   late = budget / 20;
    struct scheduler_params params = reserved(period, budget);
    uint64_t now = 0;
    uint32_t turns = 0;

    scheduler_init(&t, &scheduler_edf, SIM_HZ);
    scheduler_set(&t, 0, &params, now);
    scheduler_ready(&t, 0, true, now);
    while (now < 100 * period && turns < 1000) {
        struct scheduler_choice c = scheduler_choose(&t, now);
        scheduler_begins(&t, now + late / 2);
        scheduler_ended(&t, now + late, c.until);
        turns += c.child != SCHED_NONE;
        now = c.until;
    }
    CHECK(t.child[0].used >= 100 * budget - late &&
              t.child[0].used <= 100 * budget,
          "a budget is had to the tick, however late its turns begin");
    CHECK(turns >= 100 && turns <= 102, "and no turn is made for a crumb");
    CHECK(t.child[0].late == 0, "nor is it called late for one");
}

/* From a page that still speaks of the last turn. */
static void test_no_turn(void)
{
    static struct scheduler_table t;

    choose_reserved(&t);
    scheduler_begins(&t, 1100);
    scheduler_ended(&t, 200, 900);
    CHECK(t.child[0].used == 0 && t.running == SCHED_NONE,
          "who was not run after all is charged nothing");
}

int main(void)
{
    test_stride();
    test_stride_sleeper();
    test_round_robin();
    test_priority();
    test_edf();
    test_edf_greedy();
    test_edf_irregular();
    test_edf_waker();
    test_change();
    test_stale();
    test_return();
    test_lottery();
    test_admission();
    test_names();
    test_edges();
    test_decision();
    test_budget_exact();
    test_no_turn();
    return tap_end();
}
