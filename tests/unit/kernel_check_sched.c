/* SPDX-License-Identifier: BSL-1.0
 *
 * Invariants of dispatchers: every link has its inverse, nobody sleeps through
 * what it should have been woken for, and the chain is a path of parents.
 */
#include "kernel_check.h"

#include "kernel_host.h"

#define LIVE_MAX      512u
#define TABLE_ADDRESS 0x0000fffffffff000ull

static ref_t live[LIVE_MAX]; /* dispatchers */
static ref_t endpoints[LIVE_MAX];
static ref_t contexts[LIVE_MAX];
static uint32_t n_live, n_endpoints, n_contexts;

static void add(ref_t *list, uint32_t *n, ref_t obj)
{
    if (*n > 0 && list[*n - 1] == obj) {
        return;
    }
    if (*n == LIVE_MAX) {
        host_fail("more than %u objects of a type", LIVE_MAX);
    }
    list[(*n)++] = obj;
}

static bool has(const ref_t *list, uint32_t n, ref_t obj)
{
    for (uint32_t i = 0; i < n; i++) {
        if (list[i] == obj) {
            return true;
        }
    }
    return false;
}

static bool is_live(ref_t d)
{
    return has(live, n_live, d);
}

static void collect(void)
{
    n_live = n_endpoints = n_contexts = 0;
    ref_t head = kernel.head;
    for (ref_t r = slot_at(head)->next; r != head; r = slot_at(r)->next) {
        const struct slot *s = slot_at(r);
        uint32_t type = s->type == TYPE_ZOMBIE ? s->aux : s->type;
        if (type == TYPE_DISPATCHER || type == TYPE_EVENT) {
            add(live, &n_live, s->obj);
        } else if (type == TYPE_ENDPOINT) {
            add(endpoints, &n_endpoints, s->obj);
        } else if (type == TYPE_SCHED_CONTEXT) {
            add(contexts, &n_contexts, s->obj);
        }
    }
}

static void require(bool good, const struct dispatcher *d, const char *what)
{
    if (!good) {
        host_fail("dispatcher %x (state %u): %s", d->self, d->state, what);
    }
}

static int level_of(ref_t d)
{
    const struct core_state *c = &kernel.core[0];
    for (uint32_t i = 0; i < c->depth && i < CHAIN_MAX; i++) {
        if (c->chain[i].dispatcher == d) {
            return (int)i;
        }
    }
    return -1;
}

static void check_waiters(ref_t ref)
{
    const struct endpoint *ep = endpoint_at(ref);
    ref_t w = ep->waiters;
    for (uint32_t n = 0; w != 0 && (n == 0 || w != ep->waiters); n++) {
        const struct dispatcher *d = dispatcher_at(w);
        require(is_live(w) && n < n_live, d, "waits but is not alive");
        require(d->state == IS_QUEUED && d->endpoint == ref, d,
                "in a queue but not queued");
        require(dispatcher_at(d->wait.next)->wait.prev == w, d,
                "queue is broken");
        w = d->wait.next;
    }
}

static bool on_list(ref_t head, ref_t ep, bool ready)
{
    ref_t at = head;
    for (uint32_t i = 0; at != 0 && i <= n_endpoints; i++) {
        if (at == ep) {
            return true;
        }
        at = ready ? endpoint_at(at)->ready.next : endpoint_at(at)->bound.next;
        if (at == head) {
            break;
        }
    }
    return false;
}

static void check_endpoint(ref_t ref)
{
    const struct endpoint *ep = endpoint_at(ref);
    INV(I1);
    check_waiters(ref);
    INV(C8);
    if (ep->dispatcher == 0) {
        if (ep->waiters != 0 || ep->bound.next != 0 || ep->ready.next != 0) {
            host_fail("endpoint %x: bound to nobody but in use", ref);
        }
        return;
    }
    const struct dispatcher *d = dispatcher_at(ep->dispatcher);
    require(is_live(ep->dispatcher), d, "has an endpoint but is not alive");
    require(on_list(d->bound, ref, false), d, "does not know its endpoint");
    require(on_list(d->ready, ref, true) == (ep->waiters != 0), d,
            "its list of endpoints with calls is wrong");
}

static bool is_reply_to(const struct slot *s, ref_t d)
{
    return s->type == TYPE_REPLY && s->obj == d;
}

/* Each is known to a caller that waits for it; they are no copies. */
static void check_replies(void)
{
    ref_t head = kernel.head;
    for (ref_t r = slot_at(head)->next; r != head; r = slot_at(r)->next) {
        const struct slot *s = slot_at(r);
        if (s->type == TYPE_REPLY) {
            INV(I2);
            require(is_live(s->obj) && dispatcher_at(s->obj)->reply == r &&
                        (s->attr & ATTR_DEPTH) == 0,
                    dispatcher_at(s->obj), "does not wait for its reply");
        }
    }
}

/* How a domain gets at an address, as the hardware finds it: READ, and WRITE
 * and EXEC if the second level allows them; 0: not at all. */
static uint64_t rights_at(ref_t domain, uint64_t va)
{
    uint64_t level1 = domain_at(domain)->level1[va >> 30 & 511];
    const uint64_t *level2 = ram_at(ref_of(level1 & TABLE_ADDRESS));
    uint64_t entry = level1 == 0 ? 0 : level2[va >> STRETCH_LOG2 & 511];
    uint32_t read_only = entry & 2 ? 62 : 7, no_code = entry & 2 ? 60 : 54;
    return entry == 0
               ? 0
               : RIGHT_READ | (entry >> read_only & 1 ? 0 : RIGHT_WRITE) |
                     (entry >> no_code & 1 ? 0 : RIGHT_EXEC);
}

static void check_loan(const struct dispatcher *d)
{
    if (d->lent == 0) {
        return;
    }
    uint64_t va = LOAN_ADDRESS(d->lent), rights = LOAN_RIGHTS(d->lent);
    require(d->caller != 0, d, "keeps what was lent by nobody");
    require(rights_at(d->domain, va) == rights, d,
            "has something else than was lent to it");
    uint64_t left = rights_at(dispatcher_at(d->caller)->domain, va);
    require(kernel.sweep == va || (left & rights) == rights, d,
            "has more than who lends it");
}

static void check_calls(const struct dispatcher *d)
{
    INV(I1);
    if (d->caller != 0) {
        const struct dispatcher *c = dispatcher_at(d->caller);
        require(is_live(d->caller) && c->state == IS_CALLING &&
                    c->callee == d->self,
                d, "its caller does not call it");
    }
    if (d->reply != 0) {
        require(d->state == IS_CALLING && d->callee == 0 &&
                    is_reply_to(slot_at(d->reply), d->self),
                d, "the reply to it is elsewhere");
    } else if (d->state == IS_CALLING) {
        const struct dispatcher *c = dispatcher_at(d->callee);
        require(is_live(d->callee) && c->caller == d->self, d,
                "its callee does not serve it");
    } else if (d->state == IS_QUEUED) {
        require(has(endpoints, n_endpoints, d->endpoint) &&
                    endpoint_at(d->endpoint)->dispatcher == d->callee,
                d, "waits at a dead endpoint");
    } else {
        require(d->endpoint == 0 && d->callee == 0, d, "calls nobody");
    }
}

static uint32_t child_word(const struct dispatcher *d)
{
    switch (d->state) {
    case IS_READY:
        return CHILD_READY;
    case IS_BLOCKED:
        return CHILD_BLOCKED;
    case IS_QUEUED:
    case IS_CALLING:
        return CHILD_CALLING;
    default:
        return CHILD_STOPPED;
    }
}

/* Does it serve the end of the chain, or wait for who does? Then its scheduler
 * is told when the chain is cut. */
static bool serves(const struct dispatcher *d)
{
    const struct core_state *core = &kernel.core[0];
    ref_t ref = core->depth == 0 ? 0 : core->chain[core->depth - 1].dispatcher;
    for (uint32_t i = 0; i <= CALLS_MAX + 1 && ref != 0; i++) {
        const struct dispatcher *at = dispatcher_at(ref);
        if (at == d) {
            return true;
        }
        ref =
            at->state == IS_CALLING || at->state == IS_QUEUED ? at->callee : 0;
    }
    return false;
}

static void check_family(const struct dispatcher *d)
{
    INV(C8);
    if (d->parent != 0) {
        const struct dispatcher *p = dispatcher_at(d->parent);
        require(is_live(d->parent) && p->child[d->index] == d->self, d,
                "its parent does not know it");
        require(p->identity.child[d->index].state == child_word(d) || serves(d),
                d, "its state word is old");
        require(d->told == d->state || serves(d), d, "what is told is old");
    }
    uint32_t children = 0;
    for (uint32_t i = 0; i < CHILDREN_MAX; i++) {
        children += d->child[i] != 0;
        require(d->child[i] == 0 ||
                    (is_live(d->child[i]) &&
                     dispatcher_at(d->child[i])->parent == d->self &&
                     dispatcher_at(d->child[i])->index == i),
                d, "has a strange child");
    }
    require(d->children == children, d, "counts its children wrong");
}

/* What a blocked dispatcher waits for has not happened yet. */
static void check_sleep(const struct dispatcher *d)
{
    INV(I4);
    int level = level_of(d->self);
    bool runs_child = level >= 0 && level + 1 < (int)kernel.core[0].depth;
    if (d->state == IS_BLOCKED && !runs_child) {
        require(d->user.upcall.pending == 0, d,
                "sleeps with an upcall pending");
    }
    if (d->state == IS_BLOCKED) {
        require(d->ready == 0 || d->entry == 0 || d->caller != 0, d,
                "sleeps while a call waits");
    }
}

static void check_links(const struct dispatcher *d)
{
    INV(C7);
    if (d->domain != 0) {
        require(domain_at(d->domain)->dispatcher[0] == d->self, d,
                "its domain does not know it");
        require(d->state != IS_UNBOUND && d->pages != 0, d, "half bound");
    } else {
        require(d->state == IS_UNBOUND || d->state == IS_STOPPED, d,
                "active without a domain");
    }
    if (d->sched != 0) {
        const struct sched_context *c = OBJECT(struct sched_context, d->sched);
        require(has(contexts, n_contexts, d->sched) && c->dispatcher == d->self,
                d, "its scheduling context is another's");
    }
}

static void check_domains(void)
{
    INV(C8);
    ref_t r = kernel.domains;
    for (uint32_t i = 0; r != 0 && (i == 0 || r != kernel.domains); i++) {
        const struct domain *d = domain_at(r);
        ref_t disp = d->dispatcher[0];
        if (disp != 0 && (!is_live(disp) || dispatcher_at(disp)->domain != r)) {
            host_fail("domain %x: its dispatcher is another's", r);
        }
        if (d->cnode != 0 &&
            ((const struct cnode *)ram_at(d->cnode))->domain != r) {
            host_fail("domain %x: its CSpace is another's", r);
        }
        const struct cnode *c = ram_at(d->cnode);
        if (disp != 0 &&
            (dispatcher_at(disp)->cnode != d->cnode ||
             dispatcher_at(disp)->slots != (d->cnode != 0 ? c->slots : 0))) {
            host_fail("domain %x: its dispatcher has another CSpace", r);
        }
        r = d->all.next;
    }
    ref_t head = kernel.head;
    for (ref_t at = slot_at(head)->next; at != head; at = slot_at(at)->next) {
        const struct slot *s = slot_at(at);
        const struct cnode *c = ram_at(s->obj);
        bool zombie = s->type == TYPE_ZOMBIE && s->aux == TYPE_CNODE;
        if ((s->type == TYPE_CNODE || zombie) && c->domain != 0 &&
            (zombie || domain_at(c->domain)->cnode != s->obj)) {
            host_fail("CNode %x: CSpace of a domain that has it not", s->obj);
        }
    }
}

static void check_chain(void)
{
    const struct core_state *core = &kernel.core[0];
    for (uint32_t i = 0; i < core->depth; i++) {
        const struct dispatcher *d = dispatcher_at(core->chain[i].dispatcher);
        require(is_live(d->self) && d->state != IS_STOPPED &&
                    d->state != IS_DEAD && d->state != IS_UNBOUND,
                d, "in the chain but dead");
        require(i == 0 || d->parent == core->chain[i - 1].dispatcher, d,
                "in the chain below another's parent");
        require(i + 1 == core->depth || d->state != IS_QUEUED, d,
                "queues while it schedules");
    }
    if (core->depth > CHAIN_MAX ||
        (core->current != 0 && !is_live(core->current)) ||
        (core->fp_owner != 0 && !is_live(core->fp_owner))) {
        host_fail("core: somebody dead runs");
    }
}

void check_sched(void)
{
    collect();
    for (uint32_t i = 0; i < n_endpoints; i++) {
        check_endpoint(endpoints[i]);
    }
    for (uint32_t i = 0; i < n_live; i++) {
        const struct dispatcher *d = dispatcher_at(live[i]);
        check_calls(d);
        check_loan(d);
        check_family(d);
        check_sleep(d);
        check_links(d);
    }
    for (uint32_t i = 0; i < n_contexts; i++) {
        ref_t d = OBJECT(struct sched_context, contexts[i])->dispatcher;
        if (d != 0 && (!is_live(d) || dispatcher_at(d)->sched != contexts[i])) {
            host_fail("scheduling context %x: of another", contexts[i]);
        }
    }
    for (uint32_t i = 0; i < IRQ_COUNT; i++) {
        if (kernel.irq[i].bound && !is_live(kernel.irq[i].dispatcher)) {
            host_fail("interrupt %u: bound to a dead dispatcher", i);
        }
    }
    check_replies();
    check_domains();
    check_chain();
}
