/* SPDX-License-Identifier: BSL-1.0
 *
 * From a fault to the program's handler, in two upcalls. The frame lies on the
 * stack of the thread that faulted, of which the next page may not be mapped
 * yet, and the upcall handler must not fault. So the thread first touches it
 * (stack_probe), which a pager may answer, and traps; then the frame is pushed.
 */
#include "fault_frame.h"

#include <signal.h>
#include <stddef.h>

#include <vesper/fault.h>
#include <vesper/signals.h>

#include "cause.h"
#include "frame.h"
#include "page.h"
#include "sched.h"
#include "switch.h"

#define STEPS_MAX 10000u /* frame records looked at */

struct fault_frame {
    struct thread_frame at;
    uint64_t record[2]; /* of the code that faulted: for backtraces */
    struct fault_info info;
};
#define FRAME_BYTES ((sizeof(struct fault_frame) + 15) & ~15ull)
_Static_assert(FRAME_BYTES <= PROBE_BYTES, "stack_probe touches too little");

int fault_signal(const struct upcall_page *page)
{
    const struct thread *t = sched_current();
    return t != NULL && t->fault_final && t->fault_bus
               ? SIGBUS
               : cause_of(page->fault.esr).signal;
}

const struct fault_info *fault_info(void)
{
    const struct fault_frame *frame = sched_current()->caught;
    return frame != NULL ? &frame->info : NULL;
}

/* Is t still in its handler? Not if that was left by longjmp: then the frame is
 * not among the callers of what faulted now. */
static bool in_handler(const struct thread *t)
{
    uint64_t at = t->context.x[29], low = t->context.sp;
    if (t->caught == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < STEPS_MAX; i++) {
        if (at == (uintptr_t)t->caught->record) {
            return true;
        }
        if (at < low || at % 8 != 0 || at + 16 > t->stack_end) {
            return false;
        }
        low = at + 16;
        at = *(const uint64_t *)at;
    }
    return true;
}

static _Noreturn void handler_run(struct fault_frame *frame)
{
    signals_caught(frame->info.signal);
    upcall_mask();
    sched_current()->caught = NULL;
    frame_return(&frame->at);
}

static void handler_push(struct thread *t)
{
    uint64_t x29 = t->context.x[29], x30 = t->context.x[30];
    struct fault_frame *frame =
        (struct fault_frame *)frame_push(t, FRAME_BYTES,
                                         (uintptr_t)handler_run);
    struct cause cause = cause_of(t->fault.esr);
    frame->record[0] = x29;
    frame->record[1] = x30;
    frame->info = (struct fault_info){
        t->fault_number,
        cause.address ? (const void *)t->fault.far : NULL,
        cause.address && (t->fault.esr >> 26 & 1) == 0 &&
            (t->fault.esr >> 6 & 1) != 0,
        t->fault.pc,
    };
    t->context.x[29] = (uintptr_t)frame->record;
    t->context.x[30] = t->fault.pc + 4; /* a return address to backtraces */
    t->caught = frame;
}

/* Back to where t was before it tried its stack. */
static void probe_undo(const struct thread *t, struct saved_context *c)
{
    c->sp += c->pc == (uintptr_t)stack_probe ? 0 : PROBE_BYTES;
    c->pc = t->fault.pc;
}

static bool probe_ended(struct thread *t, struct upcall_page *page)
{
    bool room = t->context.pc == (uintptr_t)stack_probe_end;
    if (room) {
        probe_undo(t, &t->context);
        handler_push(t);
    } else {
        probe_undo(t, &page->slots[page->fault.slot % SAVE_SLOTS]);
        page->fault = t->fault;
    }
    return room;
}

bool fault_catch(struct upcall_page *page)
{
    struct thread *t = sched_current();
    int number = fault_signal(page);
    if (t == NULL) {
        return false;
    }
    sched_park();
    if (t->context.pc - (uintptr_t)stack_probe <=
        (uintptr_t)stack_probe_end - (uintptr_t)stack_probe) {
        return probe_ended(t, page);
    }
    if (!signals_catches(number) || in_handler(t)) {
        return false;
    }
    t->fault = page->fault;
    t->fault_number = number;
    t->fault_final = false; /* the pager is asked again */
    t->fault_bus = false;
    t->context.pc = (uintptr_t)stack_probe;
    return true;
}

/* ---- without posix: no handlers ---------------------------------------- */

__attribute__((weak)) bool signals_catches(int number)
{
    (void)number;
    return false;
}

__attribute__((weak)) void signals_caught(int number)
{
    (void)number;
}
