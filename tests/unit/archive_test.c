/* SPDX-License-Identifier: BSL-1.0 */
/*
 * archive_test.c - the boot archive reader and scripts/mkarchive.py.
 *
 * Archives are made here byte by byte, then broken in one place each. The last
 * test writes a real one with the script, and has cpio list it, if it is there.
 * Runs in the root of the source tree.
 */
#include "rootserver/archive.h"
#include "tests/unit/tap.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BYTES_MAX = 2048, MODE_FILE = 0100755, MODE_FOLDER = 040755 };

struct archive {
    uint8_t bytes[BYTES_MAX];
    uint64_t used;
};

static void bytes_add(struct archive *a, const void *from, uint64_t n)
{
    memcpy(a->bytes + a->used, from, n);
    a->used += n;
    while (a->used % 4 != 0) {
        a->bytes[a->used++] = 0;
    }
}

/* Adds an entry whose name field has `padding` bytes more than it needs. */
static void entry_add(struct archive *a, unsigned mode, const char *name,
                      unsigned padding, const char *data)
{
    char head[256] = {0};
    unsigned name_bytes = (unsigned)strlen(name) + 1 + padding;

    snprintf(head, sizeof(head),
             "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x"
             "%08x%08x%08X%08x%s",
             1u, mode, 0u, 0u, 1u, 0u, (unsigned)strlen(data), 0u, 0u, 0u, 0u,
             name_bytes, 0u, name);
    bytes_add(a, head, 110 + name_bytes);
    bytes_add(a, data, strlen(data));
}

static void archive_make(struct archive *a)
{
    memset(a, 0, sizeof(*a));
    entry_add(a, MODE_FOLDER, "bin", 0, "");
    entry_add(a, MODE_FILE, "bin/one", 0, "first");
    entry_add(a, MODE_FILE, "bin/two", 30, "second file");
    entry_add(a, MODE_FILE, "empty", 1, "");
    entry_add(a, MODE_FILE, "bin/one", 0, "shadow");
    entry_add(a, MODE_FILE, "z", 0, "1");
    entry_add(a, 0, "TRAILER!!!", 0, "");
}

/* A heap copy of the first `bytes`, so that a read past them is seen. */
static uint8_t *archive_copy(const struct archive *a, uint64_t bytes)
{
    uint8_t *copy = malloc(bytes + (bytes == 0));

    memcpy(copy, a->bytes, bytes);
    return copy;
}

static bool file_is(const void *base, uint64_t bytes, const char *name,
                    const char *data)
{
    struct archive_entry entry;

    return archive_find(base, bytes, name, &entry) == ARCHIVE_FOUND &&
           strcmp(entry.name, name) == 0 && entry.size_bytes == strlen(data) &&
           memcmp(entry.data, data, strlen(data)) == 0;
}

static void test_find(void)
{
    struct archive_entry entry = {"before", NULL, 7};
    struct archive_fault fault;
    struct archive a;
    uint8_t *copy;

    archive_make(&a);
    copy = archive_copy(&a, a.used);
    CHECK(archive_check(copy, a.used, &fault) == 0, "a good archive is good");
    CHECK(file_is(copy, a.used, "bin/one", "first"), "finds the first of two");
    CHECK(file_is(copy, a.used, "bin/two", "second file"),
          "finds a file with a padded name");
    CHECK(file_is(copy, a.used, "empty", ""), "finds an empty file");
    CHECK(file_is(copy, a.used, "z", "1"), "finds a name of one letter");
    CHECK(archive_find(copy, a.used, "bin", &entry) == ARCHIVE_END,
          "a folder is no file");
    CHECK(archive_find(copy, a.used, "bin/on", &entry) == ARCHIVE_END &&
              archive_find(copy, a.used, "", &entry) == ARCHIVE_END &&
              archive_find(copy, a.used, "TRAILER!!!", &entry) == ARCHIVE_END,
          "names must match as a whole");
    CHECK(entry.size_bytes == 7 && strcmp(entry.name, "before") == 0,
          "nothing is written when nothing is found");
    free(copy);
}

static void test_next(void)
{
    static const char *const names[] = {
        "bin/one", "bin/two", "empty", "bin/one", "z",
    };
    struct archive_entry entry;
    struct archive a;
    uint64_t cursor = 0;
    bool good = true;
    unsigned i;

    archive_make(&a);
    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        good &=
            archive_next(a.bytes, a.used, &cursor, &entry) == ARCHIVE_FOUND &&
            strcmp(entry.name, names[i]) == 0;
    }
    CHECK(good, "takes all files in their order");
    CHECK(archive_next(a.bytes, a.used, &cursor, &entry) == ARCHIVE_END &&
              archive_next(a.bytes, a.used, &cursor, &entry) == ARCHIVE_END,
          "... and ends, and stays there");
    cursor = UINT64_MAX;
    CHECK(archive_next(a.bytes, a.used, &cursor, &entry) == ARCHIVE_BROKEN,
          "refuses a cursor outside");
}

static bool broken(const struct archive *a, uint64_t bytes, const char *reason)
{
    struct archive_fault fault = {"not broken", 0};
    uint8_t *copy = archive_copy(a, bytes);
    int result = archive_check(copy, bytes, &fault);

    free(copy);
    if (result == 0 || strstr(fault.reason, reason) == NULL) {
        printf("# %s %llu\n", fault.reason, (unsigned long long)fault.where);
        return false;
    }
    return true;
}

struct damage {
    const char *what;
    unsigned at;
    const char *bytes;
    const char *reason;
};

static void test_damage(void)
{
    /* The entry of the folder begins at 0, that of bin/one at 116. */
    static const struct damage damages[] = {
        {"magic", 0, "070702", "not cpio newc: no magic"},
        {"magic of a later entry", 116, "x", "no magic"},
        {"name length 0", 94, "00000000", "bad name"},
        {"name length 1", 94, "00000001", "bad name"},
        {"name without NUL", 94, "00000003", "bad name"},
        {"name past the end", 94, "00000fff", "in the name"},
        {"name of 4 GiB", 94, "ffffffff", "in the name"},
        {"data past the end", 54, "00000fff", "in the data"},
        {"data of 4 GiB", 54, "FFFFFFFF", "in the data"},
        {"data 2 bytes short of it", 54, "fffffffe", "in the data"},
        {"no digit in the mode", 14, "0000g1ff", "bad digit"},
        {"a blank in the size", 54, "       1", "bad digit"},
        {"a sign in the name length", 94, "-0000004", "bad digit"},
    };
    char what[80];
    struct archive a;
    size_t i;

    for (i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
        archive_make(&a);
        memcpy(a.bytes + damages[i].at, damages[i].bytes,
               strlen(damages[i].bytes));
        snprintf(what, sizeof(what), "refuses: %s", damages[i].what);
        CHECK(broken(&a, a.used, damages[i].reason), what);
    }
    archive_make(&a);
    a.bytes[110] = '\0';
    CHECK(broken(&a, a.used, "bad name"), "refuses an empty name");
}

static void test_truncated(void)
{
    struct archive_fault fault;
    struct archive_entry entry;
    struct archive a;
    bool good = true;
    uint64_t bytes;

    archive_make(&a);
    for (bytes = 0; bytes < a.used; bytes++) {
        uint8_t *copy = archive_copy(&a, bytes);

        good &= archive_check(copy, bytes, &fault) != 0;
        if (archive_find(copy, bytes, "bin/two", &entry) == ARCHIVE_FOUND) {
            good &= entry.data + entry.size_bytes <= copy + bytes;
        }
        free(copy);
    }
    CHECK(good, "an archive cut anywhere is refused");
    CHECK(broken(&a, 0, "is truncated"), "an empty archive is refused");
}

/* Every single byte set to every value: no crash, no result outside. */
static void test_every_byte(void)
{
    struct archive_entry entry;
    struct archive a;
    uint8_t *copy;
    bool good = true;
    uint64_t i;
    unsigned value;

    archive_make(&a);
    copy = archive_copy(&a, a.used);
    for (i = 0; i < a.used; i++) {
        for (value = 0; value < 256; value++) {
            uint64_t cursor = 0;

            copy[i] = (uint8_t)value;
            while (archive_next(copy, a.used, &cursor, &entry) ==
                   ARCHIVE_FOUND) {
                good &=
                    entry.data >= copy && strlen(entry.name) > 0 &&
                    entry.size_bytes <= a.used - (uint64_t)(entry.data - copy);
            }
        }
        copy[i] = a.bytes[i];
    }
    CHECK(good, "any byte may be wrong");
    free(copy);
}

/* ------------------------------------------------------------------ */
/* The script                                                         */
/* ------------------------------------------------------------------ */

static bool run(const char *format, const char *folder)
{
    char command[512];

    snprintf(command, sizeof(command), format, folder, folder, folder, folder);
    return system(command) == 0;
}

static uint8_t *archive_load(const char *folder, uint64_t *bytes)
{
    char path[64];
    uint8_t *data;
    FILE *file;

    snprintf(path, sizeof(path), "%s/one.cpio", folder);
    file = fopen(path, "rb");
    if (file == NULL) {
        return NULL;
    }
    fseek(file, 0, SEEK_END);
    *bytes = (uint64_t)ftell(file);
    rewind(file);
    data = aligned_alloc(4096, (*bytes + 4095) / 4096 * 4096);
    if (fread(data, 1, *bytes, file) != *bytes) {
        *bytes = 0;
    }
    fclose(file);
    return data;
}

static void script_archive_check(const char *folder)
{
    struct archive_fault fault = {"", 0};
    struct archive_entry entry;
    uint64_t bytes = 0;
    uint8_t *base = archive_load(folder, &bytes);
    uint64_t cursor = 0;
    bool aligned = true;
    unsigned count = 0;

    if (!CHECK(base != NULL && archive_check(base, bytes, &fault) == 0,
               "the script's archive is good")) {
        printf("# %s %llu\n", fault.reason, (unsigned long long)fault.where);
    }
    while (archive_next(base, bytes, &cursor, &entry) == ARCHIVE_FOUND) {
        aligned &= (uintptr_t)entry.data % 4096 == 0;
        count++;
    }
    CHECK(count == 3 && aligned, "its files begin at multiples of 4096");
    CHECK(file_is(base, bytes, "bin/b", "content"), "... and can be read");
    free(base);
}

static void test_script(void)
{
    static const char script[] =
        "printf content >%s/b && SOURCE_DATE_EPOCH=1 python3 "
        "scripts/mkarchive.py %s/one.cpio --epoch 7 bin/b=%s/b z=LICENSE "
        "bin/a=scripts/mkarchive.py";
    static const char again[] =
        "python3 scripts/mkarchive.py %s/two.cpio z=LICENSE --epoch 7 "
        "bin/a=scripts/mkarchive.py bin/b=%s/b && cmp %s/one.cpio %s/two.cpio";
    char folder[] = "/tmp/archive_test.XXXXXX";

    if (!CHECK(mkdtemp(folder) != NULL, "a folder for the archives")) {
        return;
    }
    if (CHECK(run(script, folder), "the script writes an archive")) {
        script_archive_check(folder);
    }
    CHECK(run(again, folder), "the same files make the same bytes");
    CHECK(!run("python3 scripts/mkarchive.py %s/no ../up=LICENSE "
               "2>/dev/null",
               folder),
          "the script refuses a name with ..");
    CHECK(!run("python3 scripts/mkarchive.py %s/no a=LICENSE a=LICENSE "
               "2>/dev/null",
               folder),
          "... and a name given twice");
    CHECK(!run("python3 scripts/mkarchive.py %s/no a=/nowhere/file "
               "2>/dev/null",
               folder),
          "... and a missing file");
    if (run("command -v cpio >/dev/null # %s", folder)) {
        CHECK(run("test \"$(cpio -it <%s/one.cpio 2>/dev/null | tr '\\n' ' ')\""
                  " = 'bin/a bin/b z '",
                  folder),
              "cpio lists its names");
        CHECK(run("cd %s && cpio -id --quiet <one.cpio && cmp b bin/b", folder),
              "cpio unpacks its files");
    } else {
        tap_skip("cpio lists the archive", "no cpio");
    }
    CHECK(run("rm -r %s", folder), "cleans up");
}

int main(void)
{
    test_find();
    test_next();
    test_damage();
    test_truncated();
    test_every_byte();
    test_script();
    return tap_end();
}
