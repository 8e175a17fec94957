/* SPDX-License-Identifier: BSL-1.0 */
/*
 * restart_test.c - four threads work with files while the file server is killed
 * again and again. A file that was open is lost (ESTALE, or EIO while the
 * server is away); nothing else may go wrong: no wrong bytes, no fault in a
 * thread that still looked at the old server's memory, no channel used up.
 * Prints TAP.
 */
#include "tests/unit/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <vesper/root.h>
#include <vesper/root_call.h>
#include <vesper/thread.h>

enum { THREADS = 4, KILLS = 20, TEXT_BYTES = 12000 };

struct worker {
    struct thread *thread;
    unsigned seed;
    unsigned good, lost, wrong; /* rounds; read by main when it has ended */
};

static struct worker workers[THREADS];
static volatile bool stop;

static uint32_t server_find(void)
{
    uint64_t w[8];

    for (uint64_t i = 0;; i++) {
        memset(w, 0, sizeof(w));
        w[0] = ROOT_DOMAINS;
        w[1] = i;
        if (root_call(w, 0) != 0) {
            return 0;
        }
        if (strncmp((const char *)&w[5], "files", 24) == 0) {
            return (uint32_t)w[1];
        }
    }
}

/* What open, read, write and close may say. */
static bool is_loss(int error)
{
    return error == ESTALE || error == EIO;
}

/* 0: all went well; an errno; -1: the wrong bytes. */
static int round_once(const char *name, const char *text, char *back)
{
    int error = 0, fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0644);

    if (fd < 0) {
        return errno;
    }
    if (write(fd, text, TEXT_BYTES) != TEXT_BYTES ||
        pread(fd, back, TEXT_BYTES, 0) != TEXT_BYTES) {
        error = errno;
    } else if (memcmp(text, back, TEXT_BYTES) != 0) {
        error = -1;
    }
    if (close(fd) != 0 && error == 0) {
        error = errno;
    }
    return error;
}

static int work(void *argument)
{
    struct worker *w = argument;
    char *text = malloc(TEXT_BYTES), *back = malloc(TEXT_BYTES), name[32];

    snprintf(name, sizeof(name), "/restart%u", w->seed);
    for (unsigned n = 0; text != NULL && back != NULL && !stop; n++) {
        memset(text, (int)(n * THREADS + w->seed), TEXT_BYTES);
        errno = 0;
        int error = round_once(name, text, back);

        w->good += error == 0;
        w->lost += error > 0 && is_loss(error);
        if (error < 0 || (error > 0 && !is_loss(error))) {
            w->wrong++;
            printf("# thread %u, round %u: %s\n", w->seed, n,
                   error < 0 ? "wrong bytes" : strerror(error));
        }
    }
    unlink(name);
    free(text);
    free(back);
    return 0;
}

/* Kills the server when it is older than a second: it is always started again
 * then. Returns whether there is another one afterwards. */
static bool kill_once(unsigned n)
{
    struct timespec t = {1, 50000000 + (long)(n * 7919) % 40 * 1000000};
    uint32_t old;

    nanosleep(&t, NULL);
    old = server_find();
    return old != 0 && kill((pid_t)old, SIGKILL) == 0 && server_find() > old;
}

int main(void)
{
    unsigned killed = 0, good = 0, lost = 0, wrong = 0;
    struct timespec t = {0, 500000000};

    for (unsigned i = 0; i < THREADS; i++) {
        workers[i].seed = i;
        if (thread_create(&workers[i].thread, work, &workers[i], "work") != 0) {
            printf("Bail out! no thread\n");
            return 1;
        }
    }
    for (unsigned n = 0; n < KILLS; n++) {
        killed += kill_once(n);
    }
    nanosleep(&t, NULL);
    stop = true;
    for (unsigned i = 0; i < THREADS; i++) {
        int result;

        thread_join(workers[i].thread, &result);
        good += workers[i].good;
        lost += workers[i].lost;
        wrong += workers[i].wrong;
    }
    printf("# %u rounds went well, %u were cut\n", good, lost);
    CHECK(killed == KILLS, "the file server was killed and came back");
    CHECK(wrong == 0, "files that were open are lost, nothing else is");
    CHECK(good > KILLS && lost > 0, "and work goes on");
    return tap_end();
}
