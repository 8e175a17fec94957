/* SPDX-License-Identifier: BSL-1.0
 *
 * Where the root program starts, and how a domain waits for an upcall: it comes
 * masked, on the stack that the page names. One domain waits so at a time.
 */
#include "tests/bench/root/frame.S"

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
/* What calls the kernel by svc, and comes back at wait_entry; or behind it if
 * the kernel refuses. */
    .macro  WAIT svc
    PUSH_FRAME
    adrp    x9, waiting_sp
    mov     x10, sp
    str     x10, [x9, :lo12:waiting_sp]
    svc     #\svc
    .endm

/* uint64_t run_child(uint64_t child, uint64_t until, uint64_t urgency) */
    .globl  run_child
run_child:
    WAIT    28                      /* run */
    POP_FRAME
    ret
/* void wait_upcall(void) */
    .globl  wait_upcall
wait_upcall:
    mov     x0, #-1
    WAIT    29                      /* block */
    brk     #1
    .globl  wait_entry
wait_entry:
    adrp    x1, waiting_sp
    ldr     x2, [x1, :lo12:waiting_sp]
    mov     sp, x2
    str     wzr, [x0, #4]           /* pending */
    POP_FRAME
    ret

/* uint64_t touch(const void *address) */
    .globl  touch
touch:
    ldrb    w0, [x0]
    ret

    .bss
    .balign 16
waiting_sp:
    .skip   16
    .skip   STACK_BYTES
    .globl  stack_top
stack_top:

    .section .note.GNU-stack, "", %progbits
