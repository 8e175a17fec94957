/* SPDX-License-Identifier: BSL-1.0
 *
 * From power-on to C. The firmware (or QEMU) enters the raw image at 0x80000 in
 * EL2 on core 0, MMU off. Cores 1-3 are released from the firmware's pen and
 * parked in WFI: a busy pen would burn the emulator's time.
 */
#include "asm.h"

    .section ".text.boot", "ax"
    .globl  _start
_start:
    mrs     x19, cntpct_el0         /* when the first instruction ran */
    adrp    x0, __stack_top
    mov     sp, x0
    bl      early_console           /* text before anything can go wrong */

    /* EL2: let EL1 be AArch64 and own counters, timers, FP and debug. */
    mov     x0, #(1 << 31)
    msr     hcr_el2, x0
    mov     x0, #3
    msr     cnthctl_el2, x0
    msr     cntvoff_el2, xzr
    mov     x0, #0x33ff
    msr     cptr_el2, x0
    msr     hstr_el2, xzr
    mrs     x0, pmcr_el0
    ubfx    x0, x0, #11, #5         /* all event counters belong to EL1 */
    msr     mdcr_el2, x0
    mrs     x0, midr_el1
    msr     vpidr_el2, x0
    mrs     x0, mpidr_el1
    msr     vmpidr_el2, x0

    adr     x0, park                /* spin table: 0xe0, 0xe8, 0xf0 */
    mov     x1, #0xe0
    stp     x0, x0, [x1]
    str     x0, [x1, #16]
    dc      civac, x1
    add     x1, x1, #16
    dc      civac, x1
    dsb     sy
    sev

    ldr     x0, =0x30d00800         /* SCTLR_EL1 reset value: MMU off */
    msr     sctlr_el1, x0
    mov     x0, #SPSR_EL1H_MASKED
    msr     spsr_el2, x0
    adr     x0, 1f
    msr     elr_el2, x0
    eret

1:  adrp    x0, __stack_top
    mov     sp, x0
    bl      mmu_tables              /* x0: TTBR1, x1: TTBR0 (identity) */
    msr     ttbr1_el1, x0
    msr     ttbr0_el1, x1
    ldr     x0, =0xff04             /* MAIR: 0 device nGnRE, 1 write-back */
    msr     mair_el1, x0
    ldr     x0, tcr
    msr     tcr_el1, x0
    tlbi    vmalle1
    dsb     ish
    isb
    /* MMU, caches, SP alignment checks; EL0 may use DC ZVA, read CTR and
     * maintain caches; its WFI and WFE trap. */
    ldr     x0, =0x34d0d99d
    msr     sctlr_el1, x0
    isb
    ldr     x0, =2f
    br      x0                      /* to the image window */
2:  ldr     x0, =__stack_top
    mov     sp, x0
    ldr     x0, =vectors
    msr     vbar_el1, x0
    isb
    mov     x0, x19
    bl      boot                    /* returns the first dispatcher */
    b       trap_leave

park:
    msr     daifset, #15
    wfi
    b       park

    /* T0SZ = T1SZ = 25 (39 bits), 4 KiB granules, write-back inner shareable
     * walks, 36-bit physical, 16-bit ASIDs (TTBR0's). */
    .balign 8
tcr:
    .quad   25 | 25 << 16 | 0x35 << 8 | 0xb5 << 24 | 1 << 32 | 1 << 36
    .ltorg
