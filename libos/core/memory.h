/* SPDX-License-Identifier: BSL-1.0
 *
 * Memory as the rest of core sees it; the public half is <vesper/memory.h>.
 *
 * The Range is cut like this: HEAP_SLOTS slots that malloc grows into, then one
 * slot after the other as maps and runs need them.
 */
#pragma once

#include <stdint.h>
#include <abi/abi.h>

/* Start of the use of [base, base + bytes). */
void memory_init(uint64_t base, uint64_t bytes);

/* Map a stack of `bytes`, a multiple of 64 KiB below 2 MiB. Returns its lowest
 * address, 0: no memory. Below it *guard_bytes are never mapped. */
uint64_t memory_stack(uint64_t bytes, uint64_t *guard_bytes);

struct mutex;
extern struct mutex memory_lock; /* guards memory.c, heap.c and object.c */

/* With memory_lock: map a zeroed frame of 64 KiB at va. Its slot; 0: no memory.
 */
cptr_t memory_frame(cptr_t stretch, uint64_t va);

/* heap.c: [base, end) is reserved for it. */
void heap_init(uint64_t base, uint64_t end);
