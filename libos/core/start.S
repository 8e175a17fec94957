/* SPDX-License-Identifier: BSL-1.0
 *
 * First code of a domain: x0 = struct start_info, sp = top of the first stack,
 * upcalls masked.
 */
	.section .text._start, "ax", %progbits
	.balign	16
	.global	_start
	.type	_start, %function
_start:
	mov	x29, xzr
	mov	x30, xzr
	bl	start_main
	brk	#1
	.size	_start, . - _start

	.section .note.GNU-stack, "", %progbits
