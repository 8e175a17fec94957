/* SPDX-License-Identifier: BSL-1.0
 *
 * What C cannot say: upcall.S. All of it is called masked.
 */
#pragma once

#include <abi/abi.h>

#include "state.h"

/* Save what a function call preserves, but for FP registers, on t's stack and
 * call go, which does not return; thread_swap does, when somebody calls
 * thread_enter(t). */
void thread_swap(struct thread *t, void (*go)(void));
_Noreturn void thread_enter(struct thread *t);

/* Bytes that thread_swap pushes, and where in them. */
#define SWAP_BYTES 96u
#define SWAP_X19   0u
#define SWAP_X30   11u /* in words */

/* First code of a new thread: unmasks and calls thread_main(x19). */
void thread_begin(void);

/* All of q0..q31, fpcr, fpsr. */
void fp_save(struct fp_state *to);
void fp_restore(const struct fp_state *from);

/* Of them what a function call preserves: d8..d15, fpcr, fpsr. A layout of its
 * own. */
void fp_save_kept(struct fp_state *to);
void fp_change_kept(struct fp_state *from, const struct fp_state *to);

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
