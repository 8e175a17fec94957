/* SPDX-License-Identifier: BSL-1.0
 *
 * The pager of stacks. Its own stack is mapped, so it never waits for itself;
 * nobody who holds memory_lock waits for it (memory_enter).
 */
#include "pager.h"

#include <stddef.h>

#include <vesper/thread.h>

#include "memory.h"
#include "page.h"
#include "sched.h"
#include "threads.h"

/* Guarded by the mask. */
static struct {
    struct thread *idle;   /* the pager itself */
    struct thread *faults; /* threads that wait for a page */
    bool started;
} pager;

/* Everybody who waits for this page. */
static void faults_end(uint64_t page, bool mapped)
{
    struct thread *next;
    for (struct thread *t = pager.faults; t != NULL; t = next) {
        next = t->next;
        if (t->fault_page == page) {
            t->fault_final = !mapped;
            sched_wake(t, WAKE_NORMAL);
        }
    }
}

/* Whose stack the address is of, mapped or not. Masked. */
static const struct thread *stack_owner(uint64_t address)
{
    const struct thread *t = thread_first();
    while (t != NULL && (address < t->stack || address >= t->stack_end)) {
        t = t->all_next;
    }
    return t != NULL && t->stack_stretch != 0 ? t : NULL;
}

static void *pager_main(void *unused)
{
    upcall_mask();
    for (;;) {
        while (pager.faults == NULL) {
            (void)sched_wait(&pager.idle, DEADLINE_NONE, false);
        }
        uint64_t page = pager.faults->fault_page;
        const struct thread *owner = stack_owner(page);
        cptr_t stretch = owner != NULL ? owner->stack_stretch : 0;
        upcall_unmask();
        bool mapped =
            stretch != 0 && memory_pages(stretch, page, page + PAGE_BYTES);
        upcall_mask();
        faults_end(page, mapped);
    }
    return unused;
}

/* Most programs never need one. */
static void pager_start(void)
{
    static _Alignas(16) uint8_t stack[OWN_STACK_BYTES];
    if (!pager.started) {
        pager.started = true;
        thread_start_on(stack, "pager", pager_main);
    }
}

/* ESR_EL1: a data abort from EL0 because nothing is mapped there. */
static bool is_unmapped(uint64_t esr)
{
    return esr >> 26 == 0x24 && (esr & 0x3c) == 0x04;
}

enum fault_answer pager_fault(const struct upcall_page *page)
{
    struct thread *self = sched_current();
    if (self == NULL || self->fault_final || memory_lock.owner == self) {
        return FAULT_STRANGE;
    }
    enum fault_answer answer =
        paging_fault != NULL ? paging_fault(page) : FAULT_STRANGE;
    if (answer != FAULT_STRANGE || !is_unmapped(page->fault.esr) ||
        stack_owner(page->fault.far) == NULL) {
        return answer;
    }
    pager_start();
    self->fault_page = page->fault.far & ~(PAGE_BYTES - 1);
    sched_park_in(&pager.faults);
    if (pager.idle != NULL) {
        sched_wake(pager.idle, WAKE_NORMAL);
    }
    return FAULT_WAITS;
}
