/* SPDX-License-Identifier: BSL-1.0
 *
 * In place of the generated system call stubs, for host tests of user code:
 * plain functions that the test defines.
 */
#pragma once

#include <abi/abi.h>

enum abi_error sys_leave(void);
enum abi_error sys_event_signal(uint64_t event);
enum abi_error sys_cap_delete(uint64_t slot);
enum abi_error sys_cap_revoke(uint64_t slot);
enum abi_error sys_cap_identify(uint64_t slot, uint64_t *info,
                                uint64_t *address, uint64_t *word);
enum abi_error sys_untyped_retype(uint64_t memory, uint64_t slot, uint64_t type,
                                  uint64_t log2, uint64_t count,
                                  uint64_t offset, uint64_t rank);

enum abi_error sys_resume(uint64_t slot);
enum abi_error sys_block(uint64_t until);
enum abi_error sys_run(uint64_t child, uint64_t until, uint64_t urgency);
enum abi_error sys_dispatcher_inspect(uint64_t dispatcher, uint64_t index,
                                      uint64_t *a, uint64_t *b, uint64_t *c,
                                      uint64_t *d);
enum abi_error sys_frame_map(uint64_t frame, uint64_t stretch, uint64_t va,
                             uint64_t rights, uint64_t n, uint64_t *done,
                             uint64_t *at);
enum abi_error sys_stretch_create(uint64_t stretch, uint64_t memory,
                                  uint64_t range, uint64_t va, uint64_t unused);
enum abi_error sys_stretch_attach(uint64_t stretch, uint64_t domain,
                                  uint64_t rights);
enum abi_error sys_stretch_detach(uint64_t stretch, uint64_t domain);
enum abi_error sys_frame_remap(uint64_t frame, uint64_t stretch, uint64_t va,
                               uint64_t rights, uint64_t n, uint64_t *done,
                               uint64_t *at);
enum abi_error sys_frame_unmap(uint64_t frame, uint64_t n, uint64_t *done);
enum abi_error sys_frame_protect(uint64_t frame, uint64_t rights, uint64_t n,
                                 uint64_t *done);
