/* SPDX-License-Identifier: BSL-1.0
 *
 * Numbers that assembly needs too; main.c asserts those that come from the ABI.
 */
#pragma once

#define ROOT_UPCALL_PAGE 0x40401000
#define ROOT_STACK_BYTES 32768
