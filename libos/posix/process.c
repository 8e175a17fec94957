/* SPDX-License-Identifier: BSL-1.0
 *
 * This program among others: its number, its end, and waiting for its children.
 *
 * EVENT_CHILD is one bit for all children and goes to one thread, so one thread
 * at a time listens for it and tells the others, which then all ask ROOT_WAIT
 * again.
 */
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vesper/root.h>
#include <vesper/root_call.h>
#include <vesper/start.h>
#include <vesper/thread.h>

#include "../core/sync.h"
#include "result.h"
#include "signal_state.h"
#include "standard.h"

static struct mutex wait_lock;
static struct condition wait_changed; /* a child may have ended */
static bool listening;                /* guarded by wait_lock */

pid_t getpid(void)
{
    return (pid_t)start_self->id;
}

pid_t getppid(void)
{
    return (pid_t)start_self->parent_id;
}

_Noreturn void _exit(int status)
{
    for (;;) {
        uint64_t w[8] = {ROOT_EXIT, (uint64_t)(status & 0xff) << 8};

        root_call(w, 0);
    }
}

/* wait_lock is held on entry and on return, but not while waiting. */
static bool wait_for_child(void)
{
    bool interrupted = false;

    if (listening) {
        condition_wait_signal(&wait_changed, &wait_lock, ~UINT64_C(0),
                              &interrupted);
        return !interrupted;
    }
    listening = true;
    mutex_unlock(&wait_lock);
    event_wait(UINT64_C(1) << EVENT_CHILD, ~UINT64_C(0), &interrupted);
    mutex_lock(&wait_lock);
    listening = false;
    condition_broadcast(&wait_changed);
    return !interrupted;
}

/* *found: the child, or 0 with WNOHANG when none has ended. */
static int wait_locked(pid_t pid, int options, pid_t *found, int *status)
{
    for (;;) {
        uint64_t w[8] = {ROOT_WAIT, (uint64_t)(int64_t)pid};
        int error = root_call(w, 0);

        *found = (pid_t)w[1];
        *status = (int)w[2];
        if (error != 0 || *found != 0 || (options & WNOHANG) != 0) {
            return error;
        }
        if (!wait_for_child()) {
            return EINTR;
        }
    }
}

static int wait_once(pid_t pid, int options, pid_t *found, int *status)
{
    int error;

    posix_signal_hold();
    mutex_lock(&wait_lock);
    error = wait_locked(pid, options, found, status);
    mutex_unlock(&wait_lock);
    posix_signal_release();
    return error;
}

/* There are no process groups: 0 and less than -1 mean any child as well. */
pid_t waitpid(pid_t pid, int *status, int options)
{
    pid_t found;
    int how, error;

    posix_standard_flush();
    thread_cancel_begin();
    do {
        error = wait_once(pid > 0 ? pid : -1, options, &found, &how);
    } while (error == EINTR && posix_signal_restarts());
    thread_cancel_end(error == EINTR);
    if (error != 0) {
        return result(error);
    }
    if (found != 0 && status != NULL) {
        *status = how;
    }
    return found;
}

pid_t wait(int *status)
{
    return waitpid(-1, status, 0);
}
