/* SPDX-License-Identifier: BSL-1.0
 *
 * The protocol of service `clock`: the system timer's driver. Times are
 * microseconds of the 64-bit free-running timer, and the wall clock.
 */
#pragma once

enum clock_op {
    CLOCK_NOW = 1, /* -> v0 timer in us */
    CLOCK_ALARM,   /* arg0 us; completed when the timer has reached it */
    CLOCK_WALL,    /* -> v0 wall clock in us since 1970 */
    CLOCK_SET,     /* arg0 wall clock in us since 1970 */
};
