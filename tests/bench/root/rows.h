/* SPDX-License-Identifier: BSL-1.0
 *
 * The client's rows, by what they are about. Slots from C_FREE on, and the
 * memories, are free at the beginning and at the end of each function.
 */
#pragma once

#include "tests/bench/mark.h"
#include "tests/bench/root/set.h"

#define READ_ONLY  RIGHT_READ
#define READ_WRITE (RIGHT_READ | RIGHT_WRITE)

void cap_rows(void);
void memory_rows(void);
void fault_rows(void);
void call_rows(void);
void lend_rows(void);
void event_rows(void);
void state_rows(void);

/* An upcall handler: the page's entry, stack, and no reasons left over. */
void handle_with(void (*handler)(struct upcall_page *page));
/* Unmasked or masked from here on. */
static inline void mask(uint32_t value)
{
    ((volatile struct upcall_page *)page_of(CLIENT))->mask = value;
}

/* One object of memory i. */
static inline enum abi_error make_one(uint32_t i, cptr_t to, enum abi_type type,
                                      uint32_t log2)
{
    return sys_untyped_retype(C_MEMORY + i, to, type, log2, 1, 0, 0);
}
