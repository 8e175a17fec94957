/* SPDX-License-Identifier: BSL-1.0 */
/* CNTVCT_EL0 is readable without a system call. */
#include "counter.h"

uint64_t counter_now(void)
{
    uint64_t ticks;

    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
    return ticks;
}

uint64_t counter_hz(void)
{
    uint64_t hz;

    __asm__("mrs %0, cntfrq_el0" : "=r"(hz));
    return hz;
}
