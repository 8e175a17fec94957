/* SPDX-License-Identifier: BSL-1.0
 *
 * Threads as the rest of libos sees them; the public half is <vesper/thread.h>.
 */
#pragma once

#include "state.h"

struct thread *thread_main_thread(void);

/* Make the code that runs now, on the given stack, the main thread. */
void thread_init(uint64_t stack, uint64_t stack_bytes);

/* Every thread that exists, by all_next. Masked. */
struct thread *thread_first(void);

/* Is t one of them? Masked. Any pointer may be asked about. */
bool thread_exists(const struct thread *t);

struct thread_attributes {
    const char *name;
    uint64_t stack_bytes, guard_bytes; /* multiples of the page */
    void *stack;                       /* the caller's memory, or NULL */
    int priority;
    bool fifo, detached;
};
extern const struct thread_attributes thread_defaults;

/* A new thread, not yet ready: with its name, its stack, nothing to do. NULL:
 * no memory. Then start it; it may be gone at once if it is detached. */
struct thread *thread_make(const struct thread_attributes *a);
void thread_start(struct thread *t);

/* Make and start one of libos' own, most urgent and for ever: the domain does
 * not live for it. Its stack is mapped, so no pager waits for a pager. False:
 * no memory. */
bool thread_start_own(const char *name, void *(*main)(void *));
/* The same on a given stack of OWN_STACK_BYTES, aligned to 16. Masked. */
#define OWN_STACK_BYTES 16384u /* with the TLS block, however large that is */
void thread_start_on(void *stack, const char *name, void *(*main)(void *));

/* thread_join and more. With a cancellation point. ESRCH, EDEADLK, EINVAL. */
int thread_join_pointer(struct thread *t, void **result);
int thread_detach(struct thread *t);
/* Run the cleanup handlers and the destructors of keys, and end. */
_Noreturn void thread_exit_pointer(void *result);
/* thread/key.c: the destructors; nothing where no keys are linked. */
void thread_keys_end(void);

/* Masked: has something come that ends an interruptible wait of the running
 * thread: a signal for it, or pthread_cancel at a cancellation point? */
bool thread_disturbed(void);

/* Ask t to end at its next cancellation point. Masked. */
void thread_cancel_ask(struct thread *t);

void thread_cancel_test(void);

struct thread_cleanup {
    void (*routine)(void *);
    void *argument;
    struct thread_cleanup *outer;
};

/* Bytes that one thread's TLS block needs, and its preparation: block is
 * 16-byte aligned. Returns the value for TPIDR_EL0. */
uint64_t tls_bytes(void);
uint64_t tls_init(void *block);
void *tls_main_block(void);
