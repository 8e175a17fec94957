/* SPDX-License-Identifier: BSL-1.0 */
/* sched: shows and changes, while everything runs, which policy gives the CPU
 * to the domains, and what it promises to each. */
#include "number.h"
#include "owner.h"
#include "report.h"
#include "tools.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <vesper/cpu.h>

#define NS_PER_US 1000u

/* ---- show -------------------------------------------------------------- */

static void row_print(uint32_t id)
{
    struct cpu_params p;
    char name[OWNER_BYTES];

    if (cpu_params_get(id, &p) != 0) {
        return; /* it ended meanwhile */
    }
    domain_name(id, name);
    printf("%4u %6u %9llu %9llu %-5s %5u %s\n", (unsigned)p.priority,
           (unsigned)p.weight, (unsigned long long)(p.budget_ns / NS_PER_US),
           (unsigned long long)(p.period_ns / NS_PER_US),
           p.period_ns == 0 || p.slack ? "yes" : "no", (unsigned)p.late, name);
}

static int show(void)
{
    char policy[CPU_POLICY_BYTES];
    struct sys_domain domain;

    if (cpu_policy(NULL, policy) != 0) {
        return report_errno("policy");
    }
    printf("policy %s\n", policy);
    puts(" PRI WEIGHT BUDGET us PERIOD us SLACK  LATE DOMAIN");
    for (int i = 0; domain_next(&i, &domain);) {
        row_print(domain.id);
    }
    return 0;
}

/* ---- change ------------------------------------------------------------ */

static int policy_change(const char *name)
{
    char present[CPU_POLICY_BYTES];

    if (cpu_policy(name, present) == 0) {
        return 0;
    }
    if (errno != EINVAL) {
        return report_errno(name);
    }
    fprintf(stderr, "sched: %s: no such policy; there are", name);
    for (int i = 0; scheduler_policies[i] != NULL; i++) {
        fprintf(stderr, " %s", scheduler_policies[i]->name);
    }
    fputs("\n", stderr);
    return 1;
}

static bool number_take(const char *text, uint64_t *out)
{
    long long number;
    bool good = number_parse(text, &number) && number >= 0;

    *out = good ? (uint64_t)number : 0;
    return good;
}

/* One KEY VALUE; false and a message if it is none. */
static bool param_take(struct cpu_params *p, const char *key, const char *value)
{
    uint64_t number;
    bool numeric = number_take(value, &number);

    if (strcmp(key, "slack") == 0) {
        p->slack = strcmp(value, "yes") == 0;
        if (!p->slack && strcmp(value, "no") != 0) {
            report_cause(value, "neither yes nor no");
            return false;
        }
        return true;
    }
    if (!numeric || number > UINT32_MAX) {
        report_cause(value, "not a whole number");
        return false;
    }
    if (strcmp(key, "priority") == 0) {
        p->priority = (uint32_t)number;
    } else if (strcmp(key, "weight") == 0) {
        p->weight = (uint32_t)number;
    } else if (strcmp(key, "budget") == 0) {
        p->budget_ns = number * NS_PER_US;
    } else if (strcmp(key, "period") == 0) {
        p->period_ns = number * NS_PER_US;
    } else {
        report_cause(key, "none of priority, weight, budget, period, slack");
        return false;
    }
    return true;
}

static int refuse(const char *domain, enum scheduler_refusal why,
                  uint32_t left_ppm)
{
    if (errno != EINVAL) {
        return report_errno(domain);
    }
    if (why != SCHED_FULL) {
        return report_cause(domain, scheduler_refusal_text(why));
    }
    fprintf(stderr, "sched: %s: %s: left is %u.%04u %%\n", domain,
            scheduler_refusal_text(why), (unsigned)(left_ppm / 10000),
            (unsigned)(left_ppm % 10000));
    return 1;
}

static int domain_change(int argc, char **argv)
{
    struct cpu_params p;
    enum scheduler_refusal why;
    uint32_t id, left_ppm;

    if (!domain_parse(argv[1], &id) || id == 0) {
        return report_cause(argv[1], "no such domain");
    }
    if (cpu_params_get(id, &p) != 0) {
        return errno == EPERM
                   ? report_cause(argv[1], "another domain schedules it")
                   : report_errno(argv[1]);
    }
    for (int i = 2; i < argc; i += 2) {
        if (!param_take(&p, argv[i], argv[i + 1])) {
            return 2;
        }
    }
    return cpu_params_set(id, &p, &why, &left_ppm) == 0
               ? 0
               : refuse(argv[1], why, left_ppm);
}

int tool_sched(int argc, char **argv)
{
    if (argc == 1) {
        return show();
    }
    if (argc == 2) {
        return policy_change(argv[1]);
    }
    return argc % 2 == 0 ? domain_change(argc, argv) : report_usage();
}
