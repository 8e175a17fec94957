/* SPDX-License-Identifier: BSL-1.0
 *
 * What a table of children learns from state words (libos/sched/look.c), and
 * who could wake without anybody being told (scheduler_choose): each time the
 * same as if all children were looked at.
 */
#include <stdlib.h>
#include <string.h>

#include <abi/abi.h>
#include <vesper/scheduler.h>

#include "tap.h"

#define HZ       1000000u
#define CHILDREN 70u /* in both words of a set */
#define STEPS    50000

static struct scheduler_table table;
static struct identity_page identity;
static struct upcall_page page;
static uint64_t now;
static uint32_t ended_count, early_count;

static uint32_t draw(uint32_t n)
{
    return (uint32_t)rand() % n;
}

static void ended(uint32_t i, uint32_t state)
{
    ended_count += state == CHILD_STOPPED || state == CHILD_DEAD;
    scheduler_remove(&table, i);
}

/* As the kernel does it. */
static void tell(uint32_t i, uint32_t state, uint64_t until)
{
    identity.child[i] = (struct child_entry){until, state, 0};
    page.child_changed[i / 64] |= 1ull << i % 64;
}

static void set(uint32_t i)
{
    struct scheduler_params params = {.priority = 1 + draw(255), .weight = 1};
    uint32_t left;

    if (draw(2) == 0) {
        params.period = HZ / 1000 * (1 + draw(20));
        params.budget = params.period / (20 + draw(100));
        params.slack = draw(2) == 0;
    }
    if (scheduler_check(&table, i, &params, &left) == SCHED_FINE) {
        scheduler_set(&table, i, &params, now);
    }
}

static void change(void)
{
    uint32_t i = draw(CHILDREN);

    switch (draw(12)) {
    case 0:
        set(i);
        break;
    case 1:
        scheduler_remove(&table, i);
        break;
    case 2:
        tell(i, draw(8) == 0 ? CHILD_STOPPED : CHILD_CALLING, SCHED_NEVER);
        break;
    case 3:
        scheduler_use(&table,
                      draw(2) == 0 ? &scheduler_edf : &scheduler_fixed_priority,
                      now);
        break;
    case 4:
    case 5:
        tell(i, CHILD_READY, 0);
        break;
    default:
        tell(i, CHILD_BLOCKED, draw(3) == 0 ? SCHED_NEVER : now + draw(500));
    }
}

/* Of all that are there: as told, and when the first wakes; or a time that was
 * said before, and is not over yet. */
static bool ready_is_right(uint64_t wake)
{
    static uint64_t said;
    uint64_t first = SCHED_NEVER, old = said;
    bool right = true;

    SCHED_EACH (i, &table.present) {
        const struct child_entry *c = &identity.child[i];
        bool blocked = c->state == CHILD_BLOCKED;
        bool ready = c->state == CHILD_READY || (blocked && c->until <= now);
        right &= scheduler_has(&table.ready, i) == ready;
        first = blocked && !ready && c->until < first ? c->until : first;
    }
    said = wake;
    early_count += wake != first;
    return right && (wake == first || (wake < first && wake == old)) &&
           wake > now;
}

/* Who does not run, but would be preferred, and the kernel does not know it. */
static bool somebody_unnoticed(uint32_t urgency)
{
    bool found = false;

    SCHED_EACH (i, &table.present) {
        found |= !scheduler_has(&table.ready, i) &&
                 table.child[i].urgency <= urgency &&
                 table.policy->urgency(&table, i) > urgency;
    }
    return found;
}

static bool choice_is_right(void)
{
    static struct scheduler_table copy;
    struct scheduler_choice plain, choice;
    uint64_t until;

    copy = table;
    plain = copy.policy->choose(&copy, now);
    choice = scheduler_choose(&table, now);
    until = plain.until;
    if (plain.child != SCHED_NONE && now + table.slice / 10 < until &&
        somebody_unnoticed(choice.urgency)) {
        until = now + table.slice / 10;
    }
    return choice.child == plain.child && choice.until == until;
}

int main(void)
{
    int wrong_ready = 0, wrong_choice = 0, chosen = 0;

    srand(7);
    scheduler_init(&table, &scheduler_edf, HZ);
    for (int step = 0; step < STEPS; step++) {
        uint64_t wake;

        for (uint32_t n = draw(4); n > 0; n--) {
            change();
        }
        now += draw(100);
        wake = scheduler_look(&table, &identity, &page, now, ended);
        wrong_ready += !ready_is_right(wake);
        wrong_choice += !choice_is_right();
        chosen += table.running != SCHED_NONE;
        now += draw(200);
        scheduler_ended(&table, now - draw(100), now);
    }
    CHECK(wrong_ready == 0, "who can run, and when the first of others wakes");
    CHECK(wrong_choice == 0, "who could wake unnoticed ends a turn early");
    CHECK(chosen > STEPS / 10 && ended_count > 100 && early_count > 100,
          "much happened");
    CHECK(page.child_changed[0] == 0 && page.child_changed[1] == 0,
          "changes are looked at once");
    return tap_end();
}
