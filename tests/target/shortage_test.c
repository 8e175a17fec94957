/* SPDX-License-Identifier: BSL-1.0
 *
 * Programs that run out: the Nth memory, slot, event or malloc that a call of
 * libos asks for on the main thread is refused, for each N until the call asks
 * for no more. It must come back with an error that says so, or do without;
 * nothing is lost by it, and asked again, it works. Each in a child, so that
 * what is made once (the channels, the heap) is made anew.
 *
 *   shortage OP 0        a child: nothing is refused. Exits with how many
 *                        slots are in use then
 *   shortage OP N SLOTS  a child that shall use no more. Exits with enum
 * verdict
 *
 * The linker leads what is asked for here first (--wrap). Prints TAP.
 */
#include "tests/unit/tap.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <abi/abi.h>
#include <vesper/paging.h>
#include <vesper/root.h>
#include <vesper/root_call.h>
#include <vesper/thread.h>

#define STEPS_MAX 400
#define ROUNDS    8 /* the second half must cost no more slots */
#define KIB       1024u

enum verdict { REFUSED = 200, WENT_ON, PASSED, BAD_ERROR, BAD_RETRY, LEAK };

/* ---- what is refused ---------------------------------------------------- */

static struct {
    struct thread *whose; /* NULL: nothing is refused */
    unsigned at, asked;
    long slots;   /* in use */
    long smaller; /* pieces, perhaps */
} step;

static bool refused(void)
{
    return step.whose != NULL && thread_self() == step.whose &&
           ++step.asked == step.at;
}

cptr_t __real_slot_take(void);
cptr_t __wrap_slot_take(void);
cptr_t __wrap_slot_take(void)
{
    cptr_t slot = refused() ? 0 : __real_slot_take();
    step.slots += slot != 0;
    return slot;
}

void __real_slot_give(cptr_t slot);
void __wrap_slot_give(cptr_t slot);
void __wrap_slot_give(cptr_t slot)
{
    step.slots--;
    __real_slot_give(slot);
}

int __real_event_take(void);
int __wrap_event_take(void);
int __wrap_event_take(void)
{
    return refused() ? -1 : __real_event_take();
}

void *__real_malloc(size_t bytes);
void *__wrap_malloc(size_t bytes);
void *__wrap_malloc(size_t bytes)
{
    if (refused()) {
        errno = ENOMEM;
        return NULL;
    }
    return __real_malloc(bytes);
}

/* Calls of the root server that give memory: for a large piece that is refused
 * two small ones may do, which is a slot more. */
int __real_root_call(uint64_t w[8], uint64_t loan);
int __wrap_root_call(uint64_t w[8], uint64_t loan);
int __wrap_root_call(uint64_t w[8], uint64_t loan)
{
    bool gives =
        w[0] == ROOT_MEMORY || w[0] == ROOT_CONNECT || w[0] == ROOT_SPAWN;
    if (!gives || !refused()) {
        return __real_root_call(w, loan);
    }
    step.smaller += w[0] == ROOT_MEMORY;
    return ENOMEM;
}

/* ---- what is asked: 0, or errno ----------------------------------------- */

static int of(bool good)
{
    return good ? 0 : errno;
}

static int op_malloc(void)
{
    char *large = malloc(300 * KIB), *small[50];
    int error = of(large != NULL);
    for (int i = 0; i < 50; i++) {
        small[i] = malloc(1000);
        error = error == 0 ? of(small[i] != NULL) : error;
    }
    for (int i = 0; i < 50; i++) {
        free(small[i]);
    }
    free(large);
    return error;
}

/* Small, as addresses are given back last: what is lost shows before they come
 * round. */
static int op_mmap(void)
{
    char *p = mmap(NULL, 16 * KIB, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) {
        return errno;
    }
    p[8 * KIB] = 1;
    return of(munmap(p, 16 * KIB) == 0);
}

static int op_mapfile(void)
{
    int fd = open("/samples/readme.txt", O_RDONLY);
    if (fd < 0) {
        return errno;
    }
    char *p = mmap(NULL, 4 * KIB, PROT_READ, MAP_PRIVATE, fd, 0);
    int error = of(p != MAP_FAILED);
    if (error == 0) {
        error = p[0] == '\0' ? ENODATA : of(munmap(p, 4 * KIB) == 0);
    }
    close(fd);
    return error;
}

static int op_nailed(void)
{
    void *p;
    int error = region_nailed(64 * KIB, &p);
    if (error == 0) {
        memset(p, 1, 64 * KIB);
        error = region_free(p);
    }
    return error;
}

static void *nothing(void *unused)
{
    return unused;
}

static int op_thread(void)
{
    pthread_t t;
    int error = pthread_create(&t, NULL, nothing, NULL);
    return error == 0 ? pthread_join(t, NULL) : error;
}

static int op_file(void)
{
    char name[32];
    snprintf(name, sizeof(name), "/shortage.%d", (int)getpid());
    FILE *f = fopen(name, "w+");
    if (f == NULL) {
        return errno;
    }
    bool good = fputs("hello", f) >= 0 && fflush(f) == 0;
    int error = of(good);
    (void)fclose(f);
    (void)unlink(name);
    return error;
}

static int op_directory(void)
{
    DIR *d = opendir("/");
    if (d == NULL) {
        return errno;
    }
    errno = 0;
    int error = of(readdir(d) != NULL);
    closedir(d);
    return error;
}

static int op_pipe(void)
{
    int ends[2];
    char byte = 'x';
    if (pipe(ends) != 0) {
        return errno;
    }
    struct pollfd p = {ends[0], POLLIN, 0};
    int error = of(write(ends[1], &byte, 1) == 1 && poll(&p, 1, -1) == 1 &&
                   read(ends[0], &byte, 1) == 1);
    close(ends[0]);
    close(ends[1]);
    return error;
}

static int op_terminal(void)
{
    struct pollfd p = {0, POLLIN, 0};
    int holds = poll(&p, 1, 0);
    return holds < 0 ? errno : p.revents == POLLERR ? ENOMEM : 0;
}

static int op_spawn(void)
{
    char *argv[] = {"shortage", "end", "0", NULL}, *none[] = {NULL};
    pid_t pid;
    int status;
    int error = posix_spawn(&pid, "/tests/shortage", NULL, NULL, argv, none);
    return error != 0 ? error : of(waitpid(pid, &status, 0) == pid);
}

static const struct op {
    const char *name;
    int (*once)(void);
} ops[] = {
    {"malloc", op_malloc},       {"mmap", op_mmap},
    {"mapfile", op_mapfile},     {"nailed", op_nailed},
    {"thread", op_thread},       {"file", op_file},
    {"directory", op_directory}, {"pipe", op_pipe},
    {"terminal", op_terminal},   {"spawn", op_spawn},
};

/* ---- a child ------------------------------------------------------------ */

static bool says_so(int error)
{
    return error == ENOMEM || error == EAGAIN || error == ENFILE ||
           error == EMFILE || error == ENOSPC;
}

static int once_refused(const struct op *op, unsigned at)
{
    step.at = at;
    step.asked = 0;
    step.whose = thread_self();
    int error = op->once();
    step.whose = NULL;
    return error;
}

static bool lost(const struct op *op, unsigned at, long slots)
{
    if (step.slots > slots) {
        fprintf(stderr, "# %s, step %u: %ld slots are lost\n", op->name, at,
                step.slots - slots);
    }
    return step.slots > slots;
}

/* Refused again and again, a call costs no more than the first time. */
static bool loses(const struct op *op, unsigned at)
{
    for (int i = 0; i < ROUNDS / 2; i++) {
        (void)once_refused(op, at);
    }
    long half = step.slots;
    for (int i = 0; i < ROUNDS / 2; i++) {
        (void)once_refused(op, at);
    }
    return lost(op, at, half);
}

static int child(const struct op *op, unsigned at, long slots)
{
    int error = once_refused(op, at);
    enum verdict v = step.asked < at ? PASSED : error == 0 ? WENT_ON : REFUSED;
    if (error != 0 && (v == PASSED || !says_so(error))) {
        fprintf(stderr, "# %s, step %u: %s\n", op->name, at, strerror(error));
        return BAD_ERROR;
    }
    error = op->once();
    if (error != 0) {
        fprintf(stderr, "# %s, after step %u: %s\n", op->name, at,
                strerror(error));
        return BAD_RETRY;
    }
    if (at == 0) {
        return (int)step.slots;
    }
    return lost(op, at, slots + step.smaller) || loses(op, at) ? LEAK : (int)v;
}

/* ---- all steps of a call ------------------------------------------------- */

static int child_run(const struct op *op, unsigned at, int slots)
{
    char number[16], most[16];
    char *argv[] = {"shortage", (char *)(uintptr_t)op->name, number, most,
                    NULL};
    char *none[] = {NULL};
    pid_t pid;
    int status = 0;
    snprintf(number, sizeof(number), "%u", at);
    snprintf(most, sizeof(most), "%d", slots);
    if (posix_spawn(&pid, "/tests/shortage", NULL, NULL, argv, none) != 0 ||
        waitpid(pid, &status, 0) != pid) {
        return -1;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void op_test(const struct op *op)
{
    unsigned refused_so_often = 0, went_on = 0, bad = 0, at = 1;
    int v = 0, slots = child_run(op, 0, 0);
    for (; at <= STEPS_MAX; at++) {
        v = child_run(op, at, slots);
        if (v == PASSED) {
            break;
        }
        refused_so_often += v == REFUSED;
        went_on += v == WENT_ON;
        if (v != REFUSED && v != WENT_ON) {
            printf("# %s, step %u: %d\n", op->name, at, v);
            bad++;
        }
    }
    printf("# %s: %u refused, %u did without; %d slots\n", op->name,
           refused_so_often, went_on, slots);
    CHECK(bad == 0 && v == PASSED && slots > 0 && slots < REFUSED, op->name);
}

int main(int argc, char **argv)
{
    for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
        if (argc == 1) {
            op_test(&ops[i]);
        } else if (argc == 4 && strcmp(argv[1], ops[i].name) == 0) {
            return child(&ops[i], (unsigned)strtoul(argv[2], NULL, 10),
                         strtol(argv[3], NULL, 10));
        }
    }
    return argc == 1 ? tap_end() : 0;
}
