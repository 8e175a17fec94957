/* SPDX-License-Identifier: BSL-1.0
 *
 * The root server's beginning, and its own faults.
 */
#include "root.h"

#include <errno.h>
#include <setjmp.h>

#include "layout.h"

_Static_assert(ROOT_UPCALL_PAGE == ROOT_PAGES_VA + PAGE_BYTES, "layout.h");

extern char upcall_entry[], double_entry[], call_entry[], stack_top[],
    call_stack_top[], double_stack_top[];

uint32_t slot_endpoint, slot_chunk, slot_pages;

static struct upcall_page *page(void)
{
    return (void *)(uintptr_t)(ROOT_PAGES_VA + PAGE_BYTES);
}

static void accept_upcalls(void)
{
    struct upcall_page *p = page();
    p->entry = (uint64_t)upcall_entry;
    p->sp = (uint64_t)stack_top;
    p->double_entry = (uint64_t)double_entry;
    p->double_sp = (uint64_t)double_stack_top;
    p->save_slot = 0;
    p->saved_slot = SAVE_NONE;
}

static void accept_calls(void)
{
    slot_chunk = chunk_take(CHUNK_LOG2_MIN);
    slot_endpoint = slot_take();
    if (sys_untyped_retype(slot_chunk, slot_endpoint, TYPE_ENDPOINT,
                           ENDPOINT_LOG2, 1, 0, 0) ||
        sys_endpoint_bind(slot_endpoint, CPTR_SELF_DISPATCHER) ||
        sys_call_accept((uint64_t)call_entry, (uint64_t)call_stack_top, 0)) {
        say("root: cannot accept calls");
    }
}

_Noreturn void root_main(const struct boot_info *info);
_Noreturn void root_main(const struct boot_info *info)
{
    slot_pages = info->slot_pages;
    memory_init(info);
    accept_upcalls();
    log_acquire();
    say_info("root server: %llu MiB, %llu KiB used by the kernel",
             (unsigned long long)(info->ram_bytes >> 20),
             (unsigned long long)(info->kernel_bytes >> 10));
    accept_calls();
    account_init();
    stolen_init();
    system_start(info);
    schedule();
}

/* ---- faults ------------------------------------------------------------ */

static struct guard {
    bool active;
    uint64_t low, high;
    jmp_buf back;
} guard;

int guarded(int (*f)(void *), void *context, uint64_t low, uint64_t high)
{
    guard.low = low;
    guard.high = high;
    int e = EFAULT;
    if (setjmp(guard.back) == 0) {
        guard.active = true;
        e = f(context);
    }
    guard.active = false;
    return e;
}

/* A fault while masked: expected only on memory that a client lent. The client
 * took pages away while they were read: the operation ends with EFAULT. */
_Noreturn void root_fault(struct upcall_page *p);
_Noreturn void root_fault(struct upcall_page *p)
{
    bool expected =
        guard.active && p->fault.far >= guard.low && p->fault.far < guard.high;
    if (!expected) {
        log_acquire();
        say("root server: fault at pc 0x%llx, address 0x%llx, esr 0x%llx",
            (unsigned long long)p->fault.pc, (unsigned long long)p->fault.far,
            (unsigned long long)p->fault.esr);
        (void)sys_dispatcher_stop(CPTR_SELF_DISPATCHER);
    }
    p->mask = MASK_ON;
    guard.active = false;
    longjmp(guard.back, 1);
}
