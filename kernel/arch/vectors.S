/* SPDX-License-Identifier: BSL-1.0
 *
 * Exceptions. In user mode SP_EL1 points at the current dispatcher, whose first
 * member is its saved context; save and restore mirror each other.
 */
#include "asm.h"

/* The context is saved in three parts: arguments, what C code may change, and
 * the rest, which is only needed when the context is left or looked at. */
    .macro  SAVE_ARGUMENTS
    stp     x0, x1, [sp, #0]
    stp     x2, x3, [sp, #16]
    stp     x4, x5, [sp, #32]
    stp     x6, x7, [sp, #48]
    .endm

    .macro  SAVE_CALLER
    stp     x8, x9, [sp, #64]
    stp     x10, x11, [sp, #80]
    stp     x12, x13, [sp, #96]
    stp     x14, x15, [sp, #112]
    stp     x16, x17, [sp, #128]
    stp     x18, x19, [sp, #144]
    str     x30, [sp, #240]
    .endm

    .macro  SAVE_REST
    stp     x20, x21, [sp, #160]
    stp     x22, x23, [sp, #176]
    stp     x24, x25, [sp, #192]
    stp     x26, x27, [sp, #208]
    stp     x28, x29, [sp, #224]
    SAVE_STATE
    .endm

    .macro  SAVE_STATE
    mrs     x1, sp_el0
    str     x1, [sp, #CONTEXT_SP]
    mrs     x2, elr_el1
    mrs     x3, spsr_el1
    and     x3, x3, #NZCV_MASK
    stp     x2, x3, [sp, #CONTEXT_PC]
    mrs     x4, tpidr_el0
    str     x4, [sp, #CONTEXT_TPIDR]
    .endm

    .macro  SAVE
    SAVE_ARGUMENTS
    SAVE_CALLER
    SAVE_REST
    .endm

    .macro  LOAD_STATE
    ldp     x2, x3, [sp, #CONTEXT_PC]
    and     x3, x3, #NZCV_MASK      /* EL0t, nothing masked: never the user's */
    msr     spsr_el1, x3
    msr     elr_el1, x2
    ldp     x30, x2, [sp, #240]
    msr     sp_el0, x2
    .endm

    .macro  LOAD_UPPER
    ldp     x28, x29, [sp, #224]
    ldp     x26, x27, [sp, #208]
    ldp     x24, x25, [sp, #192]
    ldp     x22, x23, [sp, #176]
    ldp     x20, x21, [sp, #160]
    ldp     x18, x19, [sp, #144]
    ldp     x16, x17, [sp, #128]
    ldp     x14, x15, [sp, #112]
    ldp     x12, x13, [sp, #96]
    ldp     x10, x11, [sp, #80]
    .endm

/* From the context at x1. */
    .macro  LOAD_MESSAGE
    ldp     x6, x7, [x1, #48]
    ldp     x4, x5, [x1, #32]
    ldp     x2, x3, [x1, #16]
    ldp     x0, x1, [x1, #0]
    .endm

/* x0: the dispatcher, from now on; sp: the kernel's stack. */
    .macro  ENTER
    mov     x0, sp
    ldr     x2, =__stack_top
    mov     sp, x2
    .endm

    .macro  USER handler
    .balign 128
    b       \handler
    .endm

    .macro  KERNEL kind
    .balign 128
    ldr     x0, =__panic_stack_top
    mov     sp, x0
    mov     x0, #\kind
    b       panic_exception
    .endm

    .text
    .balign 2048
    .globl  vectors
vectors:
    KERNEL  0
    KERNEL  1
    KERNEL  2
    KERNEL  3
    KERNEL  4
    KERNEL  5
    KERNEL  6
    KERNEL  7
    USER    user_sync
    USER    user_irq
    USER    user_irq
    USER    user_error
    KERNEL  12
    KERNEL  13
    KERNEL  14
    KERNEL  15

/* Most system calls come back to their caller: then a part of the context is
 * enough. What is left of it is saved when the call has changed what runs. */
user_sync:
    SAVE_ARGUMENTS
    mrs     x1, esr_el1
    mov     w2, #ESR_SVC
    eor     w1, w1, w2              /* of an svc: its number; else more */
    cmp     w1, #SYSCALLS
    b.hs    message
    ldr     x2, =WHOLE_CONTEXT
    lsr     x2, x2, x1
    tbnz    x2, #0, 1f
    SAVE_CALLER
    ENTER
    str     x0, [sp, #-16]!
    bl      trap_syscall
    ldr     x1, [sp], #16
    mov     sp, x1
    cbnz    w0, 2f
    ldr     x30, [sp, #240]
    ldr     x18, [sp, #144]
    ldp     x16, x17, [sp, #128]
    ldp     x14, x15, [sp, #112]
    ldp     x12, x13, [sp, #96]
    ldp     x10, x11, [sp, #80]
    ldp     x8, x9, [sp, #64]
    ldp     x6, x7, [sp, #48]
    ldp     x4, x5, [sp, #32]
    ldp     x2, x3, [sp, #16]
    ldp     x0, x1, [sp, #0]
    eret

1:  SAVE_CALLER
    SAVE_REST
    ENTER
    bl      trap_sync
    bl      trap_next
    b       trap_leave

2:  SAVE_REST
    ENTER
    bl      trap_next
    b       trap_leave

/* A call or an answer (docs/abi.md: other registers are the callee's to change,
 * so a caller's are not saved; what it finds in them is what its context held,
 * never another's). In the common case C code says who goes on, and the message
 * is in the context of the one that sent it. */
message:
    cmp     w1, #IMM_CALL
    b.eq    4f
    cmp     w1, #IMM_REPLY
    b.ne    1b
    SAVE_CALLER
    ENTER
    str     x0, [sp, #-16]!
    bl      call_reply_fast
    cbz     x0, 3f
    bl      trap_load
    ldr     x1, [sp], #16
    mov     sp, x0
    ldr     x4, [sp, #CONTEXT_TPIDR]
    msr     tpidr_el0, x4
    LOAD_STATE
    mov     x8, #0
    mov     x9, #0
    LOAD_UPPER
    LOAD_MESSAGE
    eret

3:  ldr     x1, [sp], #16
    mov     sp, x1
    SAVE_REST
    ENTER
    bl      trap_sync
    bl      trap_next
    b       trap_leave

4:  stp     x8, x9, [sp, #64]
    stp     x10, x11, [sp, #80]
    stp     x29, x30, [sp, #232]
    SAVE_STATE
    ENTER
    str     x0, [sp, #-16]!
    bl      call_enter_fast
    cbz     x0, 5f
    bl      trap_load
    ldr     x1, [sp], #16
    mov     sp, x0
    ldr     x2, [sp, #CONTEXT_TPIDR]
    msr     tpidr_el0, x2
    ldp     x2, x3, [sp, #DISPATCHER_ENTRY]
    msr     elr_el1, x2
    msr     sp_el0, x3
    msr     spsr_el1, xzr
    ldr     x8, [x1, #DISPATCHER_BADGE]
    ldr     x10, [sp, #DISPATCHER_LENT]
    .irp    n, 9, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20
    mov     x\n, #0
    .endr
    .irp    n, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30
    mov     x\n, #0
    .endr
    LOAD_MESSAGE
    eret

5:  ldr     x0, [sp], #16
    bl      trap_sync
    bl      trap_next
    b       trap_leave

user_irq:
    SAVE
    ENTER
    bl      trap_irq
    bl      trap_next
    b       trap_leave

user_error:
    SAVE
    ENTER
    bl      trap_error
    bl      trap_next
    b       trap_leave

/* void trap_leave(struct dispatcher *d): go on in user mode as d. */
    .globl  trap_leave
trap_leave:
    mov     sp, x0
    ldr     x4, [sp, #CONTEXT_TPIDR]
    msr     tpidr_el0, x4
    LOAD_STATE
    LOAD_UPPER
    ldp     x8, x9, [sp, #64]
    ldp     x6, x7, [sp, #48]
    ldp     x4, x5, [sp, #32]
    ldp     x2, x3, [sp, #16]
    ldp     x0, x1, [sp, #0]
    eret

/* void fp_save(struct fp_state *to);
 * void fp_load(const struct fp_state *from); */
    .arch_extension fp
    .arch_extension simd
    .globl  fp_save
fp_save:
    stp     q0, q1, [x0, #0]
    stp     q2, q3, [x0, #32]
    stp     q4, q5, [x0, #64]
    stp     q6, q7, [x0, #96]
    stp     q8, q9, [x0, #128]
    stp     q10, q11, [x0, #160]
    stp     q12, q13, [x0, #192]
    stp     q14, q15, [x0, #224]
    stp     q16, q17, [x0, #256]
    stp     q18, q19, [x0, #288]
    stp     q20, q21, [x0, #320]
    stp     q22, q23, [x0, #352]
    stp     q24, q25, [x0, #384]
    stp     q26, q27, [x0, #416]
    stp     q28, q29, [x0, #448]
    stp     q30, q31, [x0, #480]
    mrs     x1, fpcr
    mrs     x2, fpsr
    add     x0, x0, #512
    stp     x1, x2, [x0]
    ret

    .globl  fp_load
fp_load:
    ldp     q0, q1, [x0, #0]
    ldp     q2, q3, [x0, #32]
    ldp     q4, q5, [x0, #64]
    ldp     q6, q7, [x0, #96]
    ldp     q8, q9, [x0, #128]
    ldp     q10, q11, [x0, #160]
    ldp     q12, q13, [x0, #192]
    ldp     q14, q15, [x0, #224]
    ldp     q16, q17, [x0, #256]
    ldp     q18, q19, [x0, #288]
    ldp     q20, q21, [x0, #320]
    ldp     q22, q23, [x0, #352]
    ldp     q24, q25, [x0, #384]
    ldp     q26, q27, [x0, #416]
    ldp     q28, q29, [x0, #448]
    ldp     q30, q31, [x0, #480]
    add     x0, x0, #512
    ldp     x1, x2, [x0]
    msr     fpcr, x1
    msr     fpsr, x2
    ret
