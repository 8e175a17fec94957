/* SPDX-License-Identifier: BSL-1.0
 *
 * Schedulers inside schedulers. Each level shares its time between the next
 * level and a program that counts, the last level between two that count, by a
 * policy of its own; after some seconds each tells what its children had.
 *
 *   nested [SECONDS]
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <vesper/nested.h>
#include <vesper/thread.h>

#define SECOND_NS 1000000000ull
#define LEVELS    3
#define CHILDREN  2
#define TEXT      24

static const struct level {
    const struct scheduler_policy *policy;
    uint32_t weight[CHILDREN];
} levels[LEVELS] = {
    {&scheduler_stride, {3, 1}},
    {&scheduler_round_robin, {1, 1}},
    {&scheduler_stride, {1, 2}},
};

/* When all of them measure: counter, in ns. */
struct window {
    uint64_t begin, end;
};

static int count(const struct window *w)
{
    while (time_ns() < w->end + SECOND_NS) {
    }
    return 0;
}

/* nested LEVEL BEGIN END; LEVEL `LEVELS`: only count. */
static int child_start(pid_t *child, unsigned level, uint32_t weight,
                       const struct window *w)
{
    struct scheduler_params params = {.priority = 1, .weight = weight};
    char number[3][TEXT];
    char *argv[] = {"nested", number[0], number[1], number[2], NULL};

    snprintf(number[0], TEXT, "%u", level);
    snprintf(number[1], TEXT, "%" PRIu64, w->begin);
    snprintf(number[2], TEXT, "%" PRIu64, w->end);
    return nested_spawn(child, "/bin/nested", NULL, argv, &params);
}

static void tell(unsigned level, const uint64_t had[CHILDREN])
{
    uint64_t all = had[0] + had[1];

    printf("level %u, %s %u:%u:", level + 1, levels[level].policy->name,
           (unsigned)levels[level].weight[0],
           (unsigned)levels[level].weight[1]);
    for (unsigned i = 0; i < CHILDREN; i++) {
        uint64_t tenths = all == 0 ? 0 : (had[i] * 1000 + all / 2) / all;

        printf(" %u.%u %%", (unsigned)tenths / 10, (unsigned)tenths % 10);
    }
    printf("\n");
    fflush(stdout);
}

static void measure(const pid_t child[CHILDREN], const struct window *w,
                    uint64_t had[CHILDREN])
{
    thread_sleep_until(w->begin);
    for (unsigned i = 0; i < CHILDREN; i++) {
        had[i] = nested_used(child[i]);
    }
    thread_sleep_until(w->end);
    for (unsigned i = 0; i < CHILDREN; i++) {
        had[i] = nested_used(child[i]) - had[i];
    }
}

static int schedule(unsigned level, const struct window *w)
{
    const struct level *l = &levels[level];
    pid_t child[CHILDREN];
    uint64_t had[CHILDREN];
    int status = 0;

    nested_policy(l->policy);
    for (unsigned i = 0; i < CHILDREN; i++) {
        unsigned next = i == 0 ? level + 1 : LEVELS;
        int error = child_start(&child[i], next, l->weight[i], w);

        if (error != 0) {
            fprintf(stderr, "nested: level %u: %s\n", level + 1,
                    strerror(error));
            return 1;
        }
    }
    measure(child, w, had);
    tell(level, had);
    kill(child[1], SIGKILL);
    waitpid(child[1], NULL, 0);
    waitpid(child[0], &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int main(int argc, char **argv)
{
    unsigned level = 0;
    struct window w;

    if (argc == 4) {
        level = (unsigned)strtoul(argv[1], NULL, 10);
        w.begin = strtoull(argv[2], NULL, 10);
        w.end = strtoull(argv[3], NULL, 10);
    } else {
        unsigned long seconds = argc == 2 ? strtoul(argv[1], NULL, 10) : 4;

        w.begin = time_ns() + SECOND_NS;
        w.end = w.begin + seconds * SECOND_NS;
    }
    return level < LEVELS ? schedule(level, &w) : count(&w);
}
