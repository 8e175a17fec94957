/* SPDX-License-Identifier: BSL-1.0
 *
 * How objects begin, how they are bound to each other, and how they end. Every
 * binding is known to both sides, so that either may go first; every ending is
 * cut into steps of bounded length.
 */
#include "list.h"
#include "syscall.h"

void object_create(struct slot *s, uint32_t rank)
{
    switch (s->type) {
    case TYPE_CNODE: {
        struct cnode *c = ram_at(s->obj);
        c->rank = rank;
        c->slots = 1u << (s->order & 31u);
        break;
    }
    case TYPE_DOMAIN:
        domain_at(s->obj)->tables =
            (1u << ((s->order + CELL_LOG2 - PAGE_LOG2) & 31u)) - 2u;
        list_append(LIST_DOMAINS, &kernel.domains, s->obj);
        break;
    case TYPE_DISPATCHER: {
        struct dispatcher *d = dispatcher_at(s->obj);
        d->self = s->obj;
        d->state = IS_UNBOUND;
        d->user.upcall.mask = MASK_ON;
        d->identity.version = ABI_VERSION;
        break;
    }
    case TYPE_SCHED_CONTEXT:
        OBJECT(struct sched_context, s->obj)->remaining = ~0ull;
        break;
    default:
        break;
    }
}

/* ---- endings ----------------------------------------------------------- */

void object_set_cspace(ref_t domain, ref_t cnode)
{
    struct domain *d = domain_at(domain);
    struct cnode *was = ram_at(d->cnode), *is = ram_at(cnode);
    if (d->cnode != 0) {
        was->domain = 0;
    }
    if (cnode != 0) {
        is->domain = domain;
    }
    d->cnode = cnode;
    for (uint32_t i = 0; i < CORES; i++) {
        if (d->dispatcher[i] != 0) {
            struct dispatcher *p = dispatcher_at(d->dispatcher[i]);
            p->cnode = cnode;
            p->slots = cnode != 0 ? is->slots : 0;
        }
    }
}

static bool destroy_cnode(const struct slot *z)
{
    const struct cnode *c = ram_at(z->obj);
    if (c->domain != 0) {
        object_set_cspace(c->domain, 0);
    }
    return true;
}

static bool destroy_domain(const struct slot *z)
{
    struct domain *d = domain_at(z->obj);
    for (uint32_t i = 0; i < CORES; i++) {
        if (d->dispatcher[i] != 0) {
            struct dispatcher *p = dispatcher_at(d->dispatcher[i]);
            sched_take_back(p);
            call_abort(p, ERR_PEER_DEAD);
            call_drop(p);
            sched_set_state(p, IS_STOPPED);
            p->domain = 0;
            arch_forget(p->self);
        }
    }
    object_set_cspace(z->obj, 0);
    list_remove(LIST_DOMAINS, &kernel.domains, z->obj);
    arch_tlb_domain(domain_asid(z->obj));
    return true;
}

static bool destroy_endpoint(const struct slot *z)
{
    struct endpoint *ep = endpoint_at(z->obj);
    if (ep->waiters != 0) {
        call_abort(dispatcher_at(ep->waiters), ERR_PEER_DEAD);
        return false;
    }
    if (ep->dispatcher != 0) {
        list_remove(LIST_BOUND, &dispatcher_at(ep->dispatcher)->bound, z->obj);
    }
    return true;
}

static void forget_irqs(ref_t dispatcher)
{
    for (uint32_t i = 0; i < IRQ_COUNT; i++) {
        if (kernel.irq[i].dispatcher == dispatcher) {
            arch_irq_mask(i);
            kernel.irq[i] = (struct irq_line){0};
        }
    }
}

/* A part of them: word says where to go on, round and round. */
static void forget_children(struct slot *z, struct dispatcher *d)
{
    for (uint32_t n = 0; n < STEP_CHILDREN; n++) {
        ref_t *child = &d->child[z->word % CHILDREN_MAX];
        if (*child != 0) {
            dispatcher_at(*child)->parent = 0;
            *child = 0;
            d->children--;
        }
        z->word = (z->word + 1) % CHILDREN_MAX;
    }
}

static void forget_parent(struct dispatcher *d)
{
    if (d->parent != 0) {
        struct dispatcher *p = dispatcher_at(d->parent);
        sched_set_state(d, IS_DEAD);
        p->child[d->index % CHILDREN_MAX] = 0;
        p->children--;
        d->parent = 0;
        upcall_post(p, REASON_CHILD);
    }
}

static bool destroy_dispatcher(struct slot *z)
{
    struct dispatcher *d = dispatcher_at(z->obj);
    if (d->bound != 0) { /* one endpoint, or one of its waiters, a step */
        struct endpoint *ep = endpoint_at(d->bound);
        if (ep->waiters != 0) {
            call_abort(dispatcher_at(ep->waiters), ERR_PEER_DEAD);
        } else {
            ep->dispatcher = 0;
            list_remove(LIST_BOUND, &d->bound, d->bound);
        }
        return false;
    }
    sched_take_back(d);
    if (d->children != 0) {
        forget_children(z, d);
        return false;
    }
    call_abort(d, ERR_PEER_DEAD);
    call_drop(d);
    forget_irqs(z->obj);
    forget_parent(d);
    if (d->sched != 0) {
        OBJECT(struct sched_context, d->sched)->dispatcher = 0;
    }
    if (d->domain != 0) {
        domain_at(d->domain)->dispatcher[0] = 0;
    }
    if (d->pages != 0) {
        frame_unmap_pages(d->pages, d->pages_entry,
                          z->obj + (PAGE_BYTES >> CELL_LOG2), 3);
    }
    arch_forget(z->obj);
    sched_set_state(d, IS_DEAD);
    return true;
}

bool object_destroy_step(struct slot *z)
{
    switch (z->aux) {
    case TYPE_CNODE:
        return destroy_cnode(z);
    case TYPE_STRETCH:
        return space_destroy_stretch(z);
    case TYPE_DOMAIN:
        return destroy_domain(z);
    case TYPE_DISPATCHER:
        return destroy_dispatcher(z);
    case TYPE_ENDPOINT:
        return destroy_endpoint(z);
    case TYPE_SCHED_CONTEXT: {
        const struct sched_context *c = OBJECT(struct sched_context, z->obj);
        if (c->dispatcher != 0) {
            sched_unsettle();
            dispatcher_at(c->dispatcher)->sched = 0;
        }
        break;
    }
    default:
        ASSERT(z->aux == TYPE_IRQ);
        arch_irq_mask(z->obj);
        kernel.irq[z->obj % IRQ_COUNT] = (struct irq_line){0};
        break;
    }
    return true;
}

/* ---- bindings ---------------------------------------------------------- */

enum abi_error op_domain_set_cspace(uint64_t *x)
{
    ref_t domain, node;
    enum abi_error e = cap_object(x[0], TYPE_DOMAIN, RIGHT_MANAGE, &domain);
    if (e == ERR_OK) {
        e = cap_object(x[1], TYPE_CNODE, RIGHT_MANAGE, &node);
    }
    if (e != ERR_OK) {
        return e;
    }
    const struct cnode *c = ram_at(node);
    if (c->domain != 0 || domain_at(domain)->cnode != 0) {
        return ERR_BUSY;
    }
    object_set_cspace(domain, node);
    return ERR_OK;
}

enum abi_error op_dispatcher_bind(uint64_t *x)
{
    ref_t disp, domain;
    struct slot *cpu, *s;
    enum abi_error e = cap_object(x[0], TYPE_DISPATCHER, RIGHT_MANAGE, &disp);
    if (e == ERR_OK) {
        e = cap_object(x[1], TYPE_DOMAIN, RIGHT_MANAGE, &domain);
    }
    if (e == ERR_OK) {
        e = cap_get(x[2], TYPE_CPU, 0, &cpu);
    }
    if (e == ERR_OK) {
        e = cap_get(x[3], TYPE_STRETCH, RIGHT_READ | RIGHT_WRITE, &s);
    }
    if (e != ERR_OK) {
        return e;
    }
    struct dispatcher *d = dispatcher_at(disp);
    if (cpu->obj != 0) {
        return ERR_STATE; /* the other cores are parked */
    }
    if (d->state != IS_UNBOUND) {
        return ERR_STATE;
    }
    if (domain_at(domain)->dispatcher[0] != 0) {
        return ERR_BUSY;
    }
    if (x[4] % PAGE_BYTES != 0) {
        return ERR_ALIGN;
    }
    if (x[4] - s->word >= STRETCH_BYTES) {
        return ERR_RANGE;
    }
    e = frame_map_pages(x[4], s->aux, disp + (PAGE_BYTES >> CELL_LOG2));
    if (e != ERR_OK) {
        return e;
    }
    d->pages = x[4];
    d->pages_entry = s->aux;
    d->domain = domain;
    d->identity.frequency = /* handed down from the first dispatcher */
        dispatcher_at(kernel.core[0].current)->identity.frequency;
    sched_set_state(d, IS_STOPPED);
    domain_at(domain)->dispatcher[0] = disp;
    object_set_cspace(domain, domain_at(domain)->cnode);
    return ERR_OK;
}

enum abi_error op_endpoint_bind(uint64_t *x)
{
    struct slot *s;
    ref_t disp;
    enum abi_error e = cap_get(x[0], TYPE_ENDPOINT, RIGHT_MANAGE, &s);
    if (e == ERR_OK) {
        e = cap_object(x[1], TYPE_DISPATCHER, RIGHT_MANAGE, &disp);
    }
    if (e != ERR_OK) {
        return e;
    }
    struct endpoint *ep = endpoint_at(s->obj);
    if (ep->dispatcher != 0) {
        return ERR_BUSY;
    }
    ep->dispatcher = disp;
    list_append(LIST_BOUND, &dispatcher_at(disp)->bound, s->obj);
    return ERR_OK;
}

enum abi_error op_sched_bind(uint64_t *x)
{
    struct slot *s;
    ref_t disp;
    enum abi_error e = cap_get(x[0], TYPE_SCHED_CONTEXT, RIGHT_MANAGE, &s);
    if (e == ERR_OK) {
        e = cap_object(x[1], TYPE_DISPATCHER, RIGHT_MANAGE, &disp);
    }
    if (e != ERR_OK) {
        return e;
    }
    struct sched_context *c = OBJECT(struct sched_context, s->obj);
    struct dispatcher *d = dispatcher_at(disp);
    if (c->dispatcher != 0 || d->sched != 0) {
        return ERR_BUSY;
    }
    sched_unsettle();
    c->dispatcher = disp;
    d->sched = s->obj;
    return ERR_OK;
}

enum abi_error op_sched_refill(uint64_t *x)
{
    struct slot *s;
    enum abi_error e = cap_get(x[0], TYPE_SCHED_CONTEXT, RIGHT_MANAGE, &s);
    if (e != ERR_OK) {
        return e;
    }
    struct sched_context *c = OBJECT(struct sched_context, s->obj);
    sched_unsettle();
    if (x[1] != ~0ull) {
        c->remaining = x[1];
    }
    x[1] = c->remaining;
    x[2] = c->consumed;
    return ERR_OK;
}
