/* SPDX-License-Identifier: BSL-1.0 */
/*
 * <vesper/system.h> for building the apps as Linux programs: the same calls
 * as libos has, answered from /proc. Only the host tests see this file.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { SYS_READY, SYS_BLOCKED, SYS_ZOMBIE, SYS_NESTED };

struct sys_domain {
    uint32_t id, parent, state, priority;
    uint64_t memory_bytes, cpu_ns;
    char name[32];
};

struct sys_memory {
    uint64_t total_bytes, kernel_bytes, used_bytes, free_bytes;
};

/* Count of the entries filled, or -1 and errno. */
int sys_domains(struct sys_domain *out, size_t max);
int sys_memory(struct sys_memory *out);

struct sys_contract {
    int guaranteed;
    uint64_t bytes, used, optimistic, optimistic_used, forced;
};
/* Nobody has a contract here: both return -1 with ESRCH. */
int sys_contract(uint32_t domain, struct sys_contract *out);
int sys_reclaim(uint32_t domain, uint64_t bytes, uint64_t ns);

/* A test must not stop its host: both return -1 with EPERM here. */
int sys_reboot(void);
int sys_poweroff(void);
