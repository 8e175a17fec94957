/* SPDX-License-Identifier: BSL-1.0
 *
 * Entries of the benchmark's domains. Upcalls come masked, on the stack that
 * the page names; a handler that returns leaves its context where it was.
 */
#define STACK_BYTES 16384

    .section .text.start, "ax"
    .globl  _start
_start:                             /* x0: struct boot_info */
    adrp    x1, stack_top
    add     x1, x1, :lo12:stack_top
    mov     sp, x1
    adrp    x1, tls_block
    add     x1, x1, :lo12:tls_block
    msr     tpidr_el0, x1
    b       root_main

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
waker_entry:
    bl      waker_work
    b       answer
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

/* void wait_upcall(void): block until an upcall comes; its entry is
 * wait_entry. */
    .globl  wait_upcall
wait_upcall:
    stp     x29, x30, [sp, #-96]!
    stp     x19, x20, [sp, #16]
    stp     x21, x22, [sp, #32]
    stp     x23, x24, [sp, #48]
    stp     x25, x26, [sp, #64]
    stp     x27, x28, [sp, #80]
    adrp    x1, waiting_sp
    mov     x2, sp
    str     x2, [x1, :lo12:waiting_sp]
    mov     x0, #-1
    svc     #29                     /* block */
    brk     #1
    .globl  wait_entry
wait_entry:
    adrp    x1, waiting_sp
    ldr     x2, [x1, :lo12:waiting_sp]
    mov     sp, x2
    str     wzr, [x0, #4]           /* pending */
    ldp     x27, x28, [sp, #80]
    ldp     x25, x26, [sp, #64]
    ldp     x23, x24, [sp, #48]
    ldp     x21, x22, [sp, #32]
    ldp     x19, x20, [sp, #16]
    ldp     x29, x30, [sp], #96
    ret

/* uint64_t touch(const void *address); void undefined(void) */
    .globl  touch
touch:
    ldrb    w0, [x0]
    ret
    .globl  undefined
undefined:
    udf     #0
    ret

    .bss
    .balign 16
waiting_sp:
    .skip   16
    .skip   STACK_BYTES
    .globl  stack_top
stack_top:

    .section .note.GNU-stack, "", %progbits
