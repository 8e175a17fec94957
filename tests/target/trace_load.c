/* SPDX-License-Identifier: BSL-1.0
 *
 * Load for the test of traces: runs for so long, and writes who ran when.
 *
 *   trace-load FILE MS threads  two threads that spin, and one that sleeps most
 *                               of the time
 *   trace-load FILE MS nested   two domains that spin, of weights 1 and 3
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <vesper/nested.h>
#include <vesper/thread.h>
#include <vesper/thread_trace.h>

#define MS 1000000ull

static uint64_t end;

static int spin(void *unused)
{
    (void)unused;
    while (time_ns() < end) {
    }
    return 0;
}

static int nap(void *unused)
{
    (void)unused;
    while (time_ns() < end) {
        thread_sleep_until(time_ns() + 20 * MS);
    }
    return 0;
}

static bool threads_run(void)
{
    static const struct {
        const char *name;
        int (*run)(void *);
    } plan[] = {{"left", spin}, {"right", spin}, {"nap", nap}};
    struct thread *thread[3];

    for (int i = 0; i < 3; i++) {
        if (thread_create(&thread[i], plan[i].run, NULL, plan[i].name) != 0) {
            return false;
        }
    }
    for (int i = 0; i < 3; i++) {
        (void)thread_join(thread[i], NULL);
    }
    return true;
}

static bool domains_run(char *ms)
{
    char *argv[] = {"cpu-load", "spin", ms, NULL};
    pid_t child[2];

    nested_policy(&scheduler_stride);
    for (uint32_t i = 0; i < 2; i++) {
        struct scheduler_params p = {.priority = 1, .weight = 1 + 2 * i};
        if (nested_spawn(&child[i], "/tests/cpu-load", NULL, argv, &p) != 0) {
            return false;
        }
    }
    for (uint32_t i = 0; i < 2; i++) {
        (void)waitpid(child[i], NULL, 0);
    }
    return true;
}

int main(int argc, char **argv)
{
    if (argc != 4 || thread_trace_write(argv[1]) != EINVAL ||
        thread_trace_start() != 0) {
        return 2;
    }
    end = time_ns() + strtoull(argv[2], NULL, 10) * MS;
    if (!(strcmp(argv[3], "nested") == 0 ? domains_run(argv[2])
                                         : threads_run())) {
        return 2;
    }
    int error = thread_trace_write(argv[1]);
    if (error != 0) {
        fprintf(stderr, "trace-load: %s: %s\n", argv[1], strerror(error));
    }
    return error != 0;
}
