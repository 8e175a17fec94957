/* SPDX-License-Identifier: BSL-1.0
 *
 * Where the programs of this test start and where upcalls and calls come.
 */
#include "layout.h"

	.arch_extension fp
	.arch_extension simd
	.macro	FUNC name
	.globl	\name
	.type	\name, %function
\name:
	.endm

	.section .text.start, "ax"
FUNC _start				/* x0: struct boot_info */
	ldr	x1, =stack_top
	mov	sp, x1
	b	root_main

	.text
/* long kcheck(long op, long a, long b); */
FUNC kcheck
	svc	#KCHECK
	ret

/* ---- the hostile domain --------------------------------------------------
 * Every call starts from nothing: whatever it did to registers, stack or
 * context, an upcall or the instruction after the call leads back here. */
FUNC hostile_start			/* x0: seed */
	ldr	x1, =HOSTILE_DATA
	str	x0, [x1, #HOSTILE_RANDOM]
FUNC hostile_again
	ldr	x0, =HOSTILE_DATA
	add	x1, x0, #STACK_TOP
	mov	sp, x1
	bl	hostile_step
	ldr	x0, =HOSTILE_DATA
	ldr	x16, [x0, #HOSTILE_STUB]
	ldr	x17, [x0, #HOSTILE_SP]
	mov	sp, x17
	ldp	x2, x3, [x0, #16]
	ldp	x4, x5, [x0, #32]
	ldp	x6, x7, [x0, #48]
	ldp	x8, x9, [x0, #64]
	ldp	x10, x11, [x0, #80]
	dup	v7.2d, x16		/* takes the FP registers, too */
	ldp	x0, x1, [x0]
	br	x16

	.macro	STUB nr
	svc	#\nr
	b	hostile_again
	.endm

/* const uint32_t hostile_stubs[64 + 8][2]: numbers 0..63, CALL, REPLY, and
 * some that are no calls. */
	.balign	8
	.globl	hostile_stubs
hostile_stubs:
	.set	nr, 0
	.rept	64
	STUB	nr
	.set	nr, nr + 1
	.endr
	STUB	0x8000
	STUB	0x4000
	STUB	KCHECK
	STUB	0x3fff
	STUB	0x4001
	STUB	0x8001
	STUB	0xc000
	STUB	0xffff

/* What the hostile domain's own child does. */
FUNC hostile_child
	svc	#0
	b	hostile_child

/* ---- neighbours ---------------------------------------------------------- */

/* x0-x7: message. Upcalls may come at once; they come back by resume. */
FUNC neighbour_called
	stp	x0, x1, [sp, #-64]!
	stp	x2, x3, [sp, #16]
	stp	x4, x5, [sp, #32]
	stp	x6, x7, [sp, #48]
	mov	x0, sp
	bl	neighbour_serve
	ldp	x2, x3, [sp, #16]
	ldp	x4, x5, [sp, #32]
	ldp	x6, x7, [sp, #48]
	ldp	x0, x1, [sp], #64
	mov	x8, xzr
	svc	#0x4000			/* returns if the caller is gone */
	mov	x0, #-1
	svc	#29			/* block */
	b	.

/* uint64_t neighbour_call(uint64_t message[8], uint64_t slot): the error. */
FUNC neighbour_call
	stp	x29, x30, [sp, #-112]!
	stp	x19, x20, [sp, #16]
	stp	x21, x22, [sp, #32]
	stp	x23, x24, [sp, #48]
	stp	x25, x26, [sp, #64]
	stp	x27, x28, [sp, #80]
	str	x0, [sp, #96]
	mov	x17, x0
	mov	x8, x1
	ldp	x0, x1, [x17]
	ldp	x2, x3, [x17, #16]
	ldp	x4, x5, [x17, #32]
	ldp	x6, x7, [x17, #48]
	svc	#0x8000
	ldr	x17, [sp, #96]
	stp	x0, x1, [x17]
	stp	x2, x3, [x17, #16]
	stp	x4, x5, [x17, #32]
	stp	x6, x7, [x17, #48]
	mov	x0, x8
	ldp	x27, x28, [sp, #80]
	ldp	x25, x26, [sp, #64]
	ldp	x23, x24, [sp, #48]
	ldp	x21, x22, [sp, #32]
	ldp	x19, x20, [sp, #16]
	ldp	x29, x30, [sp], #112
	ret

	.macro	EACH_X do		/* x2..x30 */
	.irp	n, 2,3,4,5,6,7,8,9,10,11,12,13,14,15,16
	\do	\n
	.endr
	.irp	n, 17,18,19,20,21,22,23,24,25,26,27,28,29,30
	\do	\n
	.endr
	.endm
	.macro	EACH_V do		/* v0..v31 */
	.irp	n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
	\do	\n
	.endr
	.irp	n, 16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	\do	\n
	.endr
	.endm
	.macro	X_FILL n
	add	x\n, x0, #\n
	.endm
	.macro	V_FILL n
	dup	v\n\().2d, x0
	.endm
	.macro	X_LOOK n
	sub	x\n, x\n, #\n
	eor	x\n, x\n, x0
	orr	x1, x1, x\n
	.endm
	.macro	V_LOOK n
	mov	x2, v\n\().d[0]
	mov	x3, v\n\().d[1]
	eor	x2, x2, x0
	eor	x3, x3, x0
	orr	x1, x1, x2
	orr	x1, x1, x3
	.endm

/* bool registers_hold(uint64_t seed, uint64_t spins): all registers but those
 * of the loop have values of their own, and have them still after a while. */
FUNC registers_hold
	stp	x29, x30, [sp, #-96]!
	stp	x19, x20, [sp, #16]
	stp	x21, x22, [sp, #32]
	stp	x23, x24, [sp, #48]
	stp	x25, x26, [sp, #64]
	stp	x27, x28, [sp, #80]
	EACH_X	X_FILL
	EACH_V	V_FILL
	msr	tpidr_el0, x0
1:	subs	x1, x1, #1
	b.ne	1b
	EACH_X	X_LOOK
	EACH_V	V_LOOK
	mrs	x2, tpidr_el0
	eor	x2, x2, x0
	orr	x1, x1, x2
	cmp	x1, #0
	cset	w0, eq
	ldp	x27, x28, [sp, #80]
	ldp	x25, x26, [sp, #64]
	ldp	x23, x24, [sp, #48]
	ldp	x21, x22, [sp, #32]
	ldp	x19, x20, [sp, #16]
	ldp	x29, x30, [sp], #96
	ret

	.bss
	.balign	16
	.skip	8192
	.globl	stack_top
stack_top:
