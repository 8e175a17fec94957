/* SPDX-License-Identifier: BSL-1.0
 *
 * CPU time: the chain of dispatchers through which it flows on a core, from the
 * first scheduler (level 0) to the one that is to run. The kernel decides
 * nothing: it takes the CPU back when the time is over, the child cannot go on,
 * or a child of higher urgency can, and tells the scheduler (docs/abi.md).
 */
#include "syscall.h"

static struct core_state *core_of(const struct dispatcher *d)
{
    (void)d; /* the other cores are parked */
    return &kernel.core[0];
}

/* The level of d in the chain, or -1. */
static int level_of(const struct core_state *core, ref_t d)
{
    for (uint32_t i = 0; i < core->depth && i < CHAIN_MAX; i++) {
        if (core->chain[i].dispatcher == d) {
            return (int)i;
        }
    }
    return -1;
}

static uint32_t child_state(const struct dispatcher *d)
{
    switch (d->state) {
    case IS_READY:
        return level_of(core_of(d), d->self) >= 0 ? CHILD_RUNNING : CHILD_READY;
    case IS_BLOCKED:
        return level_of(core_of(d), d->self) >= 0 ? CHILD_RUNNING
                                                  : CHILD_BLOCKED;
    case IS_QUEUED:
    case IS_CALLING:
        return CHILD_CALLING;
    case IS_DEAD:
        return CHILD_DEAD;
    default:
        return CHILD_STOPPED;
    }
}

/* Write the state of d where its scheduler sees it. */
static void tell(struct dispatcher *d)
{
    d->told = d->state;
    if (d->parent == 0) {
        return;
    }
    struct dispatcher *p = dispatcher_at(d->parent);
    uint32_t i = d->index % CHILDREN_MAX;
    struct child_entry *entry = &p->identity.child[i];
    entry->state = child_state(d);
    entry->until = d->until;
    upcall_page(p)->child_changed[i / 64] |= 1ull << i % 64;
}

void sched_set_state(struct dispatcher *d, enum dispatcher_state state)
{
    d->state = (uint16_t)state;
    sched_unsettle();
    tell(d);
}

struct dispatcher *sched_tell_callers(struct dispatcher *d)
{
    for (uint32_t i = 0; i < CALLS_MAX && d->callee != 0; i++) {
        tell(d);
        d = dispatcher_at(d->callee);
    }
    return d;
}

void sched_pend(struct dispatcher *d, uint32_t reasons)
{
    upcall_page(d)->pending |= reasons;
    if (d->self == kernel.core[0].current && upcall_page(d)->mask == MASK_OFF) {
        sched_unsettle(); /* the way out delivers */
    }
}

/* Mark the scheduler p, which waits in run(): it can go on with an upcall. What
 * it ran has the CPU no more, and is charged. */
static void return_to(struct dispatcher *p, uint32_t reasons)
{
    p->identity.child_to = core_of(p)->charged;
    sched_pend(p, reasons);
    if (p->state == IS_BLOCKED) {
        upcall_enter(p, SAVE_NONE);
        sched_set_state(p, IS_READY);
    }
}

/* Account the time up to now to those in the chain: before it changes. */
static void charge(struct core_state *core, uint64_t now)
{
    uint64_t delta = now - core->charged;
    core->charged = now;
    if (core->current == 0) {
        core->idle += delta;
        return;
    }
    for (uint32_t i = 0; i < core->depth && i < CHAIN_MAX; i++) {
        ref_t s = dispatcher_at(core->chain[i].dispatcher)->sched;
        if (s == 0) {
            continue;
        }
        struct sched_context *c = OBJECT(struct sched_context, s);
        c->consumed += delta;
        if (c->remaining != ~0ull) {
            c->remaining -= c->remaining < delta ? c->remaining : delta;
        }
    }
}

void sched_account(void)
{
    charge(&kernel.core[0], arch_now());
    sched_unsettle();
}

/* Cut the chain to `depth` levels; the schedulers in what is cut off learn it.
 */
static void cut(struct core_state *core, uint32_t depth)
{
    uint32_t old = core->depth;
    ASSERT(depth <= old && old <= CHAIN_MAX);
    charge(core, arch_now());
    core->depth = depth;
    sched_unsettle();
    for (uint32_t i = depth; i + 1 < old && i < CHAIN_MAX; i++) {
        return_to(dispatcher_at(core->chain[i].dispatcher), REASON_CHILD);
        tell(dispatcher_at(core->chain[i].dispatcher));
    }
    if (depth < old) {
        ref_t top = core->chain[(old - 1) % CHAIN_MAX].dispatcher;
        tell(sched_tell_callers(dispatcher_at(top)));
    }
}

void sched_take_back(struct dispatcher *d, bool itself)
{
    struct core_state *core = core_of(d);
    int level = level_of(core, d->self);
    if (level < 0) {
        return;
    }
    uint32_t old = core->depth, keep = (uint32_t)level + (itself ? 0 : 1);
    cut(core, keep);
    if (keep > 0 && keep < old) {
        return_to(dispatcher_at(core->chain[keep - 1].dispatcher),
                  REASON_CHILD);
    }
}

static uint32_t urgency_of(const struct dispatcher *d)
{
    return d->urgency & URGENCY_MAX;
}

/* c gets the CPU from its scheduler, which is the last level of the chain. */
static void give(struct core_state *core, struct dispatcher *c, uint64_t until)
{
    core->chain[core->depth++] =
        (struct chain_level){c->self, urgency_of(c), until};
    tell(c);
}

/* If the scheduler at `level` lets d take the CPU from whom it runs, or from
 * nobody: give it to d, until the scheduler would have had it back. */
static bool enter_directly(struct core_state *core, int level,
                           struct dispatcher *d)
{
    uint32_t at = (uint32_t)level; /* much, if it is in no chain */
    if (!(d->urgency & RUN_DIRECT) || at >= CHAIN_MAX - 1) {
        return false;
    }
    uint32_t next = at + 1;
    uint64_t until = dispatcher_at(d->parent)->until;
    if (next < core->depth) {
        const struct chain_level *l = &core->chain[next];
        if (!(dispatcher_at(l->dispatcher)->urgency & RUN_DIRECT)) {
            return false;
        }
        until = l->until;
    }
    cut(core, next);
    give(core, d, until);
    return true;
}

void sched_wake(struct dispatcher *d)
{
    struct core_state *core = core_of(d);
    if (d->told != d->state) {
        tell(d);
    }
    for (uint32_t n = 0; n < CHAIN_MAX; n++) {
        if (level_of(core, d->self) >= 0) {
            sched_take_back(d, false);
            return;
        }
        if (d->parent == 0) {
            return;
        }
        struct dispatcher *p = dispatcher_at(d->parent);
        int level = level_of(core, p->self);
        bool runs_another = level >= 0 && level + 1 < (int)core->depth;
        sched_pend(p, REASON_CHILD);
        if (p->state != IS_BLOCKED ||
            (runs_another && urgency_of(d) <= core->chain[level + 1].urgency)) {
            return; /* it looks when it gets the CPU next */
        }
        if (enter_directly(core, level, d)) {
            return;
        }
        upcall_enter(p, SAVE_NONE);
        sched_set_state(p, IS_READY);
        d = p;
    }
}

void sched_report(struct dispatcher *d)
{
    sched_take_back(d, true);
    if (d->parent != 0) {
        upcall_post(dispatcher_at(d->parent), REASON_CHILD);
    }
}

/* ---- giving the CPU ---------------------------------------------------- */

static bool runnable(struct dispatcher *c)
{
    if (c->state == IS_BLOCKED && arch_now() >= c->until) {
        upcall_page(c)->pending |= REASON_TICK;
        upcall_enter(c, SAVE_NONE);
        sched_set_state(c, IS_READY);
    }
    return c->state == IS_READY || c->callee != 0;
}

enum abi_error op_run(uint64_t *x)
{
    struct core_state *core = &kernel.core[0];
    struct dispatcher *d = dispatcher_at(core->current);
    struct upcall_page *p = upcall_page(d);
    int level = level_of(core, d->self);
    if (x[0] >= CHILDREN_MAX || x[2] & ~(uint64_t)(RUN_DIRECT | URGENCY_MAX)) {
        return ERR_RANGE;
    }
    if (level < 0 || level + 1 >= (int)CHAIN_MAX || d->child[x[0]] == 0) {
        return ERR_STATE;
    }
    if (p->pending != 0) {
        upcall_enter(d, SAVE_NONE);
        return ERR_SWITCHED;
    }
    struct dispatcher *c = dispatcher_at(d->child[x[0]]);
    if (!runnable(c)) {
        return ERR_STATE;
    }
    cut(core, (uint32_t)level + 1);
    d->identity.child_from = core->charged;
    p->mask = MASK_OFF;
    d->until = ~0ull;
    sched_set_state(d, IS_BLOCKED);
    if (d->ready != 0 && d->entry != 0 && d->caller == 0) {
        call_next(d); /* calls wait: serve one first, then decide anew */
        return_to(d, REASON_CHILD);
        return ERR_SWITCHED;
    }
    c->urgency = (uint32_t)x[2];
    give(core, c, x[1]);
    return ERR_SWITCHED;
}

/* ---- choosing what runs ------------------------------------------------ */

/* When level l has to give the CPU back: all time since `charged` is the
 * chain's. */
static uint64_t level_end(const struct chain_level *l, uint64_t charged)
{
    ref_t s = dispatcher_at(l->dispatcher)->sched;
    uint64_t end = l->until;
    if (s != 0) {
        uint64_t left = OBJECT(struct sched_context, s)->remaining;
        if (left < ~0ull - charged && charged + left < end) {
            end = charged + left;
        }
    }
    return end;
}

static void expire(struct core_state *core, uint64_t now, uint64_t *until)
{
    *until = ~0ull;
    for (uint32_t i = 1; i < core->depth && i < CHAIN_MAX; i++) {
        uint64_t end = level_end(&core->chain[i], core->charged);
        if (now >= end) {
            cut(core, i);
            return_to(dispatcher_at(core->chain[i - 1].dispatcher),
                      REASON_CHILD | REASON_EXPIRED);
            return;
        }
        *until = end < *until ? end : *until;
    }
}

/* Who uses the time of d: itself, or who serves its call; 0: nobody can. */
static ref_t worker_of(ref_t ref)
{
    for (uint32_t i = 0; i <= CALLS_MAX && ref != 0; i++) {
        const struct dispatcher *d = dispatcher_at(ref);
        if (d->state == IS_READY) {
            return ref;
        }
        ref = d->callee; /* 0 unless it waits for one */
    }
    return 0;
}

/* From here on `worker` has the CPU, or nobody: idle time is not the chain's.
 */
static void turn_to(struct core_state *core, ref_t worker, uint64_t now)
{
    if (worker == 0 || core->current == 0) {
        charge(core, now);
    }
    core->current = worker;
}

ref_t sched_settle(struct core_state *core, uint64_t now, uint64_t *until)
{
    *until = ~0ull;
    for (uint32_t i = 0; i <= 2 * CHAIN_MAX && core->depth > 0; i++) {
        expire(core, now, until);
        ref_t top = core->chain[(core->depth - 1) % CHAIN_MAX].dispatcher;
        turn_to(core, worker_of(top), now);
        if (core->current != 0) {
            upcall_check(dispatcher_at(core->current));
            if (dispatcher_at(core->current)->state == IS_READY) {
                core->unsettled = 0;
                return core->current;
            }
            continue; /* it was stopped */
        }
        struct dispatcher *d = dispatcher_at(top);
        if (core->depth > 1) {
            cut(core, core->depth - 1);
            return_to(dispatcher_at(core->chain[core->depth - 1].dispatcher),
                      REASON_CHILD);
        } else if (d->state == IS_BLOCKED && now >= d->until) {
            return_to(d, REASON_TICK);
        } else {
            *until = d->state == IS_BLOCKED ? d->until : ~0ull;
            return 0;
        }
    }
    core->current = 0;
    return 0;
}
