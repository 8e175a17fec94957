/* SPDX-License-Identifier: BSL-1.0
 *
 * BCM2837 system timer (BCM2835 ARM Peripherals, chapter 12): counts
 * microseconds in 64 bits and compares the lower 32 with four registers. On
 * boards channels 0 and 2 belong to the VideoCore. Offsets from the device's
 * base.
 */
#pragma once

#define TIMER_STATUS    0x00u /* W1C; bit n: channel n has matched */
#define TIMER_LOW       0x04u /* RO */
#define TIMER_HIGH      0x08u /* RO */
#define TIMER_COMPARE_1 0x10u /* RW; matches on equality only */

#define TIMER_STATUS_1 (1u << 1)
