/* SPDX-License-Identifier: BSL-1.0 */
/* top: who has had the CPU since the last look, once a second. The rows add up
 * to all the time there was, idle time and the root server's included. */
#include "number.h"
#include "report.h"
#include "tools.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <vesper/cpu.h>

enum { ROWS_MAX = 132, OTHERS = 3 };

struct look {
    struct cpu_account all;
    struct cpu_row row[ROWS_MAX];
    size_t count;
};

static void add(struct look *l, const char *name, uint64_t ticks)
{
    struct cpu_row *row = &l->row[l->count++];

    *row = (struct cpu_row){.ticks = ticks};
    snprintf(row->name, sizeof(row->name), "%s", name);
}

static bool look(struct look *l)
{
    if (cpu_account(&l->all, l->row, ROWS_MAX - OTHERS, &l->count) != 0) {
        return false;
    }
    add(l, "(idle)", l->all.idle);
    add(l, "(root server)", l->all.root);
    add(l, "(ended)", l->all.ended);
    return true;
}

static uint64_t ticks_before(const struct look *l, const struct cpu_row *row)
{
    for (size_t i = 0; i < l->count; i++) {
        if (l->row[i].domain == row->domain &&
            strcmp(l->row[i].name, row->name) == 0) {
            return l->row[i].ticks;
        }
    }
    return 0;
}

static int by_ticks(const void *a, const void *b)
{
    const struct cpu_row *x = a, *y = b;

    return x->ticks < y->ticks ? 1 : x->ticks > y->ticks ? -1 : 0;
}

/* Rows become differences; what the root server read late may be negative. */
static void subtract(struct look *to, const struct look *now,
                     const struct look *before)
{
    *to = *now;
    to->all.elapsed = now->all.elapsed - before->all.elapsed;
    for (size_t i = 0; i < to->count; i++) {
        uint64_t old = ticks_before(before, &to->row[i]);

        to->row[i].ticks -= old < to->row[i].ticks ? old : to->row[i].ticks;
    }
    qsort(to->row, to->count, sizeof(to->row[0]), by_ticks);
}

static void print(const struct look *l)
{
    uint64_t sum = 0;

    puts("   ID  CPU %        TICKS NAME");
    for (size_t i = 0; i < l->count; i++) {
        const struct cpu_row *row = &l->row[i];
        unsigned percent100 =
            (unsigned)(row->ticks * 10000 / (l->all.elapsed + 1));

        sum += row->ticks;
        printf("%5u %3u.%02u %12llu %s\n", (unsigned)row->domain,
               percent100 / 100, percent100 % 100,
               (unsigned long long)row->ticks, row->name);
    }
    printf("together     %12llu of %llu ticks\n", (unsigned long long)sum,
           (unsigned long long)l->all.elapsed);
    fflush(stdout);
}

static int watch(struct look *looks, long long rounds)
{
    struct look *before = &looks[0], *now = &looks[1];

    *before = (struct look){.count = 0}; /* the first: since the beginning */
    for (long long n = 0; n < rounds; n++) {
        if (n > 0) {
            nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
        }
        if (!look(now)) {
            return report_errno("account");
        }
        subtract(&looks[2], now, before);
        print(&looks[2]);
        struct look *old = before;
        before = now;
        now = old;
    }
    return 0;
}

int tool_top(int argc, char **argv)
{
    long long rounds = 1ll << 40;
    bool counted = argc == 3 && strcmp(argv[1], "-n") == 0 &&
                   number_parse(argv[2], &rounds) && rounds > 0;

    if (argc != 1 && !counted) {
        return report_usage();
    }
    struct look *looks = malloc(3 * sizeof(*looks)); /* too much for a stack */
    if (looks == NULL) {
        return report_errno("account");
    }
    int status = watch(looks, rounds);
    free(looks);
    return status;
}
