/* SPDX-License-Identifier: BSL-1.0
 *
 * The counter in which server_run wants its deadlines.
 */
#pragma once

#include <stdint.h>

#define NS_PER_SECOND 1000000000u

/* Its value so many nanoseconds from now; at most an hour. */
static inline uint64_t counter_after_ns(uint64_t ns)
{
    uint64_t now, hz;

    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(now));
    __asm__("mrs %0, cntfrq_el0" : "=r"(hz));
    return now + ns * hz / NS_PER_SECOND + 1;
}
