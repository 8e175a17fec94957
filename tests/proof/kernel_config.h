/* SPDX-License-Identifier: BSL-1.0
 *
 * Put in front of every file of the kernel: RAM is an array, as on the host,
 * but our own assertions are off, as in the kernel that ships. A failed one
 * ends the path, so with them the proof would leave out what they catch.
 */
#pragma once

#define CONFIG_HOST 1
#include "ram.h"
#undef CONFIG_HOST
#define CONFIG_HOST 0

#if PLANT /* the planted bug: references are not masked */
#define ram_at(ref) ((void *)(RAM_BASE + ((uintptr_t)(ref) << 5)))
#endif
