/* SPDX-License-Identifier: BSL-1.0
 *
 * The layout of a program in its addresses, and what memory that takes. Makes
 * nothing.
 */
#pragma once

#include "root.h"
#include "symbols.h"

#define LAYOUT_INFO_BYTES (16ull << 10) /* start_info and its strings */

/* Where the parts of a program lie: offsets from base. */
struct layout {
    struct elf_plan plan;
    uint64_t base;       /* where the image goes */
    uint64_t code_end;   /* of code, constants and what is behind them: */
    uint64_t symbols_at; /* symbols, 0: none, */
    uint64_t data_at;    /* and data as it is at the start, 0: it is not kept */
    uint64_t data_slot;  /* the last slot with data */
    uint64_t stack, info, pages, heap;
    uint32_t slots; /* of 2 MiB */
};

/* To the next multiple of a power of two. */
static inline uint64_t up(uint64_t v, uint64_t to)
{
    return (v + to - 1) & ~(to - 1);
}

/* From at->plan, which elf_plan made, all but the base. With r->key, data is to
 * be kept as it is at the start, if it has one segment, the last one. ENOMEM:
 * it does not fit. */
int lay_out(struct layout *at, const struct load_request *r,
            struct symbols_source *source);

/* Where its data ends; its code and constants; the slots of its code. */
uint64_t layout_data_end(const struct elf_plan *plan);
uint64_t layout_fixed_end(const struct elf_plan *plan);
uint64_t layout_code_bound(const struct layout *at);
/* Of the room for start_info and its strings: what is mapped. */
uint64_t layout_info_bytes(const struct load_request *r);
/* How far frames of one size go from `at`: of 64 KiB where they fit. */
uint64_t layout_part_end(uint64_t at, uint64_t end, uint32_t *log2);

/* What the domain takes, and what an image does that has its code. */
struct layout_sizes {
    struct image_size own, text;
    uint64_t bound; /* below it, memory is the image's */
};
struct layout_sizes layout_measure(const struct layout *at,
                                   const struct load_request *r, bool image);
