/* SPDX-License-Identifier: BSL-1.0 */
/* The calls of <vesper/system.h> on Linux, for the host tests. */
#include <vesper/system.h>

#include "fake.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static uint32_t state_code(char letter)
{
    switch (letter) {
    case 'R':
        return SYS_READY;
    case 'Z':
        return SYS_ZOMBIE;
    default:
        return SYS_BLOCKED;
    }
}

static int domain_read(const char *pid, struct sys_domain *out)
{
    char path[300];
    char state;
    unsigned long user, system, pages;
    long priority;
    int fields;
    FILE *file;

    snprintf(path, sizeof(path), "/proc/%s/stat", pid);
    file = fopen(path, "r");
    if (file == NULL) {
        return -1;
    }
    *out = (struct sys_domain){0};
    fields = fscanf(file,
                    "%u (%31[^)]) %c %u %*d %*d %*d %*d %*u %*u %*u %*u %*u "
                    "%lu %lu %*d %*d %ld %*d %*d %*d %*u %*u %lu",
                    &out->id, out->name, &state, &out->parent, &user, &system,
                    &priority, &pages);
    fclose(file);
    if (fields != 8) {
        return -1;
    }
    out->state = state_code(state);
    out->priority = (uint32_t)priority;
    out->memory_bytes = pages * 4096;
    out->cpu_ns = (user + system) * 10000000;
    return 0;
}

int sys_domains(struct sys_domain *out, size_t max)
{
    DIR *dir;
    struct dirent *entry;
    size_t n = 0;

    if (getenv("FAKE") != NULL) {
        return fake_domains(out, max);
    }
    dir = opendir("/proc");
    if (dir == NULL) {
        return -1;
    }
    while (n < max && (entry = readdir(dir)) != NULL) {
        if (atoi(entry->d_name) > 0 &&
            domain_read(entry->d_name, &out[n]) == 0) {
            n++;
        }
    }
    closedir(dir);
    return (int)n;
}

int sys_memory(struct sys_memory *out)
{
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

    *out = (struct sys_memory){
        .total_bytes = (uint64_t)sysconf(_SC_PHYS_PAGES) * page,
        .free_bytes = (uint64_t)sysconf(_SC_AVPHYS_PAGES) * page,
    };
    out->used_bytes = out->total_bytes - out->free_bytes;
    return 0;
}

int sys_contract(uint32_t domain, struct sys_contract *out)
{
    (void)domain;
    (void)out;
    errno = ESRCH;
    return -1;
}

int sys_reclaim(uint32_t domain, uint64_t bytes, uint64_t ns)
{
    (void)domain;
    (void)bytes;
    (void)ns;
    errno = ESRCH;
    return -1;
}

int sys_reboot(void)
{
    errno = EPERM;
    return -1;
}

int sys_poweroff(void)
{
    errno = EPERM;
    return -1;
}
