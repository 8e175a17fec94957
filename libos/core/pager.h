/* SPDX-License-Identifier: BSL-1.0
 *
 * Stacks grow on touch: the thread that touches an unmapped page of one waits
 * while the pager, a thread as well, maps it; the others run on.
 */
#pragma once

#include <abi/abi.h>

enum fault_answer {
    FAULT_STRANGE, /* neither of a stack nor of a region: a crash */
    FAULT_MENDED,  /* the running thread can go on */
    FAULT_WAITS,   /* it is parked, until the pager has answered */
};

/* On the upcall stack, unparked. */
enum fault_answer pager_fault(const struct upcall_page *page);

/* The same for regions, if the program has any (paging/fault.c). */
__attribute__((weak)) enum fault_answer paging_fault(
    const struct upcall_page *page);
