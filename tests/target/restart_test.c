/* SPDX-License-Identifier: BSL-1.0 */
/*
 * restart_test.c - four threads work with files while the file server is killed
 * again and again. A file that was open is lost (ESTALE, or EIO while the
 * server is away); nothing else may go wrong: no wrong bytes, no fault in a
 * thread that still looked at the old server's memory, no channel used up.
 * Pipes are lost as well, also where a thread moves both ends itself or waits.
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

/* As round_once, with a pipe that is soon moved without the server. */
static int round_pipe(void)
{
    int ends[2], error = 0;

    if (pipe(ends) != 0) {
        return errno;
    }
    for (char n = 0; n < 100 && error == 0; n++) {
        char c = n;

        if (write(ends[1], &c, 1) != 1 || read(ends[0], &c, 1) != 1) {
            error = errno;
        } else if (c != n) {
            error = -1;
        }
    }
    close(ends[0]);
    close(ends[1]);
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
        int error = n % 2 == 0 ? round_once(name, text, back) : round_pipe();

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

static int wait_for_byte(void *end)
{
    char c;

    return read(*(int *)end, &c, 1) == -1 ? errno : 0;
}

/* A thread waits at an end of ours, for another end of ours. */
static bool wait_is_cut(void)
{
    struct timespec t = {0, 50000000};
    struct thread *reader;
    int ends[2], error = 0;
    char c = 'c';

    if (pipe(ends) != 0) {
        return false;
    }
    for (int i = 0; i < 16; i++) {
        (void)(write(ends[1], &c, 1) + read(ends[0], &c, 1));
    }
    thread_create(&reader, wait_for_byte, &ends[0], "wait");
    nanosleep(&t, NULL);
    if (!kill_once(0)) {
        return false;
    }
    thread_join(reader, &error);
    close(ends[0]);
    close(ends[1]);
    return is_loss(error);
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
    CHECK(wait_is_cut(), "who waits at the end of a pipe is not left there");
    return tap_end();
}
