/* SPDX-License-Identifier: BSL-1.0
 *
 * References to descriptions are counted without the table's lock: threads that
 * hold what a descriptor stands for, against threads that close it and open
 * other files. libos/posix/fd.c runs unchanged, on host threads, and with
 * another file opened in place of the one that is asked for before each
 * instruction.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vesper/file.h>
#include <vesper/thread.h>

#include "libos/posix/fd.h"
#include "libos/posix/pipe.h"
#include "libos/posix/service.h"
#include "libos/posix/signal_state.h"
#include "tap.h"

#define FDS       2
#define HOLDERS   2
#define OPENED    200000u /* by each opener */
#define STEPS_MAX 400u

/* A handle tells its descriptor: fd + FD_MAX * count. */
static uint8_t closed[FD_MAX * (OPENED + 1)];
static uint32_t wrong_file, wrong_end, held;
static bool over;
static volatile bool asking;

static pthread_mutex_t big = PTHREAD_MUTEX_INITIALIZER;

void posix_signal_hold(void)
{
}

void posix_signal_release(void)
{
}

void posix_pipe_leave(struct description *d)
{
    (void)d;
}

void mutex_lock(struct mutex *m)
{
    (void)m;
    pthread_mutex_lock(&big);
}

void mutex_unlock(struct mutex *m)
{
    (void)m;
    pthread_mutex_unlock(&big);
}

uint32_t posix_service_generation(const struct service *s)
{
    (void)s;
    return 1;
}

int posix_piece_take(struct service *s, uint32_t bytes, struct piece *out)
{
    (void)s, (void)bytes, (void)out;
    return ENOMEM;
}

int posix_piece_call(struct piece *p, struct channel_request *r, uint32_t bytes,
                     struct channel_completion *answer)
{
    (void)p, (void)r, (void)bytes, (void)answer;
    return EIO;
}

void posix_piece_give(struct piece *p)
{
    (void)p;
}

int posix_service_call_of(struct service *s, uint32_t *generation,
                          struct channel_request *r,
                          struct channel_completion *answer)
{
    (void)s, (void)generation, (void)answer;
    __atomic_fetch_add(&closed[r->handle], 1, __ATOMIC_RELAXED);
    return 0;
}

static bool open_at(int fd, uint64_t count)
{
    struct description *d;

    /* Any address will do: nobody looks into a service. */
    return posix_description_create((struct service *)closed,
                                    (uint64_t)fd + FD_MAX * count, 0,
                                    &d) == 0 &&
           posix_fd_put(d, fd, false) == 0;
}

/* ---- before each instruction ------------------------------------------- */

static void replace(int number)
{
    (void)number;
    if (!asking) {
        return; /* the lock may be taken */
    }
    (void)posix_fd_close(0);
    (void)open_at(1, 1); /* takes the memory of what was at 0 */
}

/* The child: 0 if all was well. */
static int hold_disturbed(void)
{
    struct description *d;
    int error, wrong = !open_at(0, 1);

    (void)signal(SIGUSR1, replace);
    (void)ptrace(PTRACE_TRACEME, 0, NULL, NULL);
    (void)raise(SIGSTOP);
    asking = true;
    error = posix_fd_hold(0, &d);
    asking = false;
    if (error == 0) {
        wrong |= d->handle != FD_MAX || closed[d->handle] != 0;
        posix_description_drop(d);
    }
    (void)posix_fd_close(0);
    (void)posix_fd_close(1);
    return wrong || closed[FD_MAX] != 1 || closed[FD_MAX + 1] > 1;
}

/* Let a child go so many steps, then disturb it. False: it was through. */
static bool step_and_disturb(uint32_t steps, int *status)
{
    pid_t child = fork();

    if (child == 0) {
        _exit(hold_disturbed());
    }
    (void)waitpid(child, status, 0);
    for (uint32_t i = 0; i < steps && WIFSTOPPED(*status); i++) {
        (void)ptrace(PTRACE_SINGLESTEP, child, NULL, NULL);
        (void)waitpid(child, status, 0);
    }
    bool inside = WIFSTOPPED(*status);
    if (inside) {
        (void)ptrace(PTRACE_DETACH, child, NULL, (void *)(uintptr_t)SIGUSR1);
        (void)waitpid(child, status, 0);
    }
    return inside;
}

static void disturbed_test(void)
{
    uint32_t steps = 0, wrong = 0;
    int status;

    while (steps < STEPS_MAX && step_and_disturb(steps, &status)) {
        wrong += !WIFEXITED(status) || WEXITSTATUS(status) != 0;
        steps++;
    }
    printf("# %u instructions\n", steps);
    CHECK(steps > 100 && wrong == 0,
          "held is what the descriptor stood for, or nothing, whenever it is "
          "closed and the memory another file's");
}

/* ---- many threads ------------------------------------------------------ */

static void *opener(void *argument)
{
    int fd = (int)(uintptr_t)argument;

    for (uint64_t i = 1; i <= OPENED; i++) {
        if (!open_at(fd, i)) {
            __atomic_fetch_add(&wrong_end, 1, __ATOMIC_RELAXED);
        }
        if (i % 2 == 0) {
            (void)posix_fd_close(fd); /* else the next one takes its place */
        }
    }
    return NULL;
}

static void *holder(void *argument)
{
    int fd = (int)(uintptr_t)argument;
    struct description *d;

    while (!__atomic_load_n(&over, __ATOMIC_RELAXED)) {
        if (posix_fd_hold(fd, &d) == 0) {
            uint64_t handle = d->handle;

            wrong_file += handle % FD_MAX != (uint64_t)fd;
            wrong_end += __atomic_load_n(&closed[handle], __ATOMIC_RELAXED);
            posix_description_drop(d);
            __atomic_fetch_add(&held, 1, __ATOMIC_RELAXED);
        }
    }
    return NULL;
}

static void threads_test(void)
{
    pthread_t openers[FDS], holders[FDS * HOLDERS];
    uint32_t not_once = 0;

    for (uintptr_t i = 0; i < FDS * HOLDERS; i++) {
        (void)pthread_create(&holders[i], NULL, holder, (void *)(i % FDS));
    }
    for (uintptr_t i = 0; i < FDS; i++) {
        (void)pthread_create(&openers[i], NULL, opener, (void *)i);
    }
    for (int i = 0; i < FDS; i++) {
        (void)pthread_join(openers[i], NULL);
    }
    __atomic_store_n(&over, true, __ATOMIC_RELAXED);
    for (int i = 0; i < FDS * HOLDERS; i++) {
        (void)pthread_join(holders[i], NULL);
    }
    for (uint64_t i = 1; i <= OPENED; i++) {
        for (uint64_t fd = 0; fd < FDS; fd++) {
            not_once += closed[fd + FD_MAX * i] != 1;
        }
    }
    printf("# held %u times\n", held);
    CHECK(held > OPENED / 100, "the holders were there meanwhile");
    CHECK(wrong_file == 0, "what is held is what the descriptor stood for");
    CHECK(wrong_end == 0, "nothing ends while it is held");
    CHECK(not_once == 0, "each file is closed once");
}

int main(void)
{
    disturbed_test();
    threads_test();
    return tap_end();
}
