/* SPDX-License-Identifier: BSL-1.0 */
/*
 * vesper/cpu.h - who gets how much of the CPU: asked of the root server, which
 * schedules the domains. All return 0, or -1 and errno. The policies and what
 * the parameters mean to each: vesper/scheduler.h and docs/scheduling.md.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <vesper/scheduler.h>

#define CPU_POLICY_BYTES 17 /* of a name, with its NUL */

/* Go on with the policy of that name (NULL: with the present one); *present:
 * the one there is now. EINVAL: there is none of that name. */
int cpu_policy(const char *name, char present[CPU_POLICY_BYTES]);

struct cpu_params {
    uint32_t priority, weight;
    uint64_t period_ns, budget_ns; /* both 0: no reservation */
    bool slack;
    uint32_t late; /* deadlines that came with budget left; not to be set */
};

/* ESRCH: no such domain. */
int cpu_params_get(uint32_t domain, struct cpu_params *out);

/* Takes effect at once, for that domain alone. EINVAL: *why, and how many
 * millionths of the CPU are not promised to others. */
int cpu_params_set(uint32_t domain, const struct cpu_params *params,
                   enum scheduler_refusal *why, uint32_t *left_ppm);

/* Time since the root server began, and who had it: idle + root + ended + all
 * rows are elapsed, to the tick. A system call or interrupt counts for the
 * domain that runs, a protected call for the caller. */
struct cpu_account {
    uint64_t hz, elapsed, idle, root, ended; /* ended: domains that are gone */
};
struct cpu_row {
    uint32_t domain;
    uint64_t ticks;
    char name[33];
};

/* All at one moment. *count: rows filled; ENOSPC if they are more than max. */
int cpu_account(struct cpu_account *out, struct cpu_row *rows, size_t max,
                size_t *count);

/* A thread of a domain. The domain itself says this, and may lie: its name has
 * printing characters only, and its ticks are not more than there were. */
#define CPU_THREADS_MAX 64
struct cpu_thread {
    uint32_t id;    /* from 1 in order of creation; 0: all that ended */
    uint64_t ticks; /* from when it had the domain's time until another had it:
                       together with those in which the domain had none */
    char name[17];
};

/* All threads at one moment, at most CPU_THREADS_MAX rows, first those that
 * ended; *ticks: what the domain had. Others than the first 63 that run at the
 * same time are not there. ESRCH: no such domain; ENOMEM: no addresses. */
int cpu_threads(uint32_t domain, uint64_t *ticks, struct cpu_thread *rows,
                size_t *count);

/* The domain had so many ticks between two looks, of which rows are the
 * differences. If they are more together, the rest was other domains': it is
 * taken from all rows in proportion. Returns the ticks of no thread: of libos'
 * own, and of threads that are not in the rows. */
uint64_t cpu_threads_fit(struct cpu_thread *rows, size_t count, uint64_t ticks);
