/* SPDX-License-Identifier: BSL-1.0
 *
 * The one place that turns numbers into pointers. A reference is a physical
 * address / 32; every reference is masked, so that whatever memory holds, an
 * access stays inside RAM (docs/decisions/0002-references.md).
 *
 * In the kernel RAM is a window of the upper half; on the host it is an array.
 */
#pragma once

#include <stdint.h>

typedef uint32_t ref_t; /* physical address / 32; 0: none */

#define CELL_LOG2 5u

#if CONFIG_HOST
#if !defined(RAM_CELLS)
#define RAM_CELLS (1u << 17)
#endif
extern unsigned char ram_host[];
#define RAM_BASE ((uintptr_t)ram_host)
#else
#define RAM_CELLS (1u << 25) /* 1 GiB */
#define RAM_BASE  0xffffff8000000000ul
#endif

static inline void *ram_at(ref_t ref)
{
    return (void *)(RAM_BASE + ((uintptr_t)(ref & (RAM_CELLS - 1u)) << 5));
}

/* An object of type T, a power of two in size: the whole of it lies in RAM. */
#define OBJECT(T, ref) ((T *)ram_at((ref) & ~(ref_t)(sizeof(T) / 32u - 1u)))

static inline uint64_t ref_address(ref_t ref)
{
    return (uint64_t)ref << CELL_LOG2;
}

static inline ref_t ref_of(uint64_t address)
{
    return (ref_t)(address >> CELL_LOG2);
}
