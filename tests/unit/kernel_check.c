/* SPDX-License-Identifier: BSL-1.0
 *
 * Invariants of capabilities: the derivation list holds exactly the slots that
 * are found by scanning CNodes; objects do not overlap; untyped memory knows
 * what was made of it; no copy has more rights than its source.
 */
#include "kernel_check.h"

#include <stdlib.h>
#include <string.h>

#include "kernel_host.h"

/* Slots lie in the first CHECK_CELLS cells of RAM. */
#if !defined(CHECK_CELLS)
#define CHECK_CELLS RAM_CELLS
#endif
#define SLOTS_MAX      8192u
#define INVARIANTS_MAX 64u

struct item { /* a slot of the list, in order */
    ref_t ref;
    const struct slot *s;
    uint32_t class; /* EVENT counts as DISPATCHER, a zombie as what it was */
    bool memory;    /* an object that has some */
    uint64_t end;
};

static struct item items[SLOTS_MAX];
static uint32_t count;
static unsigned char in_list[CHECK_CELLS];

static uint32_t class_of(const struct slot *s)
{
    uint32_t type = s->type == TYPE_ZOMBIE ? s->aux : s->type;
    return type == TYPE_EVENT ? TYPE_DISPATCHER : type;
}

static bool has_memory(uint32_t class)
{
    return class != TYPE_RANGE && class != TYPE_CPU && class != TYPE_IRQ &&
           class != TYPE_REPLY;
}

/* Other objects are made of it. */
static bool is_source(const struct item *i)
{
    return i->class == TYPE_UNTYPED || i->class == TYPE_RANGE ||
           is_huge_frame(i->s);
}

static bool is_inside(const struct item *inner, const struct item *outer)
{
    return inner->s->obj >= outer->s->obj && inner->end <= outer->end;
}

static bool same_object(const struct item *a, const struct item *b)
{
    return a->s->obj == b->s->obj && a->class == b->class &&
           (a->class != TYPE_UNTYPED || a->s->order == b->s->order);
}

static void collect(void)
{
    ref_t ref = kernel.head, next = slot_at(ref)->next;
    INV(C1);
    for (count = 0; next != kernel.head;
         ref = next, next = slot_at(ref)->next) {
        const struct slot *s = slot_at(next);
        if (s->prev != ref || next >= CHECK_CELLS || count == SLOTS_MAX) {
            host_fail("derivation list: broken at %x", next);
        }
        if (s->type == TYPE_NULL || class_of(s) == TYPE_NULL ||
            class_of(s) >= TYPE_COUNT) {
            host_fail("slot %x: type %u", next, s->type);
        }
        uint32_t class = class_of(s);
        items[count++] = (struct item){next, s, class, has_memory(class),
                                       s->obj + (1ull << s->order)};
        in_list[next] = 1;
    }
    if (slot_at(kernel.head)->prev != ref) {
        host_fail("derivation list: its end is not before its head");
    }
}

static bool is_zero(const struct slot *s)
{
    const uint64_t *w = (const uint64_t *)(const void *)s;
    return (w[0] | w[1] | w[2] | w[3]) == 0;
}

/* Slots of one CNode; how many are occupied. */
static uint32_t scan_cnode(const struct item *node)
{
    uint32_t found = 0;
    for (ref_t r = node->s->obj + 1; r < node->end; r++) {
        const struct slot *s = slot_at(r);
        if (is_zero(s)) {
            continue;
        }
        if (s->type == TYPE_NULL) {
            host_fail("slot %x: empty but not zero", r);
        } else if (!in_list[r]) {
            host_fail("slot %x: not in the derivation list", r);
        } else {
            found++;
        }
    }
    return found;
}

static bool is_first(uint32_t i)
{
    for (uint32_t k = 0; k < i; k++) {
        if (same_object(&items[k], &items[i])) {
            return false;
        }
    }
    return true;
}

static void check_slots(void)
{
    uint32_t found = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (items[i].class == TYPE_CNODE && is_first(i)) {
            found += scan_cnode(&items[i]);
        }
    }
    if (found != count) {
        host_fail("%u slots in the list, %u of them in live CNodes", count,
                  found);
    }
}

/* Of two objects with memory in common. */
static void check_nested(const struct item *a, const struct item *b)
{
    INV(C4);
    bool nested =
        (is_source(a) && is_inside(b, a)) || (is_source(b) && is_inside(a, b));
    if (!nested) {
        host_fail("slots %x (type %u) and %x (type %u) overlap", a->ref,
                  a->class, b->ref, b->class);
    }
}

/* With those that follow. */
static void check_overlap(const struct item *a)
{
    for (const struct item *b = a + 1; a->memory && b < &items[count]; b++) {
        if (b->s->obj < a->end && a->s->obj < b->end && b->memory &&
            !same_object(a, b)) {
            check_nested(a, b);
        }
    }
}

/* A huge frame has one stretch, or none; it fills it, within its rights. */
static void check_huge(const struct item *u, const struct item *c)
{
    if (c->class != TYPE_STRETCH || !same_object(c, u + 1) ||
        c->s->obj != u->s->obj || c->s->order != u->s->order ||
        (c->s->rights & ~u->s->rights) != 0 ||
        (c->s->rights & RIGHT_EXEC) != 0) {
        host_fail("slot %x: no stretch of the huge frame %x", c->ref, u->ref);
    }
}

/* Which is there as long as its stretch. */
static void check_whole(uint32_t i)
{
    const struct slot *s = items[i].s, *f = items[i - (i > 0)].s;
    if (items[i].class == TYPE_STRETCH &&
        s->order == HUGE_FRAME_LOG2 - CELL_LOG2 &&
        (!is_huge_frame(f) || f->obj != s->obj)) {
        host_fail("slot %x: a stretch whose huge frame is gone", items[i].ref);
    }
}

/* All that was made of untyped memory, a range or a huge frame follows it at
 * once. */
static void check_source(uint32_t i)
{
    const struct item *u = &items[i];
    bool run = true;
    INV(C5);
    for (uint32_t k = i + 1; k < count; k++) {
        const struct item *c = &items[k];
        bool kind = u->class == TYPE_RANGE ? c->class == TYPE_RANGE : c->memory;
        bool child = kind && is_inside(c, u);
        if (child && !run) {
            host_fail("slot %x: not among what was made of %x", c->ref, u->ref);
        }
        run = run && child;
        if (child && u->class == TYPE_FRAME) {
            check_huge(u, c);
        } else if (child && c->end > u->s->obj + (uint32_t)u->s->word) {
            host_fail("slot %x: beyond the watermark of %x", c->ref, u->ref);
        }
    }
}

/* Memory that the untyped calls clean is zero. */
static void check_clean(const struct item *u)
{
    INV(C5);
    uint64_t from = u->s->word & 0xffffffffu, to = u->s->word >> 32;
    from = from < u->s->spare ? u->s->spare : from;
    const uint64_t *p = ram_at(u->s->obj + (ref_t)from);
    for (uint64_t i = 0; from < to && i < (to - from) * 4; i++) {
        if (p[i] != 0) {
            host_fail("slot %x: memory counts as clean but is not", u->ref);
        }
    }
}

static bool may_have(const struct item *parent, const struct item *child)
{
    uint32_t rights = parent->s->rights;
    if (child->s->type == TYPE_EVENT && parent->s->type == TYPE_DISPATCHER) {
        rights |= RIGHT_SIGNAL;
    }
    return (child->s->rights & ~rights) == 0;
}

/* The capabilities of one object are neighbours, in preorder. */
static void check_copies(uint32_t first)
{
    const struct item *parent[3] = {NULL, NULL, NULL};
    uint32_t i = first;
    for (; i < count && same_object(&items[i], &items[first]); i++) {
        const struct item *c = &items[i];
        uint32_t depth = c->s->attr & ATTR_DEPTH;
        if (depth > 2 || (depth == 0 && i != first)) {
            host_fail("slot %x: depth %u", c->ref, depth);
        }
        bool fenced = (c->s->attr & ATTR_FENCE) != 0;
        if (depth == 1 || fenced) {
            parent[1] = depth == 1 ? c : NULL;
        }
        const struct item *p = depth == 2 && parent[1] ? parent[1] : parent[0];
        INV(C2);
        if (depth > 0 && p != NULL && !may_have(p, c)) {
            host_fail("slot %x: more rights than %x", c->ref, p->ref);
        }
        parent[0] = depth == 0 ? c : parent[0];
    }
    for (; i < count; i++) {
        if (same_object(&items[i], &items[first])) {
            host_fail("slot %x: apart from copies of its object", items[i].ref);
        }
    }
}

void check_caps(void)
{
    collect();
    check_slots();
    for (uint32_t i = 0; i < count; i++) {
        bool first = i == 0 || !same_object(&items[i - 1], &items[i]);
        if (first) {
            check_overlap(&items[i]);
        }
        if (is_source(&items[i])) {
            check_source(i);
        }
        if (items[i].s->type == TYPE_UNTYPED &&
            !(items[i].s->attr & ATTR_DEVICE)) {
            check_clean(&items[i]);
        }
        bool source = items[i].class == TYPE_UNTYPED ||
                      items[i].class == TYPE_RANGE; /* never copied */
        if (first && !source) {
            check_copies(i);
            check_whole(i);
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        in_list[items[i].ref] = 0;
    }
}

/* ---- how often each was looked at -------------------------------------- */

static struct {
    const char *id;
    uint64_t n;
} counters[INVARIANTS_MAX];
static uint32_t counters_used;
const char *check_name = "";

uint64_t *check_counter(const char *id)
{
    for (uint32_t i = 0; i < counters_used; i++) {
        if (strcmp(counters[i].id, id) == 0) {
            return &counters[i].n;
        }
    }
    if (counters_used == INVARIANTS_MAX) {
        host_fail("more than %u invariants", INVARIANTS_MAX);
    }
    counters[counters_used].id = id;
    return &counters[counters_used++].n;
}

void check_print(void)
{
    for (uint32_t i = 0; i < counters_used; i++) {
        printf("# invariant %s %llu\n", counters[i].id,
               (unsigned long long)counters[i].n);
    }
}

void check_all(void)
{
    check_caps();
    check_space();
    check_sched();
}
