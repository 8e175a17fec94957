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

static bool same_object(const struct slot *a, const struct slot *b)
{
    return a->obj == b->obj && class_of(a) == class_of(b);
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

void cap_insert(ref_t after, ref_t slot)
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
static void settle(ref_t at, ref_t from)
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

static ref_t own_cnode(void)
{
    struct dispatcher *d = dispatcher_at(kernel.core[0].current);
    return domain_at(d->domain)->cnode;
}

/* Does the CNode hold it itself? Most are of one level. */
static bool is_direct(ref_t cnode, uint64_t cptr)
{
    const struct cnode *c = ram_at(cnode);
    return cnode != 0 && cptr - 1 < (uint64_t)c->slots - 1;
}

enum abi_error cap_place(uint64_t cptr, struct place *out)
{
    ref_t base = own_cnode();
    const struct cnode *c = ram_at(base);
    if (!is_direct(base, cptr)) {
        return cap_place_in(base, cptr, out);
    }
    uint32_t index = (uint32_t)cptr;
    *out = (struct place){base + index, c->rank, c->slots - index};
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

static enum abi_error get_deep(uint64_t cptr, uint32_t type, uint32_t rights,
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
 * with a bad one, take the long way. */
enum abi_error cap_get(uint64_t cptr, uint32_t type, uint32_t rights,
                       struct slot **out)
{
    ref_t base = own_cnode();
    struct slot *s = slot_at(base + (ref_t)cptr);
    if (!is_direct(base, cptr) || cap_check(s, type, rights) != ERR_OK) {
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

static enum abi_error may_derive(const struct slot *s, uint32_t rank,
                                 uint64_t badge)
{
    if (s->type == TYPE_NULL) {
        return ERR_EMPTY;
    }
    if (s->type == TYPE_UNTYPED || s->type == TYPE_RANGE || is_huge_frame(s) ||
        s->type == TYPE_REPLY || s->type == TYPE_ZOMBIE) {
        return ERR_TYPE;
    }
    if (s->type == TYPE_CNODE &&
        ((uint32_t)s->attr >> ATTR_RANK_SHIFT & RANK_MAX) >= rank) {
        return ERR_RANK;
    }
    if (badge != 0 && (s->type != TYPE_ENDPOINT || s->word != 0)) {
        return ERR_PERM;
    }
    return ERR_OK;
}

/* Put a copy of src into the empty slot dst of a CNode of this rank. */
enum abi_error cap_derive(ref_t src, ref_t dst, uint32_t rank, uint64_t rights,
                          uint64_t badge, uint64_t flags)
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
    uint32_t depth = depth_of(s);
    bool sibling = depth == 1 && (flags & COPY_SIBLING) != 0;
    uint32_t new_depth = depth == 2 || sibling ? depth : depth + 1;
    struct slot copy = *s;
    copy.attr = (uint8_t)((copy.attr & ~(ATTR_DEPTH | ATTR_FENCE)) | new_depth);
    copy.rights &= (uint8_t)rights;
    copy.next = copy.prev = 0;
    if (s->type == TYPE_FRAME) {
        copy.word = 0; /* a copy is not mapped */
        copy.aux = 0;
    }
    if (badge != 0) {
        copy.word = badge;
    }
    *d = copy;
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

/* One bounded step towards the death of s; true when s itself is gone. Ranks
 * fall from level to level, so the descent ends. */
bool cap_delete_step(struct slot *s)
{
    for (uint32_t level = 0; level <= RANK_MAX + 1u; level++) {
        if (is_huge_frame(s) && cap_derives(s, slot_at(s->next))) {
            s = slot_at(s->next); /* its stretch goes first */
            continue;
        }
        if (s->type == TYPE_FRAME) {
            space_unmap_frame(s);
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
        if (s->type != TYPE_ZOMBIE) {
            cap_unlink(s);
            return level == 0;
        }
        if (s->aux != TYPE_CNODE) {
            if (object_destroy_step(s)) {
                cap_unlink(s);
                return level == 0;
            }
            return false;
        }
        bool done;
        struct slot *inner = zombie_scan(s, &done);
        if (inner == NULL) {
            if (!done || !object_destroy_step(s)) {
                return false;
            }
            cap_unlink(s);
            return level == 0;
        }
        s = inner;
    }
    return false;
}
