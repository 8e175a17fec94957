/* SPDX-License-Identifier: BSL-1.0 */
/* See deadline.h. */
#include "deadline.h"

#include <errno.h>

#include <vesper/thread.h>

#include "../core/counter.h"

#define NS          1000000000ull
#define SECONDS_MAX (1ll << 33) /* 270 years; fits in 64 bits of ns */

static uint64_t ns_of(const struct timespec *t)
{
    if (t->tv_sec < 0) {
        return 0;
    }
    uint64_t s = (uint64_t)(t->tv_sec < SECONDS_MAX ? t->tv_sec : SECONDS_MAX);
    return s * NS + (uint64_t)t->tv_nsec;
}

int deadline_of(clockid_t clock, const struct timespec *until,
                uint64_t *deadline)
{
    if ((clock != CLOCK_MONOTONIC && clock != CLOCK_REALTIME) ||
        until->tv_nsec < 0 || (uint64_t)until->tv_nsec >= NS) {
        return EINVAL;
    }
    uint64_t at = ns_of(until);
    if (clock == CLOCK_REALTIME) {
        struct timespec now;
        (void)clock_gettime(clock, &now);
        uint64_t wall = ns_of(&now);
        at = at > wall ? time_ns() + (at - wall) : 0;
    }
    *deadline = ticks_from_ns(at);
    return 0;
}
