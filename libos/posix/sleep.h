/* SPDX-License-Identifier: BSL-1.0
 *
 * Sleeping as the rest of posix/ needs it.
 */
#pragma once

#include <stdint.h>

/* Sleep until time_ns() is there: 0; EINTR: a signal handler has run. Writes
 * out stdout first; a cancellation point. Context: any thread. */
int posix_sleep_until(uint64_t until_ns);
