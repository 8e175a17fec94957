/* SPDX-License-Identifier: BSL-1.0
 *
 * Threads as the rest of core sees them; the public half is <vesper/thread.h>.
 */
#pragma once

#include "state.h"

struct thread *thread_main_thread(void);

/* Make the code that runs now, on the given stack, the main thread. */
void thread_init(uint64_t stack, uint64_t stack_bytes);

/* Every thread that exists, by all_next. Masked. */
struct thread *thread_first(void);

/* Bytes that one thread's TLS block needs, and its preparation: block is
 * 16-byte aligned. Returns the value for TPIDR_EL0. */
uint64_t tls_bytes(void);
uint64_t tls_init(void *block);
void *tls_main_block(void);
