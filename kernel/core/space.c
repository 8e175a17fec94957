/* SPDX-License-Identifier: BSL-1.0
 *
 * The single address space. A slot of 2 MiB has at most one stretch alive: a
 * table, at which domains point with rights of their own, or a huge frame,
 * which each of them maps as a block. The directory says what a slot has; a
 * generation beside it tells a frame whether the mapping it remembers is still
 * the same one.
 */
#include "list.h"
#include "syscall.h"
#include "table.h"

#define SWEEP 4u /* domains between two looks at interrupts */

uint32_t space_entry(uint64_t va)
{
    return *directory_at(va);
}

/* READ, READ|WRITE and READ|EXEC are the only rights a mapping can have. */
enum abi_error space_check_rights(uint64_t rights)
{
    if (rights == (RIGHT_READ | RIGHT_WRITE | RIGHT_EXEC)) {
        return ERR_WX;
    }
    return rights == RIGHT_READ || rights == (RIGHT_READ | RIGHT_WRITE) ||
                   rights == (RIGHT_READ | RIGHT_EXEC)
               ? ERR_OK
               : ERR_RANGE;
}

/* ---- stretches --------------------------------------------------------- */

/* What it is made of: untyped memory for its table, or a huge frame. */
static enum abi_error check_source(uint64_t rights, const struct slot *s)
{
    if (!is_huge_frame(s)) {
        enum abi_error e = cap_check(s, TYPE_UNTYPED, RIGHT_MANAGE);
        if (e == ERR_OK && (s->attr & ATTR_DEVICE)) {
            e = ERR_DEVICE;
        }
        return e == ERR_OK && rights != 0 ? ERR_RANGE : e;
    }
    enum abi_error e = space_check_rights(rights);
    if (e == ERR_OK) {
        e = cap_check(s, TYPE_FRAME, (uint32_t)rights);
    }
    if (e == ERR_OK && (rights & RIGHT_EXEC)) {
        e = ERR_RANGE; /* 2 MiB of code are not made visible in one step */
    }
    bool has_stretch = cap_derives(s, slot_at(s->next));
    return e == ERR_OK && has_stretch ? ERR_STATE : e;
}

static enum abi_error check_address(uint64_t va, const struct slot *range)
{
    uint64_t low = (uint64_t)range->obj << PAGE_LOG2;
    uint64_t size = 1ull << ((range->order & 31u) + PAGE_LOG2);
    if (va % STRETCH_BYTES != 0) {
        return ERR_ALIGN;
    }
    if (va < low || va - low >= size) {
        return ERR_RANGE;
    }
    return space_entry(va) & ENTRY_STRETCH ? ERR_BUSY : ERR_OK;
}

/* The frame in slot `from` becomes a stretch; within these rights it can be
 * attached. */
static void make_of_frame(ref_t from, ref_t to, uint64_t va, uint64_t rights)
{
    struct slot *f = slot_at(from);
    f->word = va;
    *slot_at(to) = (struct slot){
        .obj = f->obj,
        .attr = f->attr & ATTR_DEVICE,
        .rights = (uint8_t)(rights | RIGHT_ATTACH),
        .order = f->order,
    };
    cap_insert(from, to);
}

/* The table is made like a frame, then becomes the stretch. */
static enum abi_error make_of_untyped(const uint64_t *x)
{
    uint64_t make[8] = {x[1], x[0], TYPE_FRAME, PAGE_LOG2, 1, 0, 0, 0};
    return op_untyped_retype(make);
}

enum abi_error op_stretch_create(uint64_t *x)
{
    struct place dst = {0}, source = {0};
    struct slot *range;
    enum abi_error e = cap_place(x[0], &dst);
    if (e == ERR_OK) {
        e = cap_place(x[1], &source);
    }
    if (e == ERR_OK) {
        e = check_source(x[4], slot_at(source.ref));
    }
    if (e == ERR_OK) {
        e = cap_get(x[2], TYPE_RANGE, RIGHT_MANAGE, &range);
    }
    if (e != ERR_OK) {
        return e;
    }
    struct slot *d = slot_at(dst.ref);
    if (d->type != TYPE_NULL) {
        return ERR_FULL;
    }
    e = check_address(x[3], range);
    bool huge = x[4] != 0;
    if (e == ERR_OK && !huge) {
        e = make_of_untyped(x);
    }
    if (e != ERR_OK) {
        return e;
    }
    if (huge) {
        make_of_frame(source.ref, dst.ref, x[3], x[4]);
    }
    uint32_t *entry = directory_at(x[3]);
    *entry = (*entry & ~ENTRY_STRETCH) + ENTRY_GENERATION +
             (huge ? ENTRY_BLOCK : 0) + (d->obj >> (PAGE_LOG2 - CELL_LOG2));
    d->type = TYPE_STRETCH;
    d->word = x[3];
    d->aux = *entry;
    return ERR_OK;
}

static struct domain_table *free_table(struct domain *d)
{
    for (uint32_t i = 0; i < d->tables && i < DOMAIN_TABLES; i++) {
        if (d->table[i].used == 0) {
            return &d->table[i];
        }
    }
    return NULL;
}

/* The descriptor with which a domain gets at a stretch. */
static uint64_t attachment(const struct slot *s, uint64_t rights)
{
    uint64_t address = ref_address(s->obj);
    if (s->aux & ENTRY_BLOCK) {
        return pte_of(address, rights, s->attr & ATTR_DEVICE) & ~PTE_NOT_BLOCK;
    }
    uint64_t table = address | PTE_TABLE | TABLE_PXN;
    return table | denied(table, rights);
}

/* What the domain has in the slot of this address is not on loan (any more). */
static void forget_loan(ref_t domain, uint64_t va)
{
    ref_t ref = domain_at(domain)->dispatcher[0];
    if (ref != 0 && LOAN_ADDRESS(dispatcher_at(ref)->lent) == va) {
        dispatcher_at(ref)->lent = 0;
    }
}

/* The first level gets a table for this address; NULL: none is free. */
static __attribute__((noinline)) struct domain_table *take_table(ref_t ref,
                                                                 uint64_t va)
{
    struct domain *d = domain_at(ref);
    struct domain_table *t = free_table(d);
    if (t != NULL) {
        uint32_t i = (uint32_t)(t - d->table);
        t->gib = (uint16_t)(va >> 30);
        d->level1[t->gib & 511u] =
            (ref_address(ref) + ((2ull + i) << PAGE_LOG2)) | PTE_TABLE;
    }
    return t;
}

/* t: the domain's table for this address, or NULL: it needs one. */
static inline enum abi_error set_entry(ref_t ref, struct domain_table *t,
                                       uint64_t va, uint64_t descriptor)
{
    t = t != NULL ? t : take_table(ref, va);
    if (t == NULL) {
        return ERR_NOTABLE;
    }
    uint64_t *entry = level2_entry(ref, t, va);
    bool change = *entry != 0;
    *entry = descriptor;
    t->used = (uint16_t)(t->used + !change);
    if (change) {
        arch_tlb_domain(domain_asid(ref));
    } else {
        arch_publish();
    }
    return ERR_OK;
}

/* False: there was nothing. */
static inline bool clear_entry(ref_t ref, uint64_t va)
{
    struct domain_table *t = find_table(ref, va);
    uint64_t *entry = t == NULL ? NULL : level2_entry(ref, t, va);
    if (entry == NULL || *entry == 0) {
        return false;
    }
    ASSERT(t->used > 0);
    *entry = 0;
    if (--t->used == 0) {
        domain_at(ref)->level1[t->gib & 511u] = 0;
        t->gib = 0;
    }
    arch_tlb_domain(domain_asid(ref));
    return true;
}

static bool detach(ref_t ref, uint64_t va)
{
    bool was = clear_entry(ref, va);
    if (was) {
        forget_loan(ref, va);
    }
    return was;
}

/* ---- loans ------------------------------------------------------------- */

static inline uint64_t descriptor_at(ref_t domain, const struct domain_table *t,
                                     uint64_t va)
{
    return t == NULL ? 0 : *level2_entry(domain, t, va);
}

enum abi_error space_lend(const struct dispatcher *from, struct dispatcher *to,
                          uint64_t loan)
{
    uint64_t va = LOAN_ADDRESS(loan), rights = LOAN_RIGHTS(loan);
    enum abi_error e = space_check_rights(rights);
    if (e != ERR_OK) {
        return e;
    }
    const struct domain_table *mine = find_table(from->domain, va);
    uint64_t has = descriptor_at(from->domain, mine, va);
    if (has == 0 || va == kernel.sweep) { /* it may have been at `to` */
        return ERR_UNMAPPED;
    }
    uint64_t gives = has | denied(has, rights);
    if ((gives & denied(has, 0)) != denied(has, rights)) {
        return ERR_RIGHTS;
    }
    struct domain_table *t = find_table(to->domain, va);
    if (descriptor_at(to->domain, t, va) != 0) {
        return ERR_BUSY;
    }
    e = set_entry(to->domain, t, va, gives);
    to->lent = e == ERR_OK ? loan : 0;
    return e;
}

/* The domain's right changes: what it lent of it goes back first. */
static void recall(ref_t domain, uint64_t va)
{
    ref_t ref = domain_at(domain)->dispatcher[0];
    for (uint32_t i = 0; i < CALLS_MAX && ref != 0; i++) {
        const struct dispatcher *d = dispatcher_at(ref);
        const struct dispatcher *to = dispatcher_at(d->callee);
        if (d->state != IS_CALLING || d->callee == 0 || to->lent == 0 ||
            LOAN_ADDRESS(to->lent) != va) {
            return;
        }
        (void)detach(to->domain, va);
        ref = d->callee;
    }
}

void space_take_back(struct dispatcher *to)
{
    uint64_t va = LOAN_ADDRESS(to->lent);
    if (to->state == IS_CALLING) {
        recall(to->domain, va);
    }
    to->lent = 0;
    (void)clear_entry(to->domain, va);
}

/* Most domains serve nobody and wait for nobody. */
static inline void end_loans(ref_t domain, uint64_t va)
{
    const struct dispatcher *d =
        dispatcher_at(domain_at(domain)->dispatcher[0]);
    if (d->lent != 0 || d->callee != 0) {
        recall(domain, va);
        forget_loan(domain, va);
    }
}

enum abi_error space_attach(ref_t ref, const struct slot *s, uint64_t rights)
{
    struct domain_table *t = find_table(ref, s->word);
    end_loans(ref, s->word);
    return set_entry(ref, t, s->word, attachment(s, rights));
}

enum abi_error op_stretch_attach(uint64_t *x)
{
    struct slot *s = NULL;
    ref_t domain = 0;
    enum abi_error e = space_check_rights(x[2]);
    if (e == ERR_OK) {
        e = cap_get(x[0], TYPE_STRETCH, RIGHT_ATTACH | (uint32_t)x[2], &s);
    }
    if (e == ERR_OK) {
        e = cap_object(x[1], TYPE_DOMAIN, RIGHT_ATTACH, &domain);
    }
    return e == ERR_OK ? space_attach(domain, s, x[2]) : e;
}

enum abi_error op_stretch_detach(uint64_t *x)
{
    struct slot *s;
    ref_t domain;
    enum abi_error e = cap_get(x[0], TYPE_STRETCH, RIGHT_ATTACH, &s);
    if (e == ERR_OK) {
        e = cap_object(x[1], TYPE_DOMAIN, RIGHT_ATTACH, &domain);
    }
    if (e != ERR_OK) {
        return e;
    }
    recall(domain, s->word);
    return detach(domain, s->word) ? ERR_OK : ERR_UNMAPPED;
}

/* Detach a dying stretch from every domain, SWEEP domains a step. Domains that
 * were looked at carry the epoch of this sweep and move to the end. There is
 * one sweep at a time: who finds another's under way carries that on first. */
bool space_destroy_stretch(const struct slot *z)
{
    uint32_t page = z->obj >> (PAGE_LOG2 - CELL_LOG2);
    if ((space_entry(z->word) & ENTRY_PAGE_MASK) != page) {
        return true; /* another has done it */
    }
    if (kernel.sweep == 0) {
        kernel.sweep = z->word;
        kernel.epoch += kernel.epoch == UINT32_MAX ? 2 : 1; /* never 0 */
    }
    for (uint32_t i = 0; i < SWEEP; i++) {
        struct domain *d = domain_at(kernel.domains);
        if (kernel.domains == 0 || d->visited == kernel.epoch) {
            bool own = kernel.sweep == z->word;
            *directory_at(kernel.sweep) &= ~ENTRY_STRETCH;
            kernel.sweep = 0;
            return own;
        }
        detach(kernel.domains, kernel.sweep);
        d->visited = kernel.epoch;
        kernel.domains = d->all.next;
    }
    return false;
}

/* ---- boot -------------------------------------------------------------- */

void space_boot_stretch(struct slot *s, ref_t table, uint64_t va)
{
    uint32_t *entry = directory_at(va);
    *entry = ENTRY_GENERATION + (table >> (PAGE_LOG2 - CELL_LOG2));
    s->type = TYPE_STRETCH;
    s->obj = table;
    s->order = PAGE_LOG2 - CELL_LOG2;
    s->rights = RIGHTS_ALL;
    s->word = va;
    s->aux = *entry;
}

void space_boot_map(const struct slot *s, uint64_t va, uint64_t address,
                    uint64_t pages, uint64_t rights)
{
    uint64_t *pte = pte_at(s->aux, va);
    for (uint64_t i = 0; i < pages; i++) {
        pte[i] = pte_of(address + i * PAGE_BYTES, rights, false);
    }
}
