/* SPDX-License-Identifier: BSL-1.0
 *
 * What the kernel needs of the SoC: interrupt controller, early console, power.
 * Addresses: BCM2835 ARM Peripherals; QA7 "ARM Quad A7 core" for the local
 * block.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define RAM_END      0x3c000000ull /* ARM part of the first GiB */
#define BOARD_RAM    0x40000000ull /* VideoCore's part included */
#define DEVICE_START 0x3f000000ull
#define DEVICE_END   0x40000000ull
#define INTC_PAGE    0x3f00b000ull /* the kernel keeps this page */
#define LOCAL_BASE   0x40000000ull

/* Write to UART0, polled. base: 0 before the MMU is on, then the image window.
 */
void plat_console_init(void);
void plat_putc(char c);

/* Route the core's interrupts: generic timers and the GPU's controller. */
void plat_irq_init(void);
void plat_irq_mask(uint32_t irq);
void plat_irq_unmask(uint32_t irq);
/* The core's pending sources, PLAT_x bits. */
uint32_t plat_irq_sources(void);
/* The unmasked pending lines of the GPU's controller from 32 * word on. */
uint32_t plat_irq_pending(uint32_t word);
#define PLAT_WORDS 3u
#define PLAT_CNTP  (1u << 1)
#define PLAT_CNTV  (1u << 3)
#define PLAT_GPU   (1u << 8)

_Noreturn void plat_power_off(void);
