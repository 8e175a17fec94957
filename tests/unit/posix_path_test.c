/* SPDX-License-Identifier: BSL-1.0 */
/*
 * posix_path_test.c - paths made absolute, and names looked up in a PATH.
 */
#include "libos/posix/path.h"
#include "tests/unit/tap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A heap buffer of exactly the promised size, so that a byte too much is seen.
 */
static bool gives(const char *cwd, const char *path, const char *expected,
                  bool expected_directory)
{
    char *out = malloc(PATH_BYTES);
    bool directory = !expected_directory;
    bool good = posix_path_absolute(cwd, path, out, &directory) == 0 &&
                strcmp(out, expected) == 0 && directory == expected_directory;

    if (!good) {
        printf("# %s + %s gave %s%s\n", cwd, path, out,
               directory ? " (directory)" : "");
    }
    free(out);
    return good;
}

static int error_of(const char *cwd, const char *path)
{
    char *out = malloc(PATH_BYTES);
    bool directory;
    int error = posix_path_absolute(cwd, path, out, &directory);

    free(out);
    return error;
}

static void plain_test(void)
{
    CHECK(gives("/", "/", "/", true), "root");
    CHECK(gives("/", "a", "/a", false), "a name in the root");
    CHECK(gives("/a/b", "c", "/a/b/c", false), "a name below");
    CHECK(gives("/a/b", "/c", "/c", false), "absolute: cwd does not count");
    CHECK(gives("/", "//a///b", "/a/b", false), "double slashes");
    CHECK(gives("/", "a/", "/a", true), "slash at the end: a directory");
    CHECK(gives("/x", ".", "/x", true), "dot");
    CHECK(gives("/x", "./a/./b", "/x/a/b", false), "dots between");
    CHECK(gives("/x", "...", "/x/...", false), "three dots are a name");
    CHECK(gives("/x", ".a", "/x/.a", false), "a name may start with a dot");
    CHECK(gives("/x", "..a", "/x/..a", false), "or with two");
}

static void up_test(void)
{
    CHECK(gives("/a/b", "..", "/a", true), "up");
    CHECK(gives("/a/b", "../c", "/a/c", false), "up and down");
    CHECK(gives("/a", "../..", "/", true), "not above the root");
    CHECK(gives("/", "../../a", "/a", false), "nor from there");
    CHECK(gives("/a/b/c", "../../d/../e", "/a/e", false), "zigzag");
    CHECK(gives("/a", "b/..", "/a", true), "down and up");
}

/* "/aaa...": bytes long without the NUL. */
static char *long_path(size_t bytes)
{
    char *path = malloc(bytes + 1);

    memset(path, 'a', bytes);
    path[0] = '/';
    path[bytes] = '\0';
    return path;
}

static void length_test(void)
{
    char *fits = long_path(PATH_BYTES - 1);
    char *not = long_path(PATH_BYTES);
    char *much = long_path(100000);

    CHECK(gives("/", fits, fits, false), "the longest path");
    CHECK(error_of("/", not ) == ENAMETOOLONG, "one byte more");
    CHECK(error_of("/", much) == ENAMETOOLONG, "far too long");
    CHECK(error_of(fits, "a") == ENAMETOOLONG, "too long with cwd");
    CHECK(gives(fits, "..", "/", true), "up from the longest");
    CHECK(error_of("/", "") == ENOENT, "empty: no such file");
    free(fits);
    free(not );
    free(much);
}

static bool joins(const char *directory, const char *name, const char *expected)
{
    char *out = malloc(PATH_BYTES);
    bool good = posix_path_join(directory, strlen(directory), name, out) == 0 &&
                strcmp(out, expected) == 0;

    free(out);
    return good;
}

static void join_test(void)
{
    char *half = long_path(PATH_BYTES / 2);
    char *out = malloc(PATH_BYTES);

    CHECK(joins("/bin", "ls", "/bin/ls"), "directory and name");
    CHECK(joins("", "ls", "./ls"), "an empty directory is the current one");
    CHECK(posix_path_join("/bin:/boot", 4, "x", out) == 0 &&
              strcmp(out, "/bin/x") == 0,
          "only so many bytes of the directory");
    CHECK(posix_path_join(half, PATH_BYTES / 2, half, out) == ENAMETOOLONG,
          "too long together");
    CHECK(posix_path_join(half, PATH_BYTES / 2, half + 2, out) == 0 &&
              strlen(out) == PATH_BYTES - 1,
          "just long enough");
    free(half);
    free(out);
}

int main(void)
{
    plain_test();
    up_test();
    length_test();
    join_test();
    return tap_end();
}
