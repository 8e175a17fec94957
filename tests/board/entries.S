/* SPDX-License-Identifier: BSL-1.0 */
#include "tests/bench/root/frame.S"
#include "tests/hostile/layout.h"

    .text
/* enum abi_error invoke(uint64_t x[12]) */
    .globl  invoke
invoke:
    PUSH_FRAME
    str     x0, [sp, #-16]!
    ldp     x10, x11, [x0, #80]
    ldp     x8, x9, [x0, #64]
    ldp     x6, x7, [x0, #48]
    ldp     x4, x5, [x0, #32]
    ldp     x2, x3, [x0, #16]
    ldp     x0, x1, [x0]
    svc     #0x8000                 /* SVC_CALL */
    ldr     x10, [sp], #16
    stp     x0, x1, [x10]
    stp     x2, x3, [x10, #16]
    stp     x4, x5, [x10, #32]
    stp     x6, x7, [x10, #48]
    stp     x8, x9, [x10, #64]
    mov     x0, x8
    POP_FRAME
    ret

/* enum abi_error answer(const uint64_t w[8], uint64_t slot_and_flags,
 * cptr_t cap): comes back with REPLY_STAY, and if it is refused. */
    .globl  answer
answer:
    mov     x8, x1
    mov     x9, x2
    ldp     x6, x7, [x0, #48]
    ldp     x4, x5, [x0, #32]
    ldp     x2, x3, [x0, #16]
    ldp     x0, x1, [x0]
    svc     #0x4000                 /* SVC_REPLY */
    mov     x0, x8
    ret

/* struct call, on the stack */
    .globl  called_entry
called_entry:
    sub     sp, sp, #96
    stp     x0, x1, [sp]
    stp     x2, x3, [sp, #16]
    stp     x4, x5, [sp, #32]
    stp     x6, x7, [sp, #48]
    stp     x8, x9, [sp, #64]
    str     x10, [sp, #80]
    mov     x0, sp
    bl      member_called
    brk     #1

    .globl  kcheck
kcheck:
    svc     #KCHECK
    ret

    .section .note.GNU-stack, "", %progbits
