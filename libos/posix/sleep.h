/* SPDX-License-Identifier: BSL-1.0
 *
 * Sleeping as the rest of posix/ needs it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Sleep until time_ns() is there; false: a signal came or, at a cancellation
 * point, pthread_cancel. Context: any thread. */
bool posix_sleep(uint64_t until_ns);
