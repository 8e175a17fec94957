/* SPDX-License-Identifier: BSL-1.0
 *
 * vesper/system.h: what tools like ps and free ask, and turning the machine
 * off.
 */
#include <string.h>
#include <unistd.h>
#include <vesper/root.h>
#include <vesper/root_call.h>
#include <vesper/system.h>

#include "result.h"

static void domain_fill(const uint64_t w[8], struct sys_domain *out)
{
    *out = (struct sys_domain){
        .id = (uint32_t)w[1],
        .parent = (uint32_t)(w[1] >> 32),
        .state = (uint32_t)w[2],
        .priority = (uint32_t)(w[2] >> 32),
        .memory_bytes = w[3],
        .cpu_ns = w[4],
    };
    memcpy(out->name, &w[5], 3 * sizeof(w[5]));
}

int sys_domains(struct sys_domain *out, size_t max)
{
    size_t count = 0;

    while (count < max) {
        uint64_t w[8] = {ROOT_DOMAINS, count};
        int error = root_call(w, 0);

        if (error == ENOENT) {
            break;
        }
        if (error != 0) {
            return result(error);
        }
        domain_fill(w, &out[count++]);
    }
    return (int)count;
}

int sys_memory(struct sys_memory *out)
{
    uint64_t w[8] = {ROOT_USAGE};
    int error = root_call(w, 0);

    if (error == 0) {
        *out = (struct sys_memory){.total_bytes = w[1],
                                   .kernel_bytes = w[2],
                                   .used_bytes = w[3],
                                   .free_bytes = w[4]};
    }
    return result(error);
}

int sys_contract(uint32_t domain, struct sys_contract *out)
{
    uint64_t w[8] = {ROOT_CONTRACT, domain};
    int error = root_call(w, 0);

    if (error == 0) {
        *out = (struct sys_contract){.guaranteed = w[1] != 0,
                                     .bytes = w[2],
                                     .used = w[3],
                                     .optimistic = w[4],
                                     .optimistic_used = w[5],
                                     .forced = w[6]};
    }
    return result(error);
}

int sys_reclaim(uint32_t domain, uint64_t bytes, uint64_t ns)
{
    uint64_t w[8] = {ROOT_RECLAIM, domain, bytes, ns};

    return result(root_call(w, 0));
}

static int power(uint64_t what)
{
    uint64_t w[8] = {ROOT_POWER, what};

    sync();
    return result(root_call(w, 0));
}

int sys_poweroff(void)
{
    return power(0);
}

int sys_reboot(void)
{
    return power(1);
}
