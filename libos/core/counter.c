/* SPDX-License-Identifier: BSL-1.0
 *
 * Conversion between counter ticks and nanoseconds: seconds and the rest apart,
 * so that nothing overflows within 500 years.
 */
#include "counter.h"

#include <vesper/thread.h>

#define NS 1000000000ull

uint64_t ticks_from_ns(uint64_t ns)
{
    uint64_t hz = counter_frequency(); /* at most NS */
    if (ns == ~0ull) {
        return ~0ull;
    }
    return ns / NS * hz + (ns % NS * hz + NS - 1) / NS;
}

uint64_t ns_from_ticks(uint64_t ticks)
{
    uint64_t hz = counter_frequency();
    return ticks / hz * NS + ticks % hz * NS / hz;
}

uint64_t time_ns(void)
{
    return ns_from_ticks(counter_now());
}
