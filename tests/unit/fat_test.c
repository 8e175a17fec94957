/* SPDX-License-Identifier: BSL-1.0 */
/*
 * fat_test.c - what fat.h promises, on volumes that are in order
 *
 * Every group runs on several shapes of volume, each time on a fresh disk;
 * after each the volume must be free of damage. Random sequences are the work
 * of tests/oracle, bad media of fat_bad_test.c, failures of fat_fault_test.c.
 */
#include "tests/unit/fat_check.h"
#include "tests/unit/tap.h"

#include <stdlib.h>
#include <string.h>

#define RW (FAT_READ | FAT_WRITE)

static const struct fat_shape shapes[] = {
    {.bits = 32, .cluster_sectors = 1, .clusters = 900},
    {.bits = 32, .cluster_sectors = 8, .clusters = 300, .start_lba = 63},
    {.bits = 16, .cluster_sectors = 1, .clusters = 4100, .root_entries = 512},
    {.bits = 16,
     .cluster_sectors = 4,
     .clusters = 4085,
     .start_lba = 2048,
     .root_entries = 64},
};

static const struct fat_shape *shape;
static struct fat_layout at;
static struct fat_disk disk;
static struct fat_volume vol;
static int64_t now = 1700000000;
static uint8_t big[1 << 20];
static uint8_t back[1 << 20];

static int64_t test_now(void *ctx)
{
    (void)ctx;
    return now;
}

static int mount(void)
{
    int rc = fat_mount(&vol, &disk.dev, NULL);

    vol.now = test_now;
    return rc;
}

static int put(const char *path, const void *data, size_t len)
{
    struct fat_file f;
    int rc = fat_open(&vol, &f, path, RW | FAT_CREATE | FAT_TRUNC);
    int64_t n;

    if (rc < 0) {
        return rc;
    }
    n = fat_write(&f, 0, data, len);
    rc = fat_close(&f);
    return n < 0 ? (int)n : rc < 0 ? rc : (int)n;
}

static int64_t get(const char *path)
{
    struct fat_file f;
    int64_t n = fat_open(&vol, &f, path, FAT_READ);

    if (n == 0) {
        n = fat_read(&f, 0, back, sizeof back);
        fat_close(&f);
    }
    return n;
}

static bool holds(const char *path, const void *data, size_t len)
{
    return get(path) == (int64_t)len && memcmp(back, data, len) == 0;
}

/* stat: 0, or the error */
static int look(const char *path)
{
    struct fat_info info;

    return fat_stat(&vol, path, &info);
}

static int64_t size_of(const char *path)
{
    struct fat_info info;
    int rc = fat_stat(&vol, path, &info);

    return rc < 0 ? rc : (int64_t)info.size;
}

static int count(const char *path)
{
    static struct fat_dirent entry;
    struct fat_file dir;
    uint32_t cursor = 0;
    int n = 0;
    int rc = fat_open(&vol, &dir, path, FAT_READ | FAT_DIRECTORY);

    if (rc < 0) {
        return rc;
    }
    while ((rc = fat_readdir(&vol, &dir, &cursor, &entry)) > 0) {
        n++;
    }
    fat_close(&dir);
    return rc < 0 ? rc : n;
}

/* Does the directory list exactly this name? */
static bool lists(const char *path, const char *name)
{
    static struct fat_dirent entry;
    struct fat_file dir;
    uint32_t cursor = 0;
    bool found = false;

    if (fat_open(&vol, &dir, path, FAT_READ) < 0) {
        return false;
    }
    while (fat_readdir(&vol, &dir, &cursor, &entry) > 0) {
        found = found || strcmp(entry.name, name) == 0;
    }
    fat_close(&dir);
    return found;
}

static uint64_t free_bytes(void)
{
    struct fat_space space = {0};

    fat_statfs(&vol, &space);
    return space.free_bytes;
}

/* Unmount and let the checker look. */
static void volume_check(const char *what)
{
    static const struct fat_damage none;
    struct fat_damage d;
    uint32_t used;

    CHECK(vol.fault == NULL, what);
    CHECK(fat_unmount(&vol) == 0, "unmount");
    fat_check(&disk, shape, &at, &d);
    used = d.used;
    d.used = 0;
    CHECK(memcmp(&d, &none, sizeof d) == 0, what);
    mount();
    vol.free_known = false; /* count, then compare with the checker */
    CHECK(free_bytes() ==
              (uint64_t)(shape->clusters - used) * shape->cluster_sectors * 512,
          "free space counted");
    fat_unmount(&vol);
    mount();
    CHECK(shape->bits == 16 || vol.free_known, "FSInfo read back");
    CHECK(free_bytes() ==
              (uint64_t)(shape->clusters - used) * shape->cluster_sectors * 512,
          "free space after remount");
}

static void test_files(void)
{
    struct fat_info info;
    struct fat_file f;

    CHECK(look("/a.txt") == -ENOENT, "no file yet");
    CHECK(put("/a.txt", "hello", 5) == 5, "create and write");
    CHECK(holds("/a.txt", "hello", 5), "read back");
    CHECK(holds("/A.TXT", "hello", 5), "case is ignored");
    CHECK(lists("/", "a.txt"), "case is kept");
    CHECK(fat_open(&vol, &f, "/a.txt", RW | FAT_CREATE | FAT_EXCL) == -EEXIST,
          "EXCL on an existing file");
    CHECK(fat_open(&vol, &f, "/b", RW | FAT_CREATE | FAT_EXCL) == 0,
          "EXCL creates");
    CHECK(fat_read(&f, 0, back, 10) == 0, "an empty file has nothing");
    CHECK(fat_close(&f) == 0, "close");
    CHECK(fat_close(&f) == -EBADF, "close twice");
    CHECK(fat_read(&f, 0, back, 1) == -EBADF, "read after close");
    CHECK(fat_write(&f, 0, back, 1) == -EBADF, "write after close");
    CHECK(fat_truncate(&f, 0) == -EBADF, "truncate after close");
    CHECK(fat_flush(&f) == -EBADF, "flush after close");
    CHECK(fat_fstat(&f, &info) == -EBADF, "fstat after close");
    CHECK(fat_stat(&vol, "/a.txt", &info) == 0 && info.size == 5 &&
              !info.is_dir && info.mtime == now &&
              info.attributes == FAT_ATTR_ARCHIVE,
          "stat of a file");
    CHECK(fat_unlink(&vol, "/a.txt") == 0, "unlink");
    CHECK(look("/a.txt") == -ENOENT, "gone");
    CHECK(fat_unlink(&vol, "/a.txt") == -ENOENT, "unlink again");
    volume_check("files");
    CHECK(look("/b") == 0 && count("/") == 1, "after remount");
}

static void test_flags(void)
{
    struct fat_file f;

    put("/f", "0123456789", 10);
    CHECK(fat_open(&vol, &f, "/f", 0) == -EINVAL, "neither read nor write");
    CHECK(fat_open(&vol, &f, "/f", FAT_READ | FAT_TRUNC) == -EINVAL,
          "TRUNC without WRITE");
    CHECK(fat_open(&vol, &f, "/f", FAT_READ | FAT_APPEND) == -EINVAL,
          "APPEND without WRITE");
    CHECK(fat_open(&vol, &f, "/n", FAT_READ | FAT_CREATE | FAT_DIRECTORY) ==
              -EINVAL,
          "CREATE with DIRECTORY");
    CHECK(fat_open(&vol, &f, "/f", FAT_READ | FAT_DIRECTORY) == -ENOTDIR,
          "DIRECTORY on a file");
    CHECK(fat_open(&vol, &f, "/f", FAT_READ) == 0 &&
              fat_write(&f, 0, "x", 1) == -EBADF && fat_close(&f) == 0,
          "write on read-only handle");
    CHECK(fat_open(&vol, &f, "/f", FAT_WRITE) == 0 &&
              fat_read(&f, 0, back, 1) == -EBADF && fat_close(&f) == 0,
          "read on write-only handle");
    CHECK(fat_open(&vol, &f, "/f", FAT_WRITE | FAT_APPEND) == 0 &&
              fat_write(&f, 0, "ab", 2) == 2 && fat_close(&f) == 0 &&
              holds("/f", "0123456789ab", 12),
          "APPEND ignores the offset");
    CHECK(fat_open(&vol, &f, "/f", FAT_WRITE | FAT_TRUNC) == 0 &&
              fat_close(&f) == 0 && size_of("/f") == 0,
          "TRUNC");
    CHECK(fat_mkdir(&vol, "/d") == 0, "mkdir");
    CHECK(fat_open(&vol, &f, "/d", RW) == -EISDIR, "write a directory");
    CHECK(fat_open(&vol, &f, "/d", FAT_READ | FAT_CREATE) == -EISDIR,
          "create over a directory");
    CHECK(fat_open(&vol, &f, "/", RW) == -EISDIR, "write the root");
    CHECK(fat_open(&vol, &f, "/d", FAT_READ) == 0 &&
              fat_read(&f, 0, back, 1) == -EISDIR && fat_close(&f) == 0,
          "read a directory as a file");
    volume_check("flags");
}

static void test_offsets(void)
{
    struct fat_file f;
    uint64_t room = free_bytes();

    for (size_t i = 0; i < sizeof big; i++) {
        big[i] = (uint8_t)(i * 7 + i / 251);
    }
    CHECK(put("/big", big, 100000) == 100000 && holds("/big", big, 100000),
          "many sectors");
    CHECK(fat_open(&vol, &f, "/big", RW) == 0, "open");
    for (unsigned i = 0; i < 300; i++) {
        size_t from = i * 333 % 100000;
        size_t len = i * 131 % 5000;
        int64_t want =
            from + len > 100000 ? (int64_t)(100000 - from) : (int64_t)len;

        if (fat_read(&f, from, back, len) != want ||
            memcmp(back, big + from, (size_t)want) != 0) {
            CHECK(false, "read anywhere");
            break;
        }
    }
    CHECK(fat_read(&f, 100000, back, 1) == 0, "read at the end");
    CHECK(fat_read(&f, 1ull << 63, back, 1) == 0, "read at 2^63");
    CHECK(fat_read(&f, 99999, back, SIZE_MAX / 2) == 1, "read huge length");
    CHECK(fat_write(&f, 0, big, 0) == 0, "write nothing");
    CHECK(fat_write(&f, 511, "xyz", 3) == 3, "write over a sector edge");
    memcpy(big + 511, "xyz", 3);
    CHECK(holds("/big", big, 100000), "the rest is as before");
    CHECK(fat_write(&f, 1ull << 32, "x", 1) == -EFBIG, "write at 4 GiB");
    CHECK(fat_write(&f, 0xffffffff, "x", 1) == -EFBIG, "write at 4 GiB - 1");
    CHECK(fat_write(&f, 1ull << 63, "x", 1) == -EFBIG, "write at 2^63");
    CHECK(fat_write(&f, 0xfffffffe, "xy", 2) == -ENOSPC,
          "write just below 4 GiB on a small volume");
    CHECK(fat_truncate(&f, 1ull << 32) == -EFBIG, "truncate to 4 GiB");
    CHECK(fat_truncate(&f, 0xffffffff) == -ENOSPC, "truncate beyond room");
    CHECK(holds("/big", big, 100000), "unchanged by these failures");
    CHECK(fat_write(&f, 150000, "end", 3) == 3, "leave a gap");
    memset(big + 100000, 0, 50000);
    memcpy(big + 150000, "end", 3);
    CHECK(holds("/big", big, 150003), "a gap is zeros");
    CHECK(fat_truncate(&f, 120) == 0 && fat_truncate(&f, 70000) == 0, "cut");
    memset(big + 120, 0, 70000);
    CHECK(holds("/big", big, 70000), "growth is zeros, not old bytes");
    CHECK(fat_close(&f) == 0 && fat_unlink(&vol, "/big") == 0, "remove");
    CHECK(free_bytes() == room, "all space is back");
    volume_check("offsets");
}

static void test_names(void)
{
    static const char *const good[] = {
        "A",
        "a",
        "NAME.EXT",
        "name.ext",
        "Mixed.Ext",
        ".hidden",
        "a.b.c",
        "with space",
        "=[];,+",
        "caf\xc3\xa9",
        "\xd0\xa4\xd0\xb0\xd0\xb9",
        "\xe6\x97\xa5\xe6\x9c\xac",
        "\xf0\x9f\x98\x80",
        "~1",
        "A~1",
        "....x",
        " lead",
        "thirteen-chrs",
        "twenty-six-characters-long",
        "CON",
        "%$#@!",
        "a..b",
        "eleven.char",
        "noext1234",
    };
    static const char *const bad[] = {
        "a:b",
        "a*",
        "a?",
        "\"q\"",
        "<",
        ">",
        "|",
        "a\\b",
        "a\x01",
        "\x1f",
        "dot.",
        "space ",
        "...",
        "x. ",
        "\xff",
        "\xc0\xaf",
        "\xed\xa0\x80",
        "\xe6\x97",
        "\xf4\x90\x80\x80",
        "\x80",
    };
    char path[800];
    int n = 0;

    fat_mkdir(&vol, "/d");
    for (unsigned i = 0; i < sizeof good / sizeof *good; i++) {
        bool again = i == 1 || i == 3; /* only case differs */

        snprintf(path, sizeof path, "/d/%s", good[i]);
        CHECK(put(path, path, strlen(path)) == (int)strlen(path), good[i]);
        CHECK(holds(path, path, strlen(path)), "found again");
        CHECK(again || lists("/d", good[i]), "listed as given");
        n += !again;
    }
    CHECK(count("/d") == n, "as many entries as names");
    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(path, sizeof path, "/d/%s", bad[i]);
        CHECK(put(path, "x", 1) == -EINVAL, "bad name, file");
        CHECK(fat_mkdir(&vol, path) == -EINVAL, "bad name, directory");
        CHECK(fat_rename(&vol, "/d/A", path) == -EINVAL, "bad name, rename");
    }
    CHECK(count("/d") == n, "no entry came of bad names");
    volume_check("names");
    put("/d/\xc4\x81", "1", 1); /* U+0101, 013A, 0450, 03C9 */
    put("/d/\xc4\xba", "2", 1);
    put("/d/\xd1\x90", "3", 1);
    put("/d/\xcf\x89", "4", 1);
    CHECK(holds("/d/\xc4\x80", "1", 1) && holds("/d/\xc4\xb9", "2", 1) &&
              holds("/d/\xd0\x80", "3", 1) && holds("/d/\xce\xa9", "4", 1),
          "case of other letters");
    CHECK(look("/d/\xc3\xb7") == -ENOENT && put("/d/\xc3\x97", "x", 1) == 1 &&
              look("/d/\xc3\xb7") == -ENOENT,
          "signs have no case");
    CHECK(look("/d/\xc3(") == -EINVAL && look("/d/\xe6\x97(") == -EINVAL,
          "broken UTF-8");
    CHECK(holds("/D/CAF\xc3\x89", "/d/caf\xc3\xa9", 8), "case of Latin");
    CHECK(get("/D/\xd1\x84\xd0\x90\xd0\x99") > 0, "case of Cyrillic");
}

static void test_limits(void)
{
    static char path[2000];
    struct fat_file f;

    path[0] = '/';
    memset(path + 1, 'n', 255);
    path[256] = 0;
    CHECK(put(path, "x", 1) == 1 && holds(path, "x", 1), "name of 255");
    memcpy(path + 256, "n", 2);
    CHECK(put(path, "x", 1) == -ENAMETOOLONG, "name of 256");
    for (unsigned i = 0; i < 255; i++) {
        memcpy(path + 1 + i * 3, "\xe6\x97\xa5", 3);
    }
    path[766] = 0;
    CHECK(put(path, "x", 1) == 1 && lists("/", path + 1),
          "name of 255 units in 765 bytes");
    for (unsigned i = 0; i < 1026; i++) {
        path[i] = i % 2 ? 'a' : '/';
    }
    CHECK(look(path) == -ENAMETOOLONG, "path of 1026");
    path[1025] = 0;
    CHECK(look(path) == -ENAMETOOLONG, "path of 1025");
    path[1024] = 0;
    CHECK(look(path) == -ENOENT, "path of 1024");
    CHECK(look("") == -ENOENT, "empty path");
    CHECK(look("a") == -EINVAL, "relative path");
    CHECK(look("/") == 0 && look("//") == 0 && look("/..") == 0 &&
              look("//../..") == 0 && look("/./.") == 0,
          "names of the root");
    put("/f", "x", 1);
    CHECK(look("/f/") == -ENOTDIR, "file with a slash");
    CHECK(look("/f/x") == -ENOTDIR, "file as a directory");
    CHECK(look("/nope/x") == -ENOENT, "missing directory");
    CHECK(look("/nope/../f") == 0, ".. by text");
    CHECK(fat_open(&vol, &f, "/new/", RW | FAT_CREATE) == -EISDIR,
          "create with a slash");
    CHECK(fat_open(&vol, &f, "/nope", RW) == -ENOENT, "open nothing");
    CHECK(fat_open(&vol, &f, "/nope", RW | FAT_TRUNC) == -ENOENT, "nor cut");
    CHECK(fat_mkdir(&vol, "/f/") == -EEXIST, "mkdir over a file with slash");
    CHECK(put("/nope/x", "x", 1) == -ENOENT, "create in nothing");
    CHECK(put("/f/x", "x", 1) == -ENOTDIR, "create in a file");
    volume_check("limits");
}

static void test_directories(void)
{
    struct fat_info info;
    struct fat_file f;
    char path[64];

    CHECK(fat_mkdir(&vol, "/d") == 0 && fat_mkdir(&vol, "/d/e/") == 0, "mkdir");
    CHECK(fat_mkdir(&vol, "/d") == -EEXIST, "mkdir again");
    CHECK(fat_mkdir(&vol, "/") == -EEXIST, "mkdir the root");
    CHECK(fat_mkdir(&vol, "/x/y") == -ENOENT, "mkdir in nothing");
    CHECK(fat_stat(&vol, "/d", &info) == 0 && info.is_dir && info.size == 0,
          "stat of a directory");
    CHECK(count("/d/e") == 0 && count("/d") == 1, "the dots are not listed");
    CHECK(fat_rmdir(&vol, "/d") == -ENOTEMPTY, "rmdir with entries");
    CHECK(fat_unlink(&vol, "/d") == -EISDIR, "unlink a directory");
    CHECK(fat_unlink(&vol, "/") == -EISDIR, "unlink the root");
    CHECK(fat_rmdir(&vol, "/") == -EBUSY, "rmdir the root");
    put("/f", "x", 1);
    CHECK(fat_rmdir(&vol, "/f") == -ENOTDIR, "rmdir a file");
    CHECK(fat_rmdir(&vol, "/q") == -ENOENT, "rmdir nothing");
    CHECK(fat_open(&vol, &f, "/d/e", FAT_READ) == 0 &&
              fat_rmdir(&vol, "/d/e") == -EBUSY && fat_close(&f) == 0 &&
              fat_rmdir(&vol, "/d/e") == 0,
          "rmdir of an open directory");
    for (unsigned i = 0; i < 150; i++) {
        snprintf(path, sizeof path, "/d/entry with a long name %u", i);
        if (put(path, path, 1) != 1) {
            CHECK(false, "many entries");
        }
    }
    CHECK(count("/d") == 150, "150 entries");
    for (unsigned i = 0; i < 150; i += 2) {
        snprintf(path, sizeof path, "/d/Entry With A Long Name %u", i);
        fat_unlink(&vol, path);
    }
    CHECK(count("/d") == 75, "75 left");
    CHECK(put("/d/in between", "x", 1) == 1 && count("/d") == 76, "reuse");
    volume_check("directories");
}

/* Listing while entries go: what stays is seen once. */
static void test_listing(void)
{
    static struct fat_dirent entry;
    struct fat_file dir;
    uint32_t cursor = 0;
    char path[FAT_NAME_BYTES + 4];
    int seen = 0;

    fat_mkdir(&vol, "/d");
    for (unsigned i = 0; i < 60; i++) {
        snprintf(path, sizeof path, "/d/some longer name %u.txt", i);
        put(path, "x", 1);
    }
    CHECK(fat_open(&vol, &dir, "/d", FAT_READ) == 0, "open the directory");
    while (fat_readdir(&vol, &dir, &cursor, &entry) > 0) {
        snprintf(path, sizeof path, "/d/%s", entry.name);
        seen += fat_unlink(&vol, path) == 0;
    }
    CHECK(seen == 60 && count("/d") == 0, "remove while listing");
    cursor = 0xffffffff;
    CHECK(fat_readdir(&vol, &dir, &cursor, &entry) == 0, "wild cursor");
    fat_close(&dir);
    CHECK(fat_readdir(&vol, &dir, &cursor, &entry) == -EBADF, "closed");
    put("/f", "x", 1);
    fat_open(&vol, &dir, "/f", FAT_READ);
    cursor = 0;
    CHECK(fat_readdir(&vol, &dir, &cursor, &entry) == -ENOTDIR, "a file");
    fat_close(&dir);
    volume_check("listing");
}

static void test_rename(void)
{
    struct fat_file f;

    put("/a", "aa", 2);
    fat_mkdir(&vol, "/d");
    fat_mkdir(&vol, "/d/e");
    CHECK(fat_rename(&vol, "/a", "/b") == 0 && look("/a") == -ENOENT &&
              holds("/b", "aa", 2),
          "rename a file");
    CHECK(fat_rename(&vol, "/b", "/B") == 0 && lists("/", "B") &&
              count("/") == 2,
          "change only the case");
    CHECK(fat_rename(&vol, "/B", "/A much longer name than before.text") == 0 &&
              lists("/", "A much longer name than before.text"),
          "longer");
    CHECK(fat_rename(&vol, "/A much longer name than before.text",
                     "/a MUCH longer name than before.text") == 0 &&
              lists("/", "a MUCH longer name than before.text"),
          "long case");
    CHECK(fat_rename(&vol, "/a much longer name than before.text", "/d/e/x") ==
                  0 &&
              holds("/d/e/x", "aa", 2),
          "move");
    CHECK(fat_rename(&vol, "/d/e", "/moved") == 0 &&
              holds("/moved/x", "aa", 2) && look("/d/e") == -ENOENT,
          "move a directory");
    CHECK(fat_rename(&vol, "/moved", "/d/again") == 0 &&
              holds("/d/again/x", "aa", 2),
          "and down");
    CHECK(fat_rename(&vol, "/d", "/d/again/d") == -EINVAL, "into itself");
    CHECK(fat_rename(&vol, "/d", "/d/d") == -EINVAL, "into itself, directly");
    CHECK(fat_rename(&vol, "/d", "/d") == 0, "onto itself");
    put("/t", "target", 6);
    CHECK(fat_rename(&vol, "/d/again/x", "/T") == 0 && holds("/t", "aa", 2) &&
              lists("/", "t"),
          "replace a file");
    CHECK(fat_rename(&vol, "/t", "/d") == -EISDIR, "file onto directory");
    CHECK(fat_rename(&vol, "/d", "/t") == -ENOTDIR, "directory onto file");
    fat_mkdir(&vol, "/empty");
    CHECK(fat_rename(&vol, "/empty", "/d") == -ENOTEMPTY, "onto a full one");
    CHECK(fat_rename(&vol, "/d", "/empty") == 0 && look("/d") == -ENOENT &&
              look("/empty/again") == 0,
          "onto an empty one");
    CHECK(fat_rename(&vol, "/nope", "/x") == -ENOENT, "nothing");
    CHECK(fat_rename(&vol, "/t", "/nope/x") == -ENOENT, "to nowhere");
    CHECK(fat_rename(&vol, "/t", "/u/") == -ENOTDIR, "file to a slash");
    CHECK(fat_rename(&vol, "/", "/x") == -EBUSY, "the root");
    CHECK(fat_rename(&vol, "/t", "/") == -EBUSY, "onto the root");
    fat_open(&vol, &f, "/t", RW);
    CHECK(fat_write(&f, 0, "AA", 2) == 2 &&
              fat_rename(&vol, "/t", "/empty/again/open") == 0 &&
              fat_write(&f, 2, "bb", 2) == 2 &&
              holds("/empty/again/open", "AAbb", 4),
          "rename while open");
    put("/s", "ss", 2);
    CHECK(fat_rename(&vol, "/s", "/empty/again/open") == -EBUSY,
          "onto an open file");
    CHECK(fat_close(&f) == 0, "close under the new name");
    CHECK(holds("/empty/again/open", "AAbb", 4), "and all is there");
    volume_check("rename");
}

static void test_sharing(void)
{
    static struct fat_file many[FAT_NODE_MAX + 1];
    struct fat_info info;
    struct fat_file a;
    struct fat_file b;
    char path[32];

    CHECK(fat_open(&vol, &a, "/s", RW | FAT_CREATE) == 0 &&
              fat_open(&vol, &b, "/S", RW) == 0,
          "open twice");
    CHECK(fat_write(&a, 0, big, 9000) == 9000, "write through one");
    CHECK(fat_fstat(&b, &info) == 0 && info.size == 9000, "one size");
    CHECK(fat_read(&b, 0, back, 9000) == 9000 && !memcmp(back, big, 9000),
          "read through the other");
    CHECK(fat_truncate(&b, 100) == 0 && fat_read(&a, 0, back, 9000) == 100,
          "cut through the other");
    CHECK(fat_write(&a, 8000, "x", 1) == 1 &&
              fat_read(&b, 8000, back, 9) == 1 && back[0] == 'x',
          "grow again");
    CHECK(fat_unlink(&vol, "/s") == -EBUSY, "unlink while open");
    CHECK(fat_unmount(&vol) == -EBUSY, "unmount while open");
    fat_close(&a);
    CHECK(fat_unlink(&vol, "/s") == -EBUSY, "unlink while still open");
    fat_close(&b);
    CHECK(fat_unlink(&vol, "/s") == 0, "unlink after the last close");
    for (unsigned i = 0; i <= FAT_NODE_MAX; i++) {
        int rc;

        snprintf(path, sizeof path, "/F%u", i);
        rc = fat_open(&vol, &many[i], path, RW | FAT_CREATE);
        if (rc != (i < FAT_NODE_MAX ? 0 : -ENFILE)) {
            CHECK(false, "open many");
        }
    }
    CHECK(look(path) == -ENOENT, "the one too many was not created");
    CHECK(fat_open(&vol, &a, "/F0", RW) == 0, "an open one opens again");
    fat_close(&a);
    for (unsigned i = 0; i < FAT_NODE_MAX; i++) {
        fat_close(&many[i]);
    }
    volume_check("sharing");
}

static void test_full(void)
{
    struct fat_file f;
    struct fat_file g;
    uint64_t room;
    uint64_t total = 0;
    int64_t n;

    fat_mkdir(&vol, "/d");
    put("/keep", big, 3000);
    CHECK(fat_open(&vol, &f, "/fill", RW | FAT_CREATE) == 0 &&
              fat_open(&vol, &g, "/other", RW | FAT_CREATE) == 0,
          "open");
    room = free_bytes();
    while ((n = fat_write(&f, total, big, sizeof big)) > 0) {
        total += (uint64_t)n;
    }
    CHECK(n == -ENOSPC && total == room && free_bytes() == 0, "fill it");
    CHECK(fat_write(&g, 0, "x", 1) == -ENOSPC, "no byte fits");
    CHECK(fat_truncate(&g, 1) == -ENOSPC, "no growth");
    CHECK(fat_mkdir(&vol, "/e") == -ENOSPC, "no directory");
    CHECK(fat_truncate(&f, total - 700) == 0 && fat_truncate(&f, total) == 0,
          "free and fill");
    CHECK(fat_write(&f, total - 10, big, 100) == 10, "a short write");
    CHECK(fat_truncate(&f, 100) == 0 && fat_write(&g, 0, "x", 1) == 1,
          "room again");
    CHECK(holds("/keep", big, 3000), "others unharmed");
    CHECK(fat_write(&g, room + 5000, "x", 1) == -ENOSPC &&
              size_of("/other") == 1,
          "a gap that does not fit");
    fat_close(&f);
    fat_close(&g);
    volume_check("full");
    CHECK(size_of("/fill") == 100 && size_of("/other") == 1, "sizes");
}

static void test_full_directory(void)
{
    char path[64];
    struct fat_file fill;
    int made = 0;
    int rc = 0;

    if (shape->bits == 32) { /* leave room for some hundred names */
        fat_open(&vol, &fill, "/fill", RW | FAT_CREATE);
        fat_truncate(&fill, free_bytes() - 30000);
        fat_close(&fill);
        made++;
    }
    for (unsigned i = 0; i < 5000 && rc >= 0; i++) {
        struct fat_file f;

        snprintf(path, sizeof path, "/a rather long name %u", i);
        rc = fat_open(&vol, &f, path, RW | FAT_CREATE);
        if (rc == 0) {
            fat_close(&f);
            made++;
        }
    }
    CHECK(rc == -ENOSPC && count("/") == made, "fill the root");
    CHECK(shape->bits == 32 || made == (shape->root_entries / 3),
          "a FAT16 root has its fixed size");
    if (shape->bits == 16) {
        uint64_t room = free_bytes();

        CHECK(fat_mkdir(&vol, "/a directory of four slots") == -ENOSPC &&
                  free_bytes() == room,
              "its cluster is given back");
        CHECK(fat_rename(&vol, "/a rather long name 0",
                         "/a name so long that it needs more slots") ==
                      -ENOSPC &&
                  look("/a rather long name 0") == 0,
              "rename");
    }
    CHECK(look("/A RATHER LONG NAME 0") == 0 &&
              fat_unlink(&vol, "/a rather long name 0") == 0,
          "remove one");
    CHECK(put("/a rather long name 0", "", 0) == 0, "room for one");
    volume_check("full root");
}

static void test_times(void)
{
    static const int64_t times[] = {315532800, 951782398, 951868800, 1709164800,
                                    4354819198};
    struct fat_info info;
    struct fat_file f;

    for (unsigned i = 0; i < 5; i++) {
        now = times[i];
        put("/t", "x", 1);
        CHECK(fat_stat(&vol, "/t", &info) == 0 && info.mtime == times[i],
              "a time comes back");
        fat_unlink(&vol, "/t");
    }
    now = 0;
    put("/t", "x", 1);
    CHECK(fat_stat(&vol, "/t", &info) == 0 && info.mtime == 315532800,
          "before 1980: 1980");
    now = 1700000001;
    fat_open(&vol, &f, "/t", RW);
    CHECK(fat_write(&f, 0, "y", 1) == 1 && fat_fstat(&f, &info) == 0 &&
              info.mtime == 1700000000,
          "2 s steps");
    CHECK(fat_stat(&vol, "/t", &info) == 0 && info.mtime == 1700000000,
          "before the flush too");
    CHECK(fat_flush(&f) == 0 && disk.flushes > 0, "flush");
    CHECK(fat_set_mtime(&vol, "/t", 1600000000) == 0 && fat_close(&f) == 0 &&
              fat_stat(&vol, "/t", &info) == 0 && info.mtime == 1600000000,
          "set");
    CHECK(fat_set_mtime(&vol, "/q", 1) == -ENOENT, "of nothing");
    CHECK(fat_set_mtime(&vol, "/", 1) == -EINVAL, "of the root");
    now = 1700000000;
    volume_check("times");
}

static void test_read_only(void)
{
    struct fat_file f;

    put("/f", "x", 1);
    fat_mkdir(&vol, "/d");
    fat_unmount(&vol);
    disk.dev.read_only = true;
    CHECK(mount() == 0 && holds("/f", "x", 1), "read");
    CHECK(fat_open(&vol, &f, "/f", RW) == -EROFS, "open to write");
    CHECK(fat_open(&vol, &f, "/n", FAT_READ | FAT_CREATE) == -EROFS, "new");
    CHECK(fat_open(&vol, &f, "/f", FAT_READ | FAT_CREATE) == 0 &&
              fat_close(&f) == 0,
          "CREATE on what exists");
    CHECK(fat_mkdir(&vol, "/e") == -EROFS, "mkdir");
    CHECK(fat_rmdir(&vol, "/d") == -EROFS, "rmdir");
    CHECK(fat_unlink(&vol, "/f") == -EROFS, "unlink");
    CHECK(fat_rename(&vol, "/f", "/g") == -EROFS, "rename");
    CHECK(fat_rename(&vol, "/f", "/F") == -EROFS, "rename the case");
    CHECK(fat_set_mtime(&vol, "/f", 1) == -EROFS, "time");
    CHECK(fat_sync(&vol) == 0 && fat_unmount(&vol) == 0, "sync, unmount");
    disk.dev.read_only = false;
    mount();
    volume_check("read only");
}

/* Things other systems write: attributes, NT case bits, code page 437. */
static void test_foreign(void)
{
    struct fat_file f;
    uint8_t *root;
    uint8_t *p;

    put("/RO.TXT", "x", 1);
    put("/LOWER.TXT", "y", 1);
    put("/CAFE", "z", 1);
    root = fat_disk_at(&disk, at.root);
    fat_unmount(&vol);
    root[11] |= FAT_ATTR_READ_ONLY | FAT_ATTR_HIDDEN;
    root[32 + 12] = 0x18;
    root[64 + 3] = 0x82; /* e with acute accent */
    p = root + 96;
    memcpy(p, "MY VOLUME  \x08", 12);
    memcpy(p + 32, "\x05ORPHAN    ", 11);
    mount();
    CHECK(fat_open(&vol, &f, "/ro.txt", RW) == -EACCES, "read-only file");
    CHECK(holds("/ro.txt", "x", 1), "can be read");
    CHECK(lists("/", "lower.txt"), "NT case bits");
    CHECK(lists("/", "CAF\xc3\xa9"), "code page 437");
    CHECK(lists("/", "\xcf\x83ORPHAN"), "05 for E5");
    CHECK(look("/MY VOLUME") == -ENOENT && count("/") == 4, "volume label");
    CHECK(fat_rename(&vol, "/lower.txt", "/Lower.txt") == 0 &&
              lists("/", "Lower.txt"),
          "rename drops the case bits");
    CHECK(fat_unlink(&vol, "/ro.txt") == 0, "unlink read-only");
    volume_check("foreign");
}

/* The short names: unique, found, and many of a kind stay cheap. */
static void test_aliases(void)
{
    char path[64];
    uint32_t before;

    fat_mkdir(&vol, "/d");
    for (unsigned i = 0; i < 60; i++) {
        snprintf(path, sizeof path, "/d/document number %u.text", i);
        put(path, path, strlen(path));
    }
    CHECK(holds("/d/docume~1.tex", "/d/document number 0.text", 25) &&
              holds("/d/DOCUME~4.TEX", "/d/document number 3.text", 25),
          "short names find the file");
    CHECK(look("/d/docume~5.tex") == -ENOENT, "after four, hashes");
    before = disk.ios;
    put("/d/document number 1000.text", "x", 1);
    CHECK(disk.ios - before < 300, "a new one among many is cheap");
    volume_check("aliases"); /* the checker looks for duplicates */
}

static void shape_run(void (*test)(void))
{
    fat_disk_make(&disk, shape, &at);
    if (mount() == 0) {
        test();
    } else {
        CHECK(false, "mount");
    }
    fat_unmount(&vol);
    fat_disk_free(&disk);
}

int main(void)
{
    static void (*const tests[])(void) = {
        test_files,   test_flags,       test_offsets,        test_names,
        test_limits,  test_directories, test_listing,        test_rename,
        test_sharing, test_full,        test_times,          test_read_only,
        test_foreign, test_aliases,     test_full_directory,
    };

    for (unsigned s = 0; s < sizeof shapes / sizeof *shapes; s++) {
        shape = &shapes[s];
        printf("# FAT%u, %u sectors a cluster\n", shape->bits,
               shape->cluster_sectors);
        for (unsigned i = 0; i < sizeof tests / sizeof *tests; i++) {
            shape_run(tests[i]);
        }
    }
    return tap_end();
}
