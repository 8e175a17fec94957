/* SPDX-License-Identifier: BSL-1.0
 *
 * Round robin. A thread that gives up the CPU itself leaves its registers on
 * its stack (thread_swap) and is resumed without a system call; one that an
 * upcall interrupted leaves them in struct thread and is resumed by sys_resume.
 *
 * The timer is armed only when somebody needs it: for the end of the slice
 * while others are ready, and for the first sleeper.
 */
#include "sched.h"

#include <vesper/thread.h>

#include "counter.h"
#include "page.h"
#include "switch.h"

static struct {
    struct thread *current;
    struct queue ready;
    struct thread *sleepers;
    uint64_t slice_end; /* ticks */
    uint64_t armed;     /* what CNTV is set to; DEADLINE_NONE: stopped */
    uint64_t slice;     /* ticks */
} sched;

struct thread *sched_current(void)
{
    return sched.current;
}

void sched_adopt(struct thread *t)
{
    sched.slice = ticks_from_ns(THREAD_SLICE_NS);
    sched.armed = DEADLINE_NONE;
    sched.slice_end = counter_now() + sched.slice;
    sched.current = t;
    t->state = THREAD_RUNNING;
}

/* Set CNTV to the next time at which the running thread must be interrupted. */
static void timer_arm(void)
{
    uint64_t at =
        sched.sleepers != NULL ? sched.sleepers->deadline : DEADLINE_NONE;
    if (sched.ready.head != NULL && sched.slice_end < at) {
        at = sched.slice_end;
    }
    if (at == sched.armed) {
        return;
    }
    sched.armed = at;
    if (at == DEADLINE_NONE) {
        timer_stop();
    } else {
        timer_set(at);
    }
}

void sched_ready(struct thread *t)
{
    t->state = THREAD_READY;
    queue_push(&sched.ready, t);
    if (sched.current != NULL) {
        timer_arm();
    }
}

void sched_wake(struct thread *t, enum wake why)
{
    if (t->list != NULL) {
        list_remove(t->list, t);
        t->list = NULL;
    }
    if (t->sleeping) {
        sleepers_remove(&sched.sleepers, t);
    }
    t->interruptible = false;
    t->wake = why;
    sched_ready(t);
}

enum wake sched_wait(struct thread **list, uint64_t deadline,
                     bool interruptible)
{
    struct thread *self = sched.current;
    self->state = THREAD_WAITING;
    self->interruptible = interruptible;
    self->list = list;
    if (list != NULL) {
        list_append(list, self);
    }
    if (deadline != DEADLINE_NONE) {
        self->deadline = deadline;
        sleepers_insert(&sched.sleepers, self);
    }
    self->voluntary = true;
    thread_swap(self, sched_dispatch);
    return self->wake;
}

void sched_yield_masked(void)
{
    struct thread *self = sched.current;
    if (sched.ready.head == NULL) {
        return;
    }
    sched_ready(self);
    self->voluntary = true;
    thread_swap(self, sched_dispatch);
}

/* The stack may be freed as soon as another thread runs; nothing is saved. */
_Noreturn void sched_leave(void)
{
    sched_dispatch();
}

void sched_park(void)
{
    struct thread *self = sched.current;
    fp_save(&self->fp);
    context_copy(&self->context, &upcall_page->slots[UPCALL_SLOT]);
    self->voluntary = false;
    self->state = THREAD_READY;
    queue_push_front(&sched.ready, self);
}

void sched_expire(void)
{
    if (sched.sleepers == NULL) {
        return;
    }
    uint64_t now = counter_now();
    while (sched.sleepers != NULL && sched.sleepers->deadline <= now) {
        sched_wake(sched.sleepers, WAKE_TIMEOUT);
    }
}

bool sched_slice_over(void)
{
    return sched.ready.head != NULL && counter_now() >= sched.slice_end;
}

void sched_rotate(void)
{
    queue_push(&sched.ready, queue_pop(&sched.ready));
}

_Noreturn void sched_resume(void)
{
    /* The kernel masked a timer that fired; a new value enables it again. */
    if (sched.armed <= counter_now()) {
        sched.armed = 0;
    }
    timer_arm();
    (void)sys_resume(UPCALL_SLOT);
    __builtin_trap();
}

static _Noreturn void sched_idle(void)
{
    sched.current = NULL;
    sched.armed = DEADLINE_NONE;
    timer_stop();
    (void)sys_block(sched.sleepers != NULL ? sched.sleepers->deadline
                                           : DEADLINE_NONE);
    __builtin_trap();
}

_Noreturn void sched_dispatch(void)
{
    sched_expire();
    struct thread *t = queue_pop(&sched.ready);
    if (t == NULL) {
        sched_idle();
        __builtin_unreachable();
    }
    sched.current = t;
    t->state = THREAD_RUNNING;
    sched.slice_end = counter_now() + sched.slice;
    if (t->voluntary) {
        timer_arm();
        thread_enter(t);
    }
    fp_restore(&t->fp);
    context_copy(&upcall_page->slots[UPCALL_SLOT], &t->context);
    sched_resume();
}
