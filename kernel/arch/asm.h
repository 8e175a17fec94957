/* SPDX-License-Identifier: BSL-1.0
 *
 * What assembly knows of structures and numbers; boot.c asserts it.
 */
#pragma once

#define CONTEXT_SP    248
#define CONTEXT_PC    256
#define CONTEXT_NZCV  264
#define CONTEXT_TPIDR 272

/* Of struct dispatcher. */
#define DISPATCHER_LENT  360
#define DISPATCHER_BADGE 368
#define DISPATCHER_ENTRY 408 /* and sp */

/* System calls: how many, and the set of those that read or replace the whole
 * context of their caller: inspect, run, block, resume. */
#define SYSCALLS      35
#define WHOLE_CONTEXT 0xb0040000
#define ESR_SVC       0x56000000 /* class 0x15, an instruction of 32 bits */
#define IMM_CALL      0x8000
#define IMM_REPLY     0x4000

#define IMAGE_WINDOW     0xffffffc000000000
#define SPSR_EL1H_MASKED 0x3c5
#define NZCV_MASK        0xf0000000
