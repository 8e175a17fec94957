/* SPDX-License-Identifier: BSL-1.0
 *
 * The upcall page of this domain's dispatcher and the critical sections made
 * with it. A section is a plain store on both ends: it defers upcalls, never
 * preemption, and costs a system call only if something came meanwhile.
 *
 * Rules: sections do not nest; a function whose comment says "masked" is called
 * inside one and leaves it as it found it.
 */
#pragma once

#include <stdint.h>
#include <abi/abi.h>
#include <abi/calls.h>

extern struct upcall_page *upcall_page; /* set once, by upcall_init */

/* All upcalls save the interrupted context here: sys_resume loads it with
 * interrupts off, so one slot is enough. */
#define UPCALL_SLOT 0u

/* Stack that is not mapped yet is mapped by an upcall (pager.c), which a
 * critical section cannot have: so it touches what it will need first. */
static inline void stack_touch(uint64_t bytes)
{
    (void)*(volatile char *)((char *)__builtin_frame_address(0) - bytes);
}

#define SECTION_STACK_BYTES 2048u

/* For a section that calls nothing, and so needs no stack. */
static inline void upcall_mask_leaf(void)
{
    __atomic_store_n(&upcall_page->mask, MASK_ON, __ATOMIC_RELAXED);
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
}

static inline void upcall_mask(void)
{
    stack_touch(SECTION_STACK_BYTES);
    upcall_mask_leaf();
}

/* The order is what matters: what came before the store is in `pending`, what
 * comes after it makes an upcall of its own. Both are on this core. */
static inline void upcall_unmask(void)
{
    struct upcall_page *page = upcall_page;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    __atomic_store_n(&page->mask, MASK_OFF, __ATOMIC_RELAXED);
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    if (*(volatile uint32_t *)&page->pending != 0) {
        (void)sys_leave();
    }
}

/* Point the page at the handlers below; still masked afterwards. */
void upcall_init(struct upcall_page *page);

/* Called by upcall.S with x0 = page on the upcall stacks. */
_Noreturn void upcall_main(struct upcall_page *page);
_Noreturn void upcall_double(struct upcall_page *page);
