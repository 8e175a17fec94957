/* SPDX-License-Identifier: BSL-1.0
 *
 * Cancellation and cleanup handlers; core does the work.
 */
#include <errno.h>
#include <pthread.h>

#include "../core/page.h"
#include "../core/threads.h"
#include "objects.h"

_Static_assert(sizeof(struct __pthread_cleanup) ==
                   sizeof(struct thread_cleanup),
               "struct thread_cleanup under its public name");

int pthread_cancel(pthread_t t)
{
    upcall_mask();
    bool there = thread_exists(thread_of(t));
    if (there) {
        thread_cancel_ask(thread_of(t));
    }
    upcall_unmask();
    return there ? 0 : ESRCH;
}

void pthread_testcancel(void)
{
    thread_cancel_test();
}

int pthread_setcancelstate(int state, int *old)
{
    struct thread *self = sched_current();
    if (state != PTHREAD_CANCEL_ENABLE && state != PTHREAD_CANCEL_DISABLE) {
        return EINVAL;
    }
    if (old != NULL) {
        *old =
            self->cancel_off ? PTHREAD_CANCEL_DISABLE : PTHREAD_CANCEL_ENABLE;
    }
    self->cancel_off = state == PTHREAD_CANCEL_DISABLE;
    return 0;
}

int pthread_setcanceltype(int type, int *old)
{
    if (type != PTHREAD_CANCEL_DEFERRED) {
        return type == PTHREAD_CANCEL_ASYNCHRONOUS ? ENOTSUP : EINVAL;
    }
    if (old != NULL) {
        *old = PTHREAD_CANCEL_DEFERRED;
    }
    return 0;
}

void __pthread_cleanup_push(struct __pthread_cleanup *c)
{
    struct thread *self = sched_current();
    c->__outer = (struct __pthread_cleanup *)self->cleanup;
    self->cleanup = (struct thread_cleanup *)c;
}

void __pthread_cleanup_pop(int execute)
{
    struct thread *self = sched_current();
    struct thread_cleanup *c = self->cleanup;
    self->cleanup = c->outer;
    if (execute) {
        c->routine(c->argument);
    }
}
