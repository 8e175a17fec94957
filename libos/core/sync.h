/* SPDX-License-Identifier: BSL-1.0
 *
 * Beyond <vesper/thread.h>: a condition that a signal ends.
 */
#pragma once

#include <vesper/thread.h>

/* As condition_wait; sets *interrupted, which must be false, and returns true
 * at once or later if the main thread calls it and has a handler to run. */
bool condition_wait_signal(struct condition *c, struct mutex *m,
                           uint64_t until_ns, bool *interrupted);
