/* SPDX-License-Identifier: BSL-1.0
 *
 * Retype: objects from untyped memory, ranges from ranges. The watermark only
 * rises; it is reset when nothing derived from the capability is left. Memory
 * is zeroed in steps; from where (spare) and how far (beside the watermark) is
 * kept in cells, since the object begun may be given up for another one.
 */
#include "core.h"
#include "syscall.h"

struct retype {
    struct slot *source;
    ref_t source_ref;
    struct place dst;
    uint32_t type, order, rank;
    uint32_t count;
    uint64_t at; /* first unit used, relative to the source */
    uint64_t watermark, cleaned;
};

static enum abi_error fixed_size(uint32_t type, uint64_t log2, bool device)
{
    if (device && type != TYPE_UNTYPED && type != TYPE_FRAME) {
        return ERR_DEVICE;
    }
    switch (type) {
    case TYPE_UNTYPED:
        return log2 >= PAGE_LOG2 && log2 <= 30 ? ERR_OK : ERR_RANGE;
    case TYPE_CNODE:
        return log2 >= 7 && log2 <= 24 ? ERR_OK : ERR_RANGE;
    case TYPE_FRAME:
        return log2 == PAGE_LOG2 || log2 == BIG_FRAME_LOG2 ||
                       log2 == HUGE_FRAME_LOG2
                   ? ERR_OK
                   : ERR_RANGE;
    case TYPE_DOMAIN:
        return log2 >= DOMAIN_LOG2_MIN && log2 <= DOMAIN_LOG2_MAX ? ERR_OK
                                                                  : ERR_RANGE;
    case TYPE_DISPATCHER:
        return log2 == DISPATCHER_LOG2 ? ERR_OK : ERR_RANGE;
    case TYPE_ENDPOINT:
        return log2 == ENDPOINT_LOG2 ? ERR_OK : ERR_RANGE;
    case TYPE_SCHED_CONTEXT:
        return log2 == SCHED_CONTEXT_LOG2 ? ERR_OK : ERR_RANGE;
    default:
        return ERR_TYPE;
    }
}

static enum abi_error decode_source(const uint64_t *x, struct retype *r)
{
    struct place p;
    enum abi_error e = cap_place(x[0], &p);
    if (e != ERR_OK) {
        return e;
    }
    struct slot *s = slot_at(p.ref);
    if (s->type != TYPE_UNTYPED && s->type != TYPE_RANGE) {
        return s->type == TYPE_NULL ? ERR_EMPTY : ERR_TYPE;
    }
    if (!(s->rights & RIGHT_MANAGE)) {
        return ERR_RIGHTS;
    }
    r->source = s;
    r->source_ref = p.ref;
    return ERR_OK;
}

static enum abi_error decode_sizes(const uint64_t *x, struct retype *r)
{
    bool range = r->source->type == TYPE_RANGE;
    uint32_t unit = range ? PAGE_LOG2 : CELL_LOG2;
    if (x[2] >= TYPE_COUNT || (range != (x[2] == TYPE_RANGE))) {
        return ERR_TYPE;
    }
    r->type = (uint32_t)x[2];
    if (x[3] < unit || x[3] > USER_VA_LOG2 || x[4] < 1 || x[4] > 256) {
        return ERR_RANGE;
    }
    enum abi_error e =
        range ? (x[3] >= STRETCH_LOG2 ? ERR_OK : ERR_RANGE)
              : fixed_size(r->type, x[3], r->source->attr & ATTR_DEVICE);
    if (e != ERR_OK) {
        return e;
    }
    if (r->type == TYPE_CNODE && x[6] >= RANK_MAX) {
        return ERR_RANK;
    }
    r->rank = r->type == TYPE_CNODE ? (uint32_t)x[6] : 0;
    r->order = (uint32_t)x[3] - unit;
    r->count = (uint32_t)x[4];
    if ((x[5] & ((1ull << x[3]) - 1)) != 0) {
        return ERR_ALIGN;
    }
    r->at = x[5] >> unit;
    return ERR_OK;
}

/* The destination slots: consecutive, empty, and of a high enough rank. */
static enum abi_error decode_target(const uint64_t *x, struct retype *r)
{
    enum abi_error e = cap_place(x[1], &r->dst);
    if (e != ERR_OK) {
        return e;
    }
    uint32_t n = r->count < r->dst.left ? r->count : r->dst.left;
    for (uint32_t i = 0; i < n; i++) {
        if (slot_at(r->dst.ref + i)->type != TYPE_NULL) {
            return ERR_FULL;
        }
    }
    if (n < r->count) {
        return ERR_SLOT;
    }
    return r->type == TYPE_CNODE && r->rank >= r->dst.rank ? ERR_RANK : ERR_OK;
}

static enum abi_error find_room(struct retype *r)
{
    const struct slot *s = r->source;
    uint64_t size = 1ull << r->order, end = 1ull << (s->order & 63u);
    r->watermark = (uint32_t)s->word;
    r->cleaned = s->word >> 32;
    if (r->watermark != 0 && !cap_derives(s, slot_at(s->next))) {
        r->watermark = r->cleaned = 0; /* childless: all is free, and dirty */
    }
    uint64_t low = (r->watermark + size - 1) & ~(size - 1);
    if (r->at == 0) {
        r->at = low;
    } else if (r->at < low) {
        return ERR_RANGE;
    }
    if (r->at > end || size * r->count > end - r->at) {
        return ERR_NOMEM;
    }
    return ERR_OK;
}

/* Zero the next object's memory, a bounded piece of it; true when it is clean.
 */
static bool clean(struct retype *r)
{
    uint64_t end = r->at + (1ull << r->order);
    bool skip = r->source->type == TYPE_RANGE || r->type == TYPE_UNTYPED ||
                (r->source->attr & ATTR_DEVICE);
    if (skip) {
        return true;
    }
    if (r->at < r->source->spare || r->at > r->cleaned) {
        r->source->spare = (uint32_t)r->at; /* what lies before is not clean */
        r->cleaned = r->at;
    }
    uint64_t from = r->cleaned;
    uint64_t step = STEP_BYTES >> CELL_LOG2;
    uint64_t n = from < end ? end - from : 0;
    n = n < step ? n : step;
    if (n != 0) {
        arch_zero(r->source->obj + (ref_t)from, n << CELL_LOG2);
        r->cleaned = from + n;
    }
    r->source->word = r->watermark | r->cleaned << 32;
    return r->cleaned >= end;
}

static void make_one(struct retype *r)
{
    struct slot *s = r->source, *d = slot_at(r->dst.ref);
    uint8_t device = s->attr & ATTR_DEVICE;
    ASSERT(d->type == TYPE_NULL);
    *d = (struct slot){
        .obj = s->obj + (uint32_t)r->at,
        .type = (uint8_t)r->type,
        .attr = (uint8_t)(device | r->rank << ATTR_RANK_SHIFT),
        .rights = RIGHTS_ALL,
        .order = (uint8_t)r->order,
    };
    r->at += 1ull << r->order;
    r->watermark = r->at;
    s->word = r->watermark | r->cleaned << 32;
    if (r->type != TYPE_FRAME) { /* which is nothing but its memory */
        object_create(d, r->rank);
    }
    cap_insert(r->source_ref, r->dst.ref);
    r->dst.ref++;
}

enum abi_error op_untyped_retype(uint64_t *x)
{
    struct retype r = {0};
    enum abi_error e = decode_source(x, &r);
    if (e == ERR_OK) {
        e = decode_sizes(x, &r);
    }
    if (e == ERR_OK) {
        e = decode_target(x, &r);
    }
    if (e == ERR_OK) {
        e = find_room(&r);
    }
    if (e != ERR_OK) {
        return e;
    }
    uint32_t made = 0;
    do {
        if (clean(&r)) {
            make_one(&r);
            if (++made == r.count) {
                return ERR_OK;
            }
        }
    } while (!arch_interrupt_pending());
    /* Restarting goes on with what is left. */
    x[1] = CPTR_NEXT(x[1], made);
    x[4] -= made;
    x[5] = made == 0 ? x[5] : 0;
    return ERR_AGAIN;
}
