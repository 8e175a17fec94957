/* SPDX-License-Identifier: BSL-1.0
 *
 * Inside the kernel outside the core: boot, traps, console text.
 */
#pragma once

#include "../core/core.h"

/* Text on the early console. */
void kprint(const char *text);
void kprint_hex(uint64_t v);
void kprint_dec(uint64_t v);
_Noreturn void panic(const char *why);

/* Choose what runs and load its address space; idle meanwhile. */
struct dispatcher *trap_next(void);
/* No user address space: also drops the identity map of boot. */
void mmu_no_user(void);
