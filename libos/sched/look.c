/* SPDX-License-Identifier: BSL-1.0
 *
 * What a table of children learns from the state words of its dispatcher. They
 * are levels: several changes that come as one lose nothing. Only those are
 * looked at that the kernel says have changed, and, when the first of their
 * times may be over, those that wait for a time.
 */
#include <vesper/scheduler.h>

#include <abi/abi.h>

/* Which they are; from now on only newer changes count. The kernel sets bits at
 * any time. due: the times, too. */
static struct scheduler_set to_look_at(struct scheduler_table *t,
                                       struct upcall_page *page, bool due)
{
    struct scheduler_set set;
    for (uint32_t w = 0; w < SCHED_CHILDREN_MAX / 64; w++) {
        uint64_t changed = 0;
        if (page->child_changed[w] != 0) {
            changed = __atomic_exchange_n(&page->child_changed[w], 0,
                                          __ATOMIC_ACQUIRE);
        }
        set.word[w] = due ? changed | t->timed.word[w] : changed;
        set.word[w] &= t->present.word[w];
    }
    return set;
}

static void look_at(struct scheduler_table *t, uint32_t i,
                    const struct child_entry *c, uint64_t now)
{
    bool blocked = c->state == CHILD_BLOCKED;
    bool over = blocked && c->until <= now;
    bool ready = over || c->state == CHILD_READY;
    /* Its promise counts from the time it asked for, seen late or not. */
    scheduler_ready(t, i, ready, over ? c->until : now);
    scheduler_put(&t->timed, i, blocked && c->until != SCHED_NEVER);
}

uint64_t scheduler_look(struct scheduler_table *t,
                        const struct identity_page *identity,
                        struct upcall_page *page, uint64_t now,
                        void (*ended)(uint32_t i, uint32_t state))
{
    bool due = t->wake <= now;
    struct scheduler_set set = to_look_at(t, page, due);
    uint64_t wake = due ? SCHED_NEVER : t->wake;
    SCHED_EACH (i, &set) {
        const struct child_entry *c = &identity->child[i];
        if (c->state == CHILD_STOPPED || c->state == CHILD_DEAD) {
            ended(i, c->state);
            continue;
        }
        look_at(t, i, c, now);
        if (c->state == CHILD_BLOCKED && c->until > now && c->until < wake) {
            wake = c->until;
        }
    }
    t->wake = wake;
    return wake;
}
