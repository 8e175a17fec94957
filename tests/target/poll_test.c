/* SPDX-License-Identifier: BSL-1.0 */
/*
 * poll_test.c - poll and select on the target, against the real servers. Prints
 * TAP. With the word "keys" it waits for the terminal, for
 * tests/system/test_threads.py.
 */
#include "tests/unit/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/select.h>
#include <time.h>
#include <unistd.h>
#include <vesper/pipe.h>
#include <vesper/thread.h>

enum { PROMPT_US = 4000 };

static char big[PIPE_BYTES], back[PIPE_BYTES];

static bool fails(long returned, int error)
{
    if (returned != -1 || errno != error) {
        printf("# returned %ld, errno %d (%s)\n", returned, errno,
               strerror(errno));
        return false;
    }
    return true;
}

static int64_t now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static short looks(int fd, short events)
{
    struct pollfd p = {fd, events, -1};

    poll(&p, 1, 0);
    return p.revents;
}

/* After *us microseconds. */
static int later_signal(void *us)
{
    usleep(*(useconds_t *)us);
    return kill(getpid(), SIGUSR2);
}

static volatile sig_atomic_t woken;

static void wake(int number)
{
    woken = number;
}

static void poll_pipe_test(int ends[2])
{
    struct pollfd both[3] = {{ends[0], POLLIN, 0},
                             {ends[1], POLLOUT, 0},
                             {-1, POLLIN, 7}};
    char byte;

    CHECK(poll(both, 3, -1) == 1 && both[0].revents == 0 &&
              both[1].revents == POLLOUT && both[2].revents == 0,
          "an empty pipe can be written to, not read");
    write(ends[1], "x", 1);
    CHECK(poll(both, 3, -1) == 2 && both[0].revents == POLLIN,
          "with a byte in it, it can be read");
    CHECK(looks(ends[0], POLLOUT) == 0 && looks(ends[1], POLLIN) == 0,
          "each end only in its direction");
    write(ends[1], big, PIPE_BYTES - 512 - 1);
    CHECK(looks(ends[1], POLLOUT) == POLLOUT, "with room for 512 bytes");
    write(ends[1], "x", 1);
    CHECK(looks(ends[1], POLLOUT) == 0, "with less it is full");
    close(ends[1]);
    CHECK(looks(ends[0], POLLIN) == (POLLIN | POLLHUP),
          "closed, what is in it can be read");
    while (read(ends[0], &byte, 1) == 1) {
        read(ends[0], back, sizeof(back));
    }
    CHECK(looks(ends[0], POLLIN) == (POLLIN | POLLHUP) &&
              looks(ends[0], 0) == POLLHUP,
          "and then its end, asked for or not");
}

struct write_later {
    int fd;
    useconds_t us;
    int64_t when_us;
};

static int later_write(void *arg)
{
    struct write_later *w = arg;

    usleep(w->us);
    w->when_us = now_us();
    return (int)write(w->fd, "x", 1);
}

/* Does poll tell of a byte that is written so much later? *late counts those of
 * which it tells late: time is the host's, who may be busy. */
static bool byte_wakes(struct pollfd *entries, nfds_t count, int ends[2],
                       useconds_t us, int *late)
{
    struct write_later w = {.fd = ends[1], .us = us};
    struct thread *t;
    char byte;

    thread_create(&t, later_write, &w, "writer");
    int holds = poll(entries, count, 20000);
    *late += now_us() - w.when_us > PROMPT_US;
    thread_join(t, NULL);
    read(ends[0], &byte, 1);
    return holds == 1 && entries[0].revents == POLLIN;
}

static void poll_time_test(int ends[2])
{
    struct pollfd two[2] = {{ends[0], POLLIN, 0}, {0, POLLIN, 0}};
    int64_t began = now_us(), took;
    bool alone = true, both = true;
    int late = 0;

    CHECK(poll(two, 1, 50) == 0 && poll(two, 2, 50) == 0,
          "nothing comes in 50 ms");
    took = now_us() - began;
    CHECK(took >= 100000 && took < 200000, "which it takes");
    for (useconds_t us = 1700; us < 30000; us += 3100) {
        alone &= byte_wakes(two, 1, ends, us, &late);
        both &= byte_wakes(two, 2, ends, us, &late);
    }
    CHECK(alone, "a byte ends the wait");
    CHECK(both, "and that for several services");
    printf("# %d of 20 later than %d us\n", late, PROMPT_US);
    CHECK(late < 7, "at once");
    CHECK(looks(0, POLLIN) == 0, "of which the other goes on");
}

static int later_read(void *arg)
{
    usleep(5000);
    return (int)read(*(int *)arg, back, sizeof(back));
}

static int later_close(void *arg)
{
    usleep(5000);
    return close(*(int *)arg);
}

/* What else ends a wait: room, and the other end's end. */
static void poll_ends_test(void)
{
    int ends[2];
    struct thread *t;

    pipe(ends);
    struct pollfd in = {ends[0], POLLIN, 0}, out = {ends[1], POLLOUT, 0};
    write(ends[1], big, PIPE_BYTES);
    thread_create(&t, later_read, &ends[0], "reader");
    CHECK(poll(&out, 1, 20000) == 1 && out.revents == POLLOUT,
          "room ends the wait of a writer");
    thread_join(t, NULL);
    while (poll(&in, 1, 0) == 1) {
        read(ends[0], back, sizeof(back));
    }
    thread_create(&t, later_close, &ends[1], "closer");
    CHECK(poll(&in, 1, 20000) == 1 && in.revents == (POLLIN | POLLHUP),
          "the end of all writers that of a reader");
    thread_join(t, NULL);
    close(ends[0]);
}

/* Many at once, each for another pipe. */
static int waits_for_byte(void *arg)
{
    struct pollfd p = {*(int *)arg, POLLIN, 0};

    return poll(&p, 1, 20000) == 1 ? 0 : 1;
}

static void poll_many_test(void)
{
    enum { MANY = 12 };
    int ends[MANY][2], wrong = 0, result;
    struct thread *t[MANY];

    for (int i = 0; i < MANY; i++) {
        pipe(ends[i]);
        thread_create(&t[i], waits_for_byte, &ends[i][0], "waiter");
    }
    usleep(2000);
    for (int i = MANY; i-- > 0;) {
        write(ends[i][1], "x", 1);
        thread_join(t[i], &result);
        wrong += result;
        close(ends[i][0]);
        close(ends[i][1]);
    }
    CHECK(wrong == 0, "twelve threads, each with its own pipe");
}

/* Signals at many moments of poll, also before its request is on its way. */
static void poll_signal_test(int end)
{
    struct pollfd p = {end, POLLIN, 0};
    struct thread *t;
    int unseen = 0;

    signal(SIGUSR2, wake);
    for (useconds_t us = 1; us < 2000; us += 10) {
        woken = 0;
        thread_create(&t, later_signal, &us, "signaller");
        unseen += !fails(poll(&p, 1, 1000), EINTR) || woken != SIGUSR2;
        thread_join(t, NULL);
    }
    CHECK(unseen == 0, "so does a handler, whenever it runs: EINTR");
    signal(SIGUSR2, SIG_DFL);
}

/* Signals that come while the main thread is at work in a call. */
static int many_signals(void *unused)
{
    (void)unused;
    for (int i = 0; i < 300; i++) {
        usleep(500 + i);
        kill(getpid(), SIGUSR2);
    }
    return 0;
}

static void busy_signal_test(int end)
{
    struct pollfd p = {end, POLLIN, 0};
    struct thread *t;

    woken = 0;
    signal(SIGUSR2, wake);
    thread_create(&t, many_signals, NULL, "signaller");
    for (int i = 0; i < 20000 || woken == 0; i++) {
        poll(&p, 1, 0);
    }
    thread_join(t, NULL);
    CHECK(woken == SIGUSR2,
          "and in calls that do not wait it runs behind them");
    signal(SIGUSR2, SIG_DFL);
}

static void select_test(int ends[2])
{
    struct timeval none = {0, 0}, bad = {0, 1000000};
    fd_set reads, writes;

    FD_ZERO(&reads);
    FD_ZERO(&writes);
    FD_SET(ends[0], &reads);
    FD_SET(ends[1], &writes);
    CHECK(select(FD_SETSIZE, &reads, &writes, NULL, NULL) == 1 &&
              !FD_ISSET(ends[0], &reads) && FD_ISSET(ends[1], &writes),
          "select keeps in the sets what is ready");
    FD_SET(ends[0], &reads);
    CHECK(select(ends[0] + 1, &reads, NULL, NULL, &none) == 0 &&
              !FD_ISSET(ends[0], &reads),
          "and nothing after its time");
    CHECK(fails(select(-1, NULL, NULL, NULL, &none), EINVAL) &&
              fails(select(FD_SETSIZE + 1, NULL, NULL, NULL, &none), EINVAL) &&
              fails(select(1, NULL, NULL, NULL, &bad), EINVAL),
          "too many, or a wrong time: EINVAL");
    FD_SET(ends[0], &reads);
    FD_SET(63, &reads);
    CHECK(fails(select(64, &reads, NULL, NULL, &none), EBADF) &&
              FD_ISSET(ends[0], &reads),
          "a descriptor that is not open: EBADF, and the sets stay");
}

static void poll_test(void)
{
    int ends[2], file = open("poll", O_RDWR | O_CREAT, 0644);
    struct pollfd many[65] = {{0}};

    CHECK(looks(file, POLLIN | POLLOUT) == (POLLIN | POLLOUT),
          "a file is always ready");
    close(file);
    unlink("poll");
    CHECK(looks(file, POLLIN) == POLLNVAL, "one that is closed: POLLNVAL");
    CHECK(looks(1, POLLIN | POLLOUT) == POLLOUT,
          "the terminal takes output, and nobody types");
    CHECK(fails(poll(many, 65, 0), EINVAL), "65 entries: EINVAL");
    pipe(ends);
    poll_pipe_test(ends);
    close(ends[0]);
    pipe(ends);
    poll_time_test(ends);
    poll_ends_test();
    poll_many_test();
    poll_signal_test(ends[0]);
    busy_signal_test(ends[0]);
    select_test(ends);
    signal(SIGPIPE, SIG_IGN);
    close(ends[0]);
    CHECK(looks(ends[1], 0) == POLLERR, "nobody reads it: POLLERR");
    signal(SIGPIPE, SIG_DFL);
    close(ends[1]);
}

/* What is typed, by line; a pipe that never has anything waits along. */
static int keys_play(void)
{
    int ends[2];
    char line[64];

    pipe(ends);
    struct pollfd both[2] = {{0, POLLIN, 0}, {ends[0], POLLIN, 0}};
    for (int i = 0; i < 2; i++) {
        printf("waiting\n");
        int holds = poll(both, 2, 60000);
        ssize_t n = holds == 1 ? read(0, line, sizeof(line)) : 0;
        printf("%d %d: %.*s", holds, both[0].revents == POLLIN, (int)n, line);
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "keys") == 0) {
        return keys_play();
    }
    poll_test();
    return tap_end();
}
