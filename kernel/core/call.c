/* SPDX-License-Identifier: BSL-1.0
 *
 * Protected calls. The caller is suspended and its CPU time flows to the
 * callee, which is free for a call when it is blocked; else the caller waits in
 * line at the endpoint. One reply each: caller and callee know each other; or,
 * when the callee saved the reply, the caller and the slot of that capability
 * do (docs/decisions/0013-reply.md).
 */
#include "list.h"
#include "syscall.h"

static void finish(struct dispatcher *d, enum abi_error error, bool with_cap)
{
    d->context.x[8] = error;
    d->context.x[9] = with_cap;
    d->callee = 0;
    sched_set_state(d, IS_READY);
}

/* The place in the CSpace of `to` where a capability goes, if it may go there.
 */
static enum abi_error receive_place(const struct dispatcher *to, uint64_t cptr,
                                    struct place *out)
{
    if (cptr == 0) {
        return ERR_FULL;
    }
    enum abi_error e = cap_place_in(domain_at(to->domain)->cnode, cptr, out);
    if (e == ERR_OK && slot_at(out->ref)->type != TYPE_NULL) {
        e = ERR_FULL;
    }
    return e;
}

static enum abi_error transfer(const struct dispatcher *from, uint64_t src,
                               const struct dispatcher *to, uint64_t dst)
{
    struct place p = {0}, q = {0};
    enum abi_error e = cap_place_in(domain_at(from->domain)->cnode, src, &p);
    if (e == ERR_OK) {
        e = receive_place(to, dst, &q);
    }
    return e == ERR_OK ? cap_derive(p.ref, q.ref, q.rank, RIGHTS_ALL, 0, 0) : e;
}

/* Can a call start on d? Not while it still owes an answer to another. */
static bool is_free(const struct dispatcher *d)
{
    return d->state == IS_BLOCKED && d->entry != 0 && d->caller == 0;
}

static void copy_message(const struct dispatcher *from, struct dispatcher *to)
{
    for (uint32_t i = 0; i < 8; i++) {
        to->context.x[i] = from->context.x[i];
    }
}

/* What the callee starts with; vectors.S does the same in registers. */
static void start_context(const struct dispatcher *from, struct dispatcher *to,
                          bool with_cap)
{
    struct saved_context *c = &to->context;
    uint64_t tpidr = c->tpidr;
    *c = (struct saved_context){0};
    copy_message(from, to);
    c->x[8] = from->badge;
    c->x[9] = with_cap;
    c->x[10] = to->lent;
    c->pc = to->entry;
    c->sp = to->sp;
    c->tpidr = tpidr;
}

/* The callee owes nothing any more; what was lent to it goes back. */
static void let_go(struct dispatcher *callee)
{
    callee->caller = 0;
    if (callee->lent != 0) {
        space_take_back(callee);
    }
}

/* The call of `from` starts on `to`, which is free. Fails without effect. */
static enum abi_error deliver(struct dispatcher *from, struct dispatcher *to)
{
    bool with_cap = (from->call_flags & CALL_CAP) != 0;
    enum abi_error e = ERR_OK;
    if (from->call_flags & CALL_LEND) {
        e = space_lend(from, to, from->call_lend);
    }
    if (e == ERR_OK && with_cap) {
        e = transfer(from, from->call_cap, to, to->receive);
    }
    if (e != ERR_OK) {
        let_go(to);
        return e;
    }
    ASSERT(to->state == IS_BLOCKED && to->caller == 0);
    start_context(from, to, with_cap);
    to->caller = from->self;
    from->callee = to->self;
    sched_set_state(from, IS_CALLING);
    sched_set_state(to, IS_READY);
    return ERR_OK;
}

static void queue(struct dispatcher *from, ref_t endpoint)
{
    struct endpoint *ep = endpoint_at(endpoint);
    from->endpoint = endpoint;
    from->callee = ep->dispatcher;
    if (ep->waiters == 0) {
        list_append(LIST_READY, &dispatcher_at(ep->dispatcher)->ready,
                    endpoint);
    }
    list_append(LIST_WAITERS, &ep->waiters, from->self);
    sched_set_state(from, IS_QUEUED);
}

static void unqueue(struct dispatcher *from)
{
    struct endpoint *ep = endpoint_at(from->endpoint);
    list_remove(LIST_WAITERS, &ep->waiters, from->self);
    if (ep->waiters == 0) {
        list_remove(LIST_READY, &dispatcher_at(ep->dispatcher)->ready,
                    from->endpoint);
    }
    from->endpoint = 0;
}

/* May d call on, in a row that `top` is in (NULL: that does not matter)? At
 * most CALLS_MAX calls are in a row: loops over one are bounded, and a loan
 * goes back from all of it. */
static bool row_has_room(const struct dispatcher *d,
                         const struct dispatcher *top)
{
    bool found = top == NULL;
    for (uint32_t i = 0; i < CALLS_MAX; i++) {
        found = found || d == top;
        if (d->caller == 0) {
            return found;
        }
        d = dispatcher_at(d->caller);
    }
    return false;
}

/* Would d, waiting for `to`, wait for itself, or be one too many in line? */
static bool deadlock(const struct dispatcher *d, ref_t to)
{
    for (uint32_t i = 0; i < CALLS_MAX && to != 0; i++) {
        if (to == d->self) {
            return true;
        }
        to = dispatcher_at(to)->callee; /* 0 unless it waits for one */
    }
    return to != 0;
}

static enum abi_error decode(struct dispatcher *d, struct slot **out)
{
    const uint64_t *x = d->context.x;
    struct place p;
    d->call_flags = x[8] & ~0xffffffffull;
    d->call_cap = x[9];
    d->call_receive = d->call_flags & CALL_RECEIVE ? x[10] : 0;
    d->call_lend = d->call_flags & CALL_LEND ? x[11] : 0;
    if (d->call_flags & ~(CALL_NOWAIT | CALL_CAP | CALL_RECEIVE | CALL_LEND)) {
        return ERR_RANGE;
    }
    enum abi_error e = cap_get((uint32_t)x[8], TYPE_ENDPOINT, RIGHT_CALL, out);
    if (e == ERR_OK && (d->call_flags & CALL_CAP)) {
        e = cap_place(d->call_cap, &p);
        if (e == ERR_OK && slot_at(p.ref)->type == TYPE_NULL) {
            e = ERR_EMPTY;
        }
    }
    if (e == ERR_OK && (d->call_flags & CALL_RECEIVE)) {
        e = receive_place(d, d->call_receive, &p);
    }
    return e;
}

static enum abi_error try_call(struct dispatcher *d)
{
    struct slot *s;
    enum abi_error e = decode(d, &s);
    if (e != ERR_OK) {
        return e;
    }
    ref_t to_ref = endpoint_at(s->obj)->dispatcher;
    if (to_ref == 0) {
        return ERR_PEER_DEAD;
    }
    struct dispatcher *to = dispatcher_at(to_ref);
    if (!row_has_room(d, NULL) || deadlock(d, to_ref)) {
        return ERR_DEADLOCK;
    }
    ASSERT(to->state != IS_DEAD); /* it left its endpoints first */
    if (to->state == IS_STOPPED || to->state == IS_UNBOUND) {
        return ERR_PEER_DEAD;
    }
    d->badge = s->word;
    if (is_free(to)) {
        return deliver(d, to);
    }
    if (d->call_flags & CALL_NOWAIT) {
        return ERR_BUSY;
    }
    queue(d, s->obj);
    return ERR_OK;
}

void call_enter(struct dispatcher *d)
{
    struct dispatcher *to = call_enter_fast(d);
    if (to != NULL) {
        start_context(d, to, false);
        return;
    }
    enum abi_error e = try_call(d);
    if (e != ERR_OK) {
        d->context.x[8] = e;
        d->context.x[9] = 0;
    }
}

void call_next(struct dispatcher *d)
{
    for (uint32_t n = 0; d->ready != 0 && is_free(d); n++) {
        if (n == STEP_CALLS) {
            upcall_post(d, REASON_TICK); /* it waits again: the rest */
            return;
        }
        ref_t ep = d->ready;
        struct dispatcher *from = dispatcher_at(endpoint_at(ep)->waiters);
        d->ready = endpoint_at(ep)->ready.next; /* endpoints take turns */
        unqueue(from);
        enum abi_error e = deliver(from, d);
        if (e != ERR_OK) {
            finish(from, e, false);
            sched_wake(from);
        }
    }
}

/* The call of `from`, which was delivered, is over. */
static void end_call(struct dispatcher *from, enum abi_error error, bool cap)
{
    const struct core_state *core = &kernel.core[0];
    finish(from, error, cap);
    if (core->depth == 0 ||
        core->chain[core->depth - 1].dispatcher != from->self) {
        sched_wake(from);
    }
}

/* ---- answers ----------------------------------------------------------- */

static void drop_reply(struct dispatcher *from)
{
    cap_unlink(slot_at(from->reply));
    from->reply = 0;
}

/* Who gets the answer that d gives with these flags? */
static enum abi_error decode_reply(const struct dispatcher *d, uint64_t flags,
                                   ref_t *to)
{
    struct slot *s;
    if (flags & ~(REPLY_CAP | REPLY_STAY | 0xffffffffull)) {
        return ERR_RANGE;
    }
    if ((uint32_t)flags == 0) {
        *to = d->caller;
        return d->caller == 0 ? ERR_NOREPLY : ERR_OK;
    }
    enum abi_error e = cap_get((uint32_t)flags, TYPE_REPLY, 0, &s);
    if (e == ERR_OK) {
        *to = s->obj;
        e = d->caller != 0 && !(flags & REPLY_STAY) ? ERR_STATE : ERR_OK;
    }
    return e;
}

static enum abi_error try_reply(const struct dispatcher *d,
                                struct dispatcher **out)
{
    const uint64_t *x = d->context.x;
    ref_t ref;
    enum abi_error e = decode_reply(d, x[8], &ref);
    if (e != ERR_OK) {
        return e;
    }
    struct dispatcher *to = dispatcher_at(ref);
    if (x[8] & REPLY_CAP) {
        e = transfer(d, x[9], to, to->call_receive);
        if (e != ERR_OK) {
            return e;
        }
    }
    copy_message(d, to);
    *out = to;
    return ERR_OK;
}

/* As op_block does, until the time that d waited for before it was called; the
 * next call is left to be looked for. */
static void wait_for_call(struct dispatcher *d)
{
    struct upcall_page *p = upcall_page(d);
    p->mask = MASK_OFF;
    if (p->pending != 0) {
        upcall_enter(d, SAVE_NONE, arch_now());
    } else {
        sched_set_state(d, IS_BLOCKED);
    }
}

void call_reply(struct dispatcher *d)
{
    uint64_t flags = d->context.x[8];
    struct dispatcher *to = call_reply_fast(d);
    if (to != NULL) {
        copy_message(d, to);
        to->context.x[8] = to->context.x[9] = 0;
        return;
    }
    enum abi_error e = try_reply(d, &to);
    if (e != ERR_OK) {
        d->context.x[8] = e;
        return;
    }
    if (to->reply != 0) {
        drop_reply(to);
    } else {
        let_go(d);
    }
    if (flags & REPLY_STAY) {
        d->context.x[8] = ERR_OK;
    } else {
        wait_for_call(d);
    }
    end_call(to, ERR_OK, (flags & REPLY_CAP) != 0);
    call_next(d);
    if (d->state == IS_READY && d->caller == 0) {
        sched_wake(d); /* it goes on without the time of `to` */
    }
}

enum abi_error op_reply_save(uint64_t *x)
{
    struct dispatcher *d = dispatcher_at(kernel.core[0].current);
    struct place p;
    enum abi_error e = cap_place(x[0], &p);
    if (e != ERR_OK) {
        return e;
    }
    struct slot *s = slot_at(p.ref);
    if (s->type != TYPE_NULL) {
        return ERR_FULL;
    }
    if (d->caller == 0) {
        return ERR_NOREPLY;
    }
    struct dispatcher *from = dispatcher_at(d->caller);
    s->obj = d->caller;
    s->type = TYPE_REPLY;
    s->order = DISPATCHER_LOG2 - CELL_LOG2;
    cap_insert(kernel.head, p.ref);
    from->callee = 0;
    from->reply = p.ref;
    let_go(d);
    sched_unsettle(); /* who served the end of the chain no longer does */
    sched_wake(d);    /* it goes on without the time of `from` */
    return ERR_OK;
}

/* ---- calls that end without an answer ---------------------------------- */

void call_abort(struct dispatcher *d, enum abi_error error)
{
    if (d->state == IS_QUEUED) {
        unqueue(d);
        end_call(d, error, false);
    } else if (d->reply != 0) {
        drop_reply(d);
        end_call(d, error, false);
    } else if (d->state == IS_CALLING) {
        struct dispatcher *callee = dispatcher_at(d->callee);
        let_go(callee);
        end_call(d, error, false);
        call_next(callee); /* if it slept while it owed an answer: it is free */
        callee = sched_tell_callers(callee);
        if (callee->state == IS_READY) {
            sched_wake(callee); /* it goes on without the time of d */
        }
    }
}

void call_drop(struct dispatcher *callee)
{
    if (callee->caller != 0) {
        struct dispatcher *d = dispatcher_at(callee->caller);
        let_go(callee);
        end_call(d, ERR_PEER_DEAD, false);
    }
}

void call_forget(const struct slot *s)
{
    struct dispatcher *d = dispatcher_at(s->obj);
    d->reply = 0;
    end_call(d, ERR_PEER_DEAD, false);
}

/* ---- the common case ---------------------------------------------------
 *
 * Nothing changes of what sched_settle looks at: the chain stays, and its last
 * level is served by the callee, then by the caller again. Their states are
 * told to their schedulers only when the chain is cut (sched_tell_callers); so
 * the callee must come back as its scheduler believes it to be. */

static struct dispatcher *free_callee(struct dispatcher *d)
{
    uint32_t cptr = (uint32_t)d->context.x[8]; /* in the own CNode */
    if (cptr >= d->slots) {
        return NULL;
    }
    const struct slot *s = slot_at(d->cnode + cptr);
    if (s->type != TYPE_ENDPOINT || !(s->rights & RIGHT_CALL)) {
        return NULL;
    }
    ref_t ref = endpoint_at(s->obj)->dispatcher;
    struct dispatcher *to = dispatcher_at(ref);
    if (ref == 0 || !is_free(to)) {
        return NULL;
    }
    d->badge = s->word;
    return to;
}

static struct dispatcher *start_fast(struct dispatcher *d,
                                     struct dispatcher *to, uint64_t flags)
{
    d->call_flags = flags;
    d->call_receive = 0;
    d->callee = to->self;
    d->state = IS_CALLING;
    to->caller = d->self;
    to->state = IS_READY;
    kernel.core[0].current = to->self;
    return to;
}

/* A flag, or a callee that may look at what it schedules. Apart, so that the
 * other calls need no stack. */
static __attribute__((noinline)) struct dispatcher *start_special(
    struct dispatcher *d, struct dispatcher *to, uint64_t flags)
{
    if ((flags & CALL_LEND) && space_lend(d, to, d->context.x[11]) != ERR_OK) {
        return NULL;
    }
    (void)start_fast(d, to, flags);
    if (to->children != 0) {
        (void)sched_tell_callers(sched_top(&kernel.core[0]));
    }
    return to;
}

struct dispatcher *call_enter_fast(struct dispatcher *d)
{
    uint64_t flags = d->context.x[8] & ~0xffffffffull;
    /* Nobody waits for who is free. Who has the time of somebody in line may be
     * further than time travels. */
    if ((flags & ~(CALL_LEND | CALL_NOWAIT)) != 0 ||
        !row_has_room(d, sched_top(&kernel.core[0]))) {
        return NULL;
    }
    struct dispatcher *to = free_callee(d);
    if (to == NULL) {
        return NULL;
    }
    return flags != 0 || to->children != 0 ? start_special(d, to, flags)
                                           : start_fast(d, to, 0);
}

static struct dispatcher *end_fast(struct dispatcher *d, struct dispatcher *to)
{
    upcall_page(d)->mask = MASK_OFF;
    d->caller = 0;
    d->state = IS_BLOCKED;
    to->callee = 0;
    to->state = IS_READY;
    kernel.core[0].current = to->self;
    return to;
}

static __attribute__((noinline)) struct dispatcher *end_loan(
    struct dispatcher *d, struct dispatcher *to)
{
    space_take_back(d);
    return end_fast(d, to);
}

struct dispatcher *call_reply_fast(struct dispatcher *d)
{
    struct dispatcher *to = dispatcher_at(d->caller);
    if (d->caller == 0 || d->context.x[8] != 0 || d->ready != 0 ||
        d->told != IS_BLOCKED || upcall_page(d)->pending != 0 ||
        upcall_page(to)->pending != 0) {
        return NULL;
    }
    /* Who has time of its own was told so: d has that of `to`. */
    return d->lent != 0 ? end_loan(d, to) : end_fast(d, to);
}
