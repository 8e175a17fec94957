/* SPDX-License-Identifier: BSL-1.0
 *
 * Offsets of struct saved_context for assembly; boot.c asserts them.
 */
#pragma once

#define CONTEXT_SP    248
#define CONTEXT_PC    256
#define CONTEXT_NZCV  264
#define CONTEXT_TPIDR 272

#define IMAGE_WINDOW     0xffffffc000000000
#define SPSR_EL1H_MASKED 0x3c5
#define NZCV_MASK        0xf0000000
