/* SPDX-License-Identifier: BSL-1.0
 *
 * What a thread was at, kept while it does something else first: run a handler.
 * The thread was preempted and is parked.
 */
#pragma once

#include "state.h"

struct thread_frame {
    struct saved_context context;
    struct fp_state fp;
};

/* Keep all of t in the frame, and let it call entry(frame), which does not
 * return, on the stack as it is. */
void frame_keep(struct thread_frame *frame, struct thread *t, uintptr_t entry);
/* The same with a frame that begins `bytes` below its stack pointer. The stack
 * there is mapped, or a fault may be taken. `bytes` is a multiple of 16. */
struct thread_frame *frame_push(struct thread *t, uint64_t bytes,
                                uintptr_t entry);

/* The running thread goes on with what the frame keeps. Masked. */
_Noreturn void frame_return(const struct thread_frame *frame);
