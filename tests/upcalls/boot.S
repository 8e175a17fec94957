/* SPDX-License-Identifier: BSL-1.0
 *
 * The bench's machine code: from EL2 to EL1, exceptions from EL0, and the one
 * thing EL2 is kept for: moving virtual time (hvc: x0 = CNTVOFF_EL2).
 */
	.arch	armv8-a+fp+simd
	.section .text.boot, "ax"
	.global	_bench_start
_bench_start:
	mrs	x0, mpidr_el1
	and	x0, x0, #3
	cbnz	x0, park
	mov	x0, #(1 << 31)		/* EL1 is AArch64 */
	msr	hcr_el2, x0
	mov	x0, #3			/* EL1 may use the counters */
	msr	cnthctl_el2, x0
	msr	cntvoff_el2, xzr
	mov	x0, #0x33ff
	msr	cptr_el2, x0		/* no FP traps */
	msr	mdcr_el2, xzr
	adr	x0, el2_vectors
	msr	vbar_el2, x0
	adr	x0, el1_vectors
	msr	vbar_el1, x0
	mov	x0, #0x3c5
	msr	spsr_el2, x0
	adr	x0, el1_start
	msr	elr_el2, x0
	eret
park:	wfe
	b	park
el1_start:
	ldr	x0, =bench_stack_top
	mov	sp, x0
	mov	x0, #(3 << 20)
	msr	cpacr_el1, x0
	mov	x0, #0x303		/* EL0: counters and CNTV */
	msr	cntkctl_el1, x0
	ldr	x0, =0x34d5c800
	msr	sctlr_el1, x0
	msr	oslar_el1, xzr
	mrs	x0, mdscr_el1
	orr	x0, x0, #1		/* single step */
	msr	mdscr_el1, x0
	isb
	bl	bench_main
	b	park

/* struct frame: x0..x30, sp, pc, spsr: 34 words, and two of padding. */
	.macro	SAVE
	sub	sp, sp, #288
	stp	x0, x1, [sp]
	stp	x2, x3, [sp, #16]
	stp	x4, x5, [sp, #32]
	stp	x6, x7, [sp, #48]
	stp	x8, x9, [sp, #64]
	stp	x10, x11, [sp, #80]
	stp	x12, x13, [sp, #96]
	stp	x14, x15, [sp, #112]
	stp	x16, x17, [sp, #128]
	stp	x18, x19, [sp, #144]
	stp	x20, x21, [sp, #160]
	stp	x22, x23, [sp, #176]
	stp	x24, x25, [sp, #192]
	stp	x26, x27, [sp, #208]
	stp	x28, x29, [sp, #224]
	mrs	x0, sp_el0
	stp	x30, x0, [sp, #240]
	mrs	x0, elr_el1
	mrs	x1, spsr_el1
	stp	x0, x1, [sp, #256]
	.endm

/* void bench_return(struct frame *f): to EL0. */
	.text
	.global	bench_return
bench_return:
	mov	sp, x0
	ldp	x0, x1, [sp, #256]
	msr	elr_el1, x0
	msr	spsr_el1, x1
	ldp	x30, x0, [sp, #240]
	msr	sp_el0, x0
	ldp	x28, x29, [sp, #224]
	ldp	x26, x27, [sp, #208]
	ldp	x24, x25, [sp, #192]
	ldp	x22, x23, [sp, #176]
	ldp	x20, x21, [sp, #160]
	ldp	x18, x19, [sp, #144]
	ldp	x16, x17, [sp, #128]
	ldp	x14, x15, [sp, #112]
	ldp	x12, x13, [sp, #96]
	ldp	x10, x11, [sp, #80]
	ldp	x8, x9, [sp, #64]
	ldp	x6, x7, [sp, #48]
	ldp	x4, x5, [sp, #32]
	ldp	x2, x3, [sp, #16]
	ldp	x0, x1, [sp]
	add	sp, sp, #288
	eret

	.balign	2048
el1_vectors:
	.rept	8
	b	.
	.balign	128
	.endr
	SAVE				/* synchronous, EL0 */
	mov	x0, sp
	bl	bench_trap
	mov	x0, sp
	b	bench_return
	.balign	128
	SAVE				/* interrupt, EL0 */
	mov	x0, sp
	bl	bench_interrupt
	mov	x0, sp
	b	bench_return
	.balign	128
	.rept	6
	b	.
	.balign	128
	.endr

	.balign	2048
el2_vectors:
	.rept	8
	b	.
	.balign	128
	.endr
	msr	cntvoff_el2, x0		/* hvc from EL1 */
	eret
	.balign	128
	.rept	7
	b	.
	.balign	128
	.endr
