/* SPDX-License-Identifier: BSL-1.0
 *
 * The one way to a device register: 32-bit, in program order (device memory).
 * A build with CONFIG_MMIO_HOOK=1 supplies the three mmio_hook functions and so
 * replaces the hardware: host tests record accesses and inject faults there.
 *
 * BCM2837: reads from two different peripherals may come back in the wrong
 * order, so whoever takes turns at a device (interrupt, start of a request)
 * calls mmio_barrier() first and last (BCM2835 ARM Peripherals, section 1.3).
 */
#pragma once

#include <stdint.h>

#if CONFIG_MMIO_HOOK

uint32_t mmio_hook_read(uint64_t address);
void mmio_hook_write(uint64_t address, uint32_t value);
void mmio_hook_barrier(void);

static inline uint32_t mmio_read32(uint64_t address)
{
    return mmio_hook_read(address);
}

static inline void mmio_write32(uint64_t address, uint32_t value)
{
    mmio_hook_write(address, value);
}

static inline void mmio_barrier(void)
{
    mmio_hook_barrier();
}

#else

static inline uint32_t mmio_read32(uint64_t address)
{
    uint32_t value;

    /* An instruction of its own: the compiler may not merge or split it. */
    __asm__ volatile("ldr %w0, [%1]" : "=r"(value) : "r"(address) : "memory");
    return value;
}

static inline void mmio_write32(uint64_t address, uint32_t value)
{
    __asm__ volatile("str %w0, [%1]" : : "r"(value), "r"(address) : "memory");
}

static inline void mmio_barrier(void)
{
    __asm__ volatile("dsb sy" : : : "memory");
}

#endif
