/* SPDX-License-Identifier: BSL-1.0
 *
 * The kernel's few words: the first line, and the last one.
 */
#include "../plat/plat.h"
#include "arch.h"
#include "sysreg.h"

void kprint(const char *text)
{
    for (; *text != 0; text++) {
        if (*text == '\n') {
            plat_putc('\r');
        }
        plat_putc(*text);
    }
}

void kprint_hex(uint64_t v)
{
    kprint("0x");
    for (int i = 60; i >= 0; i -= 4) {
        uint32_t digit = (uint32_t)(v >> i) & 15u;
        plat_putc((char)(digit < 10 ? '0' + digit : 'a' + digit - 10));
    }
}

void kprint_dec(uint64_t v)
{
    char text[21];
    uint32_t i = sizeof(text) - 1;
    text[i] = 0;
    do {
        text[--i] = (char)('0' + v % 10);
        v /= 10;
    } while (v != 0);
    kprint(text + i);
}

_Noreturn void panic(const char *why)
{
    kprint("\nKERNEL PANIC: ");
    kprint(why);
    kprint("\n");
    plat_power_off();
}

/* The first text, before the MMU is on. */
void early_console(void);
void early_console(void)
{
    plat_console_init();
    kprint("\nVesper exokernel\n");
    if (READ_SYSREG(CurrentEL) != CURRENT_EL2) {
        panic("not entered at exception level 2");
    }
}

_Noreturn void panic_exception(uint64_t kind);
_Noreturn void panic_exception(uint64_t kind)
{
    kprint("\nkernel exception, vector ");
    kprint_dec(kind);
    kprint(" esr ");
    kprint_hex(READ_SYSREG(esr_el1));
    kprint(" far ");
    kprint_hex(READ_SYSREG(far_el1));
    kprint(" pc ");
    kprint_hex(READ_SYSREG(elr_el1));
    panic("exception in the kernel");
}
