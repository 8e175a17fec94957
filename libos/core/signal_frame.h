/* SPDX-License-Identifier: BSL-1.0
 *
 * Signals as core sees them: a bit, and a main thread to be told.
 */
#pragma once

/* On the upcall stack, masked, everything parked: fetch the signals that came,
 * end the domain or make the main thread run its handlers. */
void signal_fetch(void);

/* Between these, which nest, no handler is pushed onto the calling thread; what
 * came meanwhile runs at the end. For locks that a handler may want. */
void signals_hold(void);
void signals_allow(void);
