/* SPDX-License-Identifier: BSL-1.0
 *
 * enum abi_error call_endpoint(uint64_t w[8], uint64_t endpoint_and_flags,
 *                              cptr_t cap, uint64_t loan);
 *
 * The protected call (vesper/call.h). Of the general registers only sp comes
 * back: what a function call preserves is saved here. FP registers and
 * TPIDR_EL0 are kept by the kernel.
 */
	.section .text.call_endpoint, "ax", %progbits
	.balign	16
	.global	call_endpoint
	.type	call_endpoint, %function
call_endpoint:
	stp	x29, x30, [sp, #-112]!
	mov	x29, sp
	stp	x19, x20, [sp, #16]
	stp	x21, x22, [sp, #32]
	stp	x23, x24, [sp, #48]
	stp	x25, x26, [sp, #64]
	stp	x27, x28, [sp, #80]
	stp	x0, x18, [sp, #96]

	mov	x8, x1
	mov	x9, x2
	mov	x10, xzr
	mov	x11, x3
	ldp	x6, x7, [x0, #48]
	ldp	x4, x5, [x0, #32]
	ldp	x2, x3, [x0, #16]
	ldp	x0, x1, [x0]
	svc	#0x8000

	ldp	x9, x18, [sp, #96]
	stp	x0, x1, [x9]
	stp	x2, x3, [x9, #16]
	stp	x4, x5, [x9, #32]
	stp	x6, x7, [x9, #48]
	mov	x0, x8

	ldp	x27, x28, [sp, #80]
	ldp	x25, x26, [sp, #64]
	ldp	x23, x24, [sp, #48]
	ldp	x21, x22, [sp, #32]
	ldp	x19, x20, [sp, #16]
	ldp	x29, x30, [sp], #112
	ret
	.size	call_endpoint, . - call_endpoint

/* enum abi_error call_answer(uint64_t flags);
 *
 * Answer the present call, with eight zeros (switch.h). */
	.section .text.call_answer, "ax", %progbits
	.balign	16
	.global	call_answer
	.type	call_answer, %function
call_answer:
	mov	x8, x0
	mov	x0, xzr
	mov	x1, xzr
	mov	x2, xzr
	mov	x3, xzr
	mov	x4, xzr
	mov	x5, xzr
	mov	x6, xzr
	mov	x7, xzr
	svc	#0x4000
	mov	x0, x8
	ret
	.size	call_answer, . - call_answer

	.section .note.GNU-stack, "", %progbits
