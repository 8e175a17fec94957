/* SPDX-License-Identifier: BSL-1.0
 *
 * pthread_once: who comes meanwhile waits. A thread that is cancelled in fn
 * leaves it to the next one.
 */
#include <pthread.h>

#include "../core/page.h"
#include "objects.h"

enum { ONCE_NEW, ONCE_RUNNING, ONCE_DONE };

static void state_set(pthread_once_t *once, int state)
{
    upcall_mask();
    once->__state = state;
    waiters_wake_all(list_of(&once->__waiters));
    upcall_unmask();
}

static void given_up(void *once)
{
    state_set(once, ONCE_NEW);
}

/* Is it ours to do? */
static bool begin(pthread_once_t *once)
{
    upcall_mask();
    while (once->__state == ONCE_RUNNING) {
        (void)sched_wait(list_of(&once->__waiters), DEADLINE_NONE, false);
    }
    bool ours = once->__state == ONCE_NEW;
    if (ours) {
        once->__state = ONCE_RUNNING;
    }
    upcall_unmask();
    return ours;
}

int pthread_once(pthread_once_t *once, void (*fn)(void))
{
    if (begin(once)) {
        pthread_cleanup_push(given_up, once);
        fn();
        pthread_cleanup_pop(0);
        state_set(once, ONCE_DONE);
    }
    return 0;
}
