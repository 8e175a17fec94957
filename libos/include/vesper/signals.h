/* SPDX-License-Identifier: BSL-1.0
 *
 * The seam between core (which sees EVENT_SIGNAL in the upcall handler) and
 * posix (which knows the handlers). Only the main thread runs signal handlers.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* posix -> core. On the upcall stack, masked; `came` is w1 of ROOT_SIGNALS (bit
 * n: signal n). Ends the domain (ROOT_EXIT, does not return) for a signal at
 * its default action; drops ignored ones. True: a handler has to run. Then core
 * wakes the main thread from whatever blocks it (channel_call answers EINTR,
 * event_wait sets *interrupted) and, if it was preempted in unmasked code,
 * makes its context call signals_run first. Core's weak version ends the domain
 * for every signal but SIGCHLD. */
bool signals_post(uint32_t came);

/* posix -> core. Main thread, unmasked: run the handlers of pending signals.
 * May be called at any time; does nothing if none is pending. False: they have
 * to wait, and posix will run them itself. Keeps errno. */
bool signals_run(void);

/* True while a handler has to run. A blocking call that finds it true before it
 * blocks the main thread answers EINTR at once. Any context. */
bool signals_waiting(void);

/* The same for a fault of a thread (<vesper/fault.h>). On the upcall stack: has
 * the program a handler? Then on the thread: run it. Core's weak versions know
 * of none. */
bool signals_catches(int number);
void signals_caught(int number);

/* posix -> core. A thread has posted a signal: make the main thread run its
 * handlers as if it came from outside. Unmasked. */
void signals_notify(void);
