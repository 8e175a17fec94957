/* SPDX-License-Identifier: BSL-1.0
 *
 * Entries of the root server: start, upcall, double fault, protected call.
 * It stays masked all the time but while it waits in the kernel.
 */
#include "layout.h"

    .section .text.start, "ax"
    .globl  _start
_start:                             /* x0: struct boot_info */
    adrp    x1, stack_top
    add     x1, x1, :lo12:stack_top
    mov     sp, x1
    adrp    x1, tls_block
    add     x1, x1, :lo12:tls_block
    msr     tpidr_el0, x1
    mov     x29, xzr
    mov     x30, xzr
    b       root_main

    .text
    .globl  upcall_entry
upcall_entry:                       /* x0: struct upcall_page, sp: as we set */
    mov     x29, xzr
    mov     x30, xzr
    b       schedule

    .globl  double_entry
double_entry:
    mov     x29, xzr
    mov     x30, xzr
    b       root_fault

/* x0-x7: message, x8: badge, x10: what was lent. The first instructions may be
 * interrupted by an upcall, which resumes them. */
    .globl  call_entry
call_entry:
    ldr     x16, =ROOT_UPCALL_PAGE
    mov     w17, #1
    str     w17, [x16]              /* mask */
    stp     x0, x1, [sp, #-64]!
    stp     x2, x3, [sp, #16]
    stp     x4, x5, [sp, #32]
    stp     x6, x7, [sp, #48]
    mov     x29, xzr
    mov     x30, xzr
    mov     x0, sp
    mov     x1, x8
    mov     x2, x10
    bl      serve
    ldp     x6, x7, [sp, #48]
    ldp     x4, x5, [sp, #32]
    ldp     x2, x3, [sp, #16]
    ldp     x0, x1, [sp], #64
    mov     x8, xzr
    svc     #0x4000                 /* SVC_REPLY: returns if nobody waits */
    b       schedule

    .bss
    .balign 16
    .skip   ROOT_STACK_BYTES
    .globl  stack_top
stack_top:
    .skip   ROOT_STACK_BYTES
    .globl  call_stack_top
call_stack_top:
    .skip   4096
    .globl  double_stack_top
double_stack_top:
