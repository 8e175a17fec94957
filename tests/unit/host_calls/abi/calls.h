/* SPDX-License-Identifier: BSL-1.0
 *
 * In place of the generated system call stubs, for host tests of libos: plain
 * functions that the test defines.
 */
#pragma once

#include <abi/abi.h>

enum abi_error sys_event_signal(uint64_t event);
enum abi_error sys_cap_delete(uint64_t slot);
