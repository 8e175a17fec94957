/* SPDX-License-Identifier: BSL-1.0 */
/* <vesper/cpu.h> on Linux, which does not let itself be scheduled by us. */
#include <vesper/cpu.h>

#include <errno.h>

static int missing(void)
{
    errno = ENOSYS;
    return -1;
}

int cpu_policy(const char *name, char present[CPU_POLICY_BYTES])
{
    (void)name;
    (void)present;
    return missing();
}

int cpu_params_get(uint32_t domain, struct cpu_params *out)
{
    (void)domain;
    (void)out;
    return missing();
}

int cpu_params_set(uint32_t domain, const struct cpu_params *params,
                   enum scheduler_refusal *why, uint32_t *left_ppm)
{
    (void)domain;
    (void)params;
    (void)why;
    (void)left_ppm;
    return missing();
}

int cpu_account(struct cpu_account *out, struct cpu_row *rows, size_t max,
                size_t *count)
{
    (void)out;
    (void)rows;
    (void)max;
    (void)count;
    return missing();
}

int cpu_threads(uint32_t domain, uint64_t *ticks, struct cpu_thread *rows,
                size_t *count)
{
    (void)domain;
    (void)ticks;
    (void)rows;
    (void)count;
    return missing();
}
