/* SPDX-License-Identifier: BSL-1.0
 *
 * The upcall handler has the driver answer what it can at once, and parks who
 * faults otherwise; a thread, the region pager, has the driver answer, one
 * fault after the other, and may wait for the card meanwhile. Its stack is
 * mapped: faults of other threads' stacks are another pager's (core/pager.c),
 * which never waits.
 *
 * What cannot be answered goes to the program's handler: a frame on the stack
 * of the thread that faulted, which runs the handler and then goes on where it
 * was. Without a handler it faults once more and ends the program.
 */
#include "fault.h"

#include <errno.h>
#include <stddef.h>

#include "../core/frame.h"
#include "../core/page.h"
#include "../core/pager.h"
#include "../core/sched.h"
#include "../core/threads.h"
#include "paging.h"

/* Guarded by the mask. */
static struct {
    struct thread *idle;   /* the pager itself */
    struct thread *faults; /* who waits for it */
} pager;

static void (*handler)(const struct paging_fault *fault);

/* ---- failures ---------------------------------------------------------- */

struct lost_frame {
    struct thread_frame at;
    struct paging_fault fault;
};
#define FRAME_BYTES ((sizeof(struct lost_frame) + 15) & ~15ull)

/* On the stack of the thread that faulted, after what the fault interrupted. */
static _Noreturn void frame_run(struct lost_frame *frame)
{
    handler(&frame->fault);
    upcall_mask();
    frame_return(&frame->at);
}

static void handler_push(struct thread *t, const struct paging_fault *fault)
{
    struct lost_frame *frame =
        (struct lost_frame *)frame_push(t, FRAME_BYTES, (uintptr_t)frame_run);
    frame->fault = *fault;
}

/* t is parked, and nobody but us knows of it. */
static void fault_fail(struct thread *t, int error)
{
    struct paging_fault fault = {(void *)t->fault_address, t->fault_write,
                                 error};
    if (handler != NULL) {
        handler_push(t, &fault);
        return;
    }
    t->fault_final = true;
    t->fault_bus = error != EACCES;
    t->fault_why = error == EACCES   ? "the region forbids it: "
                   : error == ENXIO  ? "behind the end of its file: "
                   : error == ENOMEM ? "no memory for a page: "
                                     : "a page is lost: ";
}

void paging_on_fault(void (*new_handler)(const struct paging_fault *fault))
{
    handler = new_handler;
}

/* ---- faults ------------------------------------------------------------ */

static uint32_t page_of(const struct region *r, uint64_t address)
{
    return (uint32_t)((address - r->base) / PAGE_BYTES);
}

static bool is_allowed(const struct page *p, bool write)
{
    uint8_t need = write ? REGION_WRITE : REGION_READ;
    return !p->hole && (p->rights & need) != 0;
}

/* With the lock. */
static int fault_answer(uint64_t address, bool write)
{
    struct region *r = region_find(address);
    if (r == NULL) {
        return EACCES; /* it was unmapped meanwhile */
    }
    uint32_t i = page_of(r, address);
    if (!is_allowed(&r->page[i], write)) {
        return EACCES;
    }
    counts.faults++;
    return r->driver->fault(r, i, write);
}

/* Masked. If nobody has the lock, that is as good as having it. */
static bool answered_at_once(struct region *r, uint64_t address, bool write)
{
    uint32_t i = page_of(r, address);
    bool done = paging_lock.owner == NULL && r->driver->at_once != NULL &&
                is_allowed(&r->page[i], write) &&
                r->driver->at_once(r, i, write);
    counts.faults += done;
    return done;
}

static struct thread *fault_next(void)
{
    upcall_mask();
    while (pager.faults == NULL) {
        (void)sched_wait(&pager.idle, DEADLINE_NONE, false);
    }
    struct thread *t = pager.faults;
    list_remove(&pager.faults, t);
    t->list = NULL;
    upcall_unmask();
    return t;
}

static void *pager_main(void *unused)
{
    for (;;) {
        struct thread *t = fault_next();
        mutex_lock(&paging_lock);
        int error = fault_answer(t->fault_address, t->fault_write);
        mutex_unlock(&paging_lock);
        if (error != 0) {
            fault_fail(t, error);
        }
        upcall_mask();
        sched_wake(t, WAKE_NORMAL);
        upcall_unmask();
    }
    return unused;
}

/* ESR_EL1: a data abort from EL0, by translation or permission. */
static bool is_page_fault(uint64_t esr)
{
    uint64_t status = esr & 0x3c;
    return esr >> 26 == 0x24 && (status == 0x04 || status == 0x0c);
}

enum fault_answer paging_fault(const struct upcall_page *page)
{
    struct thread *self = sched_current();
    if (!is_page_fault(page->fault.esr)) {
        return FAULT_STRANGE;
    }
    if (paging_lock.owner == self) {
        return window_fault(page->fault.far) ? FAULT_MENDED : FAULT_STRANGE;
    }
    struct region *r = region_find(page->fault.far);
    bool write = page->fault.esr >> 6 & 1;
    if (r == NULL) {
        return FAULT_STRANGE;
    }
    if (answered_at_once(r, page->fault.far, write)) {
        return FAULT_MENDED;
    }
    self->fault_address = page->fault.far;
    self->fault_write = write;
    sched_park_in(&pager.faults);
    if (pager.idle != NULL) {
        sched_wake(pager.idle, WAKE_NORMAL);
    }
    return FAULT_WAITS;
}

bool fault_start(void)
{
    static bool started; /* guarded by the paging lock */
    mutex_lock(&paging_lock);
    started = started || thread_start_own("regions", pager_main);
    mutex_unlock(&paging_lock);
    return started;
}
