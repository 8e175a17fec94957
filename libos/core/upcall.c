/* SPDX-License-Identifier: BSL-1.0
 *
 * The upcall handler: takes in what the kernel says, wakes threads, and goes on
 * with a thread. Runs masked on its own stack and never returns.
 *
 * Rule: until sched_park the interrupted thread's FP registers are live in the
 * CPU. This folder is compiled without them (-mgeneral-regs-only), and nothing
 * here calls libc or the root server before it has parked.
 */
#include "page.h"

#include <stddef.h>

#include <vesper/start.h>

#include "crash.h"
#include "doorbell.h"
#include "event.h"
#include "fault_frame.h"
#include "pager.h"
#include "sched.h"
#include "signal_frame.h"
#include "switch.h"

struct upcall_page *upcall_page;

/* A fault in the handler, too, is reported on its stack: nobody goes back to
 * what lies there, and the report needs nothing of it. */
void upcall_init(struct upcall_page *page)
{
    upcall_page = page;
    page->save_slot = UPCALL_SLOT;
    page->entry = (uintptr_t)upcall_entry;
    page->sp = (uintptr_t)start_self;
    page->double_entry = (uintptr_t)upcall_double_entry;
    page->double_sp = page->sp;
}

/* True if a signal came, which only the root server can tell more of. */
static bool events_fetch(struct upcall_page *page)
{
    uint64_t bits = __atomic_exchange_n(&page->events, 0, __ATOMIC_ACQUIRE);
    event_arrived(bits & ~(1ull << EVENT_SIGNAL));
    return bits >> EVENT_SIGNAL & 1;
}

_Noreturn void upcall_main(struct upcall_page *page)
{
    uint32_t reasons = __atomic_exchange_n(&page->pending, 0, __ATOMIC_ACQUIRE);
    bool idled = sched_current() == NULL;
    if (idled) {
        sched_idled();
    }
    if (idled && page->saved_slot != SAVE_NONE) { /* before it could mask */
        doorbell_rung(page->slots[UPCALL_SLOT].x[8]);
    }
    enum fault_answer fault =
        reasons & REASON_FAULT ? pager_fault(page) : FAULT_MENDED;
    bool failed = (reasons & REASON_EXCEPTION) || fault == FAULT_STRANGE;
    if (failed && !fault_catch(page)) {
        crash_report(page, false);
    }
    bool interrupted = !idled && !failed && fault != FAULT_WAITS;
    bool signal = (reasons & REASON_EVENT) && events_fetch(page);
    sched_expire();
    if (interrupted && !signal && !sched_slice_over()) {
        sched_resume();
    }
    if (interrupted) {
        sched_park();
    }
    if (signal) {
        signal_fetch();
    }
    sched_dispatch();
}

_Noreturn void upcall_double(struct upcall_page *page)
{
    crash_report(page, true);
}
