/* SPDX-License-Identifier: BSL-1.0 */
/* top: who has had the CPU since the last look, once a second. The rows add up
 * to all the time there was, idle time and the root server's included. With -H
 * the rows of a domain are its threads and what no thread had of its time. */
#include "number.h"
#include "report.h"
#include "tools.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <vesper/cpu.h>

enum { ROWS_MAX = 640 };

/* Beside the ids of threads; domain 0 has time that is no domain's. */
#define ENDED 0u
#define IDLE  1u
#define ROOT  2u
#define WHOLE (1ull << 32)

struct row {
    uint32_t domain;
    uint64_t thread, ticks;
    char name[52];
};

struct look {
    uint64_t elapsed;
    size_t count;
    struct row row[ROWS_MAX]; /* threads behind their domain */
};

static bool threads_shown; /* -H */

/* ---- a look ------------------------------------------------------------ */

static void add(struct look *l, uint32_t domain, uint64_t thread,
                uint64_t ticks, const char *name, const char *of_it)
{
    struct row *row = &l->row[l->count];

    if (l->count < ROWS_MAX) {
        l->count++;
        *row = (struct row){domain, thread, ticks, ""};
        snprintf(row->name, sizeof(row->name), "%s%s%s", name,
                 of_it != NULL ? " " : "", of_it != NULL ? of_it : "");
    }
}

/* Those of one that has ended meanwhile are missing. */
static void add_threads(struct look *l, const struct cpu_row *domain)
{
    static struct cpu_thread thread[CPU_THREADS_MAX];
    uint64_t ticks;
    size_t count;

    if (cpu_threads(domain->domain, &ticks, thread, &count) == 0) {
        for (size_t i = 0; i < count; i++) {
            add(l, domain->domain, thread[i].id, thread[i].ticks, domain->name,
                thread[i].name);
        }
    }
}

static bool look(struct look *l)
{
    static struct cpu_row domain[128];
    struct cpu_account all;
    size_t count;

    if (cpu_account(&all, domain, sizeof(domain) / sizeof(domain[0]), &count) !=
        0) {
        return false;
    }
    *l = (struct look){.elapsed = all.elapsed};
    add(l, 0, ENDED, all.ended, "(ended)", NULL);
    add(l, 0, IDLE, all.idle, "(idle)", NULL);
    add(l, 0, ROOT, all.root, "(root server)", NULL);
    for (size_t i = 0; i < count; i++) {
        add(l, domain[i].domain, WHOLE, domain[i].ticks, domain[i].name,
            threads_shown ? "(libos)" : NULL);
        if (threads_shown) {
            add_threads(l, &domain[i]);
        }
    }
    return true;
}

/* ---- the difference of two --------------------------------------------- */

static struct row *find(struct look *l, uint32_t domain, uint64_t thread)
{
    for (size_t i = 0; i < l->count; i++) {
        if (l->row[i].domain == domain && l->row[i].thread == thread) {
            return &l->row[i];
        }
    }
    return NULL;
}

static void take_off(struct row *row, uint64_t ticks)
{
    if (row != NULL) { /* what was read late may be more */
        row->ticks -= ticks < row->ticks ? ticks : row->ticks;
    }
}

/* What a row had before; of one that is no more, it is among those that ended
 * now. */
static void subtract(struct look *l, const struct row *before)
{
    struct row *row = find(l, before->domain, before->thread);

    if (row == NULL && before->thread == WHOLE) {
        row = find(l, 0, ENDED);
    } else if (row == NULL) {
        row = find(l, before->domain, ENDED);
    }
    take_off(row, before->ticks);
}

/* The row of a domain becomes what none of the count rows behind it had. */
static void fit(struct row *domain, size_t count)
{
    struct cpu_thread thread[CPU_THREADS_MAX];

    for (size_t i = 0; i < count; i++) {
        thread[i].ticks = domain[1 + i].ticks;
    }
    domain->ticks = cpu_threads_fit(thread, count, domain->ticks);
    for (size_t i = 0; i < count; i++) {
        domain[1 + i].ticks = thread[i].ticks;
    }
}

static void fit_all(struct look *l)
{
    for (size_t i = 0, count; i < l->count; i += 1 + count) {
        count = 0;
        while (l->row[i].thread == WHOLE && i + 1 + count < l->count &&
               l->row[i + 1 + count].thread != WHOLE) {
            count++;
        }
        fit(&l->row[i], count);
    }
}

static int by_ticks(const void *a, const void *b)
{
    const struct row *x = a, *y = b;

    return x->ticks < y->ticks ? 1 : x->ticks > y->ticks ? -1 : 0;
}

static void difference(struct look *to, const struct look *now,
                       const struct look *before)
{
    *to = *now;
    to->elapsed = now->elapsed - before->elapsed;
    for (size_t i = 0; i < before->count; i++) {
        subtract(to, &before->row[i]);
    }
    fit_all(to);
    qsort(to->row, to->count, sizeof(to->row[0]), by_ticks);
}

/* ---- output ------------------------------------------------------------ */

static void row_print(const struct row *row, uint64_t elapsed)
{
    unsigned percent100 = (unsigned)(row->ticks * 10000 / (elapsed + 1));
    char thread[12] = "-";

    if (row->domain != 0 && row->thread != WHOLE && row->thread != ENDED) {
        snprintf(thread, sizeof(thread), "%u", (unsigned)row->thread);
    }
    printf("%5u ", (unsigned)row->domain);
    if (threads_shown) {
        printf("%6s ", thread);
    }
    printf("%3u.%02u %12llu %s\n", percent100 / 100, percent100 % 100,
           (unsigned long long)row->ticks, row->name);
}

static void print(const struct look *l)
{
    uint64_t sum = 0;

    printf("   ID %s CPU %%        TICKS NAME\n",
           threads_shown ? "THREAD " : "");
    for (size_t i = 0; i < l->count; i++) {
        sum += l->row[i].ticks;
        row_print(&l->row[i], l->elapsed);
    }
    printf("together     %12llu of %llu ticks\n", (unsigned long long)sum,
           (unsigned long long)l->elapsed);
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
        difference(&looks[2], now, before);
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
    bool right = true;
    int option;

    while ((option = getopt(argc, argv, "Hn:")) != -1) {
        if (option == 'H') {
            threads_shown = true;
        } else {
            right = right && option == 'n' && number_parse(optarg, &rounds) &&
                    rounds > 0;
        }
    }
    if (!right || optind != argc) {
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
