/* SPDX-License-Identifier: BSL-1.0
 *
 * What a system tool asks of the root server, beyond POSIX.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum sys_state {
    SYS_READY,
    SYS_RUNNING,
    SYS_BLOCKED,
    SYS_ZOMBIE,
    SYS_NESTED, /* its scheduler, which is a domain, knows */
};

struct sys_domain {
    uint32_t id, parent, state, priority; /* state: enum sys_state */
    uint64_t memory_bytes, cpu_ns;
    char name[32];
};

/* Fill in up to max entries; returns their number, or -1 and errno. */
int sys_domains(struct sys_domain *out, size_t max);

struct sys_memory {
    uint64_t total_bytes, kernel_bytes, used_bytes, free_bytes;
};

/* 0, or -1 and errno. total = kernel + used + free. */
int sys_memory(struct sys_memory *out);

/* Do not return when they succeed; else -1 and errno. The card is flushed. */
int sys_reboot(void);
int sys_poweroff(void);
