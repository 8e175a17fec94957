/* SPDX-License-Identifier: BSL-1.0
 *
 * Capability slots: look-up, derivation, deletion. All derivation facts are
 * read from a slot and its neighbour in the list, which is in preorder; see
 * docs/decisions/0002-references.md for the rules of depth and fence.
 */
#include "core.h"

static uint32_t depth_of(const struct slot *s)
{
    return s->attr & ATTR_DEPTH;
}

/* Events live and die with their dispatcher. */
static uint32_t class_of(const struct slot *s)
{
    uint32_t type = s->type == TYPE_ZOMBIE ? s->aux : s->type;
    return type == TYPE_EVENT ? TYPE_DISPATCHER : type;
}

/* Zombies of one number do not come in pairs: only the last becomes one. */
static inline bool same_object(const struct slot *a, const struct slot *b)
{
    return a->obj == b->obj &&
           (a->type == b->type || class_of(a) == class_of(b));
}

/* Not so are objects that have a number or a virtual address instead; and the
 * memory of a caller has no hold of the reply to it. */
static bool in_memory(const struct slot *s)
{
    uint32_t c = class_of(s);
    return c != TYPE_RANGE && c != TYPE_CPU && c != TYPE_IRQ &&
           c != TYPE_REPLY && c != TYPE_NULL;
}

/* Is b, the successor of a in the list, derived from a? */
bool cap_derives(const struct slot *a, const struct slot *b)
{
    if (b->type == TYPE_NULL) {
        return false;
    }
    if (a->type == TYPE_UNTYPED || is_huge_frame(a)) {
        return in_memory(b) && ((a->obj ^ b->obj) >> (a->order & 31u)) == 0;
    }
    if (a->type == TYPE_RANGE) {
        return b->type == TYPE_RANGE &&
               ((a->obj ^ b->obj) >> (a->order & 31u)) == 0;
    }
    return same_object(a, b) && depth_of(b) > depth_of(a) &&
           (depth_of(a) == 0 || !(b->attr & ATTR_FENCE));
}

inline void cap_insert(ref_t after, ref_t slot)
{
    struct slot *p = slot_at(after), *s = slot_at(slot);
    ref_t n = p->next;
    ASSERT(s->next == 0 && slot_at(n)->prev == after);
    s->next = n;
    s->prev = after;
    p->next = slot;
    slot_at(n)->prev = slot;
}

static void insert_before(ref_t before, ref_t slot)
{
    cap_insert(slot_at(before)->prev, slot);
}

void cap_unlink(struct slot *s)
{
    struct slot *n = slot_at(s->next), *p = slot_at(s->prev);
    ASSERT(slot_at(n->prev) == s && slot_at(p->next) == s);
    /* Orphans of s must not be adopted by an elder sibling of s. */
    if (depth_of(n) == 2 && same_object(s, n) &&
        (depth_of(s) == 1 || (s->attr & ATTR_FENCE))) {
        n->attr |= ATTR_FENCE;
    }
    p->next = s->next;
    n->prev = s->prev;
    *s = (struct slot){0};
}

/* The slot's content came from another one: those that knew it there, its
 * neighbours in the list (and one of them may be the other), learn of it. */
static inline void settle(ref_t at, ref_t from)
{
    struct slot *s = slot_at(at);
    if (s->type == TYPE_NULL) {
        return;
    }
    s->next = s->next == at ? from : s->next;
    s->prev = s->prev == at ? from : s->prev;
    slot_at(s->next)->prev = at;
    slot_at(s->prev)->next = at;
    if (s->type == TYPE_REPLY) {
        dispatcher_at(s->obj)->reply = at;
    }
}

void cap_exchange(ref_t a, ref_t b)
{
    struct slot p = *slot_at(a), q = *slot_at(b); /* they may be one */
    *slot_at(a) = q;
    *slot_at(b) = p;
    settle(a, b);
    settle(b, a);
}

bool cap_final(const struct slot *s)
{
    return !same_object(slot_at(s->next), s) &&
           !same_object(slot_at(s->prev), s);
}

/* ---- look-up: one bounds check and one load a level, two levels -------- */

static const struct dispatcher *who_asks(void)
{
    return dispatcher_at(kernel.core[0].current);
}

/* Most CSpaces are of one level. */
inline enum abi_error cap_place(uint64_t cptr, struct place *out)
{
    const struct dispatcher *d = who_asks();
    if (cptr == 0 || cptr >= d->slots) {
        struct place p = {0}; /* so that *out needs no memory */
        enum abi_error e = cap_place_in(d->cnode, cptr, &p);
        *out = p;
        return e;
    }
    const struct cnode *c = ram_at(d->cnode);
    uint32_t index = (uint32_t)cptr;
    *out = (struct place){d->cnode + index, c->rank, d->slots - index};
    return ERR_OK;
}

enum abi_error cap_place_in(ref_t base, uint64_t cptr, struct place *out)
{
    uint32_t index = (uint32_t)cptr, inner = (uint32_t)(cptr >> 32);
    const struct cnode *c = ram_at(base);
    if (base == 0) {
        return ERR_SLOT;
    }
    if (index == (uint32_t)CPTR_SELF_CNODE && inner != 0) {
        index = inner - 1;
        inner = 0;
    }
    if (index == 0 || index >= c->slots) {
        return ERR_SLOT;
    }
    if (inner != 0) {
        const struct slot *s = slot_at(base + index);
        if (s->type != TYPE_CNODE) {
            return s->type == TYPE_NULL ? ERR_EMPTY : ERR_TYPE;
        }
        base = s->obj;
        c = ram_at(base);
        index = inner - 1;
        if (index == 0 || index >= c->slots) {
            return ERR_SLOT;
        }
    }
    *out = (struct place){base + index, c->rank, c->slots - index};
    return ERR_OK;
}

enum abi_error cap_check(const struct slot *s, uint32_t type, uint32_t rights)
{
    if (s->type != type) {
        return s->type == TYPE_NULL ? ERR_EMPTY : ERR_TYPE;
    }
    return (s->rights & rights) == rights ? ERR_OK : ERR_RIGHTS;
}

static __attribute__((noinline)) enum abi_error get_deep(uint64_t cptr,
                                                         uint32_t type,
                                                         uint32_t rights,
                                                         struct slot **out)
{
    struct place p;
    enum abi_error e = cap_place(cptr, &p);
    if (e != ERR_OK) {
        return e;
    }
    struct slot *s = slot_at(p.ref);
    e = cap_check(s, type, rights);
    if (e == ERR_OK) {
        *out = s;
    }
    return e;
}

/* The common case is a good one in the own CNode; all others, and what is wrong
 * with a bad one, take the long way. Slot 0 has no type. */
inline enum abi_error cap_get(uint64_t cptr, uint32_t type, uint32_t rights,
                              struct slot **out)
{
    const struct dispatcher *d = who_asks();
    struct slot *s = slot_at(d->cnode + (ref_t)cptr);
    if (cptr >= d->slots || cap_check(s, type, rights) != ERR_OK) {
        return get_deep(cptr, type, rights, out);
    }
    *out = s;
    return ERR_OK;
}

enum abi_error cap_object(uint64_t cptr, uint32_t type, uint32_t rights,
                          ref_t *out)
{
    struct dispatcher *d = dispatcher_at(kernel.core[0].current);
    if (cptr == CPTR_SELF_DOMAIN && type == TYPE_DOMAIN) {
        *out = d->domain;
        return ERR_OK;
    }
    if (cptr == CPTR_SELF_DISPATCHER && type == TYPE_DISPATCHER) {
        *out = d->self;
        return ERR_OK;
    }
    struct slot *s;
    enum abi_error e = cap_get(cptr, type, rights, &s);
    if (e == ERR_OK) {
        *out = s->obj;
    }
    return e;
}

/* ---- copy -------------------------------------------------------------- */

#define NEVER_COPIED                                                           \
    (1u << TYPE_UNTYPED | 1u << TYPE_RANGE | 1u << TYPE_REPLY |                \
     1u << TYPE_ZOMBIE)

static enum abi_error may_derive(const struct slot *s, uint32_t rank,
                                 uint64_t badge)
{
    if (s->type == TYPE_NULL) {
        return ERR_EMPTY;
    }
    if ((NEVER_COPIED >> (s->type & 31u) & 1) != 0) {
        return ERR_TYPE;
    }
    if (s->type == TYPE_ENDPOINT) {
        return badge == 0 || s->word == 0 ? ERR_OK : ERR_PERM;
    }
    if (is_huge_frame(s)) {
        return ERR_TYPE;
    }
    if (s->type == TYPE_CNODE &&
        ((uint32_t)s->attr >> ATTR_RANK_SHIFT & RANK_MAX) >= rank) {
        return ERR_RANK;
    }
    return badge == 0 ? ERR_OK : ERR_PERM;
}

/* Put a copy of src into the empty slot dst of a CNode of this rank. */
inline enum abi_error cap_derive(ref_t src, ref_t dst, uint32_t rank,
                                 uint64_t rights, uint64_t badge,
                                 uint64_t flags)
{
    const struct slot *s = slot_at(src);
    struct slot *d = slot_at(dst);
    enum abi_error e = may_derive(s, rank, badge);
    if (e != ERR_OK) {
        return e;
    }
    if (d->type != TYPE_NULL) {
        return ERR_FULL;
    }
    uint32_t depth = depth_of(s), attr = s->attr & ~ATTR_FENCE;
    bool sibling = (flags & COPY_SIBLING) != 0 && depth == 1;
    bool is_frame = s->type == TYPE_FRAME;
    uint64_t word = badge != 0 ? badge : s->word;
    uint32_t aux = s->aux;
    rights &= s->rights;
    if (depth != 2 && !sibling) {
        attr++; /* ATTR_DEPTH is its lowest bits */
    }
    d->obj = s->obj;
    d->type = s->type;
    d->order = s->order;
    d->attr = (uint8_t)attr;
    d->rights = (uint8_t)rights;
    if (!is_frame) { /* a copy is not mapped */
        d->word = word;
        d->aux = aux;
    }
    if (sibling) {
        insert_before(src, dst); /* behind it, it would adopt its children */
    } else {
        cap_insert(src, dst);
    }
    return ERR_OK;
}

/* ---- delete ------------------------------------------------------------ */

static bool needs_destroying(const struct slot *s)
{
    switch (s->type) {
    case TYPE_CNODE:
    case TYPE_STRETCH:
    case TYPE_DOMAIN:
    case TYPE_DISPATCHER:
    case TYPE_EVENT:
    case TYPE_SCHED_CONTEXT:
    case TYPE_ENDPOINT:
    case TYPE_IRQ:
        return cap_final(s);
    default:
        return false;
    }
}

/* The next occupied slot of a dying CNode, at most STEP_SLOTS further on; 0 and
 * *done when the scan reached the end. */
static struct slot *zombie_scan(struct slot *z, bool *done)
{
    uint64_t slots = 1ull << (z->order & 31u);
    uint64_t i = z->word == 0 ? 1 : z->word;
    for (uint32_t k = 0; k < STEP_SLOTS && i < slots; k++, i++) {
        struct slot *s = slot_at(z->obj + (ref_t)i);
        if (s->type != TYPE_NULL) {
            z->word = i;
            *done = false;
            return s;
        }
    }
    z->word = i;
    *done = i >= slots;
    return NULL;
}

/* True: s is gone, as what needs no steps is at once. Else it has begun to die,
 * or its stretch goes first. */
static bool delete_leaf(struct slot *s)
{
    if (is_huge_frame(s) && cap_derives(s, slot_at(s->next))) {
        return false;
    }
    if (s->type == TYPE_FRAME && s->aux != 0) {
        frame_unmap(s); /* it is mapped, or was */
    } else if (s->type == TYPE_REPLY) {
        call_forget(s);
    }
    if (needs_destroying(s)) {
        s->aux = s->type == TYPE_EVENT ? TYPE_DISPATCHER : s->type;
        if (s->type != TYPE_STRETCH) {
            s->word = 0;
        }
        s->type = TYPE_ZOMBIE;
        if (s->aux == TYPE_CNODE) { /* nothing more may come into it */
            (void)object_destroy_step(s);
        }
    }
    if (s->type == TYPE_ZOMBIE) {
        return false;
    }
    cap_unlink(s);
    return true;
}

/* A step of what goes by steps. Ranks fall from level to level, so the descent
 * ends. */
static __attribute__((noinline)) bool delete_deep(struct slot *s)
{
    for (uint32_t level = 0; level <= RANK_MAX + 1u; level++) {
        bool done = true;
        struct slot *inner = NULL;
        if (s->type == TYPE_FRAME) {
            inner = slot_at(s->next); /* its stretch */
        } else if (s->aux == TYPE_CNODE) {
            inner = zombie_scan(s, &done);
        }
        if (inner == NULL) {
            if (!done || !object_destroy_step(s)) {
                return false;
            }
            cap_unlink(s);
            return level == 0;
        }
        s = inner;
        if (delete_leaf(s)) {
            return false;
        }
    }
    return false;
}

/* One bounded step towards the death of s; true when s itself is gone. */
bool cap_delete_step(struct slot *s)
{
    return delete_leaf(s) || delete_deep(s);
}
