/* SPDX-License-Identifier: BSL-1.0 */
/*
 * vesper/scheduler.h - a scheduler of children: policies, and what they share.
 *
 * The root server schedules domains with it, and so may any domain that has
 * children of its own (vesper/nested.h). A table of children and the time go
 * in, a choice comes out; nothing here calls the kernel, allocates, or keeps
 * state outside the table, so a policy runs on the build machine as well.
 * How to write one: docs/scheduling.md.
 *
 * What its owner does each time it has the CPU:
 *
 *     scheduler_ended(t, from, to)    the child that ran had the CPU then
 *     scheduler_look(t, ...)          which children can go on?
 *     choice = scheduler_choose(t)    and then, at the very end,
 *     scheduler_begins(t, when)       run(choice); or block(until)
 *
 * Times are ticks of one counter that never goes back; SCHED_NEVER: no time.
 * No function is to be called by two at once.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define SCHED_CHILDREN_MAX 128u
#define SCHED_NONE         UINT32_MAX
#define SCHED_NEVER        UINT64_MAX

/* What a child is promised. Each policy looks at what concerns it. */
struct scheduler_params {
    uint32_t priority; /* 1..255, greater goes first */
    uint32_t weight;   /* 1..1000, share in proportion to it */
    uint64_t period;   /* ticks, and in each of them */
    uint64_t budget;   /* so many ticks; both 0: no reservation */
    bool slack;        /* with a budget: wants what others leave, too */
};

/* A set of children, by index. */
struct scheduler_set {
    uint64_t word[SCHED_CHILDREN_MAX / 64];
};

static inline bool scheduler_has(const struct scheduler_set *s, uint32_t i)
{
    return (s->word[i / 64] >> i % 64 & 1) != 0;
}

static inline void scheduler_put(struct scheduler_set *s, uint32_t i, bool in)
{
    uint64_t bit = 1ull << i % 64;
    s->word[i / 64] = in ? s->word[i / 64] | bit : s->word[i / 64] & ~bit;
}

/* The first of them that is `from` or later, or SCHED_NONE. */
static inline uint32_t scheduler_next(const struct scheduler_set *s,
                                      uint32_t from)
{
    uint64_t mask = ~0ull << from % 64;
    for (uint32_t w = from / 64; w < SCHED_CHILDREN_MAX / 64; w++) {
        uint64_t rest = s->word[w] & mask;
        if (rest != 0) {
            return w * 64 + (uint32_t)__builtin_ctzll(rest);
        }
        mask = ~0ull;
    }
    return SCHED_NONE;
}

/* Each of them, in order; one that the body takes out is passed over. */
#define SCHED_EACH(i, s)                                                       \
    for (uint32_t i = scheduler_next(s, 0); (i) != SCHED_NONE;                 \
         (i) = scheduler_next(s, (i) + 1))

struct scheduler_child {
    uint32_t urgency;  /* with which it ran last: the kernel remembers it */
    uint64_t used;     /* ticks that it had in all */
    uint64_t last_run; /* when it was chosen last */
    uint64_t woken, used_at_wake; /* when it became ready last */
    struct scheduler_params params;
    /* For the policy to use. */
    uint64_t deadline, left; /* of the budget of this period */
    uint64_t owed;           /* of the next budget */
    uint64_t pass;           /* time it had, divided by its weight */
    uint32_t rank, late;     /* late: deadlines that found it still waiting */
};

struct scheduler_policy;

struct scheduler_table {
    const struct scheduler_policy *policy;
    uint64_t hz;    /* ticks a second */
    uint64_t slice; /* ticks for which a child runs among its equals */
    uint64_t pass;  /* of the child that was chosen last */
    uint64_t since; /* when `running` began */
    uint64_t lag;   /* from the last decision to the CPU for who was chosen */
    uint32_t running;
    struct scheduler_set present, ready;
    struct scheduler_set timed;  /* to be looked at again without a change, */
    uint64_t wake;               /* but not before this time */
    struct scheduler_set behind; /* ran last with less than its urgency */
    struct scheduler_child child[SCHED_CHILDREN_MAX];
};

/* child SCHED_NONE: nobody can run before `until`. A blocked child of higher
 * urgency takes the CPU as soon as it wakes, any other waits until `until`. */
struct scheduler_choice {
    uint32_t child;
    uint32_t urgency; /* 0..255 */
    uint64_t until;
};

/* A policy. All but `name` and `choose` may be NULL: there is nothing to do. */
struct scheduler_policy {
    const char *name;
    /* Child i is new, has new params, or comes from another policy. */
    void (*join)(struct scheduler_table *t, uint32_t i, uint64_t now);
    /* Child i was blocked and can go on. */
    void (*wake)(struct scheduler_table *t, uint32_t i, uint64_t now);
    /* Child i has had the CPU for so many ticks. */
    void (*charge)(struct scheduler_table *t, uint32_t i, uint64_t ticks);
    struct scheduler_choice (*choose)(struct scheduler_table *t, uint64_t now);
    /* With which urgency child i would run now; NULL: all with the same. */
    uint32_t (*urgency)(const struct scheduler_table *t, uint32_t i);
    /* Who is more urgent may take the CPU before choose is asked. Its time is
     * charged to whom it took it from, until the next choice. */
    bool direct;
};

/* Those that are there, up to NULL. */
extern const struct scheduler_policy *const scheduler_policies[];
extern const struct scheduler_policy scheduler_fixed_priority; /* "priority" */
extern const struct scheduler_policy scheduler_round_robin; /* "round-robin" */
extern const struct scheduler_policy scheduler_edf;         /* "edf" */
extern const struct scheduler_policy scheduler_stride;      /* "stride" */

/* The one of that name, or NULL. */
const struct scheduler_policy *scheduler_policy_find(const char *name);

/* Why params are not taken. */
enum scheduler_refusal {
    SCHED_FINE,
    SCHED_BAD_PRIORITY,
    SCHED_BAD_WEIGHT,
    SCHED_NO_PERIOD,   /* a budget, and the period is 0 */
    SCHED_NO_BUDGET,   /* a period, and the budget is 0 */
    SCHED_BAD_PERIOD,  /* not 1 ms .. 10 s */
    SCHED_OVER_PERIOD, /* budget > period */
    SCHED_FULL,        /* not so much is left of the CPU */
    SCHED_REFUSALS,
};

/* As a sentence's end: "priority is not 1..255". */
const char *scheduler_refusal_text(enum scheduler_refusal why);

void scheduler_init(struct scheduler_table *t,
                    const struct scheduler_policy *policy, uint64_t hz);

/* May child i (there or not yet) have these params? *left_ppm: millionths of
 * the CPU that are not promised to others. */
enum scheduler_refusal scheduler_check(const struct scheduler_table *t,
                                       uint32_t i,
                                       const struct scheduler_params *params,
                                       uint32_t *left_ppm);

/* Child i appears, or gets other params, which were checked. Others do not
 * notice. What it has used, and of which it was told, stays. */
void scheduler_set(struct scheduler_table *t, uint32_t i,
                   const struct scheduler_params *params, uint64_t now);
void scheduler_remove(struct scheduler_table *t, uint32_t i);

/* Go on with another policy. */
void scheduler_use(struct scheduler_table *t,
                   const struct scheduler_policy *policy, uint64_t now);

/* The running child, if any, has given the CPU back, which it had at from..to:
 * `child_from`, `child_to` of the identity page. Of that, only what comes after
 * scheduler_begins is charged: if it was not run after all, nothing. */
void scheduler_ended(struct scheduler_table *t, uint64_t from, uint64_t to);

/* Tell the table which children can run, by the state words in the pages of
 * their scheduler's dispatcher (docs/abi.md): of those that changed, and of
 * those that waited for a time that is over. ended: called for each that is
 * CHILD_STOPPED or CHILD_DEAD; may remove it. Returns a time before which none
 * of those that wait for a time wakes: the first's, or once, if that was woken
 * or waits for another time now, still the old one. */
struct identity_page;
struct upcall_page;
uint64_t scheduler_look(struct scheduler_table *t,
                        const struct identity_page *identity,
                        struct upcall_page *page, uint64_t now,
                        void (*ended)(uint32_t i, uint32_t state));

/* Whether child i can run: told as often as one likes. now: since when. */
void scheduler_ready(struct scheduler_table *t, uint32_t i, bool ready,
                     uint64_t now);

/* Who has the CPU next; that child is then the running one. */
struct scheduler_choice scheduler_choose(struct scheduler_table *t,
                                         uint64_t now);

/* Its time begins: what the decision itself took is not the child's. Without
 * this call it is. */
void scheduler_begins(struct scheduler_table *t, uint64_t when);

/* ---- for policies ------------------------------------------------------ */

/* Present, ready, and waiting longest of those for which eligible() holds
 * (NULL: all); SCHED_NONE: there is none. */
uint32_t scheduler_longest_waiting(
    const struct scheduler_table *t,
    bool (*eligible)(const struct scheduler_child *));

/* The most urgent by `priority` of the eligible; of equals as above. */
uint32_t scheduler_most_urgent(
    const struct scheduler_table *t,
    bool (*eligible)(const struct scheduler_child *));
