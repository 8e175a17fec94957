/* SPDX-License-Identifier: BSL-1.0 */
/*
 * posix_test.c - libos' POSIX on the target itself, against the real servers:
 * files, pipes, children, signals, time, threads. Prints TAP. Started with a
 * word, it plays one of its own children (see child_play).
 *
 * Works in a directory of its own on the card and removes it at the end.
 */
#define _GNU_SOURCE /* pipe2 */
#include "tests/unit/tap.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <vesper/thread.h>

enum { BIG = 200000, MS = 1000000 };

static char program[128];
static char big[BIG], back[BIG];

static bool fails(long returned, int error)
{
    if (returned != -1 || errno != error) {
        printf("# returned %ld, errno %d (%s)\n", returned, errno,
               strerror(errno));
        return false;
    }
    return true;
}

static void sleep_ms(long ms)
{
    struct timespec t = {ms / 1000, ms % 1000 * MS};

    nanosleep(&t, NULL);
}

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / MS;
}

/* ---- children ---- */

static int child_copy(void)
{
    static char part[5000];
    ssize_t n;

    while ((n = read(0, part, sizeof(part))) > 0) {
        if (write(1, part, (size_t)n) != n) {
            return 1;
        }
    }
    return n == 0 ? 0 : 2;
}

static int child_print(int argc, char **argv)
{
    char cwd[256];

    printf("%s|%s|", getenv("COLOUR"), getcwd(cwd, sizeof(cwd)));
    for (int i = 2; i < argc; i++) {
        printf("%s|", argv[i]);
    }
    return 0;
}

static int child_signal(long ms, int number)
{
    sleep_ms(ms);
    return kill(getppid(), number);
}

/* Leaves a stream open: exit has to write it out. */
static int child_leave(const char *path)
{
    FILE *f = fopen(path, "w");

    return f != NULL && fputs("left", f) >= 0 ? 0 : 1;
}

static int child_play(int argc, char **argv)
{
    const char *what = argv[1];
    volatile bool forever = true;

    if (strcmp(what, "copy") == 0) {
        return child_copy();
    } else if (strcmp(what, "print") == 0) {
        return child_print(argc, argv);
    } else if (strcmp(what, "exit") == 0) {
        return atoi(argv[2]);
    } else if (strcmp(what, "signal") == 0) {
        return child_signal(atol(argv[2]), atoi(argv[3]));
    } else if (strcmp(what, "fds") == 0) {
        return fcntl(7, F_GETFD) >= 0 && fcntl(8, F_GETFD) < 0 ? 0 : 1;
    } else if (strcmp(what, "write") == 0) {
        return write(1, argv[2], strlen(argv[2])) > 0 ? 0 : 1;
    } else if (strcmp(what, "leave") == 0) {
        return child_leave(argv[2]);
    } else if (strcmp(what, "abort") == 0) {
        abort();
    } else if (strcmp(what, "null") == 0) {
        *(volatile int *)strtoul("0", NULL, 0) = 1;
    } else if (strcmp(what, "spin") == 0) {
        while (forever) {
        }
    }
    return 99;
}

/* Start this program as a child with up to two words; its fds 0 and 1, or -1.
 */
static pid_t start(int in, int out, const char *what, const char *a,
                   const char *b)
{
    char *argv[] = {program, (char *)what, (char *)a, (char *)b, NULL};
    char *envp[] = {"COLOUR=blue", NULL};
    posix_spawn_file_actions_t actions;
    pid_t child = -1;
    int error;

    posix_spawn_file_actions_init(&actions);
    if (in >= 0) {
        posix_spawn_file_actions_adddup2(&actions, in, 0);
    }
    if (out >= 0) {
        posix_spawn_file_actions_adddup2(&actions, out, 1);
    }
    error = posix_spawn(&child, program, &actions, NULL, argv, envp);
    posix_spawn_file_actions_destroy(&actions);
    if (error != 0) {
        printf("# posix_spawn %s: %s\n", program, strerror(error));
        return -1;
    }
    return child;
}

static int status_of(pid_t child)
{
    int status = -1;

    return waitpid(child, &status, 0) == child ? status : -1;
}

static bool read_all(int fd, char *to, size_t bytes)
{
    size_t done = 0;

    while (done < bytes) {
        ssize_t n = read(fd, to + done, bytes - done);

        if (n <= 0) {
            return false;
        }
        done += (size_t)n;
    }
    return true;
}

/* ---- files ---- */

static void file_test(void)
{
    struct stat s;
    int fd = open("big", O_RDWR | O_CREAT | O_EXCL, 0644);

    CHECK(fd >= 0 && write(fd, big, BIG) == BIG, "write a file");
    CHECK(lseek(fd, 0, SEEK_SET) == 0 && read(fd, back, BIG) == BIG &&
              memcmp(big, back, BIG) == 0,
          "read it back");
    CHECK(pread(fd, back, 100, 77777) == 100 &&
              memcmp(back, big + 77777, 100) == 0,
          "pread in its middle");
    CHECK(read(fd, back, 1) == 0, "the end");
    CHECK(fstat(fd, &s) == 0 && s.st_size == BIG && S_ISREG(s.st_mode),
          "fstat");
    CHECK(s.st_mtime > 1700000000, "it was changed after 2023");
    CHECK(ftruncate(fd, 10) == 0 && lseek(fd, 0, SEEK_END) == 10, "ftruncate");
    CHECK(fsync(fd) == 0 && close(fd) == 0, "fsync and close");
    CHECK(fails(open("big", O_RDWR | O_CREAT | O_EXCL, 0644), EEXIST),
          "O_EXCL");
    fd = open("big", O_WRONLY | O_APPEND);
    CHECK(write(fd, "tail", 4) == 4 && close(fd) == 0 && stat("big", &s) == 0 &&
              s.st_size == 14,
          "O_APPEND");
    CHECK(truncate("big", 0) == 0 && stat("big", &s) == 0 && s.st_size == 0,
          "truncate");
    CHECK(fails(open("none", O_RDONLY), ENOENT), "ENOENT");
    CHECK(fails(open("big/x", O_RDONLY), ENOTDIR), "ENOTDIR");
    CHECK(fails(open(".", O_WRONLY), EISDIR), "EISDIR");
    CHECK(fails(link("big", "small"), ENOSYS), "ENOSYS");
}

static unsigned directory_count(const char *path, const char *wanted)
{
    DIR *d = opendir(path);
    struct dirent *e;
    unsigned count = 0;

    while (d != NULL && (e = readdir(d)) != NULL) {
        count += strcmp(e->d_name, wanted) == 0;
    }
    if (d != NULL) {
        closedir(d);
    }
    return count;
}

static void tree_test(void)
{
    CHECK(mkdir("sub", 0755) == 0 && fails(mkdir("sub", 0755), EEXIST),
          "mkdir");
    CHECK(rename("big", "sub/A long name with spaces.text") == 0, "rename");
    CHECK(directory_count("sub", "A long name with spaces.text") == 1,
          "it is in the directory once");
    CHECK(directory_count(".", "big") == 0, "and not in the old one");
    CHECK(fails(rmdir("sub"), ENOTEMPTY), "rmdir of what is not empty");
    CHECK(unlink("sub/A long name with spaces.text") == 0 && rmdir("sub") == 0,
          "unlink and rmdir");
}

static void stream_test(void)
{
    FILE *f = fopen("text", "w+");
    char *line = NULL;
    size_t room = 0;

    CHECK(f != NULL && fprintf(f, "one %d\ntwo %.3f\n", 1, 2.5) == 16,
          "fprintf");
    rewind(f);
    CHECK(getline(&line, &room, f) == 6 && strcmp(line, "one 1\n") == 0,
          "getline");
    CHECK(getline(&line, &room, f) == 10 && strcmp(line, "two 2.500\n") == 0,
          "the next one");
    CHECK(getline(&line, &room, f) == -1 && feof(f), "and no more");
    CHECK(fseek(f, 4, SEEK_SET) == 0 && getc(f) == '1', "fseek");
    CHECK(fclose(f) == 0 && remove("text") == 0, "fclose");
    free(line);
}

/* Output to a pipe that nobody reads: lost, and said so. */
static FILE *lost_open(void)
{
    int ends[2];

    pipe(ends);
    close(ends[0]);
    return fdopen(ends[1], "w");
}

static void stream_loss_test(void)
{
    FILE *f = lost_open();

    signal(SIGPIPE, SIG_IGN);
    CHECK(fprintf(f, "short") == 5 && !ferror(f), "a buffer takes it");
    CHECK(fails(fflush(f), EPIPE) && ferror(f), "fflush tells that it is lost");
    CHECK(fails(fclose(f), EPIPE), "so does fclose");
    f = lost_open();
    CHECK(fwrite(big, 1, BIG, f) < BIG && errno == EPIPE && ferror(f),
          "fwrite, when the buffer is full");
    CHECK(fails(fflush(f), EPIPE), "it is not forgotten");
    clearerr(f);
    CHECK(fclose(f) == 0, "but by clearerr");
    f = lost_open();
    fputs("short", f);
    CHECK(fails(fclose(f), EPIPE), "fclose alone tells as well");
    signal(SIGPIPE, SIG_DFL);
}

/* ---- children ---- */

static void spawn_test(void)
{
    char expected[300], text[300] = "";
    int out[2];
    pid_t child;

    CHECK(pipe2(out, O_CLOEXEC) == 0, "a pipe");
    child = start(-1, out[1], "print", "one", "two words");
    close(out[1]);
    CHECK(status_of(child) == 0, "a child");
    read(out[0], text, sizeof(text) - 1);
    snprintf(expected, sizeof(expected), "blue|%s|one|two words|",
             getcwd(back, sizeof(back)));
    CHECK(strcmp(text, expected) == 0, "its environment, directory, arguments");
    CHECK(read(out[0], text, 1) == 0, "the pipe ends with it");
    close(out[0]);
    CHECK(WEXITSTATUS(status_of(start(-1, -1, "exit", "7", NULL))) == 7,
          "its exit status");
    CHECK(fails(waitpid(-1, NULL, 0), ECHILD), "no child is left");
    CHECK(posix_spawn(NULL, "./none", NULL, NULL, (char *[]){NULL},
                      (char *[]){NULL}) == ENOENT,
          "no such program");
}

static void command_test(void)
{
    char text[32] = "";
    FILE *f = popen("echo from the shell", "r");

    CHECK(f != NULL && fgets(text, sizeof(text), f) != NULL &&
              strcmp(text, "from the shell\n") == 0 && pclose(f) == 0,
          "popen for reading");
    f = popen("cat > poured", "w");
    CHECK(f != NULL && fputs("poured", f) >= 0 && pclose(f) == 0,
          "for writing");
    f = fopen("poured", "r");
    CHECK(f != NULL && fgets(text, sizeof(text), f) != NULL &&
              strcmp(text, "poured") == 0 && fclose(f) == 0,
          "it arrived");
    CHECK(WEXITSTATUS(system("rm poured; exit 3")) == 3, "system");
    CHECK(status_of(start(-1, -1, "leave", "left", NULL)) == 0 &&
              (f = fopen("left", "r")) != NULL &&
              fgets(text, sizeof(text), f) != NULL &&
              strcmp(text, "left") == 0 && fclose(f) == 0 &&
              unlink("left") == 0,
          "exit writes out what streams hold");
}

static void inherit_test(void)
{
    char text[16] = "";
    int fd = open("shared", O_RDWR | O_CREAT, 0644);

    dup2(fd, 7);
    fcntl(fd, F_DUPFD_CLOEXEC, 8);
    CHECK(status_of(start(-1, -1, "fds", NULL, NULL)) == 0,
          "open files are handed down, but for FD_CLOEXEC");
    write(fd, "a", 1);
    CHECK(status_of(start(-1, fd, "write", "b", NULL)) == 0,
          "the child writes");
    write(fd, "c", 1);
    CHECK(pread(fd, text, 15, 0) == 3 && strcmp(text, "abc") == 0,
          "with the same position");
    close(fd);
    close(7);
    close(8);
    unlink("shared");
}

static int pour(void *argument)
{
    int fd = *(int *)argument;
    bool good = write(fd, big, BIG) == BIG;

    close(fd);
    return good ? 0 : 1;
}

static void pipeline_test(void)
{
    struct thread *t;
    int there[2], again[2], result = 1;
    pid_t child;

    pipe2(there, O_CLOEXEC);
    pipe2(again, O_CLOEXEC);
    child = start(there[0], again[1], "copy", NULL, NULL);
    close(there[0]);
    close(again[1]);
    CHECK(thread_create(&t, pour, &there[1], "pour") == 0, "a thread");
    CHECK(read_all(again[0], back, BIG) && memcmp(big, back, BIG) == 0,
          "much data through a child, both ways at once");
    CHECK(read(again[0], back, 1) == 0, "and its end");
    CHECK(thread_join(t, &result) == 0 && result == 0 && status_of(child) == 0,
          "everybody is content");
    close(again[0]);
}

static void broken_pipe_test(void)
{
    int ends[2];

    pipe(ends);
    close(ends[0]);
    signal(SIGPIPE, SIG_IGN);
    CHECK(fails(write(ends[1], "x", 1), EPIPE), "EPIPE");
    signal(SIGPIPE, SIG_DFL);
    CHECK(WTERMSIG(status_of(start(-1, ends[1], "write", "x", NULL))) ==
              SIGPIPE,
          "SIGPIPE ends a child");
    close(ends[1]);
}

static void death_test(void)
{
    pid_t child = start(-1, -1, "spin", NULL, NULL);
    int status;

    CHECK(waitpid(child, &status, WNOHANG) == 0, "a child that spins lives");
    CHECK(kill(child, 0) == 0 && kill(child, SIGTERM) == 0 &&
              WTERMSIG(status_of(child)) == SIGTERM,
          "until SIGTERM");
    child = start(-1, -1, "spin", NULL, NULL);
    CHECK(kill(child, SIGKILL) == 0 && WTERMSIG(status_of(child)) == SIGKILL,
          "or SIGKILL");
    CHECK(fails(kill(child, SIGTERM), ESRCH), "then it is gone");
    CHECK(WTERMSIG(status_of(start(-1, -1, "abort", NULL, NULL))) == SIGABRT,
          "abort");
    printf("# the crash that is reported now is meant\n");
    fflush(stdout);
    CHECK(WTERMSIG(status_of(start(-1, -1, "null", NULL, NULL))) == SIGSEGV,
          "a crash");
}

/* ---- signals and time ---- */

static volatile sig_atomic_t caught;

static void catch (int number)
{
    caught = number;
}

/* No call in here: the handler must come by itself, though the pages at the
 * stack pointer have never been touched. */
static void __attribute__((noinline)) spin_on_new_stack(void)
{
    char untouched[100 << 10];

    __asm__ volatile("" : : "r"(untouched)); /* it is there */
    while (caught == 0) {
    }
}

static void signal_test(void)
{
    struct sigaction a = {.sa_handler = catch};
    pid_t child;
    int ends[2];
    char byte;

    sigaction(SIGUSR1, &a, NULL);
    raise(SIGUSR1);
    CHECK(caught == SIGUSR1, "raise");
    caught = 0;
    child = start(-1, -1, "signal", "20", "30");
    spin_on_new_stack();
    CHECK(caught == SIGUSR1 && status_of(child) == 0,
          "a spinning loop is left");
    caught = 0;
    pipe(ends);
    child = start(-1, -1, "signal", "100", "30");
    CHECK(fails(read(ends[0], &byte, 1), EINTR) && caught == SIGUSR1,
          "read is interrupted");
    CHECK(status_of(child) == 0, "its child ends");
    caught = 0;
    child = start(-1, -1, "signal", "100", "30");
    CHECK(sleep(10) > 0 && caught == SIGUSR1, "so is sleep");
    CHECK(status_of(child) == 0, "its child ends");
    close(ends[0]);
    close(ends[1]);
}

static void time_test(void)
{
    int64_t before = now_ms(), took;
    struct timespec wall = {0}, again = {0};

    sleep_ms(50);
    took = now_ms() - before;
    CHECK(took >= 50 && took < 1000, "nanosleep");
    printf("# 50 ms took %ld\n", (long)took);
    clock_gettime(CLOCK_REALTIME, &wall);
    wall.tv_sec += 1000;
    CHECK(clock_settime(CLOCK_REALTIME, &wall) == 0 &&
              clock_gettime(CLOCK_REALTIME, &again) == 0 &&
              again.tv_sec >= wall.tv_sec && again.tv_sec < wall.tv_sec + 5,
          "clock_settime");
    again.tv_sec -= 1000;
    clock_settime(CLOCK_REALTIME, &again);
}

/* ---- threads ---- */

/* One file and one block of memory, made, used and given back. */
static bool churn_once(const char *name, unsigned seed, int i)
{
    char text[64], read_back[64];
    int n = snprintf(text, sizeof(text), "%u %d", seed, i);
    char *block = malloc(100 + seed * 37 + (unsigned)i * 11);
    int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0644);
    bool good = block != NULL && fd >= 0 && write(fd, text, (size_t)n) == n &&
                pread(fd, read_back, sizeof(read_back), 0) == n &&
                memcmp(text, read_back, (size_t)n) == 0;

    free(block);
    return close(fd) == 0 && good;
}

static int churn(void *argument)
{
    unsigned seed = *(unsigned *)argument;
    char name[16];
    bool good = true;

    snprintf(name, sizeof(name), "churn%u", seed);
    for (int i = 0; i < 20; i++) {
        good &= churn_once(name, seed, i);
    }
    return unlink(name) == 0 && good ? 0 : 1;
}

static void thread_test(void)
{
    struct thread *t[4];
    unsigned seed[4];
    bool good = true;
    int result;

    for (unsigned i = 0; i < 4; i++) {
        seed[i] = i;
        good &= thread_create(&t[i], churn, &seed[i], "churn") == 0;
    }
    for (unsigned i = 0; i < 4; i++) {
        good &= thread_join(t[i], &result) == 0 && result == 0;
    }
    CHECK(good, "four threads with files and memory of their own");
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        return child_play(argc, argv);
    }
    snprintf(program, sizeof(program), "/tests/posix");
    for (int i = 0; i < BIG; i++) {
        big[i] = (char)(i * 31 + i / 257);
    }
    if (mkdir("/posix-test", 0755) != 0 || chdir("/posix-test") != 0) {
        printf("Bail out! /posix-test: %s\n", strerror(errno));
        return 1;
    }
    file_test();
    tree_test();
    stream_test();
    stream_loss_test();
    spawn_test();
    command_test();
    inherit_test();
    pipeline_test();
    broken_pipe_test();
    death_test();
    signal_test();
    time_test();
    thread_test();
    chdir("/");
    CHECK(rmdir("/posix-test") == 0, "nothing is left on the card");
    return tap_end();
}
