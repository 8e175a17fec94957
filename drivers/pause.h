/* SPDX-License-Identifier: BSL-1.0
 *
 * How a driver lets time pass: pause.c does it with the thread's
 * events, a host test with a clock of its own.
 */
#pragma once

#include <stdint.h>

/* Microseconds since some time in the past. */
uint64_t pause_now_us(void);

/* Sleep. */
void pause_us(uint32_t us);

/* Sleep until the device's first interrupt comes, but not longer than us. The
 * interrupt is to be quenched at the device before the next call. */
void pause_interrupt(uint32_t us);
