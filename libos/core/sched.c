/* SPDX-License-Identifier: BSL-1.0
 *
 * A thread that gives up the CPU itself leaves what a function call preserves
 * on its stack (thread_swap) and is resumed without a system call; one that an
 * upcall interrupted leaves all registers in struct thread and is resumed by
 * sys_resume. If none can run, FP registers stay where they are until another
 * thread than the last is resumed: else the kernel need not give the domain FP
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

static struct {
    struct thread *sleepers;
    struct thread
        *last;          /* no thread runs: whose FP registers the CPU has yet */
    uint64_t started;   /* ticks: when it was given the CPU */
    uint64_t armed;     /* CNTV; DEADLINE_NONE: it will not fire */
    uint64_t served_ns; /* no slice as long as this ends before it fires */
    const volatile uint64_t *stolen; /* ticks that others had */
} sched;

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

/* The running thread, if there is one, has had the time until now, and t, if
 * it is not NULL, has it from now on. */
static void change_to(struct thread *t)
{
    uint64_t clock = clock_read(&sched.started);
    if (sched_running != NULL) {
        sched_running->account->ticks += clock;
    }
    if (t != NULL) {
        t->account->ticks -= clock;
    }
    sched_running = t;
}

void sched_adopt(struct thread *t)
{
    static const uint64_t none;
    const uint64_t *stolen = (const uint64_t *)start_self->stolen;
    sched.stolen = stolen != NULL ? stolen : &none;
    sched.armed = sched.served_ns = DEADLINE_NONE;
    change_to(t);
}

/* When a slice of the running thread ends: ticks, or DEADLINE_NONE. */
static uint64_t slice_end(uint64_t slice_ns)
{
    return slice_ns == POLICY_FOR_EVER
               ? DEADLINE_NONE
               : sched.started + ticks_from_ns(slice_ns);
}

static uint64_t first_deadline(void)
{
    return sched.sleepers != NULL ? sched.sleepers->deadline : DEADLINE_NONE;
}

/* Set CNTV to the next time at which the running thread must be interrupted. */
static void timer_arm(uint64_t slice_ns)
{
    uint64_t at = first_deadline(), end = slice_end(slice_ns);
    sched.served_ns = slice_ns;
    sched.armed = end < at ? end : at;
    if (sched.armed == DEADLINE_NONE) {
        timer_stop();
    } else {
        timer_set(sched.armed);
    }
}

/* The running thread may have so long. If the timer fires before that anyhow,
 * it stays: when it does, it is set anew. It is never later than the first
 * sleeper while a thread runs. */
static inline void timer_serve(uint64_t slice_ns)
{
    if (slice_ns < sched.served_ns) {
        timer_arm(slice_ns);
    }
}

/* The same in the upcall handler, where also the sleepers have changed. */
static void timer_renew(uint64_t slice_ns)
{
    if (slice_ns < sched.served_ns || first_deadline() < sched.armed) {
        timer_arm(slice_ns);
    }
}

void sched_ready(struct thread *t)
{
    t->state = THREAD_READY;
    policy_put(&t->run, POLICY_READY);
    /* Is it to run at once? Then the timer has fired when this section ends. */
    if (sched_running != NULL) {
        timer_serve(policy_slice_ns(&sched_running->run));
    }
}

/* t waits no more; it is yet to be made ready. */
static inline void wait_end(struct thread *t, enum wake why)
{
    struct thread **list = t->list;
    if (list != NULL) {
        if (*list == t) {
            *list = t->next;
        } else {
            list_remove(list, t);
        }
        t->list = NULL;
    }
    if (t->sleeping) {
        sleepers_remove(&sched.sleepers, t);
    }
    t->wake = why;
}

void sched_wake(struct thread *t, enum wake why)
{
    wait_end(t, why);
    sched_ready(t);
}

void sched_stay(struct thread *t)
{
    sleepers_remove(&sched.sleepers, t);
}

void sched_priority(struct thread *t, int priority)
{
    struct queue ready = {0};
    struct runnable *r;
    bool last = false; /* it goes behind its new equals */
    while ((r = policy_take(NULL, POLICY_READY).next) != NULL) {
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
    timer_serve(policy_slice_ns(&sched_running->run));
}

static __attribute__((noinline)) void swap_and_arm(struct thread *to,
                                                   struct thread *from,
                                                   uint64_t slice_ns)
{
    timer_arm(slice_ns);
    thread_swap(to, from);
}

/* The running thread gives up the CPU to t, and has it again when this returns.
 * The common case is to need no more than is here. */
static inline void give_way(struct thread *self, struct thread *t,
                            uint64_t slice_ns)
{
    uint64_t clock = clock_read(&sched.started);
    self->account->ticks += clock;
    t->account->ticks -= clock;
    sched_running = t;
    if (slice_ns < sched.served_ns) {
        swap_and_arm(t, self, slice_ns);
    } else {
        thread_swap(t, self);
    }
}

enum wake sched_wait_waking(struct thread *woken, struct thread **list,
                            uint64_t deadline, bool interruptible)
{
    struct thread *self = sched_running;
    struct runnable *in = NULL;
    self->state = interruptible ? THREAD_LISTENING : THREAD_WAITING;
    self->list = list;
    if (list != NULL) {
        (void)list_insert(list, self);
    }
    if (deadline != DEADLINE_NONE) {
        self->deadline = deadline;
        sleepers_insert(&sched.sleepers, self);
    }
    if (woken != NULL) {
        wait_end(woken, WAKE_NORMAL);
        woken->state = THREAD_READY;
        in = &woken->run;
    }
    struct policy_choice c = policy_take(in, POLICY_READY);
    if (c.next == NULL) {
        thread_rest(self);
        return self->wake;
    }
    if (deadline < sched.armed) {
        sched.armed = deadline;
        timer_set(deadline);
    }
    give_way(self, runnable_thread(c.next), c.slice_ns);
    return self->wake;
}

void thread_yield(void)
{
    upcall_mask();
    struct thread *self = sched_running;
    struct policy_choice c = policy_take(&self->run, POLICY_YIELDED);
    if (c.next != &self->run) {
        give_way(self, runnable_thread(c.next), c.slice_ns);
    }
    upcall_unmask();
}

/* The stack may be freed as soon as another thread runs; nothing is saved. */
_Noreturn void sched_leave(void)
{
    sched.last = NULL;
    sched_dispatch();
}

/* Called by thread_enter: t was preempted. */
_Noreturn void sched_enter(struct thread *t)
{
    fp_restore(&t->fp);
    context_copy(&upcall_page->slots[UPCALL_SLOT], &t->context);
    (void)sys_resume(UPCALL_SLOT);
    __builtin_trap();
}

static struct thread *registers_take(void)
{
    struct thread *self = sched_running;
    fp_save(&self->fp);
    sched.last = NULL;
    context_copy(&self->context, &upcall_page->slots[UPCALL_SLOT]);
    self->sp = 0;
    return self;
}

void sched_park(void)
{
    uint64_t end = slice_end(policy_slice_ns(&sched_running->run));
    bool had = end != sched.started && end <= counter_now();
    struct thread *self = registers_take();
    self->state = THREAD_READY;
    policy_put(&self->run, had ? POLICY_YIELDED : POLICY_INTERRUPTED);
}

void sched_park_in(struct thread **list)
{
    struct thread *self = registers_take();
    self->state = THREAD_WAITING;
    self->list = list;
    (void)list_insert(list, self);
}

void sched_expire(void)
{
    uint64_t now = counter_now();
    if (sched.armed <= now) { /* it has fired, and is masked */
        sched.armed = sched.served_ns = DEADLINE_NONE;
    }
    while (first_deadline() <= now) {
        sched_wake(sched.sleepers, WAKE_TIMEOUT);
    }
}

bool sched_slice_over(void)
{
    return slice_end(policy_slice_ns(&sched_running->run)) <= counter_now();
}

_Noreturn void sched_resume(void)
{
    timer_renew(policy_slice_ns(&sched_running->run));
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
    if (first_deadline() <= counter_now()) {
        sched_expire();
        sched_dispatch();
    }
    change_to(NULL);
    sched.armed = sched.served_ns = DEADLINE_NONE;
    timer_stop();
    sched_idle(first_deadline());
    __builtin_trap();
}

/* Called by thread_rest. */
_Noreturn void sched_rest(struct thread *self)
{
    sched.last = self;
    idle();
}

_Noreturn void sched_dispatch(void)
{
    struct policy_choice c = policy_take(NULL, POLICY_READY);
    if (c.next == NULL) {
        idle();
    }
    struct thread *t = runnable_thread(c.next), *last = sched.last;
    change_to(t);
    timer_renew(c.slice_ns);
    if (last == t) {
        thread_enter_again(t);
    }
    if (last != NULL) {
        fp_save_kept(last);
    }
    thread_enter(t);
}
