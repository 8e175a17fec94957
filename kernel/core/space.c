/* SPDX-License-Identifier: BSL-1.0
 *
 * The single address space. A slot of 2 MiB has at most one table alive, its
 * stretch; domains point at that same table with rights of their own. The
 * directory says which table a slot has; a generation beside it tells a frame
 * whether the mapping it remembers is still the same one.
 * Descriptor formats: Arm DDI 0487, D5.3 (VMSAv8-64 translation tables).
 */
#include "list.h"
#include "syscall.h"

#define PTE_VALID       3ull
#define PTE_TABLE       3ull
#define PTE_DEVICE      (0ull << 2) /* MAIR index 0 */
#define PTE_NORMAL      (1ull << 2)
#define PTE_EL0         (1ull << 6)
#define PTE_READ_ONLY   (1ull << 7)
#define PTE_SHARED      (3ull << 8)
#define PTE_ACCESSED    (1ull << 10)
#define PTE_NOT_GLOBAL  (1ull << 11)
#define PTE_PXN         (1ull << 53)
#define PTE_UXN         (1ull << 54)
#define PTE_ADDRESS     0x0000fffffffff000ull
#define TABLE_PXN       (1ull << 59)
#define TABLE_UXN       (1ull << 60)
#define TABLE_READ_ONLY (1ull << 62)

#define ENTRY_PAGE_MASK  ((1u << 18) - 1u)
#define ENTRY_GENERATION (1u << 18)
#define SWEEP            4u /* domains between two looks at interrupts */

static uint32_t *directory_at(uint64_t va)
{
    uint32_t *d = ram_at(kernel.directory);
    return &d[va >> STRETCH_LOG2 & (USER_SLOTS - 1u)];
}

uint32_t space_entry(uint64_t va)
{
    return *directory_at(va);
}

struct table {
    uint64_t entry[512];
};

static uint64_t *table_at(ref_t page)
{
    return OBJECT(struct table, page)->entry;
}

static uint64_t *table_of(uint32_t entry)
{
    return table_at((entry & ENTRY_PAGE_MASK) << (PAGE_LOG2 - CELL_LOG2));
}

static uint32_t page_index(uint64_t va)
{
    return (uint32_t)(va >> PAGE_LOG2) & 511u;
}

static uint64_t *pte_at(uint32_t entry, uint64_t va)
{
    return table_of(entry) + page_index(va);
}

/* READ, READ|WRITE and READ|EXEC are the only rights a mapping can have. */
static enum abi_error check_rights(uint64_t rights)
{
    if (rights == (RIGHT_READ | RIGHT_WRITE | RIGHT_EXEC)) {
        return ERR_WX;
    }
    return rights == RIGHT_READ || rights == (RIGHT_READ | RIGHT_WRITE) ||
                   rights == (RIGHT_READ | RIGHT_EXEC)
               ? ERR_OK
               : ERR_RANGE;
}

static uint64_t pte_of(uint64_t address, uint64_t rights, bool device)
{
    uint64_t pte =
        address | PTE_VALID | PTE_EL0 | PTE_ACCESSED | PTE_NOT_GLOBAL | PTE_PXN;
    pte |= device ? PTE_DEVICE : PTE_NORMAL | PTE_SHARED;
    pte |= rights & RIGHT_WRITE ? 0 : PTE_READ_ONLY;
    pte |= rights & RIGHT_EXEC ? 0 : PTE_UXN;
    return pte;
}

/* ---- stretches --------------------------------------------------------- */

enum abi_error op_stretch_create(uint64_t *x)
{
    struct place dst;
    struct slot *u, *range;
    enum abi_error e = cap_place(x[0], &dst);
    if (e == ERR_OK) {
        e = cap_get(x[1], TYPE_UNTYPED, RIGHT_MANAGE, &u);
    }
    if (e == ERR_OK) {
        e = cap_get(x[2], TYPE_RANGE, RIGHT_MANAGE, &range);
    }
    if (e != ERR_OK) {
        return e;
    }
    struct slot *d = slot_at(dst.ref);
    uint64_t low = (uint64_t)range->obj << PAGE_LOG2;
    uint64_t size = 1ull << ((range->order & 31u) + PAGE_LOG2);
    if (d->type != TYPE_NULL) {
        return ERR_FULL;
    }
    if (u->attr & ATTR_DEVICE) {
        return ERR_DEVICE;
    }
    if (x[3] % STRETCH_BYTES != 0) {
        return ERR_ALIGN;
    }
    if (x[3] < low || x[3] - low >= size) {
        return ERR_RANGE;
    }
    uint32_t *entry = directory_at(x[3]);
    if ((*entry & ENTRY_PAGE_MASK) != 0) {
        return ERR_BUSY;
    }
    /* The table is made like a frame, then becomes the stretch. */
    uint64_t make[8] = {x[1], x[0], TYPE_FRAME, PAGE_LOG2, 1, 0, 0, 0};
    e = op_untyped_retype(make);
    if (e != ERR_OK) {
        return e;
    }
    *entry = (*entry & ~ENTRY_PAGE_MASK) + ENTRY_GENERATION +
             (d->obj >> (PAGE_LOG2 - CELL_LOG2));
    d->type = TYPE_STRETCH;
    d->word = x[3];
    d->aux = *entry;
    return ERR_OK;
}

static struct domain_table *find_table(struct domain *d, uint64_t va)
{
    uint64_t gib = va >> 30;
    for (uint32_t i = 0; i < d->tables && i < DOMAIN_TABLES; i++) {
        if (d->table[i].used != 0 && d->table[i].gib == gib) {
            return &d->table[i];
        }
    }
    return NULL;
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

static uint64_t *level2_entry(ref_t domain, const struct domain_table *t,
                              uint64_t va)
{
    uint32_t i = (uint32_t)(t - domain_at(domain)->table);
    uint64_t *table = table_at(domain + ((2u + i) << (PAGE_LOG2 - CELL_LOG2)));
    return &table[va >> STRETCH_LOG2 & 511u];
}

enum abi_error space_attach(ref_t ref, const struct slot *s, uint64_t rights)
{
    struct domain *d = domain_at(ref);
    struct domain_table *t = find_table(d, s->word);
    if (t == NULL) {
        t = free_table(d);
        if (t == NULL) {
            return ERR_NOTABLE;
        }
        uint32_t i = (uint32_t)(t - d->table);
        t->gib = (uint16_t)(s->word >> 30);
        d->level1[t->gib & 511u] =
            (ref_address(ref) + ((2ull + i) << PAGE_LOG2)) | PTE_TABLE;
    }
    uint64_t *entry = level2_entry(ref, t, s->word);
    bool change = *entry != 0;
    *entry = ref_address(s->obj) | PTE_TABLE | TABLE_PXN |
             (rights & RIGHT_WRITE ? 0 : TABLE_READ_ONLY) |
             (rights & RIGHT_EXEC ? 0 : TABLE_UXN);
    t->used = (uint16_t)(t->used + !change);
    if (change) {
        arch_tlb_domain(domain_asid(ref));
    } else {
        arch_publish();
    }
    return ERR_OK;
}

static bool detach(ref_t ref, uint64_t va)
{
    struct domain *d = domain_at(ref);
    struct domain_table *t = find_table(d, va);
    uint64_t *entry = t == NULL ? NULL : level2_entry(ref, t, va);
    if (entry == NULL || *entry == 0) {
        return false;
    }
    ASSERT(t->used > 0);
    *entry = 0;
    if (--t->used == 0) {
        d->level1[t->gib & 511u] = 0;
    }
    arch_tlb_domain(domain_asid(ref));
    return true;
}

enum abi_error op_stretch_attach(uint64_t *x)
{
    struct slot *s = NULL;
    ref_t domain = 0;
    enum abi_error e = check_rights(x[2]);
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
    return detach(domain, s->word) ? ERR_OK : ERR_UNMAPPED;
}

/* Detach a dying stretch from every domain, SWEEP domains a step. Domains that
 * were looked at carry the epoch of this sweep and move to the end. There is
 * one sweep at a time: who finds another's under way carries that on first. */
bool space_destroy_stretch(const struct slot *z)
{
    if (table_of(space_entry(z->word)) != ram_at(z->obj)) {
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
            *directory_at(kernel.sweep) &= ~ENTRY_PAGE_MASK;
            kernel.sweep = 0;
            return own;
        }
        detach(kernel.domains, kernel.sweep);
        d->visited = kernel.epoch;
        kernel.domains = d->all.next;
    }
    return false;
}

/* ---- frames ------------------------------------------------------------ */

static uint32_t frame_pages(const struct slot *s)
{
    return 1u << ((s->order - (PAGE_LOG2 - CELL_LOG2)) & 15u);
}

/* The table entries of a mapped frame, or NULL if its stretch is gone. The
 * address is compared too, since generations come again after 2^14. */
static uint64_t *frame_ptes(const struct slot *s)
{
    if (s->aux == 0 || space_entry(s->word) != s->aux) {
        return NULL;
    }
    uint64_t *pte = pte_at(s->aux, s->word);
    return (*pte & PTE_ADDRESS) == ref_address(s->obj) && *pte != 0 ? pte
                                                                    : NULL;
}

/* Write the table entries of a frame, whose slot says where it is mapped. */
static void frame_set(const struct slot *s, uint64_t rights)
{
    for (uint32_t i = 0; i < frame_pages(s); i++) {
        uint64_t address = ref_address(s->obj) + i * PAGE_BYTES;
        uint64_t va = s->word + i * PAGE_BYTES;
        uint64_t *pte = pte_at(s->aux, va);
        if (*pte != 0) {
            *pte = 0; /* break before make: the rights change */
            arch_tlb_page(va);
        }
        *pte = rights ? pte_of(address, rights, s->attr & ATTR_DEVICE) : 0;
    }
    arch_publish();
}

void space_unmap_frame(struct slot *s)
{
    if (frame_ptes(s) != NULL) {
        frame_set(s, 0);
    }
    s->word = 0;
    s->aux = 0;
}

static enum abi_error check_map(const uint64_t *x, const struct slot *f,
                                const struct slot *s)
{
    uint64_t bytes = (uint64_t)frame_pages(f) << PAGE_LOG2;
    if ((f->attr & ATTR_DEVICE) && (x[3] & RIGHT_EXEC)) {
        return ERR_DEVICE;
    }
    if ((f->attr & ATTR_DEPTH) != 0) {
        return ERR_PERM; /* only originals: a frame is mapped once at most */
    }
    if (frame_ptes(f) != NULL) {
        return ERR_STATE;
    }
    if (x[2] % bytes != 0) {
        return ERR_ALIGN;
    }
    if (x[2] < s->word || x[2] - s->word >= STRETCH_BYTES) {
        return ERR_RANGE;
    }
    for (uint32_t i = 0; i < frame_pages(f); i++) {
        if (*pte_at(s->aux, x[2] + i * PAGE_BYTES) != 0) {
            return ERR_BUSY;
        }
    }
    return ERR_OK;
}

enum abi_error op_frame_map(uint64_t *x)
{
    struct slot *f, *s;
    enum abi_error e = check_rights(x[3]);
    if (e == ERR_OK) {
        e = cap_get(x[0], TYPE_FRAME, (uint32_t)x[3], &f);
    }
    if (e == ERR_OK) {
        e = cap_get(x[1], TYPE_STRETCH, (uint32_t)x[3], &s);
    }
    if (e == ERR_OK) {
        e = check_map(x, f, s);
    }
    if (e != ERR_OK) {
        return e;
    }
    f->word = x[2];
    f->aux = s->aux;
    if (x[3] & RIGHT_EXEC) {
        arch_sync_code(f->obj, (uint64_t)frame_pages(f) << PAGE_LOG2);
    }
    frame_set(f, x[3]);
    return ERR_OK;
}

enum abi_error op_frame_unmap(uint64_t *x)
{
    struct slot *f;
    enum abi_error e = cap_get(x[0], TYPE_FRAME, 0, &f);
    if (e != ERR_OK) {
        return e;
    }
    if (frame_ptes(f) == NULL) {
        return ERR_UNMAPPED;
    }
    space_unmap_frame(f);
    return ERR_OK;
}

enum abi_error op_frame_protect(uint64_t *x)
{
    struct slot *f;
    enum abi_error e = check_rights(x[1]);
    if (e == ERR_OK) {
        e = cap_get(x[0], TYPE_FRAME, (uint32_t)x[1], &f);
    }
    if (e != ERR_OK) {
        return e;
    }
    if ((f->attr & ATTR_DEVICE) && (x[1] & RIGHT_EXEC)) {
        return ERR_DEVICE;
    }
    if (frame_ptes(f) == NULL) {
        return ERR_UNMAPPED;
    }
    if (x[1] & RIGHT_EXEC) {
        arch_sync_code(f->obj, (uint64_t)frame_pages(f) << PAGE_LOG2);
    }
    frame_set(f, x[1]);
    return ERR_OK;
}

/* ---- the pages of a dispatcher: one read-only, two read-write ---------- */

enum abi_error space_map_pages(uint64_t va, uint32_t entry, ref_t pages)
{
    if (page_index(va) > 512 - 3) {
        return ERR_RANGE;
    }
    for (uint32_t i = 0; i < 3; i++) {
        if (*pte_at(entry, va + i * PAGE_BYTES) != 0) {
            return ERR_BUSY;
        }
    }
    for (uint32_t i = 0; i < 3; i++) {
        *pte_at(entry, va + i * PAGE_BYTES) =
            pte_of(ref_address(pages) + i * PAGE_BYTES,
                   i == 0 ? RIGHT_READ : RIGHT_READ | RIGHT_WRITE, false);
    }
    arch_publish();
    return ERR_OK;
}

void space_unmap_pages(uint64_t va, uint32_t entry, ref_t pages, uint32_t n)
{
    if (space_entry(va) != entry) {
        return; /* the stretch went first */
    }
    for (uint32_t i = 0; i < n; i++) {
        uint64_t address = ref_address(pages) + i * PAGE_BYTES;
        uint64_t *pte = pte_at(entry, va + i * PAGE_BYTES);
        if ((*pte & PTE_ADDRESS) == address) {
            *pte = 0;
            arch_tlb_page(va + i * PAGE_BYTES);
        }
    }
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
