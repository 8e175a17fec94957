/* SPDX-License-Identifier: BSL-1.0
 *
 * What assembly knows of structures and numbers; boot.c asserts it.
 */
#pragma once

#define CONTEXT_SP    248
#define CONTEXT_PC    256
#define CONTEXT_NZCV  264
#define CONTEXT_TPIDR 272
#define CONTEXT_BYTES 288
#define SLOTS         27 /* where contexts are saved */

/* Of struct dispatcher: a name is the first of a pair where two follow. */
#define DISPATCHER_STATE   288 /* with children; and caller */
#define DISPATCHER_CALLER  292
#define DISPATCHER_SELF    296 /* and domain */
#define DISPATCHER_TOLD    304 /* and ready */
#define DISPATCHER_UNTIL   312
#define DISPATCHER_LENT    320
#define DISPATCHER_ENTRY   328 /* and sp */
#define DISPATCHER_TTBR0   344 /* and cpacr */
#define DISPATCHER_CPACR   352
#define DISPATCHER_CNTV    360 /* control and compare value */
#define DISPATCHER_PARENT  388
#define DISPATCHER_INDEX   396
#define DISPATCHER_CALLEE  404
#define DISPATCHER_BADGE   416
#define DISPATCHER_RECEIVE 440 /* call_receive */
#define DISPATCHER_PAGES   376
#define DISPATCHER_ESR     472 /* and far */
#define DISPATCHER_CNODE   488 /* and slots */
#define DISPATCHER_FP      1472
#define FP_CONTROL         512 /* fpcr, fpsr; behind the registers */

/* Of its pages; those of the second from there. */
#define IDENTITY       4096
#define IDENTITY_NOW   16  /* and until */
#define IDENTITY_CHILD 256 /* entries of 16 bytes: until, state */
#define UPCALL         8192
#define UPCALL_MASK    0  /* and pending */
#define UPCALL_SAVE    8  /* save_slot; and saved_slot */
#define UPCALL_ENTRY   16 /* and sp */
#define UPCALL_EVENTS  48
#define UPCALL_FAULT   56 /* esr, far, pc, slot */
#define UPCALL_CHANGED 88 /* a bit a child */
#define UPCALL_SLOTS   256

/* Of other structures. */
#define SLOT_WORD      8  /* and obj, type, order, attr, rights */
#define SLOT_TYPE      32 /* the bit where it begins in the latter; of a byte */
#define SLOT_CALL      59 /* the bit of RIGHT_CALL */
#define SLOT_SIGNAL    60
#define CORE_LOADED    24 /* of struct kernel; and loaded_domain */
#define CORE_CURRENT   32
#define CORE_DEPTH     36
#define CORE_UNSETTLED 40
#define CORE_FP_OWNER  44
#define CORE_CHAIN     48 /* entries of 16 bytes: dispatcher, until */

/* Of enumerations. */
#define READY        2
#define BLOCKED      3 /* READY with bit 0 set */
#define CALLING      5
#define CHILDREN     0xffff0000 /* of the word that begins with the state */
#define SEEN_CALLING 3          /* CHILD_CALLING */
#define ENDPOINT     10
#define EVENT        11
#define SIGNALLED    1
#define MASKED       1
#define FAULT        (1 << 4)
#define EXCEPTION    (1 << 5)

/* Classes of exceptions: what the highest bits of ESR say. */
#define ESR_CLASS_SHIFT 26
#define CLASS_FP        0x07
#define CLASS_SVC       0x15
#define CLASS_FETCH     0x20
#define CLASS_DATA      0x24 /* one bit more */

/* System calls: how many, and the set of those that read or replace the whole
 * context of their caller: inspect, leave, resume. */
#define SYSCALLS         35
#define WHOLE_CONTEXT    0xc0040000
#define IMM_NULL         0
#define IMM_RESUME       31
#define IMM_LEAVE        30
#define IMM_RUN          28
#define IMM_BLOCK        29
#define IMM_EVENT_SIGNAL 23
#define ESR_SVC          0x56000000 /* CLASS_SVC, an instruction of 32 bits */
#define IMM_CALL         0x8000
#define IMM_REPLY        0x4000
#define NO_RESULT        14 /* the bit of ERR_AGAIN, with bit 0; ERR_SWITCHED */
#define NOWAIT           63 /* the bits of CALL_NOWAIT, CALL_LEND */
#define LEND             60

#define CPACR_FP     (3 << 20)
#define CNT_KEPT     3 /* enable and mask of a timer's control */
#define IMAGE_WINDOW 0xffffffc000000000
#if !defined(RAM_WINDOW) /* tests/fastpath has its RAM elsewhere */
#define RAM_WINDOW 0xffffff8000000000
#endif
#define SPSR_EL1H_MASKED 0x3c5
#define NZCV_MASK        0xf0000000
