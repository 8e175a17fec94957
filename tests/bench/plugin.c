/* SPDX-License-Identifier: BSL-1.0
 *
 * A QEMU plugin (TCG, API version 1) that counts the instructions of marked
 * regions (tests/bench/mark.h), by exception level and by what hardware charges
 * for. The level follows from the address: the kernel lives in the upper half.
 * The markers themselves do not count; an instruction that faults does, each
 * time it is tried.
 *
 *   -plugin FILE.so,irq=ADDRESS,out=FILE[,trace=N][,until=ADDRESS]
 *
 * irq is the vector of interrupts from user mode. Writes a line of the counters
 * (enum counter) for each region. With trace, the second of every N regions has
 * before it the address of each instruction, behind a `@`; each beginning says
 * `@begin`, as a region may begin anew. With until, the first region is from
 * power-on to the instruction there.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/paths/qemu_plugin.h"

int qemu_plugin_version = 1;

enum counter { EL0, EL1, BARRIER, ISB, TLBI, TTBR, IRQ, COUNTERS };

#define HINT(n) (0xd503201fu | (n) << 5)

/* Which instructions a counter counts besides its level. */
static const struct {
    uint32_t mask, code;
    enum counter counter;
} kind[] = {
    {0xfffff0ff, 0xd503309f, BARRIER}, /* dsb */
    {0xfffff0ff, 0xd50330bf, BARRIER}, /* dmb */
    {0xfffff0ff, 0xd50330df, ISB},
    {0xfff8f000, 0xd5088000, TLBI}, /* sys #0..#7, c8 */
    {0xffffffe0, 0xd5182000, TTBR}, /* msr ttbr0_el1 */
};

static uint64_t count[COUNTERS], before[COUNTERS];
static uint64_t vector, trace, until, ordinal;
static bool inside, armed;
static FILE *out;

static void on_begin(unsigned cpu, void *data)
{
    (void)cpu, (void)data;
    memcpy(before, count, sizeof(count));
    inside = true;
    if (trace != 0) {
        fprintf(out, "@begin\n");
    }
}

static void on_arm(unsigned cpu, void *data)
{
    (void)cpu, (void)data;
    inside = false;
    armed = true;
}

static void on_vector(unsigned cpu, void *data)
{
    if (armed) {
        armed = false;
        on_begin(cpu, data);
    }
}

static void on_end(unsigned cpu, void *data)
{
    (void)cpu, (void)data;
    if (!inside) {
        return;
    }
    for (int i = 0; i < COUNTERS; i++) {
        fprintf(out, "%" PRIu64 "%c", count[i] - before[i],
                i + 1 < COUNTERS ? ' ' : '\n');
    }
    inside = false;
    ordinal++;
}

static void on_traced(unsigned cpu, void *data)
{
    (void)cpu;
    if (inside && ordinal % trace == 1) {
        fprintf(out, "@%" PRIxPTR "\n", (uintptr_t)data);
    }
}

static void add(struct qemu_plugin_insn *insn, enum counter c)
{
    qemu_plugin_register_vcpu_insn_exec_inline(insn, QEMU_PLUGIN_INLINE_ADD_U64,
                                               &count[c], 1);
}

static const struct {
    uint32_t code; /* as in mark.h */
    execute_callback reach;
} marker[] = {
    {HINT(0x70u), on_begin},
    {HINT(0x71u), on_end},
    {HINT(0x72u), on_arm},
};

static void insn_watch(struct qemu_plugin_insn *insn)
{
    uint64_t at = qemu_plugin_insn_vaddr(insn);
    uint32_t code;
    memcpy(&code, qemu_plugin_insn_data(insn), sizeof(code));
    for (size_t i = 0; i < sizeof(marker) / sizeof(marker[0]); i++) {
        if (code == marker[i].code) {
            qemu_plugin_register_vcpu_insn_exec_cb(insn, marker[i].reach, 0,
                                                   NULL);
            return;
        }
    }
    add(insn, at >> 63 ? EL1 : EL0);
    for (size_t i = 0; i < sizeof(kind) / sizeof(kind[0]); i++) {
        if ((code & kind[i].mask) == kind[i].code) {
            add(insn, kind[i].counter);
        }
    }
    if (at == vector) { /* callbacks come before counters */
        qemu_plugin_register_vcpu_insn_exec_cb(insn, on_vector, 0, NULL);
        add(insn, IRQ);
    }
    if (at == until) {
        qemu_plugin_register_vcpu_insn_exec_cb(insn, on_end, 0, NULL);
    }
    if (trace != 0) {
        qemu_plugin_register_vcpu_insn_exec_cb(insn, on_traced, 0,
                                               (void *)(uintptr_t)at);
    }
}

static void on_translate(uint64_t id, struct qemu_plugin_tb *tb)
{
    (void)id;
    for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
        insn_watch(qemu_plugin_tb_get_insn(tb, i));
    }
}

int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv)
{
    (void)info;
    for (int i = 0; i < argc; i++) {
        if (strncmp(argv[i], "irq=", 4) == 0) {
            vector = strtoull(argv[i] + 4, NULL, 0);
        } else if (strncmp(argv[i], "trace=", 6) == 0) {
            trace = strtoull(argv[i] + 6, NULL, 0);
        } else if (strncmp(argv[i], "until=", 6) == 0) {
            until = strtoull(argv[i] + 6, NULL, 0);
            inside = true;
        } else if (strncmp(argv[i], "out=", 4) == 0) {
            out = fopen(argv[i] + 4, "w");
        }
    }
    if (vector == 0 || out == NULL) {
        fprintf(stderr, "plugin: irq= and out= are needed\n");
        return -1;
    }
    setvbuf(out, NULL, _IOLBF, 0); /* QEMU may be killed when all is said */
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate);
    return 0;
}
