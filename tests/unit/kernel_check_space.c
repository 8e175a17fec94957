/* SPDX-License-Identifier: BSL-1.0
 *
 * Invariants of the address space: the directory names exactly the tables of
 * live stretches, domains point at nothing else, and every entry of a table is
 * owed to a frame or a dispatcher that says so.
 */
#include "kernel_check.h"

#include <string.h>

#include "kernel_host.h"

#define PTE_ADDRESS   0x0000fffffffff000ull
#define PTE_EL0       (1ull << 6)
#define PTE_READ_ONLY (1ull << 7)
#define PTE_PXN       (1ull << 53)
#define PTE_UXN       (1ull << 54)
#define TABLES_MAX    256u
#define PAGE_MASK     ((1u << 18) - 1u)
#define BLOCK         (1u << 18)

struct table { /* of a live stretch, or the huge frame that it is */
    ref_t page;
    bool block;
    uint64_t va;
    uint32_t entry;
    uint16_t owed[512]; /* mappings that say they are here */
};

static struct table tables[TABLES_MAX];
static uint32_t count;

static struct table *table_at(uint64_t va)
{
    for (uint32_t i = 0; i < count; i++) {
        if (tables[i].va == (va & ~(STRETCH_BYTES - 1))) {
            return &tables[i];
        }
    }
    return NULL;
}

static void add_stretch(const struct slot *s)
{
    struct table *t = table_at(s->word);
    if (t == NULL) {
        t = &tables[count++ % TABLES_MAX];
        memset(t, 0, sizeof(*t));
        t->page = s->obj;
        t->block = s->order == HUGE_FRAME_LOG2 - CELL_LOG2;
        t->va = s->word;
        t->entry = space_entry(s->word);
    }
    bool zombie = s->type == TYPE_ZOMBIE;
    if (t->page != s->obj || s->word % STRETCH_BYTES != 0 ||
        count > TABLES_MAX) {
        host_fail("two stretches at %llx", (unsigned long long)s->word);
    }
    if (!zombie &&
        ((t->entry & PAGE_MASK) != s->obj >> 7 || s->aux != t->entry ||
         ((t->entry & BLOCK) != 0) != t->block)) {
        host_fail("the directory does not know the stretch at %llx",
                  (unsigned long long)s->word);
    }
}

static void check_directory(void)
{
    const uint32_t *d = ram_at(kernel.directory);
    uint32_t live = 0, found = 0;
    INV(V5);
    for (uint32_t i = 0; i < count; i++) {
        bool named = (tables[i].entry & PAGE_MASK) == tables[i].page >> 7;
        live += named;
        found += named && host.quick && tables[i].va < HOST_RANGE_VA;
    }
    uint32_t first = (uint32_t)(HOST_RANGE_VA >> STRETCH_LOG2);
    uint32_t end = host.quick ? first + 1024 : USER_SLOTS;
    for (uint32_t i = host.quick ? first : 0; i < end; i++) {
        found += (d[i] & PAGE_MASK) != 0;
    }
    if (live != found) {
        host_fail("%u tables in the directory, %u live", found, live);
    }
}

static void owe(uint64_t va, uint32_t entry, uint64_t address, uint32_t n)
{
    struct table *t = table_at(va);
    INV(V1);
    if (t == NULL || space_entry(va) != entry) {
        return; /* the stretch went first */
    }
    const uint64_t *pte = ram_at(t->page);
    if ((pte[va >> PAGE_LOG2 & 511] & PTE_ADDRESS) != address) {
        return; /* it went, and came again in the same generation */
    }
    for (uint32_t i = 0; i < n; i++) {
        uint32_t k = (uint32_t)(va >> PAGE_LOG2 & 511) + i;
        if (k > 511 || (pte[k] & PTE_ADDRESS) != address + i * PAGE_BYTES) {
            host_fail("no entry for what is mapped at %llx",
                      (unsigned long long)va);
        }
        t->owed[k]++;
    }
}

static void owe_slot(const struct slot *s)
{
    if (s->type == TYPE_FRAME && s->aux != 0) {
        if (s->attr & ATTR_DEPTH) {
            host_fail("a copy of a frame is mapped");
        }
        owe(s->word, s->aux, ref_address(s->obj), 1u << (s->order - 7));
    }
    bool disp = s->type == TYPE_DISPATCHER || s->type == TYPE_EVENT ||
                (s->type == TYPE_ZOMBIE && s->aux == TYPE_DISPATCHER);
    const struct slot *p = slot_at(s->prev);
    bool again =
        p->obj == s->obj && p->type != TYPE_NULL && p->type != TYPE_UNTYPED;
    if (disp && !again && dispatcher_at(s->obj)->pages != 0) {
        const struct dispatcher *d = dispatcher_at(s->obj);
        owe(d->pages, d->pages_entry, ref_address(s->obj) + PAGE_BYTES, 3);
    }
}

static void check_entry(const struct table *t, uint32_t i, uint64_t pte)
{
    bool writable = (pte & PTE_READ_ONLY) == 0;
    bool exec = (pte & PTE_UXN) == 0;
    INV(V3);
    bool good = !(writable && exec);
    if (good) {
        INV(V2);
        good = (pte & PTE_PXN) && (pte & PTE_EL0) && (pte & 3) == 3;
    }
    if (!good) {
        host_fail("table %llx, entry %u: %llx", (unsigned long long)t->va, i,
                  (unsigned long long)pte);
    }
}

/* What the boot maps, below all ranges, is owed to nobody. */
static void check_table(const struct table *t)
{
    const uint64_t *pte = ram_at(t->page);
    for (uint32_t i = 0; i < 512; i++) {
        if (pte[i] == 0 && t->owed[i] == 0) {
            continue;
        }
        INV(V1);
        bool boot = t->va < HOST_RANGE_VA && t->owed[i] == 0;
        if (!boot && (pte[i] != 0) != t->owed[i]) {
            host_fail("table %llx, entry %u: %u owners of %llx",
                      (unsigned long long)t->va, i, t->owed[i],
                      (unsigned long long)pte[i]);
        }
        if (pte[i] != 0) {
            check_entry(t, i, pte[i]);
        }
    }
}

/* A block allows user code to read, or to read and write. */
static bool is_block(uint64_t descriptor)
{
    return (descriptor & 3) == 1 && (descriptor & PTE_EL0) &&
           (descriptor & PTE_PXN) && (descriptor & PTE_UXN);
}

static uint32_t check_level2(ref_t domain, uint32_t index, uint64_t gib)
{
    const uint64_t *l2 = ram_at(domain + ((2 + index) << 7));
    uint32_t used = 0;
    for (uint64_t i = 0; i < 512; i++) {
        if (l2[i] == 0) {
            continue;
        }
        const struct table *t = table_at(gib << 30 | i << STRETCH_LOG2);
        if (t == NULL || ref_address(t->page) != (l2[i] & PTE_ADDRESS) ||
            (t->block ? !is_block(l2[i]) : (l2[i] & 3) != 3)) {
            host_fail("domain %x points to a table that is gone: %llx", domain,
                      (unsigned long long)(gib << 30 | i << STRETCH_LOG2));
        }
        used++;
    }
    return used;
}

static void check_domain(ref_t ref)
{
    const struct domain *d = domain_at(ref);
    static uint64_t level1[512];
    memset(level1, 0, sizeof(level1));
    INV(V5);
    for (uint32_t i = 0; i < d->tables; i++) {
        uint32_t gib = d->table[i].gib, used = d->table[i].used;
        if (used != 0) {
            level1[gib % 512] = (ref_address(ref) + ((2ull + i) << 12)) | 3;
        }
        if (used != check_level2(ref, i, gib)) {
            host_fail("domain %x: %u stretches counted", ref, used);
        }
    }
    if (memcmp(level1, d->level1, sizeof(level1)) != 0) {
        host_fail("domain %x: first level and list of tables differ", ref);
    }
}

void check_space(void)
{
    count = 0;
    uint32_t domains = 0;
    ref_t head = kernel.head;
    for (ref_t r = slot_at(head)->next; r != head; r = slot_at(r)->next) {
        const struct slot *s = slot_at(r);
        if (s->type == TYPE_STRETCH ||
            (s->type == TYPE_ZOMBIE && s->aux == TYPE_STRETCH)) {
            add_stretch(s);
        }
        bool first = slot_at(s->prev)->type != TYPE_DOMAIN ||
                     slot_at(s->prev)->obj != s->obj;
        domains += s->type == TYPE_DOMAIN && first;
    }
    check_directory();
    for (ref_t r = slot_at(head)->next; r != head; r = slot_at(r)->next) {
        owe_slot(slot_at(r));
    }
    for (uint32_t i = 0; i < count; i++) {
        if (!tables[i].block) {
            check_table(&tables[i]);
        }
    }
    ref_t d = kernel.domains;
    for (uint32_t i = 0; i < domains; i++, d = domain_at(d)->all.next) {
        check_domain(d);
        if (domain_at(domain_at(d)->all.next)->all.prev != d) {
            host_fail("list of domains: broken at %x", d);
        }
    }
    if (d != kernel.domains) {
        host_fail("list of domains: not %u long", domains);
    }
}
