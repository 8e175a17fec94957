/* SPDX-License-Identifier: BSL-1.0
 *
 * The counter CNTVCT_EL0 and the domain's own timer CNTV, both readable without
 * a system call. Ticks inside libos, nanoseconds at its edge.
 */
#pragma once

#include <stdint.h>

static inline uint64_t counter_now(void)
{
    uint64_t ticks;
    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
    return ticks;
}

static inline uint64_t counter_frequency(void)
{
    uint64_t hz;
    __asm__("mrs %0, cntfrq_el0" : "=r"(hz));
    return hz;
}

/* Fire (REASON_TICK) when the counter reaches `at`. */
static inline void timer_set(uint64_t at)
{
    __asm__ volatile("msr cntv_cval_el0, %0\n\tmsr cntv_ctl_el0, %1\n\tisb"
                     :
                     : "r"(at), "r"(1ull));
}

static inline void timer_stop(void)
{
    __asm__ volatile("msr cntv_ctl_el0, xzr\n\tisb");
}

/* Nanoseconds since boot to ticks, rounded up; ~0 (never) stays ~0. */
uint64_t ticks_from_ns(uint64_t ns);
uint64_t ns_from_ticks(uint64_t ticks);
