/* SPDX-License-Identifier: BSL-1.0
 *
 * The console's log, for what must be said without POSIX. Context: any, but
 * with the FP registers parked. Text of one line may take several calls; a line
 * ends with its newline.
 */
#pragma once

#include <stddef.h>

void log_write(const char *text, size_t bytes);
