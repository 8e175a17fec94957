/* SPDX-License-Identifier: BSL-1.0
 *
 * The machine below the kernel, by specification: whatever hardware may answer,
 * and no effect on memory that is not arbitrary anyway. For proofs.
 */
#pragma once

#include <__fc_builtin.h>

#include "core.h"
#include "kernel/arch/arch.h"
#include "kernel/plat/plat.h"

unsigned char ram_host[(uint64_t)RAM_CELLS << CELL_LOG2]
    __attribute__((aligned(4096)));

static uint32_t any32(void)
{
    return Frama_C_unsigned_int_interval(0, UINT32_MAX);
}

static uint64_t any64(void)
{
    return Frama_C_unsigned_long_interval(0, UINT64_MAX);
}

_Noreturn void panic(const char *why)
{
    (void)why;
    for (;;) {
    }
}

void mmu_no_user(void)
{
}

void arch_tlb_page(uint64_t va)
{
    (void)va;
}

void arch_tlb_domain(uint32_t asid)
{
    (void)asid;
}

void arch_publish(void)
{
}

void arch_sync_code(ref_t ref, uint64_t bytes)
{
    (void)ref;
    (void)bytes;
}

/* Zero is one of the values that RAM has already. */
void arch_zero(ref_t ref, uint64_t bytes)
{
    (void)ref;
    /*@ assert 0 < bytes <= 4096 && bytes % 32 == 0; */
}

void plat_irq_mask(uint32_t irq)
{
    (void)irq;
}

void plat_irq_unmask(uint32_t irq)
{
    (void)irq;
}

uint32_t plat_irq_sources(void)
{
    return any32();
}

uint32_t plat_irq_pending(uint32_t word)
{
    return word < PLAT_WORDS ? any32() : 0;
}
