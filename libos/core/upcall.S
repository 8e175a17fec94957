/* SPDX-License-Identifier: BSL-1.0
 *
 * Upcall entries, the switch between threads, and register files. The C
 * signatures are in switch.h.
 */
	.arch	armv8-a+fp+simd

	.macro	FUNC name
	.section .text.\name, "ax", %progbits
	.balign	16
	.global	\name
	.type	\name, %function
\name:
	.endm

	.macro	END name
	.size	\name, . - \name
	.endm

/* x0 = page, sp = upcall stack, masked. A chain of frames ends here. */
FUNC upcall_entry
	mov	x29, xzr
	mov	x30, xzr
	bl	upcall_main
	brk	#1
END upcall_entry

/* A call (doorbell.h): x8 = badge. Not masked yet; the stack is the upcalls',
 * which are over, since no thread runs. */
FUNC doorbell_entry
	adrp	x9, upcall_page
	ldr	x9, [x9, #:lo12:upcall_page]
	mov	w10, #1
	str	w10, [x9]		/* its mask */
	.global	doorbell_masked
doorbell_masked:
	mov	x29, xzr
	mov	x30, xzr
	mov	x0, x8
	bl	doorbell_main
	brk	#1
END doorbell_entry

FUNC upcall_double_entry
	mov	x29, xzr
	mov	x30, xzr
	bl	upcall_double
	brk	#1
END upcall_double_entry

/* Frame of SWAP_BYTES: x29, x30, x19..x28, d8..d15, fpcr, fpsr. */
	.macro	PUSH_KEPT
	stp	x29, x30, [sp, #-176]!
	stp	x19, x20, [sp, #16]
	stp	x21, x22, [sp, #32]
	stp	x23, x24, [sp, #48]
	stp	x25, x26, [sp, #64]
	stp	x27, x28, [sp, #80]
	.endm

	.macro	FP_KEPT op, base
	\op	d8, d9, [\base, #96]
	\op	d10, d11, [\base, #112]
	\op	d12, d13, [\base, #128]
	\op	d14, d15, [\base, #144]
	.endm

	.macro	SAVE_FP_KEPT base
	FP_KEPT	stp, \base
	mrs	x2, fpcr
	mrs	x3, fpsr
	stp	x2, x3, [\base, #160]
	.endm

/* void thread_swap(struct thread *to, struct thread *from) */
FUNC thread_swap
	PUSH_KEPT
	SAVE_FP_KEPT sp
	mov	x2, sp
	str	x2, [x1]
	/* on with thread_enter: */

/* void thread_enter(struct thread *t): the mirror image. Still masked when it
 * returns as thread_swap: unmasking is the thread's own, ordinary code, so
 * there is no instruction that runs unmasked and belongs to nobody. */
	.global	thread_enter
	.type	thread_enter, %function
thread_enter:
	.global	resume_begin
resume_begin:
	ldp	x1, x2, [x0]
	cbz	x1, preempted
	mov	sp, x1
	FP_KEPT	ldp, sp
	ldp	x3, x4, [sp, #160]
	msr	fpcr, x3
	msr	fpsr, x4
registers:
	msr	tpidr_el0, x2
	ldp	x27, x28, [sp, #80]
	ldp	x25, x26, [sp, #64]
	ldp	x23, x24, [sp, #48]
	ldp	x21, x22, [sp, #32]
	ldp	x19, x20, [sp, #16]
	ldp	x29, x30, [sp], #176
	ret
	.global	resume_end
resume_end:
preempted:
	b	sched_enter
END thread_swap

/* void thread_enter_again(struct thread *t) */
FUNC thread_enter_again
	ldp	x1, x2, [x0]
	mov	sp, x1
	b	registers
END thread_enter_again

/* void thread_rest(struct thread *t) */
FUNC thread_rest
	PUSH_KEPT
	mov	x2, sp
	str	x2, [x0]
	b	sched_rest
END thread_rest

/* void fp_save_kept(struct thread *t) */
FUNC fp_save_kept
	ldr	x1, [x0]
	SAVE_FP_KEPT x1
	ret
END fp_save_kept

/* x19 = struct thread, from the frame that thread_create built. */
FUNC thread_begin
	mov	x29, xzr
	mov	x30, xzr
	mov	x0, x19
	bl	thread_main
	brk	#1
END thread_begin

/* x0 = frame on the thread's own stack, unmasked. */
FUNC signal_entry
	bl	signal_frame_run
	brk	#1
END signal_entry

/* PROBE_BYTES below: the bottom, and what may be another page. */
FUNC stack_probe
	.global	stack_probe_end
	sub	sp, sp, #1024
	ldr	xzr, [sp]
	ldr	xzr, [sp, #1016]
stack_probe_end:
	brk	#2
END stack_probe

	.macro	QREGS op
	\op	q0, q1, [x0]
	\op	q2, q3, [x0, #32]
	\op	q4, q5, [x0, #64]
	\op	q6, q7, [x0, #96]
	\op	q8, q9, [x0, #128]
	\op	q10, q11, [x0, #160]
	\op	q12, q13, [x0, #192]
	\op	q14, q15, [x0, #224]
	\op	q16, q17, [x0, #256]
	\op	q18, q19, [x0, #288]
	\op	q20, q21, [x0, #320]
	\op	q22, q23, [x0, #352]
	\op	q24, q25, [x0, #384]
	\op	q26, q27, [x0, #416]
	\op	q28, q29, [x0, #448]
	\op	q30, q31, [x0, #480]
	.endm

/* void fp_save(struct fp_state *to) */
FUNC fp_save
	QREGS	stp
	mrs	x1, fpcr
	mrs	x2, fpsr
	add	x0, x0, #512
	stp	x1, x2, [x0]
	ret
END fp_save

/* void fp_restore(const struct fp_state *from) */
FUNC fp_restore
	QREGS	ldp
	add	x0, x0, #512
	ldp	x1, x2, [x0]
	msr	fpcr, x1
	msr	fpsr, x2
	ret
END fp_restore

/* void context_copy(struct saved_context *to, const struct saved_context *)
 * 288 bytes, a multiple of 32. */
FUNC context_copy
	.rept	288 / 32
	ldp	x3, x4, [x1], #16
	ldp	x5, x6, [x1], #16
	stp	x3, x4, [x0], #16
	stp	x5, x6, [x0], #16
	.endr
	ret
END context_copy

	.section .note.GNU-stack, "", %progbits
