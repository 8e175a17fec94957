/* SPDX-License-Identifier: BSL-1.0
 *
 * What the core asks of the machine, for all programs that have it on the host:
 * it is counted, and hooks are told.
 */
#include "kernel_host.h"

#include <string.h>

unsigned char ram_host[(size_t)RAM_CELLS << CELL_LOG2]
    __attribute__((aligned(4096)));
struct host host;
struct host_hooks host_hooks;

_Noreturn void arch_fatal(const char *why)
{
    host_fail("kernel: %s", why);
}

uint64_t arch_now(void)
{
    host.readings++;
    return host.now;
}

void arch_tlb_page(uint64_t va)
{
    host.tlb_pages += va < USER_VA_END;
    if (host_hooks.tlb_page != NULL) {
        host_hooks.tlb_page(va);
    }
}

void arch_tlb_domain(uint32_t asid)
{
    host.tlb_domains += asid < 1u << 16;
    if (host_hooks.tlb_domain != NULL) {
        host_hooks.tlb_domain(asid);
    }
}

void arch_publish(void)
{
    host.publishes++;
    if (host_hooks.publish != NULL) {
        host_hooks.publish();
    }
}

void arch_sync_code(ref_t ref, uint64_t bytes)
{
    host.syncs += ref != 0 && bytes != 0;
}

void arch_zero(ref_t ref, uint64_t bytes)
{
    if (ref_address(ref) + bytes > ref_address(host.end)) {
        host_fail("memory outside of what was given is zeroed");
    }
    memset(ram_at(ref), 0, bytes);
}

void arch_irq_mask(uint32_t irq)
{
    host.masked[irq % IRQ_COUNT] = true;
}

void arch_irq_unmask(uint32_t irq)
{
    host.masked[irq % IRQ_COUNT] = false;
}

void arch_forget(ref_t dispatcher)
{
    struct core_state *core = &kernel.core[0];
    core->fp_owner = core->fp_owner == dispatcher ? 0 : core->fp_owner;
    core->current = core->current == dispatcher ? 0 : core->current;
    host.forgotten++;
}

bool arch_interrupt_pending(void)
{
    return host.interrupt;
}
