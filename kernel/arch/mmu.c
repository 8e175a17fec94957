/* SPDX-License-Identifier: BSL-1.0
 *
 * The kernel's own address space, and what the core asks of the MMU.
 *
 * Upper half: the RAM alias (all RAM but the kernel image, never executable)
 * and the image window (kernel text RX, rest RW; devices).
 * docs/architecture.md.
 */
#include "../plat/plat.h"
#include "arch.h"
#include "sysreg.h"

#define BLOCK_BYTES 0x200000ull
#define VALID_BLOCK 1ull
#define VALID_TABLE 3ull
#define NORMAL      (1ull << 2 | 3ull << 8) /* MAIR 1, inner shareable */
#define DEVICE      (0ull << 2)
#define READ_ONLY   (1ull << 7)
#define ACCESSED    (1ull << 10)
#define PXN         (1ull << 53)
#define UXN         (1ull << 54)
#define DATA        (NORMAL | ACCESSED | UXN | PXN)

extern char __image_start[], __text_end[], __rodata_end[], __image_end[],
    __stack_guard[];

#define TABLE __attribute__((section(".tables"), aligned(4096)))
static uint64_t top[512] TABLE;       /* level 1 of TTBR1 */
static uint64_t alias[512] TABLE;     /* level 2: RAM alias */
static uint64_t alias_low[512] TABLE; /* level 3: its first 2 MiB */
static uint64_t window[512] TABLE;    /* level 2: image window */
static uint64_t image[512] TABLE;     /* level 3: its first 2 MiB */
static uint64_t identity[512] TABLE;  /* level 1 of TTBR0 while booting */

struct bases {
    uint64_t high, low;
};

/* Physical address of a symbol, before the MMU is on. */
static uint64_t here(const void *p)
{
    return (uint64_t)p & 0x3fffffffull;
}

static void image_pages(void)
{
    uint64_t start = here(__image_start), text = here(__text_end);
    uint64_t rodata = here(__rodata_end), end = here(__image_end);
    for (uint64_t i = 0; i < 512; i++) {
        uint64_t page = i * PAGE_BYTES;
        uint64_t pte = page | VALID_TABLE | NORMAL | ACCESSED | UXN;
        if (page < start || page >= end) {
            alias_low[i] = pte | PXN;
            continue;
        }
        if (page == here(__stack_guard)) {
            continue;
        }
        image[i] = page < text     ? pte | READ_ONLY
                   : page < rodata ? pte | READ_ONLY | PXN
                                   : pte | PXN;
    }
}

/* Runs at physical addresses. */
struct bases mmu_tables(void);
struct bases mmu_tables(void)
{
    image_pages();
    alias[0] = here(alias_low) | VALID_TABLE;
    window[0] = here(image) | VALID_TABLE;
    for (uint64_t i = 1; i < 512; i++) {
        uint64_t block = i * BLOCK_BYTES;
        if (block < RAM_END) {
            alias[i] = block | VALID_BLOCK | DATA;
        } else if (block >= DEVICE_START) {
            window[i] = block | VALID_BLOCK | DEVICE | ACCESSED | UXN | PXN;
        }
    }
    top[0] = here(alias) | VALID_TABLE;
    top[256] = here(window) | VALID_TABLE;
    top[257] = LOCAL_BASE | VALID_BLOCK | DEVICE | ACCESSED | UXN | PXN;
    identity[0] = VALID_BLOCK | NORMAL | ACCESSED;
    __asm__ volatile("dsb sy" : : : "memory");
    return (struct bases){here(top), here(identity)};
}

void mmu_no_user(void)
{
    identity[0] = 0;
    WRITE_SYSREG(ttbr0_el1, here(identity));
    barrier_isb();
}

/* ---- for the core ------------------------------------------------------ */

void arch_tlb_page(uint64_t va)
{
    __asm__ volatile("dsb ishst; tlbi vaae1is, %0; dsb ish"
                     :
                     : "r"(va >> 12 & 0xfffffffffffull)
                     : "memory");
}

void arch_tlb_domain(uint32_t asid)
{
    __asm__ volatile("dsb ishst; tlbi aside1is, %0; dsb ish"
                     :
                     : "r"((uint64_t)asid << 48)
                     : "memory");
}

void arch_publish(void)
{
    __asm__ volatile("dsb ishst" : : : "memory"); /* eret synchronises */
}

/* bytes: whole pages, of 64 lines. Two instructions a line, since 64 KiB go in
 * one step. */
void arch_sync_code(ref_t ref, uint64_t bytes)
{
    const char *p = ram_at(ref), *end = p + bytes;
    while (p < end) {
        __asm__ volatile(".rept 64; dc cvau, %0; add %0, %0, #64; .endr"
                         : "+r"(p)
                         :
                         : "memory");
    }
    __asm__ volatile("dsb ish; ic ialluis; dsb ish; isb" : : : "memory");
}

/* bytes: any multiple of 32; whole cache lines go by DC ZVA (64 bytes). */
void arch_zero(ref_t ref, uint64_t bytes)
{
    char *p = ram_at(ref), *end = p + bytes;
    for (; p < end && (uintptr_t)p % 64 != 0; p += 8) {
        *(uint64_t *)(void *)p = 0;
    }
    for (; end - p >= 16 * 64; p += 16 * 64) {
#pragma GCC unroll 16
        for (int line = 0; line < 16 * 64; line += 64) {
            __asm__ volatile("dc zva, %0" : : "r"(p + line) : "memory");
        }
    }
    for (; end - p >= 64; p += 64) {
        __asm__ volatile("dc zva, %0" : : "r"(p) : "memory");
    }
    for (; p < end; p += 8) {
        *(uint64_t *)(void *)p = 0;
    }
}
