/* SPDX-License-Identifier: BSL-1.0
 *
 * Load for the test of traces: trace-load FILE MS runs for so long two threads
 * that spin and one that sleeps most of the time, and writes who of them ran
 * when.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(void *);
    } plan[] = {{"left", spin}, {"right", spin}, {"nap", nap}};
    struct thread *thread[3];

    int error = argc == 3 ? thread_trace_write(argv[1]) : 0;
    if (error != EINVAL || thread_trace_start() != 0) {
        return 2;
    }
    end = time_ns() + strtoull(argv[2], NULL, 10) * MS;
    for (int i = 0; i < 3; i++) {
        if (thread_create(&thread[i], plan[i].run, NULL, plan[i].name) != 0) {
            return 2;
        }
    }
    for (int i = 0; i < 3; i++) {
        (void)thread_join(thread[i], NULL);
    }
    error = thread_trace_write(argv[1]);
    if (error != 0) {
        fprintf(stderr, "trace-load: %s: %s\n", argv[1], strerror(error));
    }
    return error != 0;
}
