/* SPDX-License-Identifier: BSL-1.0
 *
 * From the event bit to the main thread: fetch the mask, let posix decide
 * (<vesper/signals.h>), then wake the main thread from an interruptible wait
 * or, if it was preempted, let it call the handlers first.
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

_Noreturn void signal_frame_run(struct thread_frame *f);

/* What the main thread was at, while it runs handlers. One at a time: signals
 * that come meanwhile are handled in the same frame. It is not on the stack, of
 * which the next page may not be mapped yet. Guarded by the mask. */
static struct thread_frame frame;
static uint64_t frame_sp; /* where the stack ended then; 0: no frame */

/* Back to what the signal interrupted, when all are handled, or have to wait
 * for just that to go on. */
_Noreturn void signal_frame_run(struct thread_frame *f)
{
    for (;;) {
        bool may = signals_run();
        upcall_mask();
        if (!may || !signals_waiting()) {
            break;
        }
        upcall_unmask();
    }
    frame_sp = 0;
    frame_return(f);
}

/* A handler that left its frame by longjmp is above it. */
static bool frame_live(const struct thread *t)
{
    return frame_sp != 0 && t->context.sp <= frame_sp;
}

static void signal_push(struct thread *t)
{
    if (t->signals_held != 0 || frame_live(t)) {
        return;
    }
    frame_sp = t->context.sp;
    frame_keep(&frame, t, (uintptr_t)signal_entry);
    t->context.sp &= ~15ull;
}

void signals_hold(void)
{
    sched_current()->signals_held++;
}

void signals_allow(void)
{
    struct thread *self = sched_current();
    self->signals_held--;
    if (self->signals_held == 0 && signals_waiting() &&
        self == thread_main_thread()) {
        signals_run();
    }
}

/* Masked, the main thread not running: have it run its handlers. */
static void main_disturb(void)
{
    struct thread *t = thread_main_thread();
    if (t->state == THREAD_LISTENING) {
        sched_wake(t, WAKE_INTERRUPT);
    } else if (t->state == THREAD_READY && t->sp == 0) {
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

__attribute__((weak)) bool signals_run(void)
{
    return true;
}

__attribute__((weak)) bool signals_waiting(void)
{
    return false;
}
