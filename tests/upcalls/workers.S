/* SPDX-License-Identifier: BSL-1.0
 *
 * uint64_t registers_hold(uint64_t seed, uint64_t rounds);
 *
 * Fills every general and FP register that is free with values of its own made
 * from the seed, runs, and counts the registers that changed. What it finds
 * wrong, an upcall or a switch has broken. Returns that count (0: all well).
 */

#define GENERAL 2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20, \
	21,22,23,24,25,26,27,28,30
#define VECTOR 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20, \
	21,22,23,24,25,26,27,28,29,30,31
	.arch	armv8-a+fp+simd
	.text
	.global	registers_hold
	.type	registers_hold, %function
registers_hold:
	sub	sp, sp, #192
	stp	x29, x30, [sp]
	mov	x29, sp
	stp	x19, x20, [sp, #16]
	stp	x21, x22, [sp, #32]
	stp	x23, x24, [sp, #48]
	stp	x25, x26, [sp, #64]
	stp	x27, x28, [sp, #80]
	stp	d8, d9, [sp, #96]
	stp	d10, d11, [sp, #112]
	stp	d12, d13, [sp, #128]
	stp	d14, d15, [sp, #144]
	str	xzr, [sp, #160]		/* errors */
	str	x1, [sp, #168]		/* rounds */
	mrs	x2, tpidr_el0
	str	x2, [sp, #176]

	/* x0 = seed stays; xN = seed * 64 + N. */
	lsl	x0, x0, #6
	.irp	n, GENERAL
	add	x\n, x0, #\n
	.endr
	.irp	n, VECTOR
	add	x1, x0, #(100 + \n)
	dup	v\n\().2d, x1
	.endr

1:	/* Flags must live through an upcall as well. */
	cmp	x0, x0			/* Z */
	nop
	nop
	b.eq	2f
	ldr	x1, [x29, #160]
	add	x1, x1, #1
	str	x1, [x29, #160]
2:
	.irp	n, GENERAL
	add	x1, x0, #\n
	cmp	x1, x\n
	b.eq	3f
	ldr	x1, [x29, #160]
	add	x1, x1, #1
	str	x1, [x29, #160]
3:
	.endr
	.irp	n, VECTOR
	mov	x1, v\n\().d[1]
	sub	x1, x1, x0
	cmp	x1, #(100 + \n)
	b.ne	4f
	fmov	x1, d\n
	sub	x1, x1, x0
	cmp	x1, #(100 + \n)
	b.eq	5f
4:	ldr	x1, [x29, #160]
	add	x1, x1, #1
	str	x1, [x29, #160]
5:
	.endr
	ldr	x1, [x29, #168]
	sub	x1, x1, #1
	str	x1, [x29, #168]
	cbnz	x1, 1b

	mrs	x2, tpidr_el0
	ldr	x1, [x29, #176]
	ldr	x0, [x29, #160]
	cmp	x1, x2
	cinc	x0, x0, ne
	mov	x1, sp
	cmp	x1, x29
	cinc	x0, x0, ne

	ldp	d14, d15, [sp, #144]
	ldp	d12, d13, [sp, #128]
	ldp	d10, d11, [sp, #112]
	ldp	d8, d9, [sp, #96]
	ldp	x27, x28, [sp, #80]
	ldp	x25, x26, [sp, #64]
	ldp	x23, x24, [sp, #48]
	ldp	x21, x22, [sp, #32]
	ldp	x19, x20, [sp, #16]
	ldp	x29, x30, [sp]
	add	sp, sp, #192
	ret

/*
 * uint64_t registers_kept(uint64_t seed, void (*call)(void));
 *
 * Calls call() with every register that a call preserves holding a value of its
 * own. Returns how many came back changed.
 */
	.global	registers_kept
	.type	registers_kept, %function
registers_kept:
	sub	sp, sp, #192
	stp	x29, x30, [sp]
	mov	x29, sp
	stp	x19, x20, [sp, #16]
	stp	x21, x22, [sp, #32]
	stp	x23, x24, [sp, #48]
	stp	x25, x26, [sp, #64]
	stp	x27, x28, [sp, #80]
	stp	d8, d9, [sp, #96]
	stp	d10, d11, [sp, #112]
	stp	d12, d13, [sp, #128]
	stp	d14, d15, [sp, #144]
	mrs	x2, fpcr
	stp	x0, x2, [sp, #160]
	/* Rounding mode by seed: bits 23-22. */
	and	x2, x0, #3
	lsl	x2, x2, #22
	msr	fpcr, x2
	str	x2, [sp, #176]
	.irp	n, 19,20,21,22,23,24,25,26,27,28
	add	x\n, x0, #\n
	.endr
	.irp	n, 8,9,10,11,12,13,14,15
	add	x2, x0, #(100 + \n)
	fmov	d\n, x2
	.endr
	blr	x1
	ldr	x1, [sp, #160]
	mov	x0, xzr
	.irp	n, 19,20,21,22,23,24,25,26,27,28
	add	x2, x1, #\n
	cmp	x2, x\n
	cinc	x0, x0, ne
	.endr
	.irp	n, 8,9,10,11,12,13,14,15
	add	x2, x1, #(100 + \n)
	fmov	x3, d\n
	cmp	x2, x3
	cinc	x0, x0, ne
	.endr
	mrs	x2, fpcr
	ldr	x3, [sp, #176]
	cmp	x2, x3
	cinc	x0, x0, ne
	mov	x2, sp
	cmp	x2, x29
	cinc	x0, x0, ne
	ldr	x2, [sp, #168]
	msr	fpcr, x2
	ldp	d14, d15, [sp, #144]
	ldp	d12, d13, [sp, #128]
	ldp	d10, d11, [sp, #112]
	ldp	d8, d9, [sp, #96]
	ldp	x27, x28, [sp, #80]
	ldp	x25, x26, [sp, #64]
	ldp	x23, x24, [sp, #48]
	ldp	x21, x22, [sp, #32]
	ldp	x19, x20, [sp, #16]
	ldp	x29, x30, [sp]
	add	sp, sp, #192
	ret

	.section .note.GNU-stack, "", %progbits
