/* SPDX-License-Identifier: BSL-1.0
 *
 * BCM2837: PL011 for early text and epitaphs, interrupt controllers, power.
 * Before the MMU is on this code runs at physical addresses.
 */
#include "plat.h"
#include "../arch/sysreg.h"

#define WINDOW           0xffffffc000000000ull
#define GPIO             0x3f200000ull
#define UART             0x3f201000ull
#define UART_DR          0x00
#define UART_FR          0x18
#define UART_FR_TXFF     0x20u
#define UART_IBRD        0x24
#define UART_FBRD        0x28
#define UART_LCRH        0x2c
#define UART_CR          0x30
#define UART_IMSC        0x38
#define PM_RSTC          0x3f10001cull
#define PM_RSTS          0x3f100020ull
#define PM_PASSWORD      0x5a000000u
#define PM_HALT          0x555u
#define PM_FULL_RESET    0x20u
#define IC_PENDING       0x3f00b200ull /* basic, 1, 2 */
#define IC_ENABLE        0x3f00b210ull /* 1, 2, basic */
#define IC_DISABLE       0x3f00b21cull
#define LOCAL_TIMER_IRQS (LOCAL_BASE + 0x40)
#define LOCAL_SOURCE     (LOCAL_BASE + 0x60)

/* The address at which a device register is seen now. */
static uint64_t at(uint64_t physical)
{
    uint64_t pc;
    __asm__("adr %0, ." : "=r"(pc));
    return pc >= WINDOW ? physical + WINDOW : physical;
}

void plat_console_init(void)
{
    /* GPIO 14 and 15 to ALT0: the firmware gives them to the mini UART. */
    uint32_t select = device_read(at(GPIO + 4));
    select = (select & ~(077u << 12)) | 044u << 12;
    device_write(at(GPIO + 4), select);
    device_write(at(UART + UART_CR), 0);
    device_write(at(UART + UART_IMSC), 0);
    device_write(at(UART + UART_IBRD), 26); /* 48 MHz / 16 / 115,200 */
    device_write(at(UART + UART_FBRD), 3);
    device_write(at(UART + UART_LCRH), 0x70); /* 8 bits, FIFO */
    device_write(at(UART + UART_CR), 0x301);
}

void plat_putc(char c)
{
    while (device_read(at(UART + UART_FR)) & UART_FR_TXFF) {
    }
    device_write(at(UART + UART_DR), (uint8_t)c);
}

/* The same once the MMU is on: interrupts come only then. */
static uint64_t seen(uint64_t physical)
{
    return physical + WINDOW;
}

/* A shadow of the enable registers, which are write-only. */
static uint32_t enabled[PLAT_WORDS];

void plat_irq_init(void)
{
    for (uint64_t i = 0; i < PLAT_WORDS; i++) {
        device_write(seen(IC_DISABLE + 4 * i), ~0u);
    }
    device_write(seen(LOCAL_BASE + 0xc), 0); /* GPU interrupts to core 0 */
    device_write(seen(LOCAL_TIMER_IRQS), PLAT_CNTP | PLAT_CNTV);
}

void plat_irq_mask(uint32_t irq)
{
    uint32_t word = irq / 32;
    if (word < PLAT_WORDS) {
        enabled[word] &= ~(1u << irq % 32);
        device_write(seen(IC_DISABLE + 4ull * word), 1u << irq % 32);
        barrier_dsb();
    }
}

void plat_irq_unmask(uint32_t irq)
{
    uint32_t word = irq / 32;
    if (word < PLAT_WORDS) {
        enabled[word] |= 1u << irq % 32;
        device_write(seen(IC_ENABLE + 4ull * word), 1u << irq % 32);
    }
}

uint32_t plat_irq_sources(void)
{
    return device_read(seen(LOCAL_SOURCE));
}

uint32_t plat_irq_pending(uint32_t word)
{
    /* Pending 1, 2, basic, of which the rest repeats words 1 and 2. */
    static const struct {
        uint32_t at, own;
    } word_of[PLAT_WORDS] = {{4, ~0u}, {8, ~0u}, {0, 0xff}};
    uint32_t lines = word < PLAT_WORDS ? enabled[word] : 0;
    if (lines == 0) {
        return 0;
    }
    return device_read(seen(IC_PENDING + word_of[word].at)) & lines &
           word_of[word].own;
}

_Noreturn void plat_power_off(void)
{
    device_write(at(PM_RSTS), PM_PASSWORD | PM_HALT);
    device_write(at(PM_RSTC), PM_PASSWORD | PM_FULL_RESET);
    for (;;) {
        wait_for_interrupt();
    }
}
