/* SPDX-License-Identifier: BSL-1.0
 *
 * The streams: stdin, stdout and stderr, and those that fdopen makes.
 */
#pragma once

#include <stdbool.h>

/* Make them usable; called once, before anything prints. line_buffered: stdout
 * is a terminal's, else it is written in blocks. */
void posix_standard_start(bool line_buffered);

/* Write out what stderr holds, because this program is going to wait for
 * something long. Skipped while some thread prints there. Keeps errno. */
void posix_standard_flush(void);
