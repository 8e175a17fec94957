/* SPDX-License-Identifier: BSL-1.0
 *
 * Data caches and memory that a device reads or writes by itself. Addresses
 * need to be readable here. A test's build replaces it, as with mmio.h. What
 * begins after these must be ordered by mmio_barrier().
 */
#pragma once

#include <stdint.h>

#define CACHE_LINE_BYTES 64u

#if CONFIG_MMIO_HOOK

void cache_hook_clean(uint64_t from, uint64_t bytes);
void cache_hook_flush(uint64_t from, uint64_t bytes);
#define cache_clean cache_hook_clean
#define cache_flush cache_hook_flush

#else

/* Line by line, of long ranges sixteen at a time. */
#define CACHE_ALL(operation, from, bytes)                                      \
    do {                                                                       \
        uint64_t at = (from) & ~(CACHE_LINE_BYTES - 1ull);                     \
        const uint64_t end = (from) + (bytes);                                 \
        for (; at + 16 * CACHE_LINE_BYTES <= end;                              \
             at += 16 * CACHE_LINE_BYTES) {                                    \
            uint64_t line = at;                                                \
            __asm__ volatile(".rept 16; dc " operation ", %0;"                 \
                             " add %0, %0, #64; .endr"                         \
                             : "+r"(line)                                      \
                             :                                                 \
                             : "memory");                                      \
        }                                                                      \
        for (; at < end; at += CACHE_LINE_BYTES) {                             \
            __asm__ volatile("dc " operation ", %0" : : "r"(at) : "memory");   \
        }                                                                      \
    } while (0)

/* What was written reaches memory. */
static inline void cache_clean(uint64_t from, uint64_t bytes)
{
    CACHE_ALL("cvac", from, bytes);
}

/* The same, and what is read next comes from memory. */
static inline void cache_flush(uint64_t from, uint64_t bytes)
{
    CACHE_ALL("civac", from, bytes);
}

#endif
