/* SPDX-License-Identifier: BSL-1.0
 *
 * System registers and barriers: the only inline assembly of the kernel.
 * Names and bits: Arm DDI 0487, chapter D13.
 */
#pragma once

#include <stdint.h>

#define READ_SYSREG(name)                                                      \
    ({                                                                         \
        uint64_t value_;                                                       \
        __asm__ volatile("mrs %0, " #name : "=r"(value_));                     \
        value_;                                                                \
    })
#define WRITE_SYSREG(name, value)                                              \
    __asm__ volatile("msr " #name ", %0" : : "r"((uint64_t)(value)) : "memory")

#define CNT_ENABLE       1u
#define CNT_IMASK        2u
#define CURRENT_EL2      (2u << 2)
#define ISR_IRQ          (1u << 7)
#define CNTKCTL_EL0VCTEN (1u << 1)
#define CNTKCTL_EL0VTEN  (1u << 8)

static inline void barrier_isb(void)
{
    __asm__ volatile("isb" : : : "memory");
}

static inline void barrier_dsb(void)
{
    __asm__ volatile("dsb sy" : : : "memory");
}

static inline void wait_for_interrupt(void)
{
    __asm__ volatile("dsb sy; wfi; isb" : : : "memory");
}

static inline uint32_t device_read(uint64_t address)
{
    uint32_t v;
    __asm__ volatile("ldr %w0, [%1]" : "=r"(v) : "r"(address) : "memory");
    return v;
}

static inline void device_write(uint64_t address, uint32_t v)
{
    __asm__ volatile("str %w0, [%1]" : : "r"(v), "r"(address) : "memory");
}
