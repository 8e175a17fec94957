/* SPDX-License-Identifier: BSL-1.0
 *
 * Memory as the rest of core sees it; the public half is <vesper/memory.h>.
 *
 * The Range is cut like this: HEAP_SLOTS slots that malloc grows into, then one
 * slot after the other as maps and runs need them.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <abi/abi.h>

/* Start of the use of [base, base + bytes). */
void memory_init(uint64_t base, uint64_t bytes);

/* Addresses for `bytes` in one stretch, of which only the last `top_bytes` are
 * mapped, zeroed; both are multiples of the page. 0: no addresses or no memory
 * left, or too many. */
uint64_t memory_reserve(uint64_t bytes, uint64_t top_bytes, cptr_t *stretch);

/* Slots of addresses without stretches: *bytes of them, or half of what is left
 * if that is less. */
uint64_t memory_arena(uint64_t *bytes);

/* Map zeroed pages at [va, end). False: no memory; some may be mapped. */
bool memory_pages(cptr_t stretch, uint64_t va, uint64_t end);

struct mutex;
extern struct mutex memory_lock; /* guards memory.c, heap.c and object.c */

/* Take memory_lock. Whoever holds it must not need the pager, which takes it:
 * so the stack that is needed meanwhile is mapped before. */
void memory_enter(void);

/* With memory_lock: map a frame of 64 KiB at va, zeroed if it is to be clear.
 * Its slot; 0: no memory. */
cptr_t memory_frame(cptr_t stretch, uint64_t va, bool clear);

/* heap.c: [base, end) is reserved for it. */
void heap_init(uint64_t base, uint64_t end);
