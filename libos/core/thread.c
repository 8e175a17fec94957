/* SPDX-License-Identifier: BSL-1.0
 *
 * Threads: create, end, join, cancel. A thread is one piece of memory: from
 * below, guard (never mapped), stack (mapped on touch), struct thread, TLS
 * block. Pieces are used again, never given back; malloc is not needed.
 */
#include <vesper/thread.h>

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <vesper/memory.h>
#include <vesper/signals.h>
#include <vesper/start.h>

#include "account.h"
#include "counter.h"
#include "memory.h"
#include "page.h"
#include "sched.h"
#include "switch.h"
#include "threads.h"

static struct thread main_thread;
static struct thread *all_threads = &main_thread; /* guarded by the mask */
static uint32_t alive = 1;                        /* likewise */
static struct thread *stack_pool;                 /* likewise; by `next` */

_Noreturn void thread_main(struct thread *t);

struct thread *thread_main_thread(void)
{
    return &main_thread;
}

struct thread *thread_first(void)
{
    return all_threads;
}

void thread_init(uint64_t stack, uint64_t stack_bytes)
{
    struct thread *t = &main_thread;
    memcpy(t->name, "main", 5);
    t->stack = stack;
    t->stack_end = stack + stack_bytes;
    t->stack_stretch = SLOT_DATA;
    t->guard_bytes = PAGE_BYTES;
    t->tpidr = tls_init(tls_main_block());
    __asm__ volatile("msr tpidr_el0, %0" : : "r"(t->tpidr));
    account_open(t);
    sched_adopt(t);
}

struct thread *thread_self(void)
{
    return sched_current();
}

const char *thread_name(const struct thread *t)
{
    return t->name;
}

bool thread_exists(const struct thread *t)
{
    const struct thread *i = all_threads;
    while (i != NULL && i != t) {
        i = i->all_next;
    }
    return i != NULL;
}

/* ---- the memory of a thread -------------------------------------------- */

const struct thread_attributes thread_defaults = {
    .name = "thread",
    .stack_bytes = THREAD_STACK_BYTES,
    .guard_bytes = THREAD_GUARD_BYTES,
};

/* Where struct thread lies in a piece: the TLS block is above it. */
static struct thread *piece_thread(const struct thread_piece *p)
{
    uint64_t top = p->base + p->bytes - tls_bytes();
    return (struct thread *)((top - sizeof(struct thread)) & ~63ull);
}

/* What must be there before the thread touches it: itself, its TLS block, its
 * first frame and what a first critical section needs. The base, any page, does
 * not matter. */
static uint64_t piece_top_bytes(const struct thread_piece *p)
{
    uint64_t low = (uintptr_t)piece_thread(p) - SECTION_STACK_BYTES / 2;
    return p->base + p->bytes - (low & ~(PAGE_BYTES - 1));
}

/* One that was used before and is large enough; most are of one size. */
static struct thread *piece_again(const struct thread_attributes *a)
{
    upcall_mask();
    struct thread **link = &stack_pool;
    while (*link != NULL && ((*link)->piece.bytes < a->stack_bytes ||
                             (*link)->guard_bytes < a->guard_bytes)) {
        link = &(*link)->next;
    }
    struct thread *t = *link;
    if (t != NULL) {
        *link = t->next;
    }
    upcall_unmask();
    return t;
}

static struct thread *piece_new(const struct thread_attributes *a)
{
    struct thread_piece p = {.bytes = a->stack_bytes};
    uint64_t low = memory_reserve(a->guard_bytes + p.bytes, piece_top_bytes(&p),
                                  &p.stretch);
    if (low == 0) {
        return NULL;
    }
    p.base = low + a->guard_bytes;
    struct thread *t = piece_thread(&p);
    t->piece = p;
    t->guard_bytes = a->guard_bytes;
    return t;
}

static struct thread *piece_given(const struct thread_attributes *a)
{
    struct thread_piece p = {(uintptr_t)a->stack, a->stack_bytes, 0};
    struct thread *t = piece_thread(&p);
    t->piece = p;
    t->guard_bytes = 0;
    return t;
}

static struct thread *piece_take(const struct thread_attributes *a)
{
    if (a->stack != NULL) {
        return piece_given(a);
    }
    struct thread *t = piece_again(a);
    return t != NULL ? t : piece_new(a);
}

/* Masked: t is done and nobody runs on its stack any more, or goes on only to
 * leave it. */
static void piece_give(struct thread *t)
{
    struct thread **link = &all_threads;
    while (*link != t) {
        link = &(*link)->all_next;
    }
    *link = t->all_next;
    if (t->piece.stretch != 0) {
        t->next = stack_pool;
        stack_pool = t;
    }
}

/* ---- beginning --------------------------------------------------------- */

/* A first frame as thread_swap leaves it. */
static void frame_prepare(struct thread *t)
{
    uint64_t *frame = (uint64_t *)(t->stack_end - SWAP_BYTES);
    memset(frame, 0, SWAP_BYTES);
    frame[SWAP_X19] = (uintptr_t)t;
    frame[SWAP_X30] = (uintptr_t)thread_begin;
    t->sp = (uintptr_t)frame;
}

struct thread *thread_make(const struct thread_attributes *a)
{
    struct thread *t = piece_take(a);
    if (t == NULL) {
        return NULL;
    }
    struct thread_piece p = t->piece;
    uint64_t guard_bytes = t->guard_bytes;
    memset(t, 0, sizeof(*t));
    t->piece = p;
    t->guard_bytes = guard_bytes;
    t->stack = p.base;
    t->stack_end = (uintptr_t)t;
    t->stack_stretch = p.stretch;
    strncpy(t->name, a->name, sizeof(t->name) - 1);
    t->run.priority = a->priority;
    t->run.fifo = a->fifo;
    t->detached = a->detached;
    t->tpidr = tls_init((void *)(p.base + p.bytes - tls_bytes()));
    frame_prepare(t);
    return t;
}

/* Masked. */
static void enter(struct thread *t)
{
    account_open(t);
    t->all_next = all_threads;
    all_threads = t;
    sched_ready(t);
}

void thread_start_on(void *stack, const char *name, void *(*main)(void *))
{
    const struct thread_attributes a = {
        .name = name,
        .stack = stack,
        .stack_bytes = OWN_STACK_BYTES,
        .priority = THREAD_PRIORITY_MAX,
    };
    struct thread *t = thread_make(&a); /* a given stack is enough */
    t->start = main;
    enter(t);
}

bool thread_start_own(const char *name, void *(*main)(void *))
{
    void *stack = memory_map(OWN_STACK_BYTES);
    if (stack == NULL) {
        return false;
    }
    upcall_mask();
    thread_start_on(stack, name, main);
    upcall_unmask();
    return true;
}

void thread_start(struct thread *t)
{
    upcall_mask();
    alive++;
    enter(t);
    upcall_unmask();
}

int thread_create(struct thread **out, int (*fn)(void *), void *arg,
                  const char *name)
{
    struct thread_attributes a = thread_defaults;
    a.name = name;
    struct thread *t = thread_make(&a);
    if (t == NULL) {
        return ENOMEM;
    }
    t->start_int = fn;
    t->argument = arg;
    *out = t;
    thread_start(t);
    return 0;
}

/* Called by thread_begin, still masked. */
_Noreturn void thread_main(struct thread *t)
{
    upcall_unmask();
    if (t->start_int != NULL) {
        thread_exit(t->start_int(t->argument));
    }
    thread_exit_pointer(t->start(t->argument));
}

/* ---- the end ----------------------------------------------------------- */

/* thread/key.c has the values of keys destroyed, if it is there. */
__attribute__((weak)) void thread_keys_end(void)
{
}

_Noreturn void thread_exit_pointer(void *result)
{
    struct thread *self = sched_current();
    struct thread_cleanup *c;
    self->cancel_off = true;
    while ((c = self->cleanup) != NULL) {
        self->cleanup = c->outer;
        c->routine(c->argument);
    }
    thread_keys_end();
    upcall_mask();
    if (--alive == 0) {
        upcall_unmask();
        exit(0);
    }
    self->result = result;
    self->state = THREAD_DONE;
    account_close(self);
    if (self->joiner != NULL) {
        sched_wake(self->joiner, WAKE_NORMAL);
    } else if (self->detached) {
        piece_give(self);
    }
    sched_leave();
}

_Noreturn void thread_exit(int result)
{
    thread_exit_pointer((void *)(intptr_t)result);
}

static bool is_cancelled(const struct thread *t)
{
    return t->cancel_asked && !t->cancel_off;
}

/* ---- waiting for it ---------------------------------------------------- */

/* Masked. */
static int join_check(const struct thread *t)
{
    const struct thread *self = sched_current();
    if (!thread_exists(t)) {
        return ESRCH;
    }
    if (t == self || (t->joins == self && !is_cancelled(t))) {
        return EDEADLK;
    }
    return t->detached || t->joined ? EINVAL : 0;
}

/* Masked. A join goes on after a signal, so that its handler runs now. */
static void signals_let(void)
{
    while (sched_current() == &main_thread && signals_waiting()) {
        upcall_unmask();
        signals_run();
        upcall_mask();
    }
}

/* Masked. False: cancelled meanwhile. */
static bool join_wait(struct thread *t)
{
    struct thread *self = sched_current();
    t->joined = true;
    self->joins = t;
    signals_let();
    while (t->state != THREAD_DONE && !thread_disturbed()) {
        (void)sched_wait(&t->joiner, DEADLINE_NONE, true);
        signals_let();
    }
    self->joins = NULL;
    t->joined = t->state == THREAD_DONE;
    return t->joined;
}

int thread_join_pointer(struct thread *t, void **result)
{
    bool interrupted = false;
    thread_cancel_begin();
    upcall_mask();
    int error = join_check(t);
    if (error == 0) {
        interrupted = !join_wait(t);
    }
    if (error == 0 && !interrupted) {
        if (result != NULL) {
            *result = t->result;
        }
        piece_give(t);
    }
    upcall_unmask();
    thread_cancel_end(interrupted);
    return error;
}

int thread_join(struct thread *t, int *result)
{
    void *pointer = NULL;
    int error = thread_join_pointer(t, &pointer);
    if (error == 0 && result != NULL) {
        *result = (int)(intptr_t)pointer;
    }
    return error;
}

int thread_detach(struct thread *t)
{
    upcall_mask();
    int error = !thread_exists(t)          ? ESRCH
                : t->detached || t->joined ? EINVAL
                                           : 0;
    if (error == 0) {
        t->detached = true;
        if (t->state == THREAD_DONE) {
            piece_give(t);
        }
    }
    upcall_unmask();
    return error;
}

/* ---- cancellation ------------------------------------------------------ */

bool thread_cancelled(void)
{
    const struct thread *self = sched_current();
    return self->cancel_point && is_cancelled(self);
}

bool thread_disturbed(void)
{
    return thread_cancelled() ||
           (sched_current() == &main_thread && signals_waiting());
}

void thread_cancel_ask(struct thread *t)
{
    t->cancel_asked = true;
    if (t->state == THREAD_LISTENING && t->cancel_point && is_cancelled(t)) {
        sched_wake(t, WAKE_INTERRUPT);
    }
}

void thread_cancel_test(void)
{
    if (is_cancelled(sched_current())) {
        thread_exit_pointer(PTHREAD_CANCELED);
    }
}

void thread_cancel_begin(void)
{
    thread_cancel_test();
    sched_current()->cancel_point = true;
}

void thread_cancel_end(bool interrupted)
{
    sched_current()->cancel_point = false;
    if (interrupted) {
        thread_cancel_test();
    }
}

/* ---- time -------------------------------------------------------------- */

void thread_sleep_until(uint64_t until_ns)
{
    uint64_t deadline = ticks_from_ns(until_ns);
    upcall_mask();
    (void)sched_wait(NULL, deadline, false);
    upcall_unmask();
}
