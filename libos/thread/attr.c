/* SPDX-License-Identifier: BSL-1.0
 *
 * Attributes of threads: every setter checks, so that pthread_create need not.
 */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <abi/abi.h>

#include "../core/threads.h"
#include "sched_param.h"

#define STACK_MAX (1u << 20)
#define VALID     0x61747472u

int pthread_attr_init(pthread_attr_t *a)
{
    *a = (pthread_attr_t){.__stack_bytes = thread_defaults.stack_bytes,
                          .__guard_bytes = thread_defaults.guard_bytes,
                          .__valid = VALID};
    strcpy(a->__name, thread_defaults.name);
    return 0;
}

int pthread_attr_destroy(pthread_attr_t *a)
{
    a->__valid = 0;
    return 0;
}

static size_t pages_of(size_t bytes)
{
    return (bytes + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
}

/* *to = value if good; else EINVAL. */
static int set(int *to, int value, bool good)
{
    if (!good) {
        return EINVAL;
    }
    *to = value;
    return 0;
}

int pthread_attr_setdetachstate(pthread_attr_t *a, int state)
{
    return set(&a->__detached, state,
               state == PTHREAD_CREATE_JOINABLE ||
                   state == PTHREAD_CREATE_DETACHED);
}

int pthread_attr_getdetachstate(const pthread_attr_t *a, int *state)
{
    *state = a->__detached;
    return 0;
}

int pthread_attr_setstacksize(pthread_attr_t *a, size_t bytes)
{
    if (bytes < PTHREAD_STACK_MIN || bytes > STACK_MAX) {
        return EINVAL;
    }
    a->__stack = NULL;
    a->__stack_bytes = pages_of(bytes);
    return 0;
}

int pthread_attr_getstacksize(const pthread_attr_t *restrict a,
                              size_t *restrict bytes)
{
    *bytes = a->__stack_bytes;
    return 0;
}

int pthread_attr_setstack(pthread_attr_t *a, void *stack, size_t bytes)
{
    if (bytes < PTHREAD_STACK_MIN || bytes % 16 != 0 ||
        (uintptr_t)stack % 16 != 0 || stack == NULL) {
        return EINVAL;
    }
    a->__stack = stack;
    a->__stack_bytes = bytes;
    return 0;
}

int pthread_attr_getstack(const pthread_attr_t *restrict a,
                          void **restrict stack, size_t *restrict bytes)
{
    *stack = a->__stack;
    *bytes = a->__stack_bytes;
    return 0;
}

int pthread_attr_setguardsize(pthread_attr_t *a, size_t bytes)
{
    if (bytes > STACK_MAX) {
        return EINVAL;
    }
    a->__guard_bytes = pages_of(bytes);
    return 0;
}

int pthread_attr_getguardsize(const pthread_attr_t *restrict a,
                              size_t *restrict bytes)
{
    *bytes = a->__guard_bytes;
    return 0;
}

int pthread_attr_setinheritsched(pthread_attr_t *a, int inherit)
{
    return set(&a->__inherit, inherit,
               inherit == PTHREAD_INHERIT_SCHED ||
                   inherit == PTHREAD_EXPLICIT_SCHED);
}

int pthread_attr_getinheritsched(const pthread_attr_t *restrict a,
                                 int *restrict inherit)
{
    *inherit = a->__inherit;
    return 0;
}

int pthread_attr_setschedpolicy(pthread_attr_t *a, int policy)
{
    return set(&a->__policy, policy, sched_is_policy(policy));
}

int pthread_attr_getschedpolicy(const pthread_attr_t *restrict a,
                                int *restrict policy)
{
    *policy = a->__policy;
    return 0;
}

/* Whether it fits the policy is known only when both are set. */
int pthread_attr_setschedparam(pthread_attr_t *restrict a,
                               const struct sched_param *restrict p)
{
    return set(&a->__priority, p->sched_priority,
               p->sched_priority >= 0 &&
                   p->sched_priority <= SCHED_PRIORITY_MAX);
}

int pthread_attr_getschedparam(const pthread_attr_t *restrict a,
                               struct sched_param *restrict p)
{
    p->sched_priority = a->__priority;
    return 0;
}

int pthread_attr_setscope(pthread_attr_t *a, int scope)
{
    (void)a;
    return scope == PTHREAD_SCOPE_PROCESS  ? 0
           : scope == PTHREAD_SCOPE_SYSTEM ? ENOTSUP
                                           : EINVAL;
}

int pthread_attr_getscope(const pthread_attr_t *restrict a, int *restrict scope)
{
    (void)a;
    *scope = PTHREAD_SCOPE_PROCESS;
    return 0;
}

int pthread_attr_setname_np(pthread_attr_t *a, const char *name)
{
    if (strlen(name) >= sizeof(a->__name)) {
        return ERANGE;
    }
    strcpy(a->__name, name);
    return 0;
}

/* What pthread_create makes of them. EINVAL: destroyed, never initialised, or a
 * priority that its policy does not have. */
int attr_read(const pthread_attr_t *a, struct thread_attributes *out)
{
    bool explicit = a->__inherit == PTHREAD_EXPLICIT_SCHED;
    if (a->__valid != VALID ||
        (explicit && !sched_is_priority(a->__policy, a->__priority))) {
        return EINVAL;
    }
    out->name = a->__name;
    out->stack = a->__stack;
    out->stack_bytes = a->__stack_bytes;
    out->guard_bytes = a->__guard_bytes;
    out->detached = a->__detached == PTHREAD_CREATE_DETACHED;
    if (explicit) {
        out->priority = a->__priority;
        out->fifo = a->__policy == SCHED_FIFO;
    }
    return 0;
}
