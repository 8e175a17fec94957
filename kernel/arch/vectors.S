/* SPDX-License-Identifier: BSL-1.0
 *
 * Exceptions. In user mode SP_EL1 points at the current dispatcher, whose first
 * member is its saved context; save and restore mirror each other.
 */
#include "asm.h"
#include "context.inc"

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
    .balign 128
/* Calls, answers and events are told apart first. Two registers are enough
 * until one is known to be common. */
user_sync:
    stp     x16, x17, [sp, #128]
    mrs     x16, esr_el1
    mov     w17, #ESR_SVC
    eor     w16, w16, w17           /* of an svc: its number; else more */
    cmp     w16, #IMM_CALL
    b.eq    call_fast
    cmp     w16, #IMM_REPLY
    b.eq    reply_fast
    cmp     w16, #IMM_EVENT_SIGNAL
    b.eq    event_fast
    cmp     w16, #SYSCALLS
    b.hs    fault_fast
    adr     x17, user_other
    add     x17, x17, x16, lsl #2
    br      x17
    USER    user_irq
    USER    user_irq
    USER    user_error
    KERNEL  12
    KERNEL  13
    KERNEL  14
    KERNEL  15

/* Most system calls come back to their caller: then a part of the context is
 * enough. What is left of it is saved when the call has changed what runs. */
user_other:
    .set    nr, 0
    .rept   SYSCALLS
    .if     nr == IMM_NULL
    b       null
    .elseif nr == IMM_RESUME
    b       resume_fast
    .elseif nr == IMM_LEAVE
    b       leave_fast
    .elseif nr == IMM_RUN
    b       user_runs
    .elseif nr == IMM_BLOCK
    b       user_blocks
    .elseif WHOLE_CONTEXT >> nr & 1
    b       user_all
    .else
    b       user_most
    .endif
    .set    nr, nr + 1
    .endr

null:
    ldp     x16, x17, [sp, #128]
    mov     x0, #0
    eret

/* Who gives the CPU away goes on with an upcall, and needs nothing of what it
 * has; but `run` may fail. */
user_blocks:
    str     x0, [sp]
    mrs     x4, tpidr_el0
    str     x4, [sp, #CONTEXT_TPIDR]
    ENTER
    bl      op_block
    b       trap_exit

user_runs:
    ldr     w17, [sp, #UPCALL + UPCALL_MASK + 4]
    cbnz    w17, user_all           /* it goes on with an upcall */
    stp     x14, x15, [sp, #112]
    SAVE_ARGUMENTS
    SAVE_CALLER
    mrs     x4, tpidr_el0
    str     x4, [sp, #CONTEXT_TPIDR]
    ENTER
    mov     x19, x0
    bl      op_run
    ldr     x2, =kernel
    ldr     w2, [x2, #CORE_UNSETTLED]
    cbnz    w2, trap_exit
    mov     sp, x19
    stp     w0, wzr, [sp]           /* it failed, and nothing changed */
    b       3f

user_most:
    stp     x14, x15, [sp, #112]
    SAVE_ARGUMENTS
    SAVE_CALLER
    ldr     x17, =syscalls
    ldr     x16, [x17, x16, lsl #3]
    ENTER
    mov     x19, x0
    blr     x16
    mov     sp, x19
    tbnz    w0, #NO_RESULT, 2f
    stp     w0, wzr, [sp]
4:  ldr     x2, =kernel
    ldr     w2, [x2, #CORE_UNSETTLED]
    cbnz    w2, 5f
3:  ldr     x30, [sp, #240]
    ldp     x18, x19, [sp, #144]
    ldp     x16, x17, [sp, #128]
    ldp     x14, x15, [sp, #112]
    ldp     x12, x13, [sp, #96]
    ldp     x10, x11, [sp, #80]
    ldp     x8, x9, [sp, #64]
    LOAD_MESSAGE sp
    eret

user_all:
    adr     x16, trap_sync
7:  stp     x14, x15, [sp, #112]
8:  SAVE_ARGUMENTS
    SAVE_CALLER
    SAVE_REST
    ENTER
    mov     x1, x15
    mov     w2, w14
    blr     x16
    b       trap_exit

user_error:
    stp     x16, x17, [sp, #128]
    adr     x16, trap_error
    b       7b
event_wakes:                        /* x15, with bit x14; both are saved */
    adr     x16, trap_event
    b       8b

2:  tbz     w0, #0, 4b
    mrs     x2, elr_el1             /* interrupts are taken, then it goes on */
    sub     x2, x2, #4
    msr     elr_el1, x2
    b       4b

5:  SAVE_REST
    ENTER
    b       trap_exit

/* ---- events --------------------------------------------------------------
 *
 * A bit and a reason for somebody who does not wait for them, or goes on with
 * nothing pending (kernel/core/upcall.c:upcall_event, op_leave).
 */
leave_fast:
    ldr     w17, [sp, #UPCALL + UPCALL_MASK + 4]
    cbnz    w17, user_all
    str     wzr, [sp, #UPCALL + UPCALL_MASK]
    ldp     x16, x17, [sp, #128]
    mov     x0, #0
    eret

event_fast:
    stp     x14, x15, [sp, #112]
    ldr     w16, [sp, #DISPATCHER_CNODE]
    ldr     w14, [sp, #DISPATCHER_CNODE + 4]
    mov     x17, #RAM_WINDOW
    cmp     x0, x14
    b.hs    event_other
    add     x16, x17, x16, lsl #5
    add     x16, x16, x0, lsl #5    /* slot 0 has no type */
    ldp     x14, x15, [x16, #SLOT_WORD]
    ubfx    x16, x15, #SLOT_TYPE, #8
    cmp     w16, #EVENT
    b.ne    event_other
    tbz     x15, #SLOT_SIGNAL, event_other
    ubfiz   x15, x15, #5, #32
    add     x15, x15, x17
    ldrh    w16, [x15, #DISPATCHER_STATE]
    cmp     w16, #BLOCKED
    b.eq    event_wakes
    ldr     x16, [x15, #DISPATCHER_PAGES]
    cbz     x16, event_other
    cmp     sp, x15
    b.ne    1f
    ldr     w16, [sp, #UPCALL + UPCALL_MASK]
    cbz     w16, event_other        /* it is for itself, and comes at once */

1:  mov     x16, #1
    lsl     x16, x16, x14
    ldr     x14, [x15, #UPCALL + UPCALL_EVENTS]
    orr     x14, x14, x16
    str     x14, [x15, #UPCALL + UPCALL_EVENTS]
    ldr     w14, [x15, #UPCALL + UPCALL_MASK + 4]
    orr     w14, w14, #SIGNALLED
    str     w14, [x15, #UPCALL + UPCALL_MASK + 4]
    ldp     x14, x15, [sp, #112]
    ldp     x16, x17, [sp, #128]
    mov     x0, #0
    eret

event_other:
    ldp     x14, x15, [sp, #112]
    mov     w16, #IMM_EVENT_SIGNAL
    b       user_most

/* ---- faults and their end ------------------------------------------------
 *
 * Between a dispatcher and its handler nothing changes but registers and words
 * of its pages. Here is what upcall_fault and op_resume (kernel/core/upcall.c)
 * do when the handler can take it: the registers go straight into the save slot
 * and back. Every word of the user's page is read once.
 */
resume_fast:
    cmp     x0, #SLOTS
    b.hs    user_all
    ldr     w16, [sp, #UPCALL + UPCALL_MASK + 4]
    cbnz    w16, user_all           /* something is pending */
    str     wzr, [sp, #UPCALL + UPCALL_MASK]
    mov     w16, #CONTEXT_BYTES
    add     x17, sp, #UPCALL
    madd    x16, x0, x16, x17
    add     x16, x16, #UPCALL_SLOTS
    b       load

fault_fast:
    mrs     x16, esr_el1
    lsr     w16, w16, #ESR_CLASS_SHIFT
    cmp     w16, #CLASS_SVC
    ccmp    w16, #CLASS_FP, #4, ne
    b.eq    fp_trap
    ldr     x16, [sp, #DISPATCHER_PAGES]
    cbz     x16, user_all
    ldr     w16, [sp, #UPCALL + UPCALL_MASK]
    cbnz    w16, user_all
    ldr     x17, [sp, #UPCALL + UPCALL_ENTRY]
    cbz     x17, user_all
    ldr     w16, [sp, #UPCALL + UPCALL_SAVE]
    cmp     w16, #SLOTS - 1         /* the last is for faults while masked */
    b.hs    user_all

    str     w16, [sp, #UPCALL + UPCALL_SAVE + 4]
    str     x16, [sp, #UPCALL + UPCALL_FAULT + 24]
    add     w16, w16, w16, lsl #3
    add     w16, w16, w16
    add     x16, sp, x16, uxtx #4   /* a context is 9 * 2 * 16 bytes */
    add     x16, x16, #UPCALL
    add     x16, x16, #UPCALL_SLOTS
    SAVE_ARGUMENTS x16
    SAVE_UPPER x16
    ldp     x0, x1, [sp, #128]
    stp     x0, x1, [x16, #128]
    mrs     x0, sp_el0
    stp     x30, x0, [x16, #240]
    mrs     x4, elr_el1
    mrs     x0, spsr_el1
    and     x0, x0, #NZCV_MASK
    stp     x4, x0, [x16, #CONTEXT_PC]
    mrs     x0, tpidr_el0
    str     x0, [x16, #CONTEXT_TPIDR]

    add     x3, sp, #UPCALL
    mrs     x0, esr_el1
    mrs     x1, far_el1
    stp     x0, x1, [sp, #DISPATCHER_ESR]
    stp     x0, x1, [x3, #UPCALL_FAULT]
    str     x4, [x3, #UPCALL_FAULT + 16]
    lsr     w0, w0, #ESR_CLASS_SHIFT
    bic     w0, w0, #(CLASS_FETCH ^ CLASS_DATA)
    cmp     w0, #CLASS_FETCH
    mov     w0, #FAULT
    mov     w1, #EXCEPTION
    csel    w0, w0, w1, eq
    ldr     w1, [x3, #UPCALL_MASK + 4]
    orr     w1, w1, w0
    mov     w0, #MASKED
    stp     w0, w1, [x3, #UPCALL_MASK]
    ldr     x1, =kernel
    ldr     w0, [x1, #CORE_DEPTH]
    add     x1, x1, x0, lsl #4
    ldr     x1, [x1, #CORE_CHAIN + 8 - 16]
    mrs     x0, cntvct_el0
    add     x2, sp, #IDENTITY
    stp     x0, x1, [x2, #IDENTITY_NOW]

    ldr     x0, [x3, #UPCALL_ENTRY + 8]
    msr     sp_el0, x0
    msr     elr_el1, x17
    msr     spsr_el1, xzr
    ldr     x0, [sp, #DISPATCHER_PAGES]
    add     x0, x0, #IDENTITY       /* the upcall page is the one behind */
    ldp     x3, x4, [x16, #24]
    ldp     x1, x2, [x16, #8]
    ldp     x16, x17, [x16, #128]
    eret

/* ---- FP registers --------------------------------------------------------
 *
 * They are one dispatcher's, the owner's. Who touches them becomes it here and
 * tries again. Nothing can forbid it: no C code knows of this.
 */
fp_trap:
    cmp     w16, #CLASS_FP
    b.ne    user_all                /* a number that is no system call's */
    mov     x16, #CPACR_FP
    msr     cpacr_el1, x16
    isb
    str     x16, [sp, #DISPATCHER_CPACR]
    ldr     x17, =kernel
    ldr     w16, [x17, #CORE_FP_OWNER]
    cbz     w16, fp_load
    mov     x17, #RAM_WINDOW
    add     x16, x17, x16, lsl #5
    str     xzr, [x16, #DISPATCHER_CPACR]
    add     x16, x16, #DISPATCHER_FP
    EACH_FP stp, x16
    mrs     x17, fpcr
    str     x17, [x16, #FP_CONTROL]
    mrs     x17, fpsr
    str     x17, [x16, #FP_CONTROL + 8]
fp_load:
    add     x16, sp, #DISPATCHER_FP
    EACH_FP ldp, x16
    ldr     x17, [x16, #FP_CONTROL]
    msr     fpcr, x17
    ldr     x17, [x16, #FP_CONTROL + 8]
    msr     fpsr, x17
    ldr     w16, [sp, #DISPATCHER_SELF]
    ldr     x17, =kernel
    str     w16, [x17, #CORE_FP_OWNER]
    ldp     x16, x17, [sp, #128]
    eret

/* ---- calls and answers --------------------------------------------------
 *
 * docs/abi.md: but for the message, a caller's registers are the callee's to
 * change, so they are not saved; what it finds in them is nothing or its own,
 * never another's. The most common calls and answers are done here, by what
 * call_enter_fast and call_reply_fast (kernel/core/call.c) do in more cases;
 * tests/fastpath compares the two. All conditions come before the first store.
 * References are not masked: wrong ones, which there are none of, would fault.
 */

/* Between one that has time of its own and serves nobody, or serves such a one,
 * and one that is free; no capability is sent along. */
call_fast:
    stp     x29, x30, [sp, #232]
    ldr     x12, [sp, #DISPATCHER_SELF]
    mov     x17, #RAM_WINDOW
    ldr     w13, [sp, #DISPATCHER_CNODE]
    ldr     w14, [sp, #DISPATCHER_CNODE + 4]
    add     x13, x17, x13, lsl #5
    bic     x16, x8, #(1 << NOWAIT) /* who is free lets nobody wait */
    cmp     x16, x14                /* another flag fails this, too */
    b.hs    call_flagged
1:  add     x13, x13, x16, lsl #5   /* slot 0 has no type */
    ldp     x14, x15, [x13, #SLOT_WORD]
    ubfx    x13, x15, #SLOT_TYPE, #8
    cmp     w13, #ENDPOINT
    b.ne    call_other
    tbz     x15, #SLOT_CALL, call_other
    ubfiz   x15, x15, #5, #32
    ldr     w29, [x17, x15]         /* whose endpoint it is */
    cbz     w29, call_other
    add     x16, x17, x29, lsl #5
    ldr     x17, =kernel
    ldr     w13, [x17, #CORE_DEPTH]
    add     x13, x17, x13, lsl #4
    ldr     w13, [x13, #CORE_CHAIN - 16]
    cmp     w13, w12                /* its own time */
    ldr     w15, [sp, #DISPATCHER_CALLER]
    ccmp    w15, #0, #0, eq
    b.ne    call_nested
2:  ldp     x13, x15, [x16, #DISPATCHER_ENTRY]
    cbz     x13, call_other
    ldr     x30, [x16, #DISPATCHER_STATE]
    cmp     x30, #BLOCKED           /* no children, serves nobody */
    b.ne    call_parent
    tbnz    x8, #LEND, call_lend

call_start:
    START
    eret

call_flagged:                       /* what is lent is seen to later */
    bic     x16, x16, #(1 << LEND)
    cmp     x16, x14
    b.lo    1b
    b       call_other

/* The top of the chain serves nobody, and is served by who calls. */
call_nested:
    cmp     w13, w15
    b.ne    call_other
    mov     x15, #RAM_WINDOW
    add     x15, x15, x13, lsl #5
    ldr     w15, [x15, #DISPATCHER_CALLER]
    cbz     w15, 2b
    b       call_other

/* The entry is made by C code, which says whether it may be: the last condition
 * and, if so, the first store. The caller's other registers are not kept. */
call_lend:
    SAVE_CALL
    mov     x19, x16
    mov     x20, x14
    mov     x1, x16
    mov     x2, x11
    CALL    space_lend
    cbnz    w0, 5f
    ldr     x12, [sp, #DISPATCHER_SELF]
    mov     x14, x20
    mov     x16, x19
    ldr     x17, =kernel
    ldp     x13, x15, [x16, #DISPATCHER_ENTRY]
    ldr     w29, [x16, #DISPATCHER_SELF]
    ldr     x30, [x16, #DISPATCHER_STATE]
    mov     x1, sp
    LOAD_MESSAGE
    START
    ldr     x10, [sp, #DISPATCHER_LENT]
    eret

/* The callee may look at what it schedules, so the caller's scheduler is told
 * that it calls (kernel/core/sched.c:sched_tell_callers). */
call_parent:
    bic     x30, x30, #CHILDREN
    cmp     x30, #BLOCKED
    ldr     w30, [sp, #DISPATCHER_CALLER]
    ccmp    w30, #0, #0, eq         /* or more would be told */
    b.ne    call_other
    tbnz    x8, #LEND, call_other
    mov     w9, #CALLING
    str     w9, [sp, #DISPATCHER_TOLD]
    ldr     w10, [sp, #DISPATCHER_PARENT]
    cbz     w10, 1f
    mov     x9, #RAM_WINDOW
    add     x10, x9, x10, lsl #5
    ldr     w9, [sp, #DISPATCHER_INDEX]
    add     x11, x10, #IDENTITY
    add     x11, x11, x9, lsl #4
    ldr     x8, [sp, #DISPATCHER_UNTIL]
    mov     w30, #SEEN_CALLING
    str     x8, [x11, #IDENTITY_CHILD]
    str     w30, [x11, #IDENTITY_CHILD + 8]
    lsr     x11, x9, #6
    add     x10, x10, #UPCALL
    add     x10, x10, x11, lsl #3
    mov     x8, #1
    lsl     x8, x8, x9
    ldr     x30, [x10, #UPCALL_CHANGED]
    orr     x30, x30, x8
    str     x30, [x10, #UPCALL_CHANGED]
1:  ldr     x30, [x16, #DISPATCHER_STATE]
    b       call_start

/* By one that was not looked at since it was called, with nothing pending on
 * either side and nobody in line. */
reply_fast:
    stp     x14, x15, [sp, #112]
    ldr     x15, [sp, #DISPATCHER_STATE]
    lsr     x16, x15, #32           /* its caller */
    cbz     x16, reply_other
    mov     x17, #RAM_WINDOW
    add     x16, x17, x16, lsl #5
    ldr     w14, [sp, #UPCALL + UPCALL_MASK + 4]
    ldr     w17, [x16, #UPCALL + UPCALL_MASK + 4]
    orr     w14, w14, w17
    orr     x14, x14, x8            /* no flags, no saved reply */
    ldr     x17, [sp, #DISPATCHER_TOLD]
    cmp     x17, #BLOCKED           /* nobody is ready to be served */
    ccmp    x14, #0, #0, eq
    ldr     x17, [sp, #DISPATCHER_LENT]
    b.ne    reply_other
    cbnz    x17, reply_lent

reply_end:
    orr     w15, w15, #BLOCKED      /* from READY; and no caller */
    str     x15, [sp, #DISPATCHER_STATE]
    str     wzr, [sp, #UPCALL + UPCALL_MASK]
    mov     w15, #READY
    strh    w15, [x16, #DISPATCHER_STATE]
    str     wzr, [x16, #DISPATCHER_CALLEE]
    ldr     x17, =kernel
    ldp     x15, x13, [x16, #CONTEXT_SP]
    SWITCH
    mov     x8, #0
    CLEAR_UPPER
    ldp     x29, x30, [sp, #232]
    eret

reply_lent:
    SAVE_ARGUMENTS
    mov     x19, x15                /* nobody's any more */
    mov     x20, x16
    CALL    space_take_back
    mov     x15, x19
    mov     x16, x20
    mov     x1, sp
    LOAD_MESSAGE
    b       reply_end

/* The others: C code says who goes on, and the message is in the context of
 * the one that sent it. */
reply_other:
    SAVE_ARGUMENTS
    SAVE_CALLER
    ENTER
    str     x0, [sp, #-16]!
    bl      call_reply_fast
    cbz     x0, 3f
    bl      trap_load
    ldr     x1, [sp], #16
    mov     sp, x0
    LOAD_STATE sp
    mov     x8, #0
    mov     x9, #0
    LOAD_UPPER sp
    ldp     x16, x17, [sp, #128]
    LOAD_MESSAGE
    eret

3:  ldr     x1, [sp], #16
    mov     sp, x1
    SAVE_REST
    ENTER
    bl      trap_sync
    b       trap_exit

call_other:
    SAVE_CALL
    SAVE_STATE
    ENTER
    str     x0, [sp, #-16]!
    bl      call_enter_fast
    cbz     x0, 6f
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
    CLEAR_UPPER
    ldp     x29, x30, [x30]
    ldr     x10, [sp, #DISPATCHER_LENT]
    LOAD_MESSAGE
    eret

5:  SAVE_STATE                      /* what was lent is refused */
    ENTER
    b       7f
6:  ldr     x0, [sp], #16
7:  bl      trap_sync
    b       trap_exit

    .balign 16
nothing:
    .quad   0, 0

user_irq:
    SAVE
    ENTER
    bl      trap_irq
trap_exit:
    bl      trap_next
/* void trap_leave(struct dispatcher *d): go on in user mode as d. */
    .globl  trap_leave
trap_leave:
    mov     sp, x0
    mov     x16, x0
load:                               /* the context at x16 */
    LOAD_STATE x16
    LOAD_UPPER x16
    ldp     x8, x9, [x16, #64]
    LOAD_MESSAGE x16
    ldp     x16, x17, [x16, #128]
    eret
