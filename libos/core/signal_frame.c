/* SPDX-License-Identifier: BSL-1.0
 *
 * From the event bit to the main thread: fetch the mask, let posix decide
 * (<vesper/signals.h>), then wake the main thread from an interruptible wait
 * or, if it was preempted, push a call of the handlers onto its stack.
 *
 * A main thread that gave up the CPU itself is left alone: the libos function
 * it is in looks at signals_waiting() at its own boundary.
 */
#include "signal_frame.h"

#include <signal.h>
#include <stddef.h>

#include <vesper/root.h>
#include <vesper/root_call.h>
#include <vesper/signals.h>

#include "frame.h"
#include "page.h"
#include "sched.h"
#include "switch.h"
#include "threads.h"

_Noreturn void signal_frame_run(struct thread_frame *frame);

/* The frame that is on the main thread's stack, or NULL; guarded by the mask.
 * One at a time: signals that come meanwhile are handled in the same frame, so
 * that a flood of them cannot fill the stack. */
static struct thread_frame *pushed;

/* Back to what the signal interrupted, when all are handled. */
_Noreturn void signal_frame_run(struct thread_frame *frame)
{
    for (;;) {
        signals_run();
        upcall_mask();
        if (!signals_waiting()) {
            break;
        }
        upcall_unmask();
    }
    pushed = NULL;
    frame_return(frame);
}

/* A handler that left its frame by longjmp is above it. */
static bool frame_live(const struct thread *t)
{
    return pushed != NULL && t->context.sp <= (uintptr_t)pushed;
}

static void signal_push(struct thread *t)
{
    if (t->signals_held != 0 || frame_live(t)) {
        return;
    }
    pushed = frame_push(t, sizeof(*pushed), (uintptr_t)signal_entry);
}

void signals_hold(void)
{
    sched_current()->signals_held++;
}

void signals_allow(void)
{
    struct thread *self = sched_current();
    self->signals_held--;
    if (self->signals_held == 0 && self == thread_main_thread() &&
        signals_waiting()) {
        signals_run();
    }
}

/* Masked, the main thread not running: have it run its handlers. */
static void main_disturb(void)
{
    struct thread *t = thread_main_thread();
    if (t->state == THREAD_WAITING && t->interruptible) {
        sched_wake(t, WAKE_INTERRUPT);
    } else if (t->state == THREAD_READY && !t->voluntary) {
        signal_push(t);
    }
}

void signal_fetch(void)
{
    uint64_t w[8] = {ROOT_SIGNALS};
    if (root_call(w, 0) == 0 && w[1] != 0 && signals_post((uint32_t)w[1])) {
        main_disturb();
    }
}

void signals_notify(void)
{
    upcall_mask();
    if (sched_current() != thread_main_thread()) {
        main_disturb();
    }
    upcall_unmask();
}

/* ---- without posix: every signal ends the domain, but a child's end ---- */

__attribute__((weak)) bool signals_post(uint32_t came)
{
    came &= ~(1u << SIGCHLD);
    if (came != 0) {
        uint64_t w[8] = {ROOT_EXIT, (uint64_t)__builtin_ctz(came)};
        (void)root_call(w, 0);
    }
    return false;
}

__attribute__((weak)) void signals_run(void)
{
}

__attribute__((weak)) bool signals_waiting(void)
{
    return false;
}
