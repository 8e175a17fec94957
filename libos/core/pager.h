/* SPDX-License-Identifier: BSL-1.0
 *
 * Stacks grow on touch: the thread that touches an unmapped page of one waits
 * while the pager, a thread as well, maps it; the others run on.
 */
#pragma once

#include <stdbool.h>
#include <abi/abi.h>

/* On the upcall stack, unparked: is this fault one of an unmapped page of a
 * stack, or in a region? Then the running thread waits. Else the fault is a
 * crash. */
bool pager_fault(const struct upcall_page *page);

/* The same for regions, if the program has any (paging/fault.c). */
__attribute__((weak)) bool paging_fault(const struct upcall_page *page);
