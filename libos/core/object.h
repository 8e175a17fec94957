/* SPDX-License-Identifier: BSL-1.0
 *
 * Kernel objects made from this domain's untyped memory, which is fetched from
 * the root server as it runs out. Context: with the memory lock (memory.c).
 */
#pragma once

#include <stdbool.h>
#include <abi/abi.h>

/* Make an object of 2^size_log2 bytes, 12..16. Returns its slot; 0: no memory,
 * or no slot. */
cptr_t object_make(enum abi_type type, uint32_t size_log2);

/* Make the stretch of the slot at va and attach this domain to it, read-write.
 * Returns its slot or 0. */
cptr_t object_stretch(uint64_t va);

/* The same, filled with a frame of 2 MiB; 0 also: no such piece of memory. */
cptr_t object_huge_stretch(uint64_t va);

/* A frame of 64 KiB, new or given back. *dirty: it holds old contents. */
cptr_t frame_take(bool *dirty);
void frame_give(cptr_t frame); /* unmapped */
