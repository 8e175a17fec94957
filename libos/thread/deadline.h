/* SPDX-License-Identifier: BSL-1.0
 *
 * Absolute times of the two clocks as the scheduler's deadlines.
 */
#pragma once

#include <stdint.h>
#include <time.h>

/* Of the counter, in ticks: when `clock` shows `until`, as it is set now. 0, or
 * EINVAL: not such a clock, or not a time. */
int deadline_of(clockid_t clock, const struct timespec *until,
                uint64_t *deadline);
