/* SPDX-License-Identifier: BSL-1.0
 *
 * vesper/cpu.h, as calls to the root server.
 */
#include <string.h>
#include <vesper/cpu.h>
#include <vesper/root.h>
#include <vesper/root_call.h>

#include "result.h"

int cpu_policy(const char *name, char present[CPU_POLICY_BYTES])
{
    uint64_t w[8] = {ROOT_SCHED_POLICY};

    if (name != NULL && strlen(name) >= CPU_POLICY_BYTES) {
        return result(EINVAL);
    }
    if (name != NULL) {
        memcpy(&w[1], name, strlen(name));
    }
    int error = root_call(w, 0);
    if (error == 0) {
        memcpy(present, &w[1], CPU_POLICY_BYTES - 1);
        present[CPU_POLICY_BYTES - 1] = '\0';
    }
    return result(error);
}

int cpu_params_get(uint32_t domain, struct cpu_params *out)
{
    uint64_t w[8] = {ROOT_SCHED_PARAMS, domain};
    int error = root_call(w, 0);

    if (error == 0) {
        *out = (struct cpu_params){
            .priority = (uint32_t)w[2],
            .weight = (uint32_t)(w[2] >> 32),
            .period_ns = w[3],
            .budget_ns = w[4],
            .slack = w[5] & 1,
            .late = (uint32_t)(w[5] >> 32),
        };
    }
    return result(error);
}

int cpu_params_set(uint32_t domain, const struct cpu_params *params,
                   enum scheduler_refusal *why, uint32_t *left_ppm)
{
    uint64_t w[8] = {ROOT_SCHED_CHANGE,
                     domain,
                     params->priority | (uint64_t)params->weight << 32,
                     params->period_ns,
                     params->budget_ns,
                     params->slack};
    int error = root_call(w, 0);

    *why =
        error == EINVAL ? (enum scheduler_refusal)(uint32_t)w[1] : SCHED_FINE;
    *left_ppm = (uint32_t)(w[1] >> 32);
    return result(error);
}

static int account_rows(uint64_t number, struct cpu_row *rows, size_t max,
                        size_t *count)
{
    for (*count = 0;; ++*count) {
        uint64_t w[8] = {ROOT_ACCOUNT, number | (*count + 1ull) << 32};
        int error = root_call(w, 0);

        if (error != 0) {
            return error == ENOENT ? 0 : error;
        }
        if (*count == max) {
            return ENOSPC;
        }
        rows[*count] = (struct cpu_row){(uint32_t)w[2], w[3], ""};
        memcpy(rows[*count].name, &w[4], sizeof(rows[0].name) - 1);
    }
}

int cpu_account(struct cpu_account *out, struct cpu_row *rows, size_t max,
                size_t *count)
{
    int error;

    do { /* again if somebody else took a snapshot meanwhile */
        uint64_t w[8] = {ROOT_ACCOUNT, 0};

        error = root_call(w, 0);
        if (error == 0) {
            *out = (struct cpu_account){w[6], w[2], w[3], w[4], w[5]};
            error = account_rows(w[1], rows, max, count);
        }
    } while (error == ESTALE);
    return result(error);
}
