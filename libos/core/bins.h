/* SPDX-License-Identifier: BSL-1.0
 *
 * The blocks that malloc hands out, and the free ones sorted by size into bins
 * with a bitmap, so that finding, splitting and merging take constant time
 * however full the heap is. Pure: works in memory that it is given.
 *
 * Rules: one caller at a time (malloc.c has the lock).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In front of each payload. `before` lies in the last 8 bytes of the payload of
 * the block before, and counts only while that one is free: a used block costs
 * 8 bytes. Payloads are multiples of 16 bytes plus 8, at addresses that are
 * multiples of 16. */
struct block {
    size_t before;      /* payload bytes of the block before, if it is free */
    size_t bytes_flags; /* payload bytes | BLOCK_FREE | BLOCK_BEFORE_FREE */
    struct block *next_free, *prev_free; /* the payload of a free block */
};

#define BLOCK_FREE        1u
#define BLOCK_BEFORE_FREE 2u
#define BLOCK_BYTES_MIN   24u
#define BLOCK_BYTES_MAX   (1ull << 40)

struct block *block_of(void *payload);
void *block_payload(struct block *b);
size_t block_bytes(const struct block *b);
bool block_is_free(const struct block *b);

/* Payload bytes of the block that `bytes` need; 0: more than there can be. */
size_t block_round(size_t bytes);

/* Add [start, start + bytes): multiples of 16, at least 64 bytes. Directly
 * behind what was added last, it grows that. */
void bins_add(void *start, size_t bytes);

/* A used block of at least `bytes` (from block_round); NULL: there is none. */
struct block *bins_take(size_t bytes);

/* Make a used block free, merged with free neighbours. */
void bins_give(struct block *b);

/* Cut a used block down to `bytes`, giving the rest back. */
void block_trim(struct block *b, size_t bytes);

/* Grow a used block to at least `bytes` where it is, if the block behind it is
 * free and large enough. */
bool block_extend(struct block *b, size_t bytes);

/* Split a used block `gap` bytes into its payload (a multiple of 16, at least
 * 32); the front is given back. Returns the rest. */
struct block *block_skip(struct block *b, size_t gap);
