/* SPDX-License-Identifier: BSL-1.0
 *
 * Frames of preempted threads.
 */
#include "frame.h"

#include <stddef.h>

#include "page.h"
#include "sched.h"
#include "switch.h"

void frame_keep(struct thread_frame *frame, struct thread *t, uintptr_t entry)
{
    context_copy(&frame->context, &t->context);
    for (size_t i = 0; i < sizeof(frame->fp) / 8; i++) {
        ((volatile uint64_t *)&frame->fp)[i] = ((uint64_t *)&t->fp)[i];
    }
    t->context.x[0] = (uintptr_t)frame;
    t->context.pc = entry;
}

struct thread_frame *frame_push(struct thread *t, uint64_t bytes,
                                uintptr_t entry)
{
    struct thread_frame *frame =
        (struct thread_frame *)((t->context.sp & ~15ull) - bytes);
    frame_keep(frame, t, entry);
    t->context.sp = (uintptr_t)frame;
    return frame;
}

_Noreturn void frame_return(const struct thread_frame *frame)
{
    fp_restore(&frame->fp);
    context_copy(&upcall_page->slots[UPCALL_SLOT], &frame->context);
    sched_resume();
}
