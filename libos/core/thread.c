/* SPDX-License-Identifier: BSL-1.0
 *
 * Threads: create, end, join. A thread is one piece of memory: from below,
 * guard (unmapped), stack, struct thread, TLS block. Pieces are used again,
 * never given back; malloc is not needed.
 */
#include <vesper/thread.h>

#include <errno.h>
#include <string.h>

#include <vesper/root.h>
#include <vesper/root_call.h>

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
    t->guard_bytes = PAGE_BYTES;
    t->tpidr = tls_init(tls_main_block());
    __asm__ volatile("msr tpidr_el0, %0" : : "r"(t->tpidr));
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

/* A piece of memory for a thread, or NULL; stack bounds are set. */
static struct thread *piece_take(void)
{
    upcall_mask();
    struct thread *t = stack_pool;
    if (t != NULL) {
        stack_pool = t->next;
    }
    upcall_unmask();
    if (t != NULL) {
        return t;
    }
    uint64_t guard_bytes;
    uint64_t base = memory_stack(THREAD_STACK_BYTES, &guard_bytes);
    if (base == 0) {
        return NULL;
    }
    uint64_t top = base + THREAD_STACK_BYTES - tls_bytes();
    t = (struct thread *)((top - sizeof(*t)) & ~63ull);
    t->stack = base;
    t->stack_end = (uintptr_t)t;
    t->guard_bytes = guard_bytes;
    return t;
}

/* Fill in everything but the stack bounds, and a first frame as thread_swap
 * leaves it. */
static void thread_prepare(struct thread *t, const char *name)
{
    uint64_t stack = t->stack, stack_end = t->stack_end;
    uint64_t guard_bytes = t->guard_bytes;
    memset(t, 0, sizeof(*t));
    t->stack = stack;
    t->stack_end = stack_end;
    t->guard_bytes = guard_bytes;
    strncpy(t->name, name, sizeof(t->name) - 1);
    t->tpidr = tls_init((void *)(stack + THREAD_STACK_BYTES - tls_bytes()));

    uint64_t *frame = (uint64_t *)(stack_end - SWAP_BYTES);
    memset(frame, 0, SWAP_BYTES);
    frame[SWAP_X19] = (uintptr_t)t;
    frame[SWAP_X30] = (uintptr_t)thread_begin;
    t->sp = (uintptr_t)frame;
    t->voluntary = true;
}

int thread_create(struct thread **out, int (*fn)(void *), void *arg,
                  const char *name)
{
    struct thread *t = piece_take();
    if (t == NULL) {
        return ENOMEM;
    }
    thread_prepare(t, name);
    t->start = fn;
    t->argument = arg;
    *out = t;
    upcall_mask();
    t->all_next = all_threads;
    all_threads = t;
    alive++;
    sched_ready(t);
    upcall_unmask();
    return 0;
}

/* Called by thread_begin, still masked. */
_Noreturn void thread_main(struct thread *t)
{
    upcall_unmask();
    thread_exit(t->start(t->argument));
}

_Noreturn void thread_exit(int result)
{
    upcall_mask();
    struct thread *self = sched_current();
    if (--alive == 0) {
        uint64_t w[8] = {ROOT_EXIT};
        (void)root_call(w, 0);
    }
    self->result = result;
    self->state = THREAD_DONE;
    while (self->joiner != NULL) {
        sched_wake(self->joiner, WAKE_NORMAL);
    }
    sched_leave();
}

/* Masked: t is done and nobody runs on its stack. */
static void piece_give(struct thread *t)
{
    struct thread **link = &all_threads;
    while (*link != t) {
        link = &(*link)->all_next;
    }
    *link = t->all_next;
    t->next = stack_pool;
    stack_pool = t;
}

int thread_join(struct thread *t, int *result)
{
    int error = 0;
    upcall_mask();
    if (t == sched_current()) {
        error = EDEADLK;
    } else if (t->joined || t == &main_thread) {
        error = EINVAL;
    } else {
        t->joined = true;
        while (t->state != THREAD_DONE) {
            (void)sched_wait(&t->joiner, DEADLINE_NONE, false);
        }
        if (result != NULL) {
            *result = t->result;
        }
        piece_give(t);
    }
    upcall_unmask();
    return error;
}

void thread_yield(void)
{
    upcall_mask();
    sched_yield_masked();
    upcall_unmask();
}

void thread_sleep_until(uint64_t until_ns)
{
    uint64_t deadline = ticks_from_ns(until_ns);
    upcall_mask();
    (void)sched_wait(NULL, deadline, false);
    upcall_unmask();
}
