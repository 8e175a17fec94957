/* SPDX-License-Identifier: BSL-1.0
 *
 * The handlers of system calls: x[0..7] are the arguments, x[1..] the results.
 * A handler checks everything before it changes anything.
 */
#pragma once

#include "core.h"

#define SYSCALL(nr, name) enum abi_error op_##name(uint64_t *x);
#include "calls.inc"
#undef SYSCALL
