/* SPDX-License-Identifier: BSL-1.0
 *
 * The last words of a domain: what happened, where, and how it got there, on
 * the console. Runs on an upcall stack, masked; allocates nothing, takes no
 * lock.
 */
#pragma once

#include <stdbool.h>
#include <abi/abi.h>

/* critical: the fault came while upcalls were masked. Ends the domain. */
_Noreturn void crash_report(struct upcall_page *page, bool critical);
