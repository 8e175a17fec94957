/* SPDX-License-Identifier: BSL-1.0
 *
 * The formats of space.c: what a word of the directory says of a slot of 2 MiB,
 * and the descriptors of translation tables (Arm DDI 0487, D5.3: VMSAv8-64).
 */
#pragma once

#include "core.h"

#define PTE_VALID       3ull
#define PTE_TABLE       3ull
#define PTE_NOT_BLOCK   2ull        /* a page, or in level 2 a table */
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

/* An entry of the directory: 0, but for the generation: no stretch is there. */
#define ENTRY_PAGE_MASK  ((1u << 18) - 1u) /* of the table or huge frame */
#define ENTRY_BLOCK      (1u << 18) /* a huge frame: never read as a table */
#define ENTRY_STRETCH    (ENTRY_PAGE_MASK | ENTRY_BLOCK)
#define ENTRY_GENERATION (1u << 19)

static inline uint32_t *directory_at(uint64_t va)
{
    uint32_t *d = ram_at(kernel.directory);
    return &d[va >> STRETCH_LOG2 & (USER_SLOTS - 1u)];
}

struct table {
    uint64_t entry[512];
};

static inline uint64_t *table_at(ref_t page)
{
    return OBJECT(struct table, page)->entry;
}

static inline uint64_t *table_of(uint32_t entry)
{
    return table_at((entry & ENTRY_PAGE_MASK) << (PAGE_LOG2 - CELL_LOG2));
}

static inline uint32_t page_index(uint64_t va)
{
    return (uint32_t)(va >> PAGE_LOG2) & 511u;
}

static inline uint64_t *pte_at(uint32_t entry, uint64_t va)
{
    return table_of(entry) + page_index(va);
}

static inline uint64_t pte_of(uint64_t address, uint64_t rights, bool device)
{
    uint64_t pte =
        address | PTE_VALID | PTE_EL0 | PTE_ACCESSED | PTE_NOT_GLOBAL | PTE_PXN;
    pte |= device ? PTE_DEVICE : PTE_NORMAL | PTE_SHARED;
    pte |= rights & RIGHT_WRITE ? 0 : PTE_READ_ONLY;
    pte |= rights & RIGHT_EXEC ? 0 : PTE_UXN;
    return pte;
}

/* The bits of a level-2 descriptor that take rights away. */
static inline uint64_t denied(uint64_t descriptor, uint64_t rights)
{
    bool table = (descriptor & PTE_NOT_BLOCK) != 0;
    uint64_t read_only = table ? TABLE_READ_ONLY : PTE_READ_ONLY;
    uint64_t no_code = table ? TABLE_UXN : PTE_UXN;
    return (rights & RIGHT_WRITE ? 0 : read_only) |
           (rights & RIGHT_EXEC ? 0 : no_code);
}

/* The first level says where the table for an address is. */
static inline struct domain_table *find_table(ref_t ref, uint64_t va)
{
    struct domain *d = domain_at(ref);
    uint64_t entry = va < USER_VA_END ? d->level1[va >> 30 & 511u] : 0;
    uint64_t page = ((entry & PTE_ADDRESS) - ref_address(ref)) >> PAGE_LOG2;
    return entry != 0 ? &d->table[(page - 2u) & 63u] : NULL;
}

static inline uint64_t *level2_entry(ref_t domain, const struct domain_table *t,
                                     uint64_t va)
{
    uint32_t i = (uint32_t)(t - domain_at(domain)->table);
    uint64_t *table = table_at(domain + ((2u + i) << (PAGE_LOG2 - CELL_LOG2)));
    return &table[va >> STRETCH_LOG2 & 511u];
}
