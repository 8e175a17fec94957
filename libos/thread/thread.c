/* SPDX-License-Identifier: BSL-1.0
 *
 * POSIX threads: core's, and what a thread is called and how urgent it is.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>

#include "../core/account.h"
#include "../core/page.h"
#include "../core/threads.h"
#include "../posix/clock.h"
#include "objects.h"
#include "sched_param.h"

int pthread_create(pthread_t *restrict out, const pthread_attr_t *restrict a,
                   void *(*fn)(void *), void *restrict argument)
{
    struct thread_attributes attributes = thread_defaults;
    const struct runnable *self = &sched_current()->run;
    attributes.priority = self->priority;
    attributes.fifo = self->fifo;
    int error = a != NULL ? attr_read(a, &attributes) : 0;
    if (error != 0) {
        return error;
    }
    struct thread *t = thread_make(&attributes);
    if (t == NULL) {
        return EAGAIN;
    }
    t->start = fn;
    t->argument = argument;
    *out = (pthread_t)t;
    thread_start(t);
    return 0;
}

int pthread_join(pthread_t t, void **result)
{
    return thread_join_pointer(thread_of(t), result);
}

int pthread_detach(pthread_t t)
{
    return thread_detach(thread_of(t));
}

_Noreturn void pthread_exit(void *result)
{
    thread_exit_pointer(result);
}

pthread_t pthread_self(void)
{
    return (pthread_t)thread_self();
}

int pthread_equal(pthread_t a, pthread_t b)
{
    return a == b;
}

/* ---- names ------------------------------------------------------------- */

int pthread_setname_np(pthread_t t, const char *name)
{
    size_t bytes = strlen(name) + 1;
    if (bytes > sizeof(thread_of(t)->name)) {
        return ERANGE;
    }
    upcall_mask();
    bool there = thread_exists(thread_of(t));
    if (there) {
        memcpy(thread_of(t)->name, name, bytes);
        account_name(thread_of(t));
    }
    upcall_unmask();
    return there ? 0 : ESRCH;
}

int pthread_getname_np(pthread_t t, char *name, size_t bytes)
{
    char copy[sizeof(thread_of(t)->name)];
    upcall_mask();
    bool there = thread_exists(thread_of(t));
    if (there) {
        memcpy(copy, thread_of(t)->name, sizeof(copy));
    }
    upcall_unmask();
    if (!there || strlen(copy) >= bytes) {
        return there ? ERANGE : ESRCH;
    }
    strcpy(name, copy);
    return 0;
}

/* ---- CPU time ---------------------------------------------------------- */

int pthread_getcpuclockid(pthread_t t, clockid_t *clock)
{
    upcall_mask();
    bool there = thread_exists(thread_of(t)) && thread_of(t)->account->id != 0;
    if (there) {
        *clock = CLOCKS_OF_THREADS + thread_of(t)->account->id;
    }
    upcall_unmask();
    return there ? 0 : ESRCH;
}

/* ---- priorities -------------------------------------------------------- */

int pthread_setschedparam(pthread_t t, int policy, const struct sched_param *p)
{
    if (!sched_is_policy(policy) ||
        !sched_is_priority(policy, p->sched_priority)) {
        return EINVAL;
    }
    upcall_mask();
    bool there = thread_exists(thread_of(t));
    if (there) {
        thread_of(t)->run.fifo = policy == SCHED_FIFO;
        sched_priority(thread_of(t), p->sched_priority);
    }
    upcall_unmask();
    return there ? 0 : ESRCH;
}

static int policy_of(const struct runnable *r)
{
    return r->fifo ? SCHED_FIFO : r->priority > 0 ? SCHED_RR : SCHED_OTHER;
}

int pthread_getschedparam(pthread_t t, int *policy, struct sched_param *p)
{
    upcall_mask();
    bool there = thread_exists(thread_of(t));
    if (there) {
        *policy = policy_of(&thread_of(t)->run);
        p->sched_priority = thread_of(t)->run.priority;
    }
    upcall_unmask();
    return there ? 0 : ESRCH;
}

int pthread_setschedprio(pthread_t t, int priority)
{
    struct sched_param p;
    int policy;
    int error = pthread_getschedparam(t, &policy, &p);
    p.sched_priority = priority;
    return error != 0 ? error : pthread_setschedparam(t, policy, &p);
}

int sched_yield(void)
{
    thread_yield();
    return 0;
}

int sched_get_priority_max(int policy)
{
    return policy == SCHED_OTHER ? 0 : SCHED_PRIORITY_MAX;
}

int sched_get_priority_min(int policy)
{
    return policy == SCHED_OTHER ? 0 : 1;
}

/* ---- signals ----------------------------------------------------------- */

int pthread_kill(pthread_t t, int number)
{
    upcall_mask();
    bool there = thread_exists(thread_of(t));
    upcall_unmask();
    if (!there) {
        return ESRCH;
    }
    if (number == 0) {
        return 0;
    }
    if (thread_of(t) != thread_main_thread()) {
        return ENOTSUP;
    }
    return raise(number) == 0 ? 0 : errno;
}

int pthread_sigmask(int how, const sigset_t *set, sigset_t *old)
{
    return sigprocmask(how, set, old) == 0 ? 0 : errno;
}
