/* SPDX-License-Identifier: BSL-1.0
 *
 * The system timer: a clock that never stops and one deadline at a time. Times
 * are microseconds of the 64-bit counter. Context: one thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

void systimer_start(uint64_t base);

/* Not torn, though it takes two registers. */
uint64_t systimer_now_us(void);

/* Ask for an interrupt at this time. True: the time has already come (be it
 * while this was being done), and no interrupt is to be relied on. The
 * interrupt may come earlier: at least every 2^31 us. */
bool systimer_arm(uint64_t deadline_us);

/* Quench the interrupt at the device. */
void systimer_quench(void);
