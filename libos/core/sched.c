/* SPDX-License-Identifier: BSL-1.0
 *
 * A thread that gives up the CPU itself leaves its registers on
 * its stack (thread_swap) and is resumed without a system call; one that an
 * upcall interrupted leaves them in struct thread and is resumed by sys_resume.
 * FP registers of the former stay where they are until another thread is
 * resumed: if it is the next one to run, the kernel need not give the domain FP
 * registers for it.
 *
 * The timer is armed only when somebody needs it: for the end of the slice
 * while others are ready, and for the first sleeper.
 */
#include "sched.h"

#include <vesper/start.h>
#include <vesper/thread.h>

#include "counter.h"
#include "doorbell.h"
#include "page.h"
#include "switch.h"

struct thread *sched_running;
static struct fp_state fp_nobody; /* they are saved */

static struct {
    struct thread *sleepers;
    struct fp_state *fp; /* of whom the CPU's FP registers are; or of nobody */
    uint64_t started;    /* ticks: when it was given the CPU */
    uint64_t armed;      /* CNTV; DEADLINE_NONE: stopped */
    uint64_t slice_ns, slice_ticks;  /* the latest conversion */
    const volatile uint64_t *stolen; /* ticks that others had */
} sched;

static struct thread *thread_of(struct runnable *r)
{
    return (struct thread *)((char *)r - offsetof(struct thread, run));
}

/* The counter, and without what others had; again, if they had the CPU in
 * between. */
static inline uint64_t clock_read(uint64_t *now)
{
    uint64_t stolen;
    do {
        stolen = *sched.stolen;
        *now = counter_now();
    } while (stolen != *sched.stolen);
    return *now - stolen;
}

uint64_t sched_clock(void)
{
    uint64_t now;
    return clock_read(&now);
}

/* The running thread, if there is one, has had the time until now. */
static inline void time_end(uint64_t clock)
{
    if (sched_running != NULL) {
        sched_running->account->ticks += clock;
    }
}

/* It is t's from now on. */
static inline void time_begin(struct thread *t, uint64_t clock)
{
    t->account->ticks -= clock;
    t->state = THREAD_RUNNING;
    sched_running = t;
}

void sched_adopt(struct thread *t)
{
    static const uint64_t none;
    const uint64_t *stolen = (const uint64_t *)start_self->stolen;
    sched.stolen = stolen != NULL ? stolen : &none;
    sched.armed = DEADLINE_NONE;
    sched.fp = &t->fp;
    time_begin(t, clock_read(&sched.started));
}

/* When the running thread is to make room: ticks, or DEADLINE_NONE. */
static inline uint64_t slice_end(void)
{
    uint64_t ns = policy_slice_ns(&sched_running->run);
    if (ns == POLICY_FOR_EVER) {
        return DEADLINE_NONE;
    }
    if (ns != sched.slice_ns) {
        sched.slice_ns = ns;
        sched.slice_ticks = ticks_from_ns(ns);
    }
    return sched.started + sched.slice_ticks;
}

/* Set CNTV to the next time at which the running thread must be interrupted. If
 * it fires before that anyhow, it stays: when it does, it is set anew. */
static void timer_arm(void)
{
    uint64_t at =
        sched.sleepers != NULL ? sched.sleepers->deadline : DEADLINE_NONE;
    uint64_t end = slice_end();
    if (end < at) {
        at = end;
    }
    if (sched.armed <= at && sched.armed > sched.started) {
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
    policy_put(&t->run, POLICY_READY);
    /* Is it to run at once? Then the timer has fired when this section ends. */
    if (sched_running != NULL) {
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

void sched_priority(struct thread *t, int priority)
{
    struct queue ready = {0};
    struct runnable *r;
    bool last = false; /* it goes behind its new equals */
    while ((r = policy_take()) != NULL) {
        if (r == &t->run) {
            last = true;
        } else {
            queue_push(&ready, r);
        }
    }
    if (t->list != NULL) {
        list_remove(t->list, t);
    }
    t->run.priority = priority;
    if (t->list != NULL) {
        list_insert(t->list, t);
    }
    while ((r = queue_pop(&ready)) != NULL) {
        policy_put(r, POLICY_READY);
    }
    if (last) {
        policy_put(&t->run, POLICY_READY);
    }
    timer_arm();
}

enum wake sched_wait(struct thread **list, uint64_t deadline,
                     bool interruptible)
{
    struct thread *self = sched_running;
    self->state = THREAD_WAITING;
    self->interruptible = interruptible;
    self->list = list;
    if (list != NULL) {
        list_insert(list, self);
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
    struct thread *self = sched_running;
    self->state = THREAD_READY;
    policy_put(&self->run, POLICY_YIELDED);
    self->voluntary = true;
    thread_swap(self, sched_dispatch);
}

/* The stack may be freed as soon as another thread runs; nothing is saved. */
_Noreturn void sched_leave(void)
{
    sched_dispatch();
}

static struct thread *registers_take(void)
{
    struct thread *self = sched_running;
    fp_save(&self->fp);
    sched.fp = &fp_nobody;
    context_copy(&self->context, &upcall_page->slots[UPCALL_SLOT]);
    self->voluntary = false;
    return self;
}

void sched_park(void)
{
    uint64_t end = slice_end();
    bool had = end != sched.started && end <= counter_now();
    struct thread *self = registers_take();
    self->state = THREAD_READY;
    policy_put(&self->run, had ? POLICY_YIELDED : POLICY_INTERRUPTED);
}

void sched_park_in(struct thread **list)
{
    struct thread *self = registers_take();
    self->state = THREAD_WAITING;
    self->interruptible = false;
    self->list = list;
    list_insert(list, self);
}

void sched_expire(void)
{
    while (sched.sleepers != NULL &&
           sched.sleepers->deadline <= counter_now()) {
        sched_wake(sched.sleepers, WAKE_TIMEOUT);
    }
}

bool sched_slice_over(void)
{
    uint64_t end = slice_end();
    return end != DEADLINE_NONE && end <= counter_now();
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

void sched_sleep(uint64_t until)
{
    static uint64_t told; /* the domain's own scheduler: not behind an answer */
    doorbell_answer(until < told);
    told = until;
    (void)sys_block(until);
}

__attribute__((weak)) void sched_idle(uint64_t until)
{
    sched_sleep(until);
}

__attribute__((weak)) void sched_idled(void)
{
}

static _Noreturn void idle(void)
{
    time_end(clock_read(&sched.started));
    sched_running = NULL;
    sched.armed = DEADLINE_NONE;
    timer_stop();
    sched_idle(sched.sleepers != NULL ? sched.sleepers->deadline
                                      : DEADLINE_NONE);
    __builtin_trap();
}

_Noreturn void sched_dispatch(void)
{
    sched_expire();
    struct runnable *next = policy_take();
    if (next == NULL) {
        idle();
    }
    struct thread *t = thread_of(next);
    uint64_t clock = clock_read(&sched.started);
    time_end(clock);
    time_begin(t, clock);
    struct fp_state *fp = sched.fp;
    sched.fp = &t->fp;
    if (t->voluntary) {
        if (fp != &t->fp) {
            fp_change_kept(fp, &t->fp);
        }
        timer_arm();
        thread_enter(t);
    }
    fp_save_kept(fp);
    fp_restore(&t->fp);
    context_copy(&upcall_page->slots[UPCALL_SLOT], &t->context);
    sched_resume();
}
