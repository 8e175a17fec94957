/* SPDX-License-Identifier: BSL-1.0
 *
 * The decode table, and the system calls on capabilities themselves.
 */
#include "syscall.h"

struct kernel kernel;

enum abi_error op_null(uint64_t *x)
{
    (void)x;
    return ERR_OK;
}

enum abi_error op_none(uint64_t *x);
enum abi_error op_none(uint64_t *x)
{
    (void)x;
    return ERR_NOSYS;
}

enum abi_error op_cap_copy(uint64_t *x)
{
    struct place dst, src;
    enum abi_error e = cap_place(x[0], &dst);
    if (e == ERR_OK) {
        e = cap_place(x[1], &src);
    }
    if (e != ERR_OK) {
        return e;
    }
    if (x[4] & ~(uint64_t)COPY_SIBLING) {
        return ERR_RANGE;
    }
    return cap_derive(src.ref, dst.ref, dst.rank, x[2], x[3], x[4]);
}

static enum abi_error may_move(const struct slot *s, uint32_t rank)
{
    if (s->type == TYPE_NULL) {
        return ERR_EMPTY;
    }
    if (s->type == TYPE_ZOMBIE) {
        return ERR_STATE;
    }
    bool low = s->type == TYPE_CNODE &&
               ((uint32_t)s->attr >> ATTR_RANK_SHIFT & RANK_MAX) >= rank;
    return low ? ERR_RANK : ERR_OK;
}

enum abi_error op_cap_move(uint64_t *x)
{
    struct place dst, src;
    enum abi_error e = cap_place(x[0], &dst);
    if (e == ERR_OK) {
        e = cap_place(x[1], &src);
    }
    if (e != ERR_OK) {
        return e;
    }
    e = may_move(slot_at(src.ref), dst.rank);
    if (e != ERR_OK) {
        return e;
    }
    if (slot_at(dst.ref)->type != TYPE_NULL) {
        return ERR_FULL;
    }
    cap_exchange(src.ref, dst.ref);
    return ERR_OK;
}

/* The pivot goes to dst, src to where the pivot was. */
enum abi_error op_cap_rotate(uint64_t *x)
{
    struct place dst = {0}, pivot = {0}, src = {0};
    enum abi_error e = cap_place(x[0], &dst);
    if (e == ERR_OK) {
        e = cap_place(x[1], &pivot);
    }
    if (e == ERR_OK) {
        e = cap_place(x[2], &src);
    }
    if (e == ERR_OK) {
        e = may_move(slot_at(pivot.ref), dst.rank);
    }
    if (e == ERR_OK) {
        e = may_move(slot_at(src.ref), pivot.rank);
    }
    if (e != ERR_OK) {
        return e;
    }
    bool swap = dst.ref == src.ref;
    if (!swap && slot_at(dst.ref)->type != TYPE_NULL) {
        return ERR_FULL;
    }
    if (pivot.ref == src.ref) {
        return ERR_RANGE;
    }
    cap_exchange(pivot.ref, dst.ref);
    if (!swap) {
        cap_exchange(src.ref, pivot.ref);
    }
    return ERR_OK;
}

enum abi_error op_cap_delete(uint64_t *x)
{
    struct place p;
    enum abi_error e = cap_place(x[0], &p);
    if (e != ERR_OK) {
        return e;
    }
    struct slot *s = slot_at(p.ref);
    if (s->type == TYPE_NULL) {
        return ERR_EMPTY;
    }
    for (uint32_t i = 0; i < STEPS; i++) {
        if (cap_delete_step(s) || s->type == TYPE_NULL) {
            return ERR_OK;
        }
        if (arch_interrupt_pending()) {
            break;
        }
    }
    return ERR_AGAIN;
}

enum abi_error op_cap_revoke(uint64_t *x)
{
    struct place p;
    enum abi_error e = cap_place(x[0], &p);
    if (e != ERR_OK) {
        return e;
    }
    struct slot *s = slot_at(p.ref);
    if (s->type == TYPE_NULL) {
        return ERR_EMPTY;
    }
    for (uint32_t i = 0; i < STEPS; i++) {
        if (s->type == TYPE_NULL) {
            return ERR_OK; /* it lay in a CNode that died */
        }
        struct slot *next = slot_at(s->next);
        if (!cap_derives(s, next)) {
            if (s->type == TYPE_UNTYPED || s->type == TYPE_RANGE) {
                s->word = 0;
            }
            return ERR_OK;
        }
        cap_delete_step(next);
        if (arch_interrupt_pending()) {
            break;
        }
    }
    return ERR_AGAIN;
}

enum abi_error op_cap_identify(uint64_t *x)
{
    struct place p;
    enum abi_error e = cap_place(x[0], &p);
    if (e != ERR_OK) {
        return e;
    }
    const struct slot *s = slot_at(p.ref);
    if (s->type == TYPE_NULL) {
        return ERR_EMPTY;
    }
    bool number = s->type == TYPE_CPU || s->type == TYPE_IRQ;
    uint32_t unit = s->type == TYPE_RANGE ? PAGE_LOG2 : CELL_LOG2;
    uint64_t size = number ? 0 : s->order + unit;
    x[1] = s->type | (uint64_t)s->rights << 8 | size << 16 |
           (uint64_t)(s->attr & ATTR_DEPTH) << 24 |
           (s->attr & ATTR_DEVICE ? 1ull << 32 : 0);
    x[2] = number ? s->obj : (uint64_t)s->obj << unit;
    x[3] = s->type == TYPE_UNTYPED || s->type == TYPE_RANGE
               ? (uint64_t)(uint32_t)s->word << unit
               : s->word;
    return ERR_OK;
}

const syscall_handler syscalls[SYS_COUNT] = {
#define SYSCALL(nr, name) [nr] = op_##name,
#include "calls.inc"
#undef SYSCALL
};

bool syscall_dispatch(struct dispatcher *d, uint32_t nr)
{
    uint64_t *x = d->context.x;
    if (nr < SYS_COUNT) {
        enum abi_error e = syscalls[nr](x);
        if (e != ERR_AGAIN && e != ERR_SWITCHED) {
            x[0] = e;
        }
        return e != ERR_AGAIN;
    }
    if (nr == SVC_CALL) {
        call_enter(d);
    } else if (nr == SVC_REPLY) {
        call_reply(d);
    } else {
        x[0] = ERR_NOSYS;
    }
    return true;
}
