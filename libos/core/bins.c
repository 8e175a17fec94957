/* SPDX-License-Identifier: BSL-1.0
 *
 * Bins: one for each size below 1 KiB, above that 16 for each power of two.
 */
#include "bins.h"

#define SMALL_BINS 64u /* sizes below 1 KiB, in steps of 16 */
#define STEPS_LOG2 4u  /* bins for each power of two above */
#define BINS       (SMALL_BINS + (40u - 10u + 1u) * (1u << STEPS_LOG2))
#define WORDS      ((BINS + 63u) / 64u)
#define TRIES      8u /* blocks looked at in a bin that may be too small */

static struct {
    struct block *first[BINS];
    uint64_t full[WORDS]; /* bit: the bin is not empty */
    struct block *end;    /* sentinel behind what was added last; never free */
} bins;

/* ---- blocks ------------------------------------------------------------ */

struct block *block_of(void *payload)
{
    return (struct block *)((char *)payload -
                            offsetof(struct block, next_free));
}

void *block_payload(struct block *b)
{
    return &b->next_free;
}

size_t block_bytes(const struct block *b)
{
    return (b->bytes_flags & ~(size_t)15) | 8;
}

bool block_is_free(const struct block *b)
{
    return (b->bytes_flags & BLOCK_FREE) != 0;
}

size_t block_round(size_t bytes)
{
    if (bytes > BLOCK_BYTES_MAX) {
        return 0;
    }
    size_t rounded = ((bytes + 7) & ~(size_t)15) + 8;
    return rounded < BLOCK_BYTES_MIN ? BLOCK_BYTES_MIN : rounded;
}

static struct block *block_next(struct block *b)
{
    return (struct block *)((char *)block_payload(b) + block_bytes(b) - 8);
}

/* Flags keep; bytes are 8 more than a multiple of 16, so bit 3 is always set.
 */
static void block_set_bytes(struct block *b, size_t bytes)
{
    b->bytes_flags = bytes | (b->bytes_flags & 7);
}

static void block_mark_free(struct block *b)
{
    struct block *next = block_next(b);
    b->bytes_flags |= BLOCK_FREE;
    next->before = block_bytes(b);
    next->bytes_flags |= BLOCK_BEFORE_FREE;
}

static void block_mark_used(struct block *b)
{
    b->bytes_flags &= ~(size_t)BLOCK_FREE;
    block_next(b)->bytes_flags &= ~(size_t)BLOCK_BEFORE_FREE;
}

/* ---- bins -------------------------------------------------------------- */

static uint32_t log2_of(size_t n)
{
    return 63u - (uint32_t)__builtin_clzll(n);
}

/* The bin in which a block of this size is kept. */
static uint32_t bin_of(size_t bytes)
{
    if (bytes < SMALL_BINS * 16) {
        return (uint32_t)(bytes / 16);
    }
    uint32_t log2 = log2_of(bytes);
    uint32_t step =
        (uint32_t)(bytes >> (log2 - STEPS_LOG2)) - (1u << STEPS_LOG2);
    uint32_t bin = SMALL_BINS + (log2 - 10) * (1u << STEPS_LOG2) + step;
    return bin < BINS ? bin : BINS - 1;
}

/* The first bin all of whose blocks are large enough. */
static uint32_t bin_above(size_t bytes)
{
    if (bytes < SMALL_BINS * 16) {
        return bin_of(bytes);
    }
    return bin_of(bytes + ((size_t)1 << (log2_of(bytes) - STEPS_LOG2)) - 1);
}

static void bin_push(struct block *b)
{
    uint32_t bin = bin_of(block_bytes(b));
    b->prev_free = NULL;
    b->next_free = bins.first[bin];
    if (b->next_free != NULL) {
        b->next_free->prev_free = b;
    }
    bins.first[bin] = b;
    bins.full[bin / 64] |= 1ull << bin % 64;
}

static void bin_remove(struct block *b)
{
    uint32_t bin = bin_of(block_bytes(b));
    if (b->next_free != NULL) {
        b->next_free->prev_free = b->prev_free;
    }
    if (b->prev_free != NULL) {
        b->prev_free->next_free = b->next_free;
        return;
    }
    bins.first[bin] = b->next_free;
    if (b->next_free == NULL) {
        bins.full[bin / 64] &= ~(1ull << bin % 64);
    }
}

/* The first block of the first bin from `bin` on that has one. */
static struct block *bin_search(uint32_t bin)
{
    uint64_t mask = ~0ull << bin % 64;
    for (uint32_t w = bin / 64; w < WORDS; w++, mask = ~0ull) {
        if ((bins.full[w] & mask) != 0) {
            return bins
                .first[w * 64 + (uint32_t)__builtin_ctzll(bins.full[w] & mask)];
        }
    }
    return NULL;
}

/* Blocks of the bin below bin_above may do as well. */
static struct block *bin_try(size_t bytes)
{
    struct block *b = bins.first[bin_of(bytes)];
    for (uint32_t i = 0; b != NULL && i < TRIES; i++) {
        if (block_bytes(b) >= bytes) {
            return b;
        }
        b = b->next_free;
    }
    return NULL;
}

/* ---- operations -------------------------------------------------------- */

void bins_give(struct block *b)
{
    struct block *next = block_next(b);
    if (block_is_free(next)) {
        bin_remove(next);
        block_set_bytes(b, block_bytes(b) + 8 + block_bytes(next));
    }
    if ((b->bytes_flags & BLOCK_BEFORE_FREE) != 0) {
        struct block *before = (struct block *)((char *)b - b->before - 8);
        bin_remove(before);
        block_set_bytes(before, block_bytes(before) + 8 + block_bytes(b));
        b = before;
    }
    block_mark_free(b);
    bin_push(b);
}

void block_trim(struct block *b, size_t bytes)
{
    size_t have = block_bytes(b);
    if (have - bytes < BLOCK_BYTES_MIN + 8) {
        return;
    }
    block_set_bytes(b, bytes);
    struct block *rest = block_next(b);
    rest->bytes_flags = have - bytes - 8;
    bins_give(rest);
}

struct block *bins_take(size_t bytes)
{
    struct block *b = bin_search(bin_above(bytes));
    if (b == NULL) {
        b = bin_try(bytes);
    }
    if (b == NULL) {
        return NULL;
    }
    bin_remove(b);
    block_mark_used(b);
    block_trim(b, bytes);
    return b;
}

bool block_extend(struct block *b, size_t bytes)
{
    struct block *next = block_next(b);
    size_t all = block_bytes(b) + 8 + block_bytes(next);
    if (!block_is_free(next) || all < bytes) {
        return false;
    }
    bin_remove(next);
    block_mark_used(next);
    block_set_bytes(b, all);
    block_trim(b, bytes);
    return true;
}

struct block *block_skip(struct block *b, size_t gap)
{
    struct block *rest = (struct block *)((char *)b + gap);
    rest->bytes_flags = block_bytes(b) - gap;
    block_set_bytes(b, gap - 8);
    bins_give(b);
    return rest;
}

/* The sentinel is a header alone, 16 bytes, at the very end. */
void bins_add(void *start, size_t bytes)
{
    struct block *b = start;
    size_t payload = bytes - 24;
    if (bins.end != NULL && (char *)bins.end + 16 == (char *)start) {
        b = bins.end; /* its header becomes the new block's */
        payload = bytes - 8;
    } else {
        b->bytes_flags = 0;
    }
    block_set_bytes(b, payload);
    bins.end = block_next(b);
    bins.end->bytes_flags = 8;
    bins_give(b);
}
