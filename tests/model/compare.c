/* SPDX-License-Identifier: BSL-1.0
 *
 * The comparisons of compare.h. The derivation tree is read out of the core's
 * list by the rule of docs/abi.md, the accesses out of its page tables.
 */
#include "compare.h"

#define ULL(x) ((unsigned long long)(x))

static uint64_t value_of(const struct slot *s, uint32_t log2, uint32_t *size)
{
    bool number = s->type == TYPE_CPU || s->type == TYPE_IRQ;
    *size = number ? 0 : s->order + log2;
    return number ? s->obj : (uint64_t)s->obj << log2;
}

static uint64_t word_of(const struct slot *s, uint32_t unit)
{
    bool source = s->type == TYPE_UNTYPED || s->type == TYPE_RANGE;
    return source ? (uint64_t)(uint32_t)s->word << unit : s->word;
}

static ref_t ref_of_slot(const struct object *node, uint32_t index)
{
    return ref_of(node->at) + index;
}

void compare_slot(const struct object *node, uint32_t index)
{
    const struct slot *s = slot_at(ref_of_slot(node, index));
    const struct cap *c = model_slot(node, index);
    uint32_t type = c == NULL ? TYPE_NULL : c->type;
    if (s->type != type) {
        diverge("slot %llx+%u: the core has type %u, the model %u",
                ULL(node->at), index, s->type, type);
    }
    if (c == NULL) {
        return;
    }
    uint32_t size, unit = type == TYPE_RANGE ? PAGE_LOG2 : CELL_LOG2;
    uint64_t at = value_of(s, unit, &size);
    uint32_t rank = (uint32_t)s->attr >> ATTR_RANK_SHIFT & RANK_MAX;
    bool device = (s->attr & ATTR_DEVICE) != 0;
    if (s->rights != c->rights || (s->attr & ATTR_DEPTH) != c->depth ||
        at != c->object->at || size != c->object->log2 ||
        device != c->object->device || rank != c->object->rank) {
        diverge("slot %llx+%u, type %u: rights %x/%x, depth %u/%u, object "
                "%llx/%llx, size %u/%u, rank %u/%u (core/model)",
                ULL(node->at), index, type, s->rights, c->rights,
                s->attr & ATTR_DEPTH, c->depth, ULL(at), ULL(c->object->at),
                size, c->object->log2, rank, c->object->rank);
    }
    if (word_of(s, unit) != c->word) {
        diverge("slot %llx+%u, type %u: the word is %llx, in the model %llx",
                ULL(node->at), index, type, ULL(word_of(s, unit)),
                ULL(c->word));
    }
}

void compare_named(uint64_t cptr)
{
    struct where p;
    struct cap *c;
    if (cap_at(cptr, &p, &c) == ERR_OK) {
        compare_slot(p.node, p.index);
    }
}

/* ---- everything ---------------------------------------------------------- */

static ref_t bound_ref(const struct object *o)
{
    return o->bound == NULL ? 0 : ref_of(o->bound->at);
}

static void compare_node(const struct object *node)
{
    const struct cnode *c = ram_at(ref_of(node->at));
    if (c->slots != model_slots(node) || c->rank != node->rank ||
        c->domain != bound_ref(node)) {
        diverge("CNode %llx: %u slots, rank %u, domain %x", ULL(node->at),
                c->slots, c->rank, c->domain);
    }
    for (uint32_t i = 1; i < model_slots(node); i++) {
        compare_slot(node, i);
    }
}

static void compare_bindings(void)
{
    for (uint32_t i = 0; i < model.count[TYPE_DOMAIN]; i++) {
        const struct object *o = model.of_type[TYPE_DOMAIN][i]->object;
        const struct domain *d = domain_at(ref_of(o->at));
        ref_t own = o->dispatcher == NULL ? 0 : ref_of(o->dispatcher->at);
        if (d->cnode != bound_ref(o) || d->dispatcher[0] != own) {
            diverge("domain %llx: another CSpace or dispatcher", ULL(o->at));
        }
    }
    for (uint32_t i = 0; i < model.count[TYPE_DISPATCHER]; i++) {
        const struct object *o = model.of_type[TYPE_DISPATCHER][i]->object;
        const struct dispatcher *d = dispatcher_at(ref_of(o->at));
        if (d->domain != bound_ref(o) || d->pages != o->pages) {
            diverge("dispatcher %llx: in another domain", ULL(o->at));
        }
    }
    for (uint32_t i = 0; i < model.count[TYPE_ENDPOINT]; i++) {
        const struct object *o = model.of_type[TYPE_ENDPOINT][i]->object;
        if (endpoint_at(ref_of(o->at))->dispatcher != bound_ref(o)) {
            diverge("endpoint %llx: another dispatcher", ULL(o->at));
        }
    }
}

/* The list is in preorder: on the stack is what may still have children. */
static void compare_tree(void)
{
    static ref_t stack[MODEL_CAPS];
    uint32_t depth = 0, n = 0;
    for (ref_t r = slot_at(kernel.head)->next; r != kernel.head;
         r = slot_at(r)->next) {
        while (depth > 0 &&
               !cap_derives(slot_at(stack[depth - 1]), slot_at(r))) {
            depth--;
        }
        const struct cap *c = model_at(ref_address(r));
        if (c == NULL || n++ == model.caps) {
            diverge("slot %x: in the list, not in the model", r);
        }
        ref_t parent = c->parent == NULL
                           ? 0
                           : ref_of_slot(c->parent->node, c->parent->index);
        ref_t found = depth == 0 ? 0 : stack[depth - 1];
        if (parent != found) {
            diverge("slot %x, type %u: derived from %x, in the model from %x",
                    r, c->type, found, parent);
        }
        stack[depth++] = r;
    }
    if (n != model.caps) {
        diverge("%u capabilities in the list, %u in the model", n, model.caps);
    }
}

void compare_caps(void)
{
    compare_node(machine.root_node);
    for (uint32_t i = 0; i < model.count[TYPE_CNODE]; i++) {
        compare_node(model.of_type[TYPE_CNODE][i]->object);
    }
    compare_bindings();
    compare_tree();
}

static void compare_page(const struct object *domain, uint64_t va)
{
    struct access core = machine_walk(ref_of(domain->at), va);
    struct access own = model_access(domain, va);
    if (core.address != own.address || core.rights != own.rights ||
        (own.rights != 0 && core.device != own.device)) {
        diverge("domain %llx at %llx: %llx with rights %x, in the model %llx "
                "with rights %x",
                ULL(domain->at), ULL(va), ULL(core.address), core.rights,
                ULL(own.address), own.rights);
    }
}

static void compare_domain(const struct object *domain)
{
    for (uint32_t i = 0; i < MODEL_WINDOW; i++) {
        bool attached = model_attached(domain, model_va(i)) != 0;
        if (machine_walks(ref_of(domain->at), model_va(i)) != attached) {
            diverge("domain %llx: attached at %llx or not", ULL(domain->at),
                    ULL(model_va(i)));
        }
        for (uint32_t k = 0; attached && k < STRETCH_PAGES; k++) {
            compare_page(domain, model_va(i) + k * PAGE_BYTES);
        }
    }
}

static bool is_first(const struct cap *c)
{
    for (uint32_t i = 0; i < c->rank_of_type; i++) {
        if (model.of_type[c->type][i]->object == c->object) {
            return false;
        }
    }
    return true;
}

static void compare_directory(void)
{
    uint64_t tables[MODEL_WINDOW] = {0};
    bool block[MODEL_WINDOW] = {0};
    for (uint32_t i = 0; i < model.count[TYPE_STRETCH]; i++) {
        const struct cap *c = model.of_type[TYPE_STRETCH][i];
        for (uint32_t k = 0; k < MODEL_WINDOW; k++) {
            bool here = c->word == model_va(k);
            tables[k] = here ? c->object->at : tables[k];
            block[k] = here ? c->object->huge : block[k];
        }
    }
    for (uint32_t k = 0; k < MODEL_WINDOW; k++) {
        uint64_t page = space_entry(model_va(k)) & ((1u << 18) - 1);
        bool huge = space_entry(model_va(k)) >> 18 & 1;
        if (page << PAGE_LOG2 != tables[k] || huge != block[k]) {
            diverge("directory: table %llx at %llx, in the model %llx",
                    ULL(page << PAGE_LOG2), ULL(model_va(k)), ULL(tables[k]));
        }
    }
}

void compare_space(void)
{
    for (uint32_t i = 0; i < model.count[TYPE_DOMAIN]; i++) {
        const struct cap *c = model.of_type[TYPE_DOMAIN][i];
        if (is_first(c)) {
            compare_domain(c->object);
        }
    }
    compare_directory();
    tlb_check_all();
}
