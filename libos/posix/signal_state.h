/* SPDX-License-Identifier: BSL-1.0
 *
 * What the rest of posix/ asks of signals. The seam to core is
 * vesper/signals.h.
 *
 * Handlers run on the main thread alone, and only while it holds nothing:
 * inside posix_signal_hold ... posix_signal_release they wait. Both count, and
 * do nothing on other threads.
 */
#pragma once

#include <stdbool.h>

/* Called once by posix_init, on the main thread. */
void posix_signal_start(void);

void posix_signal_hold(void);
/* Runs the handlers that waited, when it is the outermost one. Keeps errno. */
void posix_signal_release(void);

/* Whether the handlers that ran last all asked to go on with the interrupted
 * call (SA_RESTART). Main thread. */
bool posix_signal_restarts(void);

/* Deal with a signal that this thread caused (SIGPIPE, raise). */
void posix_signal_cause(int number);
