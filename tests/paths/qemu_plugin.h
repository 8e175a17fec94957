/* SPDX-License-Identifier: BSL-1.0
 *
 * QEMU's interface for TCG plugins, version 1: what ours use of it. Debian
 * ships no header for it.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct qemu_plugin_tb;
struct qemu_plugin_insn;
typedef void (*translate_callback)(uint64_t id, struct qemu_plugin_tb *tb);
typedef void (*execute_callback)(unsigned cpu, void *data);
typedef void (*exit_callback)(uint64_t id, void *data);

void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, translate_callback f);
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb,
                                          execute_callback f, int flags,
                                          void *data);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
                                            execute_callback f, int flags,
                                            void *data);
enum qemu_plugin_op { QEMU_PLUGIN_INLINE_ADD_U64 };
/* *to += by, each time just before the instruction is executed */
void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *insn,
                                                enum qemu_plugin_op op,
                                                void *to, uint64_t by);
void qemu_plugin_register_atexit_cb(uint64_t id, exit_callback f, void *data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(
    const struct qemu_plugin_tb *tb, size_t i);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv);
