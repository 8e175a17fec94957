/* SPDX-License-Identifier: BSL-1.0
 *
 * What C cannot say: upcall.S. All of it is called masked.
 */
#pragma once

#include <abi/abi.h>

#include "state.h"

/* Save what a function call preserves on the stack of `from`, which runs, and
 * go on with `to`; returns when somebody enters `from`. */
void thread_swap(struct thread *to, struct thread *from);
/* Go on with a thread: from where it called thread_swap or thread_rest, or as
 * sched_enter does it. */
_Noreturn void thread_enter(struct thread *t);

/* The same while nobody can run: without FP registers, which stay in the CPU,
 * and on with sched_rest. They are saved by fp_save_kept, before another thread
 * is entered; or t by thread_enter_again, which takes them as they are. */
void thread_rest(struct thread *t);
_Noreturn void thread_enter_again(struct thread *t);
void fp_save_kept(struct thread *t);

_Noreturn void sched_rest(struct thread *t);
_Noreturn void sched_enter(struct thread *t);

/* Bytes that thread_swap pushes, and where in them. */
#define SWAP_BYTES 176u
#define SWAP_X30   1u /* in words */
#define SWAP_X19   2u

/* First code of a new thread: unmasks and calls thread_main(x19). */
void thread_begin(void);

/* All of q0..q31, fpcr, fpsr. */
void fp_save(struct fp_state *to);
void fp_restore(const struct fp_state *from);

/* As assignment, but without FP registers whatever the compiler likes. */
void context_copy(struct saved_context *to, const struct saved_context *from);

void upcall_entry(void);
void upcall_double_entry(void);
void doorbell_entry(void);
_Noreturn void doorbell_main(uint64_t caller);

/* Answer the present call. REPLY_STAY: go on on one's own time; 0: returns only
 * if nobody waits for it (any more): NOREPLY. */
enum abi_error call_answer(uint64_t flags);

/* Where a preempted thread is sent to run a signal handler: x0 = frame. */
void signal_entry(void);

/* Touches PROBE_BYTES of stack below sp, which changes, and traps at the end:
 * with all other registers as they were. Faults, too, if there is no such
 * stack. */
#define PROBE_BYTES 1024u
void stack_probe(void);
extern const char stack_probe_end[];

/* [resume_begin, resume_end): the instructions that give the CPU to a voluntary
 * thread. An upcall may come at any instruction after the unmasking that
 * follows; none needs undoing, because by then the thread's registers, stack
 * and TPIDR_EL0 are its own. */
extern const char resume_begin[], resume_end[];
