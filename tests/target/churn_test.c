/* SPDX-License-Identifier: BSL-1.0 */
/*
 * churn_test.c - more programs, one after the other, than there are blocks of
 * addresses (2,048): what ended gives everything back, and it is used again.
 * Prints TAP.
 */
#include "tests/unit/tap.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <vesper/root.h>
#include <vesper/root_call.h>

enum { STARTS = 2500, WARM_UP = 100, KILLS = 100 };

static uint64_t used_bytes(void)
{
    uint64_t w[8] = {ROOT_USAGE};

    return root_call(w, 0) == 0 ? w[3] : 0;
}

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static pid_t start(const char *file, char *const argv[])
{
    pid_t child;
    int error = posix_spawn(&child, file, NULL, NULL, argv, NULL);

    if (error != 0) {
        printf("# cannot start %s: %s\n", file, strerror(error));
        return -1;
    }
    return child;
}

/* Starts `true` from the boot archive `count` times; how many went well. */
static int starts(int count)
{
    char *argv[] = {"true", NULL};
    int good = 0;

    for (int i = 0; i < count; i++) {
        int status = -1;
        pid_t child = start("/boot/tools", argv);

        if (child < 0) {
            break;
        }
        good += waitpid(child, &status, 0) == child && status == 0;
    }
    return good;
}

/* Kills a program after `ns` nanoseconds of its life. */
static bool kill_after(long ns)
{
    char *argv[] = {"sleep", "100", NULL};
    struct timespec t = {0, ns};
    int status = 0;
    pid_t child = start("/boot/tools", argv);

    nanosleep(&t, NULL);
    return child > 0 && kill(child, SIGKILL) == 0 &&
           waitpid(child, &status, 0) == child && WTERMSIG(status) == SIGKILL;
}

int main(void)
{
    uint64_t used;
    int64_t begun = now_ms();
    int killed = 0;

    CHECK(starts(WARM_UP) == WARM_UP, "some programs, to warm up");
    used = used_bytes();
    CHECK(starts(STARTS) == STARTS, "2,500 programs one after the other");
    CHECK(used != 0 && used_bytes() == used, "leave the memory in use alone");
    printf("# %d starts took %ld ms\n", WARM_UP + STARTS,
           (long)(now_ms() - begun));
    for (int i = 0; i < KILLS; i++) {
        killed += kill_after(i * 97003L % 10000000L);
    }
    CHECK(killed == KILLS, "programs killed at any moment");
    CHECK(used_bytes() == used, "leave it alone, too");
    return tap_end();
}
