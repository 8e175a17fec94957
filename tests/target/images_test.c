/* SPDX-License-Identifier: BSL-1.0 */
/*
 * images_test.c - programs that the root server keeps: what starts again is
 * like what started first, a file that has changed is another program, and
 * nobody else has what one started. Starts copies of itself:
 *
 *   images child [MS]   exits with `mark`, + 100 if its data is not new;
 *                       after MS milliseconds
 *   images late         exits with 1 if `late` was relocated
 *   images mine PATH    starts PATH twice; exits with 0 if the second was kept
 *   images ask KEY      exits with what ROOT_SPAWN of that key answers
 *
 * Prints TAP.
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

#include <vesper/file.h>
#include <vesper/root.h>
#include <vesper/root_call.h>
#include <vesper/start.h>
#include <vesper/system.h>

#include "../../libos/posix/place.h"

#define SELF "/tests/images"
#define COPY "/images.a"
#define NEXT "/images.b"

/* What a copy of this file is changed at: the number behind these words. */
static const struct {
    char words[16];
    volatile unsigned char mark;
} mark = {"the mark of it:", 1};

/* ---- a child ------------------------------------------------------------ */

static int counter = 7;
static int zero[64];
static int *pointer = &counter; /* relocated */

/* The file of a copy says that this one is relocated, which is no data of it.
 */
static int *volatile late;

static int child(const char *ms)
{
    bool fresh = counter == 7 && pointer == &counter;
    struct timespec t = {0, ms != NULL ? atol(ms) * 1000000 : 0};

    for (int i = 0; i < 64; i++) {
        fresh &= zero[i] == 0;
        zero[i] = 1;
    }
    counter++;
    pointer = NULL;
    nanosleep(&t, NULL);
    return mark.mark + (fresh ? 0 : 100);
}

/* ---- starting ----------------------------------------------------------- */

static pid_t start(const char *path, const char *word, const char *argument)
{
    char *argv[] = {(char *)path, (char *)word, (char *)argument, NULL};
    pid_t pid;
    int error = posix_spawn(&pid, path, NULL, NULL, argv, NULL);

    if (error != 0) {
        printf("# cannot start %s: %s\n", path, strerror(error));
        return -1;
    }
    return pid;
}

/* What it exits with; -1: not at all. */
static int end(pid_t pid)
{
    int status;

    return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status)
               ? WEXITSTATUS(status)
               : -1;
}

static int run(const char *path)
{
    return end(start(path, "child", NULL));
}

static uint64_t stamp(const char *path)
{
    struct channel_request r = {.op = FILE_STAMP};
    struct channel_completion answer;
    struct place place;

    return posix_place_find(path, &place) == 0 &&
                   posix_place_call(&place, &r, &answer) == 0
               ? answer.value[0]
               : 0;
}

/* Start it by the key alone: the errno. What it does is waited for. */
static int start_key(uint64_t key)
{
    static const char text[] = "/kept\0kept\0child";
    _Alignas(8) struct {
        struct spawn_request r;
        char text[sizeof(text)];
    } m = {.r = {.magic = SPAWN_MAGIC,
                 .argc = 2,
                 .strings = sizeof(m.r),
                 .strings_bytes = sizeof(text),
                 .key = key,
                 .cwd = "/"}};
    uint64_t w[8] = {ROOT_SPAWN, (uintptr_t)&m, sizeof(m)};
    int error;

    memcpy(m.text, text, sizeof(text));
    error = root_call(w, LOAN(&m, RIGHT_READ));
    return error == 0 && end((pid_t)w[1]) < 0 ? ECHILD : error;
}

static bool is_kept(const char *path)
{
    uint64_t key = stamp(path);

    return key != 0 && start_key(key) == 0;
}

/* ---- files -------------------------------------------------------------- */

static char *image;
static size_t image_bytes, mark_at;

/* This program's file, and where its mark is in there. */
static bool image_read(void)
{
    struct stat s;
    int fd = open(SELF, O_RDONLY);

    if (fd < 0 || fstat(fd, &s) != 0) {
        return false;
    }
    image_bytes = (size_t)s.st_size;
    image = malloc(image_bytes);
    if (image == NULL || read(fd, image, image_bytes) != s.st_size) {
        return false;
    }
    close(fd);
    for (size_t i = 0; i + sizeof(mark) < image_bytes; i++) {
        if (memcmp(image + i, mark.words, sizeof(mark.words)) == 0) {
            mark_at = i + sizeof(mark.words);
        }
    }
    return mark_at != 0;
}

static bool copy_make(const char *path, int flags, char is)
{
    int fd = open(path, O_WRONLY | flags, 0755);

    image[mark_at] = is;
    return fd >= 0 && write(fd, image, image_bytes) == (ssize_t)image_bytes &&
           close(fd) == 0;
}

static bool copy_patch(const char *path, char is)
{
    int fd = open(path, O_RDWR);

    return fd >= 0 && pwrite(fd, &is, 1, (off_t)mark_at) == 1 && close(fd) == 0;
}

/* Let the word that is relocated be `late`, not `pointer`. */
static bool copy_relocate(const char *path)
{
    const uint64_t from[] = {(uintptr_t)&pointer - start_self->image, 1027,
                             (uintptr_t)&counter - start_self->image};
    const uint64_t to = (uintptr_t)&late - start_self->image;
    bool found = false;

    for (size_t i = 0; i + sizeof(from) <= image_bytes && !found; i++) {
        found = memcmp(image + i, from, sizeof(from)) == 0;
        if (found) {
            memcpy(image + i, &to, sizeof(to));
            found = copy_make(path, O_CREAT | O_TRUNC, 1);
            memcpy(image + i, from, sizeof(to));
        }
    }
    return found;
}

/* ---- tests -------------------------------------------------------------- */

static void again_test(void)
{
    pid_t first, second;

    CHECK(run(SELF) == 1 && is_kept(SELF), "what has ended is kept");
    CHECK(run(SELF) == 1 && run(SELF) == 1,
          "and begins as it did at first: data, zeros, addresses in data");
    first = start(SELF, "child", "50");
    second = start(SELF, "child", "50");
    CHECK(end(first) == 1 && end(second) == 1, "two at a time");
    first = start(SELF, "child", "900");
    CHECK(first > 0 && kill(first, SIGKILL) == 0 && end(first) == -1 &&
              run(SELF) == 1,
          "one that was killed");
}

static void change_test(void)
{
    CHECK(copy_make(COPY, O_CREAT | O_TRUNC, 2) && run(COPY) == 2 &&
              is_kept(COPY) && run(COPY) == 2,
          "a copy that is another program");
    CHECK(copy_patch(COPY, 3) && run(COPY) == 3 && run(COPY) == 3,
          "one byte of it is changed");
    CHECK(copy_make(COPY, O_TRUNC, 4) && run(COPY) == 4, "it is written anew");
    CHECK(copy_make(NEXT, O_CREAT | O_TRUNC, 5) && run(NEXT) == 5 &&
              rename(NEXT, COPY) == 0 && run(COPY) == 5,
          "another one takes its name");
    CHECK(unlink(COPY) == 0 && copy_make(COPY, O_CREAT | O_EXCL, 6) &&
              run(COPY) == 6,
          "it is removed, and made again");
    int fd = open(COPY, O_RDWR);
    CHECK(fd >= 0 && run(COPY) == 6 && copy_patch(COPY, 7) && run(COPY) == 7 &&
              pwrite(fd, "\10", 1, (off_t)mark_at) == 1 && run(COPY) == 8 &&
              close(fd) == 0 && run(COPY) == 8,
          "it changes while it is open");
    (void)unlink(COPY);
}

static void owner_test(void)
{
    char key[24];

    CHECK(run(SELF) == 1 && is_kept(SELF), "kept for who started it");
    (void)snprintf(key, sizeof(key), "%llu", (unsigned long long)stamp(SELF));
    CHECK(copy_make(COPY, O_CREAT | O_TRUNC, 2) &&
              end(start(COPY, "ask", key)) == ESTALE && is_kept(SELF),
          "... and for nobody else");
    CHECK(start_key(~0ull) == ESTALE, "a number of nothing");
    CHECK(end(start(SELF, "mine", SELF)) == 0, "others have their own");
    (void)unlink(COPY);
}

static void late_test(void)
{
    CHECK(copy_relocate(COPY) && end(start(COPY, "late", NULL)) == 1 &&
              !is_kept(COPY) && end(start(COPY, "late", NULL)) == 1,
          "one that is relocated where the file has no data is not kept");
    (void)unlink(COPY);
}

static uint64_t used(void)
{
    struct sys_memory m;

    return sys_memory(&m) == 0 ? m.used_bytes : 0;
}

/* More than can be kept; what ended is nobody's memory. */
static void many_test(void)
{
    char path[24];
    uint64_t before;
    bool good = true;

    CHECK(run(SELF) == 1, "more programs than are kept");
    before = used();
    for (int i = 0; i < 12; i++) {
        (void)snprintf(path, sizeof(path), "/images.%d", i);
        good &= copy_make(path, O_CREAT | O_TRUNC, (char)(10 + i)) &&
                run(path) == 10 + i;
    }
    CHECK(good, "... all run");
    CHECK(is_kept("/images.11") && start_key(stamp("/images.0")) == ESTALE,
          "... the latest are kept");
    CHECK(used() == before, "... in memory that counts as free");
    for (int i = 0; i < 12; i++) {
        (void)snprintf(path, sizeof(path), "/images.%d", i);
        good &= run(path) == 10 + i && unlink(path) == 0;
    }
    CHECK(good, "... and all run again");
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "child") == 0) {
        return child(argc > 2 ? argv[2] : NULL);
    }
    if (argc > 1 && strcmp(argv[1], "late") == 0) {
        return late == &counter ? 1 : 2;
    }
    if (argc > 2 && strcmp(argv[1], "ask") == 0) {
        return start_key(strtoull(argv[2], NULL, 10));
    }
    if (argc > 2 && strcmp(argv[1], "mine") == 0) {
        return run(argv[2]) != 1 || !is_kept(argv[2]);
    }
    CHECK(image_read(), "its own file");
    again_test();
    change_test();
    owner_test();
    late_test();
    many_test();
    return tap_end();
}
