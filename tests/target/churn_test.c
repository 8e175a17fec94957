/* SPDX-License-Identifier: BSL-1.0 */
/*
 * churn_test.c - more programs, one after the other, than there are blocks of
 * addresses (1,024): what ended gives everything back, and it is used again.
 * The ledger, row by row and type by type, is afterwards what it was before.
 * Prints TAP. Arguments: how many, and a seed.
 */
#include "tests/unit/tap.h"

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

#include <vesper/authority.h>
#include <vesper/memory.h>
#include <vesper/root.h>
#include <vesper/root_call.h>

enum { STARTS = 2500, WARM_UP = 100, KILL_NS = 10000000, ROWS_MAX = 320 };

static struct sys_ledger rows_before[ROWS_MAX], rows_now[ROWS_MAX];
static uint64_t random_state;

/* splitmix64 */
static uint64_t random_below(uint64_t limit)
{
    uint64_t z = random_state += 0x9e3779b97f4a7c15;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return (z ^ z >> 31) % limit;
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

/* The message that starts a program from its bytes: what has no key is not
 * kept, so each is loaded, at new addresses. */
static struct memory_run message;

static bool message_make(void)
{
    static const char path[] = "/tests/nothing", strings[] = "nothing\0nothing";
    struct spawn_request *r;
    struct stat s;
    int fd = open(path, O_RDONLY);

    if (fd < 0 || fstat(fd, &s) != 0 ||
        memory_run_take(4096 + (size_t)s.st_size, &message) != 0) {
        return false;
    }
    r = message.address;
    *r = (struct spawn_request){.magic = SPAWN_MAGIC,
                                .argc = 1,
                                .strings = sizeof(*r),
                                .strings_bytes = sizeof(strings),
                                .image = 4096,
                                .image_bytes = (uint64_t)s.st_size,
                                .cwd = "/"};
    memcpy(r + 1, strings, sizeof(strings));
    return read(fd, (char *)r + 4096, (size_t)s.st_size) == s.st_size &&
           close(fd) == 0;
}

/* One program, from its start to its end. */
static bool run_one(void)
{
    uint64_t w[8] = {ROOT_SPAWN, (uintptr_t)message.address, message.bytes};
    int error = root_call(w, LOAN(message.address, RIGHT_READ));
    int status = -1;

    if (error != 0) {
        printf("# cannot start: %s\n", strerror(error));
    }
    return error == 0 && waitpid((pid_t)w[1], &status, 0) == (pid_t)w[1] &&
           status == 0;
}

/* Kills a program after `ns` nanoseconds of its life. */
static bool kill_after(uint64_t ns)
{
    char *argv[] = {"sleep", "100", NULL};
    struct timespec t = {0, (long)ns};
    int status = 0;
    pid_t child = start("/boot/tools", argv);

    nanosleep(&t, NULL);
    return child > 0 && kill(child, SIGKILL) == 0 &&
           waitpid(child, &status, 0) == child && WTERMSIG(status) == SIGKILL;
}

/* Programs one after the other; every fourth, about, is killed at some moment
 * of its life. How many went well. */
static int churn(int count, int *killed)
{
    int good = 0;

    *killed = 0;
    for (int i = 0; i < count; i++) {
        bool kill_it = random_below(4) == 0;

        if (!(kill_it ? kill_after(random_below(KILL_NS)) : run_one())) {
            break;
        }
        good++;
        *killed += kill_it;
    }
    return good;
}

/* ---- the ledger -------------------------------------------------------- */

static size_t ledger_read(struct sys_ledger *rows)
{
    uint32_t row = 0;
    size_t count = 0;

    memset(rows, 0, ROWS_MAX * sizeof(*rows));
    while (count < ROWS_MAX && sys_ledger(&row, &rows[count]) == 0) {
        rows[count++].changes = 0;
    }
    return count;
}

static uint64_t row_bytes(const struct sys_ledger *row)
{
    uint64_t bytes = row->bytes + row->small_bytes;

    for (size_t i = 0; i < LEDGER_TYPES; i++) {
        bytes += row->type[i];
    }
    return row->owner == LEDGER_BOARD ? 0 : bytes;
}

static bool is_whole(const struct sys_ledger *rows, size_t count)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < count; i++) {
        sum += row_bytes(&rows[i]);
    }
    printf("# %llu of %llu bytes in %zu rows\n", (unsigned long long)sum,
           (unsigned long long)rows[0].bytes, count);
    return count > 0 && rows[0].owner == LEDGER_BOARD && sum == rows[0].bytes;
}

/* Servers hear of a client's end a moment later. */
static bool is_as_before(const struct sys_ledger *before, size_t count)
{
    for (int i = 0; i < 40; i++) {
        struct timespec t = {0, 50000000};

        nanosleep(&t, NULL);
        if (ledger_read(rows_now) == count &&
            memcmp(rows_now, before, count * sizeof(*before)) == 0) {
            return true;
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (memcmp(&rows_now[i], &before[i], sizeof(*before)) != 0) {
            printf("# row %zu: owner %u, id %u: %llu bytes, then %llu\n", i,
                   (unsigned)before[i].owner, (unsigned)before[i].id,
                   (unsigned long long)row_bytes(&before[i]),
                   (unsigned long long)row_bytes(&rows_now[i]));
        }
    }
    return false;
}

int main(int argc, char **argv)
{
    int count = argc > 1 ? atoi(argv[1]) : STARTS;
    int killed;
    size_t rows;
    int64_t begun = now_ms();

    random_state = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
    printf("# %d domains, seed %llu\n", count,
           (unsigned long long)random_state);
    CHECK(message_make(), "a program's file");
    CHECK(churn(WARM_UP, &killed) == WARM_UP, "some programs, to warm up");
    rows = ledger_read(rows_before);
    CHECK(is_whole(rows_before, rows), "the ledger is the board's RAM");
    CHECK(churn(count, &killed) == count, "domains start, end and are killed");
    CHECK(killed > 0 || count < 50, "some of them at a random moment");
    CHECK(is_as_before(rows_before, rows), "the ledger is as it was, exactly");
    CHECK(is_whole(rows_now, rows), "and the board's RAM");
    printf("# %d domains, %d of them killed, took %ld ms\n", count, killed,
           (long)(now_ms() - begun));
    return tap_end();
}
