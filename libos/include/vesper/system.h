/* SPDX-License-Identifier: BSL-1.0
 *
 * What a system tool asks of the root server, beyond POSIX.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum sys_state {
    SYS_READY,
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

/* What a domain may have of memory, and has; docs/memory.md. */
struct sys_contract {
    int guaranteed;       /* nonzero: `bytes` are, else they are a limit */
    uint64_t bytes, used; /* of its quota */
    uint64_t optimistic, optimistic_used; /* beyond it, only lent */
    uint64_t forced; /* chunks of that which were taken without its consent */
};

/* 0, or -1 and errno: ESRCH. */
int sys_contract(uint32_t domain, struct sys_contract *out);

/* Ask a domain for so many bytes of what is lent to it, which it does not get
 * again; what it has not given back after `ns`, at most 60 s, is taken. 0, or
 * -1 and errno: ESRCH, EINVAL. */
int sys_reclaim(uint32_t domain, uint64_t bytes, uint64_t ns);

/* Do not return when they succeed; else -1 and errno. The card is flushed. */
int sys_reboot(void);
int sys_poweroff(void);
