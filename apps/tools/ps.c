/* SPDX-License-Identifier: BSL-1.0 */
/*
 * ps and free: who runs, and where the memory is: what there is, and the sums
 * of what the contracts guarantee and lend (mem shows each).
 */
#include "report.h"
#include "tools.h"

#include <stdio.h>
#include <vesper/system.h>

enum { DOMAINS_MAX = 256 };

static struct sys_domain domains[DOMAINS_MAX];

static const char *state_name(uint32_t state)
{
    switch (state) {
    case SYS_READY:
        return "ready";
    case SYS_BLOCKED:
        return "blocked";
    case SYS_ZOMBIE:
        return "zombie";
    case SYS_NESTED:
        return "nested";
    default:
        return "?";
    }
}

int tool_ps(int argc, char **argv)
{
    int count;

    (void)argv;
    if (argc > 1) {
        return report_usage();
    }
    count = sys_domains(domains, DOMAINS_MAX);
    if (count < 0) {
        return report_errno("list of domains");
    }
    puts("   ID PARENT PRI STATE     MEMORY     CPU s NAME");
    for (int i = 0; i < count && i < DOMAINS_MAX; i++) {
        const struct sys_domain *domain = &domains[i];
        unsigned long long cpu_ms = domain->cpu_ns / 1000000;

        printf("%5u %6u %3u %-7s %6lluK %5llu.%03llu %.*s\n",
               (unsigned)domain->id, (unsigned)domain->parent,
               (unsigned)domain->priority, state_name(domain->state),
               (unsigned long long)(domain->memory_bytes / 1024), cpu_ms / 1000,
               cpu_ms % 1000, (int)sizeof(domain->name), domain->name);
    }
    return 0;
}

static void memory_print(const char *what, uint64_t bytes)
{
    printf("%-10s %9llu KiB\n", what, (unsigned long long)(bytes / 1024));
}

/* Of the contracts of all domains; -1 and errno. */
static int contracts_sum(struct sys_contract *sum)
{
    int count = sys_domains(domains, DOMAINS_MAX);

    for (int i = 0; i < count && i < DOMAINS_MAX; i++) {
        struct sys_contract one;

        if (sys_contract(domains[i].id, &one) == 0) { /* not ended meanwhile */
            sum->bytes += one.guaranteed ? one.bytes : 0;
            sum->optimistic += one.optimistic;
            sum->optimistic_used += one.optimistic_used;
        }
    }
    return count < 0 ? -1 : 0;
}

int tool_free(int argc, char **argv)
{
    struct sys_memory memory;
    struct sys_contract sum = {0};

    (void)argv;
    if (argc > 1) {
        return report_usage();
    }
    if (sys_memory(&memory) != 0 || contracts_sum(&sum) != 0) {
        return report_errno("memory");
    }
    memory_print("total", memory.total_bytes);
    memory_print("kernel", memory.kernel_bytes);
    memory_print("used", memory.used_bytes);
    memory_print("free", memory.free_bytes);
    memory_print("guaranteed", sum.bytes);
    memory_print("lent", sum.optimistic_used);
    memory_print("lent max", sum.optimistic);
    return 0;
}
