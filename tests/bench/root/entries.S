/* SPDX-License-Identifier: BSL-1.0
 *
 * Entries of the benchmark's domains. A handler that returns leaves its context
 * where it was.
 */
    .text
    .arch_extension fp
/* Calls: x0-x7 are the message, and of the answer x0 counts. */
    .globl  floater_entry
floater_entry:
    fmov    d8, #2.0
    b       server_entry
/* call_endpoint by a client that has a number in an FP register, and still has
 * it afterwards: else the result is no error that there is. */
    .globl  call_floating
call_floating:
    stp     x29, x30, [sp, #-16]!
    fmov    d8, #1.0
    bl      call_endpoint
    fmov    x1, d8
    mov     x2, #0x3ff0000000000000
    eor     x1, x1, x2
    orr     x0, x0, x1
    ldp     x29, x30, [sp], #16
    ret
    .globl  waker_entry
waker_entry:                        /* by the reply in the slot it returns */
    bl      waker_work
    mov     x8, x0
    svc     #0x4000                 /* SVC_REPLY */
    brk     #1
    .globl  reader_entry
reader_entry:
    bl      reader_work
    b       answer
    .globl  server_entry
server_entry:
    bl      server_work
answer:
    mov     x8, xzr
    svc     #0x4000                 /* SVC_REPLY */
    brk     #1

/* void undefined(void) */
    .globl  undefined
undefined:
    udf     #0
    ret

    .section .note.GNU-stack, "", %progbits
