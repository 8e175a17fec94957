/* SPDX-License-Identifier: BSL-1.0
 *
 * Faults that the program handles itself (<vesper/fault.h>).
 */
#pragma once

#include <stdbool.h>
#include <abi/abi.h>

/* By which signal the fault in the page ends the program. */
int fault_signal(const struct upcall_page *page);

/* On the upcall stack, masked: the running thread faulted, and no pager can
 * help. True: it is parked, and will run the program's handler. False: the page
 * says what to report. */
bool fault_catch(struct upcall_page *page);
