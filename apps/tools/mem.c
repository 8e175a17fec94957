/* SPDX-License-Identifier: BSL-1.0 */
/*
 * mem: what each domain may have of memory, and has: guaranteed (or, of
 * programs, as a limit) and lent. mem reclaim takes back what is lent.
 */
#include "number.h"
#include "report.h"
#include "tools.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <vesper/system.h>

enum { DOMAINS_MAX = 128, KIB = 1024 };
#define DEADLINE_MS 1000u
#define NS_PER_MS   UINT64_C(1000000)

static void row_print(const struct sys_domain *d, const struct sys_contract *c)
{
    printf("%5u %9llu %-10s %9llu %9llu %9llu %6llu  %s\n", (unsigned)d->id,
           (unsigned long long)c->bytes / KIB,
           c->guaranteed ? "guaranteed" : "at most",
           (unsigned long long)c->used / KIB,
           (unsigned long long)c->optimistic / KIB,
           (unsigned long long)c->optimistic_used / KIB,
           (unsigned long long)c->forced, d->name);
}

static int show(void)
{
    static struct sys_domain list[DOMAINS_MAX];
    struct sys_contract c;
    int count = sys_domains(list, DOMAINS_MAX);

    if (count < 0) {
        return report_errno("domains");
    }
    printf("   ID       KiB contract        used  lent max      lent  taken"
           "  NAME\n");
    for (int i = 0; i < count; i++) {
        if (sys_contract(list[i].id, &c) == 0) { /* not ended meanwhile */
            row_print(&list[i], &c);
        }
    }
    return 0;
}

static bool number_take(const char *text, uint32_t *out)
{
    long long n;

    if (!number_parse(text, &n) || n < 0 || n > UINT32_MAX) {
        return false;
    }
    *out = (uint32_t)n;
    return true;
}

static int reclaim(int argc, char **argv)
{
    uint32_t id, kib, ms = DEADLINE_MS;

    if (!number_take(argv[2], &id) || !number_take(argv[3], &kib) ||
        (argc == 5 && !number_take(argv[4], &ms))) {
        return report_usage();
    }
    if (sys_reclaim(id, (uint64_t)kib * KIB, ms * NS_PER_MS) != 0) {
        return report_errno(argv[2]);
    }
    return 0;
}

int tool_mem(int argc, char **argv)
{
    if (argc == 1) {
        return show();
    }
    if ((argc == 4 || argc == 5) && strcmp(argv[1], "reclaim") == 0) {
        return reclaim(argc, argv);
    }
    return report_usage();
}
