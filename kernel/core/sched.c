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

/* Write the state of d where its scheduler sees it. */
static void tell(struct dispatcher *d)
{
    static const uint8_t seen[] = {
        [IS_UNBOUND] = CHILD_STOPPED, [IS_STOPPED] = CHILD_STOPPED,
        [IS_READY] = CHILD_READY,     [IS_BLOCKED] = CHILD_BLOCKED,
        [IS_QUEUED] = CHILD_CALLING,  [IS_CALLING] = CHILD_CALLING,
        [IS_DEAD] = CHILD_DEAD,       CHILD_DEAD, /* eight, for the mask */
    };
    uint32_t i = d->index < CHILDREN_MAX ? d->index : 0;
    d->told = d->state;
    if (d->parent == 0) {
        return;
    }
    struct dispatcher *p = dispatcher_at(d->parent);
    p->identity.child[i].state = seen[d->state % 8u];
    p->identity.child[i].until = d->until;
    upcall_page(p)->child_changed[i / 64] |= 1ull << i % 64;
}

/* Calls are not told of: what d came to be by one. */
static inline void tell_news(struct dispatcher *d)
{
    if (d->told != d->state) {
        tell(d);
    }
}

/* Is there something to tell, of d or of those that it calls? */
static inline bool is_news(const struct dispatcher *d)
{
    return d->callee != 0 || d->told != d->state;
}

void sched_set_state(struct dispatcher *d, enum dispatcher_state state)
{
    sched_unsettle();
    d->state = (uint16_t)state;
    tell(d);
}

struct dispatcher *sched_tell_callers(struct dispatcher *d)
{
    for (uint32_t i = 0; i < CALLS_MAX && d->callee != 0; i++) {
        tell_news(d);
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

/* From here to sched_rouse all is unsettled when it begins. Who has the CPU is
 * told of when it loses it; but call_reply_fast has to know of one that owes an
 * answer that it has time of its own. */
static void rouse(struct dispatcher *d)
{
    d->state = IS_READY;
    upcall_enter(d, SAVE_NONE, core_of(d)->charged);
    if (d->caller != 0) {
        tell(d);
    }
}

/* The scheduler p, if it waits in run(), goes on with an upcall. What it ran
 * has the CPU no more, and is charged. */
static void return_to(struct dispatcher *p, uint32_t reasons)
{
    p->identity.child_to = core_of(p)->charged;
    upcall_page(p)->pending |= reasons;
    if (p->state == IS_BLOCKED) {
        rouse(p);
    }
}

void sched_account(struct core_state *core, uint64_t now)
{
    uint64_t delta = now - core->charged;
    uint32_t depth = core->depth;
    core->charged = now;
    core->unsettled = 1;
    if (core->current == 0) {
        core->idle += delta;
        return;
    }
    for (uint32_t i = 0; i < depth && i < CHAIN_MAX; i++) {
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

/* The schedulers in the chain between its levels `depth` and `top` have lost
 * the CPU. */
static __attribute__((noinline)) void cut_between(const struct core_state *core,
                                                  uint32_t depth, uint32_t top)
{
    for (uint32_t i = depth; i < top && i < CHAIN_MAX; i++) {
        struct dispatcher *p = dispatcher_at(core->chain[i].dispatcher);
        return_to(p, REASON_CHILD);
        tell_news(p);
    }
}

/* Cut the chain to `depth` levels; those who lose the CPU by it are told of. */
static inline void cut(struct core_state *core, uint32_t depth)
{
    uint32_t top = core->depth - 1;
    ASSERT(depth < core->depth && core->depth <= CHAIN_MAX);
    struct dispatcher *d = sched_top(core);
    core->depth = depth;
    if (depth < top) {
        cut_between(core, depth, top);
    }
    tell_news(d->callee == 0 ? d : sched_tell_callers(d));
}

/* The same, and the last level of what is left has the CPU back. */
static void give_back(struct core_state *core, uint32_t depth, uint32_t reasons)
{
    cut(core, depth);
    if (depth > 0) {
        return_to(sched_top(core), reasons);
    }
}

void sched_rouse(struct dispatcher *d)
{
    sched_unsettle();
    rouse(d);
}

void sched_take_back(struct dispatcher *d)
{
    struct core_state *core = core_of(d);
    int level = level_of(core, d->self);
    if (level >= 0) {
        sched_unsettle();
        give_back(core, (uint32_t)level, REASON_CHILD);
    }
}

static inline uint32_t urgency_of(uint32_t word)
{
    return word & URGENCY_MAX;
}

/* d gets the CPU from its scheduler, which is the last level of the chain. */
static void give(struct core_state *core, const struct dispatcher *d,
                 uint64_t until, uint32_t displaced)
{
    core->chain[core->depth++] =
        (struct chain_level){d->self, (uint16_t)d->urgency, (uint16_t)displaced,
                             until};
}

/* d takes the CPU from who is at this level of the chain: until then. */
static inline void displace(struct core_state *core, const struct dispatcher *d,
                            uint32_t level)
{
    const struct chain_level *l = &core->chain[level];
    core->depth = level;
    give(core, d, l->until, dispatcher_at(l->dispatcher)->index);
}

static __attribute__((noinline)) void cut_and_displace(
    struct core_state *core, const struct dispatcher *d, uint32_t level)
{
    struct chain_level l = core->chain[level];
    cut(core, level);
    core->chain[level] = l;
    displace(core, d, level);
}

/* If its scheduler lets d take the CPU from whom it runs, or from nobody: give
 * it to d, until the scheduler would have had it back, which is told nothing:
 * as long as d runs it does not look, and then d may be as it was. */
static inline bool enter_directly(struct core_state *core,
                                  const struct dispatcher *d)
{
    if (!(d->urgency & RUN_DIRECT) || d->parent == 0) {
        return false;
    }
    const struct dispatcher *p = dispatcher_at(d->parent);
    uint32_t at = (uint32_t)level_of(core, p->self); /* much: in no chain */
    if (at >= CHAIN_MAX - 1 || p->state != IS_BLOCKED) {
        return false;
    }
    const struct chain_level *l = &core->chain[at + 1];
    if (at + 1 >= core->depth) {
        give(core, d, p->until, NO_CHILD);
    } else if (!(l->urgency & RUN_DIRECT) || d->urgency <= l->urgency) {
        return false;
    } else if (at + 2 < core->depth || is_news(dispatcher_at(l->dispatcher))) {
        cut_and_displace(core, d, at + 1);
    } else {
        displace(core, d, at + 1);
    }
    return true;
}

/* d waits, and nobody works for the last level of the chain. If that is d, whom
 * it displaced goes on, unless there is other news for their scheduler p: no
 * longer than it was to run, or than d waits. */
static inline void give_up(struct core_state *core, const struct dispatcher *d)
{
    ASSERT(core->depth > 1 && core->depth <= CHAIN_MAX);
    const struct chain_level l = *sched_last(core);
    struct dispatcher *p = dispatcher_at(d->parent);
    if (l.dispatcher != d->self) {
        give_back(core, core->depth - 1, REASON_CHILD);
        return;
    }
    core->depth--; /* nothing is to be told of d */
    if (l.displaced < CHILDREN_MAX && upcall_page(p)->pending == 0) {
        ref_t other = p->child[l.displaced];
        ASSERT(other != 0); /* its end wakes p */
        give(core, dispatcher_at(other),
             d->until < l.until ? d->until : l.until, NO_CHILD);
    } else {
        return_to(p, REASON_CHILD);
    }
}

/* The scheduler p of d, which can run, learns of it. Returns p if it waited
 * without a child, and can run by that, too. */
static inline struct dispatcher *wake_scheduler(struct core_state *core,
                                                struct dispatcher *d)
{
    struct dispatcher *p = d->parent != 0 ? dispatcher_at(d->parent) : d;
    uint32_t next = (uint32_t)level_of(core, p->self) + 1; /* 0: in no chain */
    ASSERT(next < CHAIN_MAX); /* it has children, or is the first of all */
    const struct chain_level *l = &core->chain[next];
    bool runs = next != 0 && next < core->depth;
    tell_news(d);
    if (p != d && runs && l->dispatcher == d->self) {
        runs = ++next < core->depth; /* it has its own time back */
        p = d;
    } else if (p != d) {
        upcall_page(p)->pending |= REASON_CHILD;
        if (p->state != IS_BLOCKED ||
            (runs && urgency_of(d->urgency) <= urgency_of(l->urgency))) {
            return NULL; /* it looks when it gets the CPU next */
        }
    }
    if (runs) {
        cut(core, next);
        return_to(p, REASON_CHILD);
    } else if (p != d) {
        rouse(p);
        return p;
    }
    return NULL;
}

static __attribute__((noinline)) void wake_schedulers(struct core_state *core,
                                                      struct dispatcher *d)
{
    uint32_t n = 0;
    do {
        d = wake_scheduler(core, d);
    } while (d != NULL && ++n < CHAIN_MAX && !enter_directly(core, d));
}

void sched_wake(struct dispatcher *d)
{
    struct core_state *core = core_of(d);
    if (!enter_directly(core, d)) {
        wake_schedulers(core, d);
    }
}

void sched_report(struct dispatcher *d)
{
    sched_take_back(d);
    if (d->parent != 0) {
        upcall_post(dispatcher_at(d->parent), REASON_CHILD);
    }
}

/* ---- giving the CPU ---------------------------------------------------- */

static bool runnable(struct dispatcher *c)
{
    if (c->state == IS_BLOCKED && arch_now() >= c->until) {
        upcall_page(c)->pending |= REASON_TICK;
        sched_rouse(c);
    }
    return c->state == IS_READY || c->callee != 0;
}

/* d waits. It is told of if that is news: it may have had the CPU directly. */
static inline void wait_until(struct dispatcher *d, uint64_t until)
{
    bool news = d->told != IS_BLOCKED || d->until != until;
    sched_unsettle();
    upcall_page(d)->mask = MASK_OFF;
    d->until = until;
    d->state = IS_BLOCKED;
    if (news) {
        tell(d);
    }
}

enum abi_error op_block(uint64_t *x)
{
    struct core_state *core = &kernel.core[0];
    struct dispatcher *d = dispatcher_at(core->current);
    struct upcall_page *p = upcall_page(d);
    if (p->pending != 0) {
        upcall_enter(d, SAVE_NONE, arch_now());
        return ERR_SWITCHED;
    }
    wait_until(d, x[0]);
    if (d->ready != 0) {
        call_next(d);
    } else if (core->depth > 1) {
        give_up(core, d);
    }
    return ERR_SWITCHED;
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
        upcall_enter(d, SAVE_NONE, arch_now());
        return ERR_SWITCHED;
    }
    struct dispatcher *c = dispatcher_at(d->child[x[0]]);
    if (!runnable(c)) {
        return ERR_STATE;
    }
    wait_until(d, ~0ull);
    d->identity.child_from = core->charged;
    if (level + 1 < (int)core->depth) {
        cut(core, (uint32_t)level + 1);
    }
    if (d->ready != 0 && d->entry != 0 && d->caller == 0) {
        call_next(d); /* calls wait: serve one first, then decide anew */
        tell_news(c);
        return_to(d, REASON_CHILD);
        return ERR_SWITCHED;
    }
    c->urgency = (uint32_t)x[2];
    give(core, c, x[1], NO_CHILD);
    return ERR_SWITCHED;
}

/* ---- choosing what runs ------------------------------------------------ */

/* Until when level l may have the CPU: all time since `charged` is the chain's.
 */
static inline uint64_t end_of_time(const struct chain_level *l,
                                   uint64_t charged)
{
    ref_t s = dispatcher_at(l->dispatcher)->sched;
    uint64_t end = l->until;
    if (s != 0) {
        uint64_t left = OBJECT(struct sched_context, s)->remaining;
        uint64_t then = left > ~charged ? ~0ull : charged + left;
        end = then < end ? then : end;
    }
    return end;
}

/* Until when who runs may; what is over, if somebody's time in the chain is. */
static uint64_t first_end(const struct core_state *core)
{
    uint64_t first = ~0ull;
    for (uint32_t i = 1; i < core->depth && i < CHAIN_MAX; i++) {
        uint64_t its = end_of_time(&core->chain[i], core->charged);
        first = its < first ? its : first;
    }
    return first;
}

/* Who uses the time of d: itself, or who serves its call; NULL: nobody can. */
static struct dispatcher *worker_of(struct dispatcher *d)
{
    for (uint32_t i = 0; i < CALLS_MAX && d->state != IS_READY; i++) {
        if (d->callee == 0) { /* it waits for none */
            return NULL;
        }
        d = dispatcher_at(d->callee);
    }
    return d->state == IS_READY ? d : NULL;
}

/* Who runs, if nothing has to be done before; else NULL. */
static inline struct dispatcher *settled(struct core_state *core,
                                         uint64_t *until)
{
    uint64_t end = first_end(core);
    struct dispatcher *d = worker_of(sched_top(core));
    if (end <= core->charged || d == NULL || upcall_due(d)) {
        return NULL;
    }
    *until = end;
    core->current = d->self;
    core->unsettled = 0;
    return d;
}

/* One of the things that have to be done; false: there is none, but nobody can
 * run. The first in the chain whose time is over does not keep it. */
static bool settle_step(struct core_state *core)
{
    for (uint32_t i = 1; i < core->depth && i < CHAIN_MAX; i++) {
        if (end_of_time(&core->chain[i], core->charged) <= core->charged) {
            give_back(core, i, REASON_CHILD | REASON_EXPIRED);
            return true;
        }
    }
    struct dispatcher *top = sched_top(core), *d = worker_of(top);
    if (d != NULL) {
        core->current = d->self;
        upcall_deliver(d); /* or it is stopped */
    } else if (core->depth > 1) {
        give_back(core, core->depth - 1, REASON_CHILD);
    } else if (top->state == IS_BLOCKED && core->charged >= top->until) {
        return_to(top, REASON_TICK);
    } else {
        return false;
    }
    return true;
}

static __attribute__((noinline)) struct dispatcher *settle(
    struct core_state *core, uint64_t *until)
{
    bool again = core->depth > 0;
    for (uint32_t i = 0; again && i <= 2 * CHAIN_MAX; i++) {
        again = settle_step(core) && core->depth > 0;
        struct dispatcher *d = again ? settled(core, until) : NULL;
        if (d != NULL) {
            return d;
        }
    }
    const struct dispatcher *top = sched_top(core);
    *until = top->state == IS_BLOCKED ? top->until : ~0ull;
    core->unsettled = 0;
    core->current = 0;
    return NULL;
}

struct dispatcher *sched_settle(struct core_state *core, uint64_t *until)
{
    struct dispatcher *d = core->depth > 0 ? settled(core, until) : NULL;
    return d != NULL ? d : settle(core, until); /* which needs a stack */
}
