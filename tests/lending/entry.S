/* SPDX-License-Identifier: BSL-1.0
 *
 * Where calls of the borrower begin, when none of its threads runs: libos takes
 * no upcall there, so it masks them, as the root server does.
 */
	.text
	.globl	called_entry
called_entry:
	adrp	x16, upcall_page
	ldr	x16, [x16, :lo12:upcall_page]
	mov	w17, #1
	str	w17, [x16]		/* mask */
	stp	x0, x1, [sp, #-64]!
	stp	x2, x3, [sp, #16]
	stp	x4, x5, [sp, #32]
	stp	x6, x7, [sp, #48]
	mov	x29, xzr
	mov	x30, xzr
	mov	x0, sp
	bl	called
	ldp	x6, x7, [sp, #48]
	ldp	x4, x5, [sp, #32]
	ldp	x2, x3, [sp, #16]
	ldp	x0, x1, [sp], #64
	mov	x8, xzr
	svc	#0x4000			/* SVC_REPLY */
	brk	#1

	.section .note.GNU-stack, "", %progbits
