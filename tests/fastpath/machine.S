/* SPDX-License-Identifier: BSL-1.0
 *
 * The kernel's vectors as a program: system registers are variables, eret comes
 * back to the test, and so does every way into C code (run.py names those
 * functions machine_slow) but op_run, which fails. The thread pointer of this
 * program is scratch.
 */
    .macro  mrs to, from
    adrp    \to, \from
    ldr     \to, [\to, :lo12:\from]
    .endm

    .macro  SET_POINTER             /* msr tpidr_el0, x30 */
    .inst   0xd51bd05e
    .endm

    .macro  GET_POINTER             /* mrs x30, tpidr_el0 */
    .inst   0xd53bd05e
    .endm

    .macro  msr to, from
    SET_POINTER
    adrp    x30, \to
    str     \from, [x30, :lo12:\to]
    GET_POINTER
    .endm

    .macro  eret
    b       machine_left
    .endm

#include "vectors.S"

    .macro  EACH op, base
    \op     x2, x3, [\base, #16]
    \op     x4, x5, [\base, #32]
    \op     x6, x7, [\base, #48]
    \op     x8, x9, [\base, #64]
    \op     x10, x11, [\base, #80]
    \op     x12, x13, [\base, #96]
    \op     x14, x15, [\base, #112]
    \op     x16, x17, [\base, #128]
    \op     x18, x19, [\base, #144]
    \op     x20, x21, [\base, #160]
    \op     x22, x23, [\base, #176]
    \op     x24, x25, [\base, #192]
    \op     x26, x27, [\base, #208]
    \op     x28, x29, [\base, #224]
    .endm

/* struct dispatcher *machine_enter(struct dispatcher *d, uint64_t x[31]): an
 * exception of d, whose registers are x, and q the CPU's. Returns whom the
 * kernel left to, with the registers in x, or NULL: C code was to go on. */
    .globl  machine_enter
machine_enter:
    stp     x29, x30, [sp, #-176]!
    stp     x19, x20, [sp, #16]
    stp     x21, x22, [sp, #32]
    stp     x23, x24, [sp, #48]
    stp     x25, x26, [sp, #64]
    stp     x27, x28, [sp, #80]
    stp     d8, d9, [sp, #96]
    stp     d10, d11, [sp, #112]
    stp     d12, d13, [sp, #128]
    stp     d14, d15, [sp, #144]
    GET_POINTER
    str     x30, [sp, #160]
    adrp    x3, own
    add     x3, x3, :lo12:own
    mov     x2, sp
    stp     x2, x1, [x3]
    mov     sp, x0
    adrp    x30, q
    add     x30, x30, :lo12:q
    EACH_FP ldp, x30
    mov     x30, x1
    EACH    ldp, x30
    ldp     x0, x1, [x30]
    ldr     x30, [x30, #240]
    b       user_sync

machine_left:
    SET_POINTER
    adrp    x30, own
    ldr     x30, [x30, :lo12:own + 8]
    stp     x0, x1, [x30]
    EACH    stp, x30
    mov     x0, x30
    GET_POINTER
    str     x30, [x0, #240]
    mov     x0, sp
    b       1f

    .globl  machine_fails
machine_fails:
    mov     x0, #11                 /* ERR_STATE */
    .irp    n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18
    mov     x\n, #-1
    .endr
    ret

    .globl  machine_slow
machine_slow:
    mov     x0, #0
1:  adrp    x1, own
    ldr     x1, [x1, :lo12:own]
    mov     sp, x1
    adrp    x1, q
    add     x1, x1, :lo12:q
    EACH_FP stp, x1
    ldr     x30, [sp, #160]
    SET_POINTER
    ldp     d14, d15, [sp, #144]
    ldp     d12, d13, [sp, #128]
    ldp     d10, d11, [sp, #112]
    ldp     d8, d9, [sp, #96]
    ldp     x27, x28, [sp, #80]
    ldp     x25, x26, [sp, #64]
    ldp     x23, x24, [sp, #48]
    ldp     x21, x22, [sp, #32]
    ldp     x19, x20, [sp, #16]
    ldp     x29, x30, [sp], #176
    ret

    .section .rodata
    .balign 8
machine_syscalls:
    .rept   SYSCALLS
    .quad   machine_slow
    .endr

    .bss
    .balign 16
own:                                /* sp and x of the test */
    .skip   16
    .skip   4096
    .globl  __stack_top
__stack_top:
    .globl  __panic_stack_top
__panic_stack_top:

    .section .note.GNU-stack, "", %progbits
