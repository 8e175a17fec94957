/* SPDX-License-Identifier: BSL-1.0
 *
 * The counter of the core, which also user mode may read, and its ticks.
 */
#include "root.h"

uint64_t now(void)
{
    uint64_t t;
    __asm__ volatile("isb; mrs %0, cntvct_el0" : "=r"(t) : : "memory");
    return t;
}

uint64_t ticks_to_ns(uint64_t ticks)
{
    uint64_t hz = identity()->frequency;
    return ticks / hz * 1000000000ull + ticks % hz * 1000000000ull / hz;
}
