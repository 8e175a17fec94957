/* SPDX-License-Identifier: BSL-1.0
 *
 * Beyond <vesper/thread.h>: what <pthread.h> is made of.
 */
#pragma once

#include <vesper/thread.h>

#include "sched.h"

/* Masked. Take m, which is not ours, waiting until the deadline; is it ours
 * then? */
bool mutex_take(struct mutex *m, uint64_t deadline);
/* Masked. m is ours. */
void mutex_give(struct mutex *m);

/* Masked. Let m go, wait, take m again as deep as it was. WAKE_INTERRUPT at
 * once or later if `interruptible` and a signal or pthread_cancel comes. */
enum wake condition_wait_masked(struct condition *c, struct mutex *m,
                                uint64_t deadline, bool interruptible);

/* As condition_wait; sets *interrupted, which must be false, and returns true
 * at once or later if the main thread calls it and has a handler to run, or the
 * thread is cancelled. */
bool condition_wait_signal(struct condition *c, struct mutex *m,
                           uint64_t until_ns, bool *interrupted);

/* Masked. */
static inline void waiters_wake_all(struct thread **waiters)
{
    while (*waiters != NULL) {
        sched_wake(*waiters, WAKE_NORMAL);
    }
}
