/* SPDX-License-Identifier: BSL-1.0
 *
 * void registers_hold(const struct registers *in, struct registers *out):
 * load all registers, wait in them for some microseconds, store all of them.
 * struct registers: x0..x30, sp, nzcv, fpcr, fpsr, tpidr, then q0..q31.
 * sp and tpidr are not loaded, only stored: they must be what they were.
 */
	.arch	armv8-a+fp+simd

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

	.macro	XREGS op, base
	\op	x2, x3, [\base, #16]
	\op	x4, x5, [\base, #32]
	\op	x6, x7, [\base, #48]
	\op	x8, x9, [\base, #64]
	\op	x10, x11, [\base, #80]
	\op	x12, x13, [\base, #96]
	\op	x14, x15, [\base, #112]
	\op	x16, x17, [\base, #128]
	\op	x18, x19, [\base, #144]
	\op	x20, x21, [\base, #160]
	\op	x22, x23, [\base, #176]
	\op	x24, x25, [\base, #192]
	\op	x26, x27, [\base, #208]
	\op	x28, x29, [\base, #224]
	.endm

	.section .text.registers_hold, "ax", %progbits
	.balign	16
	.global	registers_hold
	.type	registers_hold, %function
registers_hold:
	sub	sp, sp, #208
	stp	x18, x19, [sp]
	stp	x20, x21, [sp, #16]
	stp	x22, x23, [sp, #32]
	stp	x24, x25, [sp, #48]
	stp	x26, x27, [sp, #64]
	stp	x28, x29, [sp, #80]
	stp	d8, d9, [sp, #96]
	stp	d10, d11, [sp, #112]
	stp	d12, d13, [sp, #128]
	stp	d14, d15, [sp, #144]
	mrs	x2, fpcr
	stp	x30, x2, [sp, #160]
	str	x1, [sp, #176]

	ldp	x2, x3, [x0, #256]
	msr	nzcv, x2
	msr	fpcr, x3
	ldr	x2, [x0, #272]
	msr	fpsr, x2
	mov	x30, x0
	add	x0, x0, #288
	QREGS	ldp
	mov	x0, x30
	XREGS	ldp, x0
	ldr	x30, [x0, #240]
	ldp	x0, x1, [x0]

	.rept	16000
	ldr	xzr, [sp]
	.endr

	str	x0, [sp, #184]
	ldr	x0, [sp, #176]
	str	x1, [x0, #8]
	XREGS	stp, x0
	mov	x2, sp
	stp	x30, x2, [x0, #240]
	ldr	x1, [sp, #184]
	str	x1, [x0]
	mrs	x2, nzcv
	mrs	x3, fpcr
	stp	x2, x3, [x0, #256]
	mrs	x2, fpsr
	mrs	x3, tpidr_el0
	stp	x2, x3, [x0, #272]
	add	x0, x0, #288
	QREGS	stp

	ldp	x30, x2, [sp, #160]
	msr	fpcr, x2
	ldp	d14, d15, [sp, #144]
	ldp	d12, d13, [sp, #128]
	ldp	d10, d11, [sp, #112]
	ldp	d8, d9, [sp, #96]
	ldp	x28, x29, [sp, #80]
	ldp	x26, x27, [sp, #64]
	ldp	x24, x25, [sp, #48]
	ldp	x22, x23, [sp, #32]
	ldp	x20, x21, [sp, #16]
	ldp	x18, x19, [sp]
	add	sp, sp, #208
	ret
	.size	registers_hold, . - registers_hold

	.section .note.GNU-stack, "", %progbits
