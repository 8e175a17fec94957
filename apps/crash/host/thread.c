/* SPDX-License-Identifier: BSL-1.0 */
/* thread_create() over C11 threads, for the host tests of crash. */
#include <vesper/thread.h>

#include <errno.h>
#include <stddef.h>
#include <threads.h>

int thread_create(struct thread **out, int (*run)(void *), void *argument,
                  const char *name)
{
    thrd_t id;

    (void)name;
    *out = NULL; /* crash never joins its threads */
    return thrd_create(&id, run, argument) == thrd_success ? 0 : EAGAIN;
}
