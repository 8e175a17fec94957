/* SPDX-License-Identifier: BSL-1.0
 *
 * The counter in which server_run wants its deadline.
 */
#pragma once

#include <stdint.h>

uint64_t counter_now(void); /* ticks */
uint64_t counter_hz(void);
