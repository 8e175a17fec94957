/* SPDX-License-Identifier: BSL-1.0
 *
 * The broker of memory on the real kernel. Children page in optimistic memory
 * while it is taken back: one gives it, one is deaf, so that it is taken by
 * force, one is killed while it is asked, one is asked because memory runs
 * short. None may see a wrong word, and in the end all memory is where it was.
 * Prints TAP.
 */
#include "tests/unit/tap.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vesper/paging.h>
#include <vesper/root.h>
#include <vesper/root_call.h>
#include <vesper/system.h>
#include <vesper/thread.h>

#include "libos/core/slots.h"

#define PAGE  4096u
#define WORDS (PAGE / 8)
#define PAGES 384u
#define CHUNK (256u << 10)
#define MS    UINT64_C(1000000)

#define MIB        (1u << 20)
#define TAKEN      (44u * MIB) /* of the 64 MiB that a program may have */
#define TAKERS_MAX 26u
#define REFUSED    7

#define STARTS       24
#define SLEEPERS_MAX 200

/* ---- children ---------------------------------------------------------- */

static void *paged(void)
{
    void *p;
    paging_limit(PAGES);
    if (region_paged(PAGES * PAGE, "/broker.tmp", &p) != 0) {
        exit(10);
    }
    for (uint64_t i = 0; i < PAGES; i++) {
        ((uint64_t *)p)[i * WORDS] = i + 1;
    }
    return p;
}

static uint64_t wrong(const volatile uint64_t *words)
{
    uint64_t n = 0;
    for (uint64_t i = 0; i < PAGES; i++) {
        n += words[i * WORDS] != i + 1;
    }
    return n;
}

static volatile sig_atomic_t over;

static void on_over(int number)
{
    (void)number;
    over = 1;
}

static int child_gives(void)
{
    /* First: it may be asked, give, and be told to end while it still writes */
    (void)signal(SIGTERM, on_over);
    uint64_t *words = paged();
    do {
        if (wrong(words) != 0) {
            return 1;
        }
        words[5 * WORDS] = 6;
        (void)usleep(20000);
    } while (!over);
    struct paging_counts c;
    paging_counts(&c);
    return c.lost == 0 ? 0 : 2;
}

static volatile uint64_t mended;
static volatile int why;

static void mend(const struct paging_fault *f)
{
    why = f->error;
    mended++;
    (void)region_renew(f->address);
}

static int slow_read(struct paging_store *s, uint32_t place, void *to,
                     size_t bytes, size_t *got)
{
    struct sys_contract c = {0};
    (void)place;
    (void)s;
    /* On the pager's thread: nobody answers before this is over. */
    (void)sys_reclaim((uint32_t)getpid(), ~0ull, 50 * MS);
    while (sys_contract((uint32_t)getpid(), &c) == 0 && c.forced == 0) {
        thread_sleep_until(time_ns() + 5 * MS);
    }
    memset(to, 0, bytes);
    *got = bytes;
    return 0;
}

static void slow_close(struct paging_store *s)
{
    (void)s;
}

static int child_deaf(void)
{
    uint64_t *words = paged(), lost = 0, kept = 0;
    struct paging_store slow = {.read = slow_read, .close = slow_close};
    struct paging_counts c;
    struct region *r;
    if (region_stored(PAGE, REGION_READ, &slow, &r) != 0) {
        return 1;
    }
    (void)msync(words, 100 * PAGE, MS_SYNC); /* 100 clean pages, 284 dirty */
    (void)*(volatile uint64_t *)r->base;
    paging_on_fault(mend);
    for (uint64_t i = 0; i < PAGES; i++) {
        uint64_t before = mended;
        uint64_t word = *(volatile uint64_t *)&words[i * WORDS];
        bool told = mended != before;
        lost += told;
        kept += !told;
        if (word != (told ? 0 : i + 1) || (told && i < 100)) {
            return 2;
        }
    }
    paging_counts(&c);
    printf("# %llu pages lost, %llu kept\n", (unsigned long long)lost,
           (unsigned long long)kept);
    return lost > 0 && kept >= 100 && c.lost == lost && why == EIO ? 0 : 3;
}

/* Take nearly all that a program may have, and keep it. */
static int child_takes(void)
{
    static void *taken[TAKEN / MIB];
    for (uint32_t i = 0; i < TAKEN / MIB; i++) {
        taken[i] = malloc(MIB);
        if (taken[i] == NULL) {
            return REFUSED;
        }
        memset(taken[i], 1, MIB);
    }
    for (;;) {
        (void)pause();
    }
}

static _Noreturn void child_stays(void)
{
    uint64_t *words = paged();
    for (;;) {
        (void)wrong(words);
    }
}

/* ---- the parent -------------------------------------------------------- */

extern char **environ;

static pid_t start(const char *mode)
{
    pid_t pid;
    char *const argv[] = {(char *)"broker", (char *)mode, NULL};
    return posix_spawn(&pid, "/tests/broker", NULL, NULL, argv, environ) == 0
               ? pid
               : -1;
}

static int end(pid_t pid)
{
    int status = -1;
    (void)waitpid(pid, &status, 0);
    return status;
}

/* Wait until it has so many optimistic bytes, at least or at most. */
static bool reaches(pid_t pid, uint64_t least, uint64_t most, uint64_t ms)
{
    uint64_t until = time_ns() + ms * MS;
    struct sys_contract c;
    while (time_ns() < until) {
        if (sys_contract((uint32_t)pid, &c) == 0 &&
            c.optimistic_used >= least && c.optimistic_used <= most) {
            return true;
        }
        thread_sleep_until(time_ns() + 5 * MS);
    }
    return false;
}

#define ALL (PAGES * PAGE / CHUNK * CHUNK)

static void gives_test(void)
{
    struct sys_contract c;
    pid_t pid = start("gives");
    CHECK(reaches(pid, ALL, ~0ull, 20000), "a paged region gets lent memory");
    CHECK(sys_reclaim((uint32_t)pid, 3 * CHUNK, 60001000 * MS) == -1 &&
              errno == EINVAL,
          "nobody waits for ever");
    CHECK(sys_reclaim((uint32_t)pid, 3 * CHUNK, 30000 * MS) == 0,
          "some of it is wanted back");
    CHECK(reaches(pid, 1, ALL + CHUNK - 3 * CHUNK, 25000),
          "and comes, in time");
    CHECK(sys_contract((uint32_t)pid, &c) == 0 && c.forced == 0 &&
              c.optimistic <= ALL + CHUNK - 3 * CHUNK,
          "without force, and is not lent again");
    (void)kill(pid, SIGTERM);
    int status = end(pid);
    printf("# gives: status 0x%x\n", (unsigned)status);
    CHECK(status == 0, "no word is wrong and none is lost");
}

/* The next one is started when this one has its memory. 0: it was refused. */
static pid_t taker(void)
{
    pid_t pid = start("takes");
    int status;
    struct sys_contract c = {0};
    while (waitpid(pid, &status, WNOHANG) == 0) {
        if (sys_contract((uint32_t)pid, &c) == 0 && c.used > TAKEN) {
            return pid;
        }
        thread_sleep_until(time_ns() + 5 * MS);
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == REFUSED ? 0 : -1;
}

static uint64_t used(void)
{
    struct sys_memory m;
    return sys_memory(&m) == 0 ? m.used_bytes : 0;
}

static uint64_t used_by_others(void)
{
    struct sys_contract c = {0};
    (void)sys_contract((uint32_t)getpid(), &c);
    return used() - c.used - c.optimistic_used;
}

/* Servers hear of a client's end a moment later. */
static bool used_again(uint64_t bytes)
{
    for (uint32_t i = 0; i < 400 && used_by_others() != bytes; i++) {
        (void)usleep(5000);
    }
    return used_by_others() == bytes;
}

/* Start programs until one cannot be, then end them. How many; -1: it failed
 * for another reason. */
static int start_until_full(void)
{
    static pid_t pid[SLEEPERS_MAX];
    char *const argv[] = {(char *)"sleep", (char *)"1000", NULL};
    int n = 0, error = 0;
    while (n < SLEEPERS_MAX &&
           (error = posix_spawn(&pid[n], "/boot/tools", NULL, NULL, argv,
                                environ)) == 0) {
        n++;
    }
    for (int i = 0; i < n; i++) {
        (void)kill(pid[i], SIGKILL);
        (void)end(pid[i]);
    }
    return error == ENOMEM ? n : -1;
}

/* Memory runs out at another step of a start each time, since this program
 * takes some more before. */
static int child_starts(void)
{
    int most = 0, good = 0;
    for (uint32_t i = 0; i < STARTS; i++) {
        uint64_t w[8] = {ROOT_MEMORY, 16, slot_take()};
        (void)root_call(w, 0); /* refused, in the end */
        uint64_t before = used_by_others();
        int n = start_until_full();
        most = n > most ? n : most;
        if (n >= 0 && used_again(before)) {
            good++;
        } else {
            printf("# round %u: %d started, %lld bytes more\n", i, n,
                   (long long)(used_by_others() - before));
        }
    }
    printf("# up to %d programs more\n", most);
    return good == STARTS ? 0 : 1;
}

static uint32_t fill(pid_t *takers)
{
    uint32_t n = 0;
    while (n < TAKERS_MAX && (takers[n] = taker()) > 0) {
        n++;
    }
    return n;
}

static void empty(const pid_t *takers, uint32_t n)
{
    while (n > 0) {
        n--;
        (void)kill(takers[n], SIGKILL);
        (void)end(takers[n]);
    }
}

static void start_test(void)
{
    static pid_t takers[TAKERS_MAX];
    uint32_t n = fill(takers);
    CHECK(end(start("starts")) == 0, "a start that runs out of memory, "
                                     "wherever, is ENOMEM and leaves nothing");
    empty(takers, n);
}

static void shortage_test(void)
{
    static pid_t takers[TAKERS_MAX];
    struct sys_contract c = {0};
    struct sys_memory m = {0};
    uint32_t n;
    pid_t pid = start("gives");
    CHECK(reaches(pid, ALL, ~0ull, 20000), "one has lent memory");
    n = fill(takers);
    CHECK(n < TAKERS_MAX && takers[n] == 0 && sys_memory(&m) == 0 &&
              m.free_bytes > 0,
          "programs are refused what guarantees may need");
    CHECK(reaches(pid, 0, ALL - CHUNK, 20000) &&
              sys_contract((uint32_t)pid, &c) == 0 && c.forced == 0,
          "what was lent comes back before, without force");
    printf("# %u programs, then %llu bytes are still lent\n", n,
           (unsigned long long)c.optimistic_used);
    empty(takers, n);
    (void)kill(pid, SIGTERM);
    CHECK(end(pid) == 0, "here, too, no word is wrong or lost");
}

static void deaf_test(void)
{
    int status = end(start("deaf"));
    printf("# status %x\n", (unsigned)status);
    CHECK(status == 0, "who does not answer loses memory; clean pages are read "
                       "again, dirty ones are told lost");
}

static void dies_test(void)
{
    pid_t pid = start("stays");
    CHECK(reaches(pid, ALL, ~0ull, 20000), "a third has lent memory");
    CHECK(sys_reclaim((uint32_t)pid, ~0ull, 500 * MS) == 0 &&
              kill(pid, SIGKILL) == 0 && WTERMSIG(end(pid)) == SIGKILL,
          "and is killed while it is asked");
    CHECK(sys_reclaim((uint32_t)pid, 1, 0) == -1 && errno == ESRCH,
          "the dead owe nothing");
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        if (strcmp(argv[1], "stays") == 0) {
            child_stays();
        }
        if (strcmp(argv[1], "takes") == 0) {
            return child_takes();
        }
        if (strcmp(argv[1], "starts") == 0) {
            return child_starts();
        }
        return strcmp(argv[1], "gives") == 0 ? child_gives() : child_deaf();
    }
    /* What the first child costs us and the file server for good is no part of
     * it. */
    gives_test();
    uint64_t before = used();
    deaf_test();
    dies_test();
    shortage_test();
    start_test();
    printf("# %lld bytes more\n", (long long)(used() - before));
    CHECK(used() == before, "all memory is where it was");
    (void)unlink("/broker.tmp");
    return tap_end();
}
