/* SPDX-License-Identifier: BSL-1.0
 *
 * System calls on dispatchers: who schedules them, start, stop, inspection.
 */
#include "syscall.h"

/* How many schedulers are above d; CHAIN_MAX if `other` is one of them. */
static uint32_t ancestors(const struct dispatcher *d, ref_t other)
{
    uint32_t n = 0;
    while (n < CHAIN_MAX && d->self != other && d->parent != 0) {
        d = dispatcher_at(d->parent);
        n++;
    }
    return d->self == other ? CHAIN_MAX : n;
}

enum abi_error op_dispatcher_set_parent(uint64_t *x)
{
    ref_t child, parent;
    enum abi_error e = cap_object(x[0], TYPE_DISPATCHER, RIGHT_MANAGE, &child);
    if (e == ERR_OK) {
        e = cap_object(x[1], TYPE_DISPATCHER, RIGHT_MANAGE, &parent);
    }
    if (e != ERR_OK) {
        return e;
    }
    struct dispatcher *c = dispatcher_at(child), *p = dispatcher_at(parent);
    if (x[2] >= CHILDREN_MAX) {
        return ERR_RANGE;
    }
    if (c->parent != 0 || p->child[x[2]] != 0) {
        return ERR_BUSY;
    }
    if (child == kernel.core[0].chain[0].dispatcher) {
        return ERR_STATE;
    }
    if (ancestors(p, child) + 1 >= CHAIN_MAX) {
        return ERR_DEADLOCK;
    }
    p->child[x[2]] = child;
    p->children++;
    c->parent = parent;
    c->index = (uint32_t)x[2];
    c->urgency = 0; /* another scheduler's word */
    sched_set_state(c, c->state);
    return ERR_OK;
}

enum abi_error op_dispatcher_start(uint64_t *x)
{
    ref_t ref;
    enum abi_error e = cap_object(x[0], TYPE_DISPATCHER, RIGHT_MANAGE, &ref);
    if (e != ERR_OK) {
        return e;
    }
    struct dispatcher *d = dispatcher_at(ref);
    if (d->state != IS_STOPPED || d->domain == 0) {
        return ERR_STATE;
    }
    if (x[1] >= USER_VA_END || x[2] > USER_VA_END) {
        return ERR_RANGE;
    }
    call_drop(d); /* a call to its former life */
    d->context = (struct saved_context){.pc = x[1], .sp = x[2]};
    d->context.x[0] = x[3];
    upcall_page(d)->mask = MASK_ON;
    d->cntv_ctl = 0;
    d->until = ~0ull; /* it may wait behind an answer before it blocks */
    sched_set_state(d, IS_READY);
    sched_wake(d);
    return ERR_OK;
}

enum abi_error op_dispatcher_stop(uint64_t *x)
{
    ref_t ref;
    enum abi_error e = cap_object(x[0], TYPE_DISPATCHER, RIGHT_MANAGE, &ref);
    if (e != ERR_OK) {
        return e;
    }
    struct dispatcher *d = dispatcher_at(ref);
    if (d->state == IS_UNBOUND || d->state == IS_STOPPED) {
        return ERR_STATE;
    }
    call_abort(d, ERR_TIMEOUT);
    call_drop(d);
    sched_take_back(d);
    sched_set_state(d, IS_STOPPED);
    return ERR_OK;
}

/* Word i of what there is to inspect, as in abi.toml; 0 behind its end. */
static uint64_t word_of(const struct dispatcher *d, uint64_t i)
{
    const struct saved_context *c = &d->context;
    const uint64_t others[] = {c->sp, c->pc, c->nzcv, c->tpidr, d->esr, d->far};
    if (i < 31) {
        return c->x[i];
    }
    return i - 31 < sizeof(others) / sizeof(others[0]) ? others[i - 31] : 0;
}

enum abi_error op_dispatcher_inspect(uint64_t *x)
{
    ref_t ref;
    enum abi_error e = cap_object(x[0], TYPE_DISPATCHER, RIGHT_MANAGE, &ref);
    if (e != ERR_OK) {
        return e;
    }
    if (x[1] > 36) {
        return ERR_RANGE;
    }
    const struct dispatcher *d = dispatcher_at(ref);
    uint64_t from = x[1];
    for (uint64_t i = 0; i < 4; i++) {
        x[1 + i] = word_of(d, from + i);
    }
    return ERR_OK;
}

enum abi_error op_dispatcher_cancel(uint64_t *x)
{
    ref_t ref;
    enum abi_error e = cap_object(x[0], TYPE_DISPATCHER, RIGHT_MANAGE, &ref);
    if (e != ERR_OK) {
        return e;
    }
    struct dispatcher *d = dispatcher_at(ref);
    if (d->state != IS_CALLING && d->state != IS_QUEUED) {
        return ERR_STATE;
    }
    call_abort(d, ERR_TIMEOUT);
    return ERR_OK;
}

enum abi_error op_call_accept(uint64_t *x)
{
    struct dispatcher *d = dispatcher_at(kernel.core[0].current);
    struct place p;
    if (x[0] >= USER_VA_END || x[1] > USER_VA_END) {
        return ERR_RANGE;
    }
    if (x[1] % 16 != 0) {
        return ERR_ALIGN;
    }
    if (x[2] != 0 && cap_place(x[2], &p) != ERR_OK) {
        return ERR_SLOT;
    }
    d->entry = x[0];
    d->sp = x[1];
    d->receive = x[2];
    return ERR_OK;
}
