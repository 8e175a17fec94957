/* SPDX-License-Identifier: BSL-1.0
 *
 * enum abi_error call_endpoint(uint64_t w[8], uint64_t endpoint_and_flags,
 *                              cptr_t cap, uint64_t loan);
 *
 * The protected call (vesper/call.h). Only sp and TPIDR_EL0 come back:
 * everything that a function call preserves is saved here.
 */
	.arch	armv8-a+fp+simd
	.section .text.call_endpoint, "ax", %progbits
	.balign	16
	.global	call_endpoint
	.type	call_endpoint, %function
call_endpoint:
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
	mrs	x4, fpcr
	stp	x4, x0, [sp, #160]
	str	x18, [sp, #176]

	mov	x8, x1
	mov	x9, x2
	mov	x11, x3
	mov	x10, x0
	ldp	x0, x1, [x10]
	ldp	x2, x3, [x10, #16]
	ldp	x4, x5, [x10, #32]
	ldp	x6, x7, [x10, #48]
	mov	x10, xzr
	svc	#0x8000

	ldr	x10, [sp, #168]
	stp	x0, x1, [x10]
	stp	x2, x3, [x10, #16]
	stp	x4, x5, [x10, #32]
	stp	x6, x7, [x10, #48]
	mov	x0, x8

	ldp	x3, x10, [sp, #160]
	msr	fpcr, x3
	ldr	x18, [sp, #176]
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
	.size	call_endpoint, . - call_endpoint

	.section .note.GNU-stack, "", %progbits
