/* SPDX-License-Identifier: BSL-1.0
 *
 * The copies of whole contexts inside a dispatcher, in a RAM of two dispatchers
 * and for each of them apart. In a large RAM the analysis knows that source and
 * destination are in one dispatcher, but not that it is the same one.
 */
#include "kernel_machine.h"
#include "syscall.h"

void arch_fatal(const char *why)
{
    panic(why);
}

uint64_t arch_now(void)
{
    return any64();
}

bool arch_interrupt_pending(void)
{
    return any32() & 1u;
}

void arch_irq_mask(uint32_t irq)
{
    (void)irq;
}

void arch_irq_unmask(uint32_t irq)
{
    (void)irq;
}

void arch_forget(ref_t dispatcher)
{
    (void)dispatcher;
}

int main(void)
{
    uint64_t x[8];
    Frama_C_make_unknown((char *)ram_host, sizeof(ram_host));
    Frama_C_make_unknown((char *)&kernel, sizeof(kernel));
    Frama_C_make_unknown((char *)x, sizeof(x));
    kernel.core[0].depth = Frama_C_unsigned_int_interval(0, CHAIN_MAX);
    uint32_t one = sizeof(struct dispatcher) / 32;
    ref_t ref = Frama_C_interval(0, 1) ? 0 : one;
    /*@ split ref; */
    kernel.core[0].current = ref;
    struct dispatcher *d = dispatcher_at(ref);
    switch (Frama_C_interval(0, 2)) {
    case 0:
        upcall_deliver(d);
        break;
    case 1:
        upcall_fault(d, any32(), any64(), any64());
        break;
    default:
        (void)op_resume(x);
        break;
    }
    return 0;
}
