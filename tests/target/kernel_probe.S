/* SPDX-License-Identifier: BSL-1.0
 *
 * What C cannot say for kernel_probe.c. The C signatures stand before each.
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

/* enum probe_end probe(void (*body)(void *), void *argument) */
FUNC probe
	adrp	x2, probe_frame
	add	x2, x2, :lo12:probe_frame
	stp	x19, x20, [x2]
	stp	x21, x22, [x2, #16]
	stp	x23, x24, [x2, #32]
	stp	x25, x26, [x2, #48]
	stp	x27, x28, [x2, #64]
	stp	x29, x30, [x2, #80]
	mov	x3, sp
	mov	w4, #1
	stp	x3, x4, [x2, #96]
	mov	x9, x0
	mov	x0, x1
	blr	x9
	mov	w0, #0
/* _Noreturn void probe_recover(enum probe_end end): out of probe() again. */
	.global	probe_recover
probe_recover:
	adrp	x2, probe_frame
	add	x2, x2, :lo12:probe_frame
	ldr	x3, [x2, #96]
	str	xzr, [x2, #104]
	mov	sp, x3
	ldp	x29, x30, [x2, #80]
	ldp	x27, x28, [x2, #64]
	ldp	x25, x26, [x2, #48]
	ldp	x23, x24, [x2, #32]
	ldp	x21, x22, [x2, #16]
	ldp	x19, x20, [x2]
	ret
END probe

/* x0 = page, sp = an upcall stack, masked. */
FUNC probe_entry
	mov	x29, xzr
	mov	x30, xzr
	bl	probe_upcall
	brk	#1
END probe_entry

FUNC probe_double_entry
	mov	x29, xzr
	mov	x30, xzr
	bl	probe_upcall_double
	brk	#1
END probe_double_entry

/* Where a context that is all of the test's making goes on: sp points at a
 * struct saved_context, which it fills with what it finds; then out of probe().
 */
FUNC probe_landing
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
	mov	x0, sp
	stp	x30, x0, [sp, #240]
	adr	x0, probe_landing
	mrs	x1, nzcv
	stp	x0, x1, [sp, #256]
	mrs	x0, tpidr_el0
	str	x0, [sp, #272]
	mov	w0, #0
	b	probe_recover
END probe_landing

/* void svc_at(uint64_t x[12], const uint32_t *stub): x0..x11 from x, run the
 * stub, x0..x11 back. Needs nothing of the other registers but sp. */
FUNC svc_at
	sub	sp, sp, #112
	stp	x19, x20, [sp]
	stp	x21, x22, [sp, #16]
	stp	x23, x24, [sp, #32]
	stp	x25, x26, [sp, #48]
	stp	x27, x28, [sp, #64]
	stp	x29, x30, [sp, #80]
	str	x0, [sp, #96]
	mov	x16, x1
	mov	x17, x0
	ldp	x0, x1, [x17]
	ldp	x2, x3, [x17, #16]
	ldp	x4, x5, [x17, #32]
	ldp	x6, x7, [x17, #48]
	ldp	x8, x9, [x17, #64]
	ldp	x10, x11, [x17, #80]
	br	x16
svc_back:
	ldr	x17, [sp, #96]
	stp	x0, x1, [x17]
	stp	x2, x3, [x17, #16]
	stp	x4, x5, [x17, #32]
	stp	x6, x7, [x17, #48]
	stp	x8, x9, [x17, #64]
	stp	x10, x11, [x17, #80]
	ldp	x29, x30, [sp, #80]
	ldp	x27, x28, [sp, #64]
	ldp	x25, x26, [sp, #48]
	ldp	x23, x24, [sp, #32]
	ldp	x21, x22, [sp, #16]
	ldp	x19, x20, [sp]
	add	sp, sp, #112
	ret

	.macro	STUB nr
	svc	#\nr
	b	svc_back
	.endm

	.set	calls, 35 /* SYS_COUNT */

/* const uint32_t svc_stubs[calls + 2][2]: all numbers, CALL, REPLY. */
	.balign	16
	.global	svc_stubs
svc_stubs:
	.set	nr, 0
	.rept	calls
	STUB	nr
	.set	nr, nr + 1
	.endr
	STUB	0x8000
	STUB	0x4000

/* const uint32_t svc_unknown_stubs[][2]: every 59th number, and neighbours of
 * the known ones. */
	.global	svc_unknown_stubs, svc_unknown_stubs_end
svc_unknown_stubs:
	.set	nr, calls
	.rept	1111
	STUB	nr
	.set	nr, nr + 59
	.endr
	.set	nr, calls + 1
	.rept	31
	STUB	nr
	.set	nr, nr + 1
	.endr
	STUB	0x3fff
	STUB	0x4001
	STUB	0x4008
	STUB	0x7fff
	STUB	0x8001
	STUB	0x8020
	STUB	0xc000
	STUB	0xffff
svc_unknown_stubs_end:
END svc_at

	.section .note.GNU-stack, "", %progbits
