/* SPDX-License-Identifier: BSL-1.0
 *
 * A QEMU plugin (TCG, API version 1) that counts the instructions of every stay
 * in the kernel, from the exception vector to the eret, with interrupts off all
 * the way. A look at the pending interrupts (a read of ISR_EL1) parts a stay in
 * two: who finds one there leaves. The longest part and the longest stay of
 * each kind are kept; a kind is the number in the svc instruction that led
 * there, or the vector. What core 0 does counts; the others are parked.
 *
 *   -plugin FILE.so,vectors=ADDRESS,out=FILE
 *
 * Writes lines `NUMBER COUNT PART STAY TOTAL`; numbers from 0x10000 are
 * vectors.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/paths/qemu_plugin.h"

int qemu_plugin_version = 1;

#define INSN_ERET   0xd69f03e0u
#define INSN_LOOK   0xd538c100u /* mrs xN, isr_el1; N in bits 4-0 */
#define INSN_WFI    0xd503207fu
#define SYNC_EL0    0x400u /* vector of exceptions from user mode */
#define KIND_VECTOR 0x10000u
#define KINDS       0x10010u
#define KIND_WAKE   0x1000fu /* from an idle core's wake-up */
#define VECTORS     0x800u
#define SVC(insn)   (((insn)&0xffe0001fu) == 0xd4000001u)
#define DATA(v)     ((void *)(uintptr_t)(v))
#define NUMBER(p)   ((uint32_t)(uintptr_t)(p))

static struct {
    uint64_t count, part, stay, total;
} kind[KINDS];

static struct {
    bool inside;
    uint32_t kind, svc;
    uint64_t part, stay;
} now;

static uint64_t vectors;
static const char *out_path;

static void on_svc(unsigned cpu, void *data)
{
    if (cpu == 0) {
        now.svc = NUMBER(data);
    }
}

static void on_block(unsigned cpu, void *data)
{
    if (cpu == 0) {
        now.part += (uintptr_t)data;
        now.stay += (uintptr_t)data;
    }
}

static void part_end(void)
{
    if (now.inside && now.part > kind[now.kind].part) {
        kind[now.kind].part = now.part;
    }
    now.part = 0;
}

static void stay_end(void)
{
    part_end();
    if (!now.inside) {
        return;
    }
    kind[now.kind].count++;
    kind[now.kind].total += now.stay;
    if (now.stay > kind[now.kind].stay) {
        kind[now.kind].stay = now.stay;
    }
    now.inside = false;
}

static void stay_begin(uint32_t of)
{
    now.inside = true;
    now.part = now.stay = 0;
    now.kind = of;
}

static void on_look(unsigned cpu, void *data)
{
    (void)data;
    if (cpu == 0) {
        part_end();
    }
}

static void on_vector(unsigned cpu, void *data)
{
    uint32_t offset = NUMBER(data);
    if (cpu != 0) {
        return;
    }
    bool is_call = offset == SYNC_EL0 && now.svc != UINT32_MAX;
    stay_begin(is_call ? now.svc : KIND_VECTOR + offset / 128);
    now.svc = UINT32_MAX;
}

static void on_eret(unsigned cpu, void *data)
{
    (void)data;
    if (cpu == 0) {
        stay_end();
    }
}

/* An idle core takes what wakes it without a vector: a path of its own. */
static void on_wfi(unsigned cpu, void *data)
{
    (void)data;
    if (cpu == 0) {
        stay_end();
        stay_begin(KIND_WAKE);
    }
}

static void insn_watch(struct qemu_plugin_insn *insn)
{
    uint32_t code;
    memcpy(&code, qemu_plugin_insn_data(insn), sizeof(code));
    bool kernel = qemu_plugin_insn_vaddr(insn) >> 63;
    if (SVC(code) && !kernel) {
        qemu_plugin_register_vcpu_insn_exec_cb(insn, on_svc, 0,
                                               DATA(code >> 5 & 0xffff));
    } else if (code == INSN_ERET && kernel) {
        qemu_plugin_register_vcpu_insn_exec_cb(insn, on_eret, 0, NULL);
    } else if (code == INSN_WFI && kernel) {
        qemu_plugin_register_vcpu_insn_exec_cb(insn, on_wfi, 0, NULL);
    } else if ((code & ~31u) == INSN_LOOK) {
        qemu_plugin_register_vcpu_insn_exec_cb(insn, on_look, 0, NULL);
    }
}

static void on_translate(uint64_t id, struct qemu_plugin_tb *tb)
{
    uint64_t at = qemu_plugin_tb_vaddr(tb);
    size_t n = qemu_plugin_tb_n_insns(tb);
    (void)id;
    if (at - vectors < VECTORS && at % 128 == 0) {
        qemu_plugin_register_vcpu_tb_exec_cb(tb, on_vector, 0,
                                             DATA(at - vectors));
    }
    if (at >> 63) {
        qemu_plugin_register_vcpu_tb_exec_cb(tb, on_block, 0, DATA(n));
    }
    for (size_t i = 0; i < n; i++) {
        insn_watch(qemu_plugin_tb_get_insn(tb, i));
    }
}

static void write_out(uint64_t id, void *data)
{
    FILE *out = fopen(out_path, "w");
    (void)id;
    (void)data;
    for (uint32_t i = 0; out != NULL && i < KINDS; i++) {
        if (kind[i].count != 0) {
            fprintf(out,
                    "%" PRIu32 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64
                    "\n",
                    i, kind[i].count, kind[i].part, kind[i].stay,
                    kind[i].total);
        }
    }
    if (out == NULL || fclose(out) != 0) {
        perror(out_path);
    }
}

int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv)
{
    (void)info;
    for (int i = 0; i < argc; i++) {
        if (strncmp(argv[i], "vectors=", 8) == 0) {
            vectors = strtoull(argv[i] + 8, NULL, 0);
        } else if (strncmp(argv[i], "out=", 4) == 0) {
            out_path = argv[i] + 4;
        }
    }
    if (vectors == 0 || out_path == NULL) {
        fprintf(stderr, "plugin: vectors= and out= are needed\n");
        return -1;
    }
    now.svc = UINT32_MAX;
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate);
    qemu_plugin_register_atexit_cb(id, write_out, NULL);
    return 0;
}
