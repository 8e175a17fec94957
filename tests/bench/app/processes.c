/* SPDX-License-Identifier: BSL-1.0
 *
 * The root server, memory, other processes.
 */
#define _GNU_SOURCE /* pipe2 */
#include "tests/bench/app/app.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vesper/memory.h>
#include <vesper/root.h>
#include <vesper/root_call.h>

#define BULK 4096u
#define PAGE 4096u

extern char **environ;

int echo(void)
{
    char c;
    while (read(0, &c, 1) == 1 && write(1, &c, 1) == 1) {
    }
    return 0;
}

static unsigned ask_wall(void)
{
    uint64_t w[8] = {ROOT_WALL, (uint64_t)INT64_MIN};
    return (unsigned)root_call(w, 0);
}

static void root_rows(void)
{
    ROW("call to the root server and back", NOTHING, e = ask_wall(), NOTHING);
    ROW("getppid", NOTHING, (void)getppid(), NOTHING);
}

static void memory_rows(void)
{
    ROW(
        "malloc and free, 64 bytes", NOTHING,
        {
            void *p = malloc(64);
            __asm__ volatile("" : "+r"(p));
            free(p);
        },
        NOTHING);
    ROW("memory_map, a zeroed page", NOTHING, e = memory_map(4096) == NULL,
        NOTHING);
    volatile char *p = mmap(NULL, (size_t)RUNS * PAGE, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    expect(p == MAP_FAILED, "mmap");
    ROW("demand-zero page fault, 4 KiB", NOTHING, p[run * PAGE] = 1, NOTHING);
    expect(munmap((void *)p, (size_t)RUNS * PAGE) != 0, "munmap");
    ROW(
        "memory_run_take and memory_run_give, 64 KiB", NOTHING,
        {
            struct memory_run m;
            e = (unsigned)memory_run_take(65536, &m);
            memory_run_give(&m);
        },
        NOTHING);
}

static pid_t start(const char *path, char *word, int in, int out)
{
    posix_spawn_file_actions_t actions;
    char *argv[] = {(char *)path, word, NULL};
    pid_t pid = 0;
    (void)posix_spawn_file_actions_init(&actions);
    if (in >= 0) {
        (void)posix_spawn_file_actions_adddup2(&actions, in, 0);
        (void)posix_spawn_file_actions_adddup2(&actions, out, 1);
    }
    expect((unsigned)posix_spawn(&pid, path, &actions, NULL, argv, environ),
           "posix_spawn");
    (void)posix_spawn_file_actions_destroy(&actions);
    return pid;
}

/* A process that echoes what comes, behind two pipes. */
struct partner {
    int there[2], back[2];
    pid_t pid;
};

/* So often that whatever the libos does for pipes in use has been done. */
#define SETTLED 64

static unsigned exchange(const struct partner *p, char *bytes, size_t n)
{
    return write(p->there[1], bytes, n) != (ssize_t)n ||
           read(p->back[0], bytes, n) != (ssize_t)n;
}

static void partner_start(struct partner *p)
{
    expect(pipe2(p->there, O_CLOEXEC) != 0 || pipe2(p->back, O_CLOEXEC) != 0,
           "pipe");
    p->pid = start("/tests/bench", "echo", p->there[0], p->back[1]);
    domains_note();
}

static void partner_settle(const struct partner *p)
{
    char c = 'c';
    for (int i = 0; i < SETTLED; i++) {
        expect(exchange(p, &c, 1), "echo");
    }
}

static void partner_end(const struct partner *p)
{
    int status;
    (void)kill(p->pid, 9);
    (void)waitpid(p->pid, &status, 0);
    (void)(close(p->there[1]) | close(p->back[0]));
}

static void pipe_rows(void)
{
    static char data[BULK];
    struct partner p;
    char c = 'c';
    int own[2];
    partner_start(&p);
    partner_settle(&p);
    ROW("round trip by pipes whose ends several processes hold", NOTHING,
        e = exchange(&p, &c, 1), NOTHING);
    (void)(close(p.there[0]) | close(p.back[1]));
    partner_settle(&p);
    ROW("round trip between two processes, by pipes", NOTHING,
        e = exchange(&p, &c, 1), NOTHING);
    partner_end(&p);
    expect(pipe2(own, O_CLOEXEC) != 0, "pipe");
    for (int i = 0; i < SETTLED; i++) {
        expect(write(own[1], &c, 1) != 1 || read(own[0], &c, 1) != 1, "pipe");
    }
    ROW("bulk data through a pipe, written and read", NOTHING,
        e = write(own[1], data, BULK) != BULK ||
            read(own[0], data, BULK) != BULK,
        NOTHING);
    (void)(close(own[0]) | close(own[1]));
}

static void start_rows(void)
{
    ROW(
        "start a program and wait for it", NOTHING,
        {
            int status;
            pid_t pid = start("/tests/nothing", NULL, -1, -1);
            e = waitpid(pid, &status, 0) != pid || status != 0;
        },
        NOTHING);
}

void process_rows(void)
{
    root_rows();
    memory_rows();
    pipe_rows();
    start_rows();
}
