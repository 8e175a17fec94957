/* SPDX-License-Identifier: BSL-1.0 */
/*
 * fat_repair_test.c - the in-use mark, and fat_repair on damage made by hand
 *
 * Repair after every real power cut is in fat_fault_test.c.
 */
#include "tests/unit/fat_check.h"
#include "tests/unit/tap.h"

#include <stdlib.h>
#include <string.h>

#define RW (FAT_READ | FAT_WRITE)

static const struct fat_shape shapes[] = {
    {.bits = 32, .cluster_sectors = 1, .clusters = 500},
    {.bits = 16, .cluster_sectors = 1, .clusters = 4100, .root_entries = 64},
};

static const struct fat_shape *shape;
static struct fat_layout at;
static struct fat_disk disk;
static struct fat_volume vol;
static struct fat_repairs done;
static uint8_t map[1024];
static uint8_t data[4000];

/* /A 2000 bytes in four clusters, /D, /D/E, /EMPTY. First cluster of /A. */
static uint32_t begin(void)
{
    struct fat_file f;
    uint32_t first;

    fat_disk_make(&disk, shape, &at);
    fat_mount(&vol, &disk.dev, NULL);
    fat_open(&vol, &f, "/A", RW | FAT_CREATE);
    fat_write(&f, 0, data, 2000);
    first = f.node->first;
    fat_close(&f);
    fat_mkdir(&vol, "/D");
    fat_mkdir(&vol, "/D/E");
    fat_open(&vol, &f, "/EMPTY", RW | FAT_CREATE);
    fat_close(&f);
    fat_unmount(&vol);
    return first;
}

static int repair(void)
{
    int rc = fat_mount(&vol, &disk.dev, NULL);

    return rc < 0 ? rc : fat_repair(&vol, map, sizeof map, &done);
}

/* The counts, and that the checker then finds nothing. */
static void mended(const char *what, uint32_t lost, uint32_t trimmed,
                   uint32_t doubles, uint32_t dots, uint32_t sectors)
{
    const struct fat_repairs want = {lost, trimmed, doubles, dots, sectors};
    static const struct fat_damage none;
    struct fat_damage d;

    if (!CHECK(repair() == 0 && memcmp(&done, &want, sizeof done) == 0, what)) {
        printf("# lost %u trimmed %u doubles %u dots %u sectors %u: %s\n",
               done.lost_clusters, done.long_chains, done.double_names,
               done.wrong_dots, done.fat_sectors, vol.fault ? vol.fault : "");
    }
    fat_unmount(&vol);
    fat_check(&disk, shape, &at, &d);
    d.used = 0;
    CHECK(memcmp(&d, &none, sizeof d) == 0, "no damage left");
    CHECK(repair() == 0 && !done.lost_clusters && !done.long_chains &&
              !done.double_names && !done.wrong_dots && !done.fat_sectors,
          "nothing to do again");
    fat_unmount(&vol);
    fat_disk_free(&disk);
}

static uint8_t *root_slot(unsigned i)
{
    return fat_disk_at(&disk, at.root) + i * 32;
}

static void test_mends(void)
{
    uint32_t end = shape->bits == 32 ? 0x0fffffff : 0xffff;
    uint32_t first;
    uint32_t dir;

    begin();
    mended("a good volume", 0, 0, 0, 0, 0);
    begin();
    fat_disk_set_entry(&disk, shape, &at, 300, 301);
    fat_disk_set_entry(&disk, shape, &at, 301, end);
    fat_disk_set_entry(&disk, shape, &at, 400, end);
    fat_disk_set_entry(&disk, shape, &at, 450, end - 8); /* bad cluster */
    CHECK(repair() == 0 && done.lost_clusters == 3, "lost clusters");
    CHECK(fat_disk_entry(&disk, shape, &at, 450) == end - 8,
          "a bad cluster stays marked");
    fat_unmount(&vol);
    fat_disk_free(&disk);
    first = begin();
    fat_disk_set_entry(&disk, shape, &at, first + 3, 300);
    fat_disk_set_entry(&disk, shape, &at, 300, end);
    mended("a chain too long", 1, 1, 0, 0, 0);
    begin();
    root_slot(2)[26] = 0x77; /* EMPTY gets a cluster */
    fat_disk_set_entry(&disk, shape, &at, 0x77, end);
    mended("clusters of an empty file", 1, 1, 0, 0, 0);
    begin();
    dir = root_slot(1)[26];
    fat_disk_at(&disk, at.data + dir - 2)[26] = 99;
    fat_disk_at(&disk, at.data + dir - 2)[32 + 26] = 99;
    mended("wrong dots", 0, 0, 0, 2, 0);
    begin();
    memset(fat_disk_at(&disk, at.fat[1]), 0, 512);
    mended("the in-use mark mends the first sector", 0, 0, 0, 0, 0);
    begin();
    memset(fat_disk_at(&disk, at.fat[1]) + 512, 0x55, 1024);
    mended("two sectors of it", 0, 0, 0, 0, 2);
}

/* Copy a root slot under a new name; `moving` marks the old one. */
static void twin(unsigned slot, bool moving_first)
{
    uint8_t *a = root_slot(slot);
    uint8_t *b = root_slot(3);

    memcpy(b, a, 32);
    memcpy(b, "TWIN       ", 11);
    (moving_first ? a : b)[12] = 0x40;
}

static void test_doubles(void)
{
    struct fat_info info;

    for (unsigned slot = 0; slot < 2; slot++) { /* a file, a directory */
        begin();
        twin(slot, true);
        CHECK(repair() == 0 && done.double_names == 1 &&
                  fat_stat(&vol, "/TWIN", &info) == 0 &&
                  fat_stat(&vol, slot ? "/D" : "/A", &info) == -ENOENT,
              "the old name comes first");
        fat_unmount(&vol);
        fat_disk_free(&disk);
        begin();
        twin(slot, false);
        mended("the old name comes last", 0, 0, 1, 0, 0);
        begin();
        twin(slot, true);
        root_slot(slot)[12] = 0;
        CHECK(repair() == -FAT_ECORRUPT && vol.fault &&
                  vol.was_dirty == false && done.double_names == 0,
              "neither is marked");
        fat_unmount(&vol);
        fat_disk_free(&disk);
    }
    begin();
    root_slot(0)[12] = 0x58;
    CHECK(repair() == 0 && root_slot(0)[12] == 0x18, "a mark without twin");
    fat_unmount(&vol);
    fat_disk_free(&disk);
    begin();
    twin(0, true);
    root_slot(3)[28]++;
    CHECK(repair() == -FAT_ECORRUPT, "twins of different size");
    fat_unmount(&vol);
    fat_disk_free(&disk);
}

static void test_refusals(void)
{
    uint32_t end = shape->bits == 32 ? 0x0fffffff : 0xffff;
    struct fat_file f;
    char path[100] = "";
    uint32_t first = begin();

    fat_mount(&vol, &disk.dev, NULL);
    CHECK(fat_repair(&vol, map, fat_repair_bytes(&vol) - 1, NULL) == -EINVAL,
          "map too small");
    fat_open(&vol, &f, "/A", FAT_READ);
    CHECK(fat_repair(&vol, map, sizeof map, NULL) == -EBUSY, "a file open");
    fat_close(&f);
    for (unsigned i = 0; i < 40; i++) {
        strcat(path, "/X");
        fat_mkdir(&vol, path);
    }
    CHECK(fat_repair(&vol, map, sizeof map, NULL) == -ELOOP, "41 levels");
    *strrchr(path, '/') = 0;
    strcat(path, "/X");
    CHECK(fat_rmdir(&vol, path) == 0 &&
              fat_repair(&vol, map, sizeof map, &done) == 0 &&
              done.lost_clusters == 0,
          "40 levels");
    fat_unmount(&vol);
    disk.dev.read_only = true;
    CHECK(repair() == -EROFS, "read-only");
    disk.dev.read_only = false;
    fat_disk_set_entry(&disk, shape, &at, first + 1, first);
    fat_disk_set_entry(&disk, shape, &at, 300, end);
    CHECK(repair() == -FAT_ECORRUPT && vol.fault, "a loop is no cut");
    CHECK(fat_disk_entry(&disk, shape, &at, 300) == end, "nothing swept");
    fat_unmount(&vol);
    fat_disk_set_entry(&disk, shape, &at, first + 1, end);
    CHECK(repair() == -FAT_ECORRUPT, "a chain too short is no cut");
    fat_unmount(&vol);
    fat_disk_free(&disk);
    begin();
    root_slot(0)[26] = 0xff;
    root_slot(0)[27] = 0xff;
    CHECK(repair() == -FAT_ECORRUPT, "a wild start is no cut");
    fat_unmount(&vol);
    fat_disk_free(&disk);
}

/* What would a mount now find? */
static bool dirty_now(void)
{
    static struct fat_volume other;
    struct fat_device dev = disk.dev;

    dev.read_only = true;
    return fat_mount(&other, &dev, NULL) == 0 && other.was_dirty;
}

static void test_mark(void)
{
    begin();
    CHECK(!dirty_now(), "clean after unmount");
    fat_mount(&vol, &disk.dev, NULL);
    CHECK(!vol.was_dirty && !dirty_now(), "clean after mount");
    fat_mkdir(&vol, "/N");
    CHECK(dirty_now(), "in use after a change");
    CHECK(fat_sync(&vol) == 0 && !dirty_now(), "clean after sync");
    fat_unlink(&vol, "/EMPTY");
    CHECK(dirty_now(), "in use again");
    memset(&vol, 0, sizeof vol); /* power is cut */
    fat_mount(&vol, &disk.dev, NULL);
    CHECK(vol.was_dirty, "told at the next mount");
    fat_rmdir(&vol, "/N");
    CHECK(fat_sync(&vol) == 0 && dirty_now(), "sync does not hide it");
    CHECK(fat_repair(&vol, map, sizeof map, NULL) == 0 && !vol.was_dirty &&
              !dirty_now(),
          "repair ends it");
    fat_unmount(&vol);
    fat_disk_free(&disk);
}

/* Repair with each access failing in turn: an error, and a second try works.
 */
static void test_errors(void)
{
    unsigned n;
    int rc = -EIO;

    for (n = 1; rc < 0 && n < 1000; n++) {
        begin();
        fat_disk_set_entry(&disk, shape, &at, 300, 5);
        twin(1, true);
        fat_mount(&vol, &disk.dev, NULL);
        disk.fail_at = disk.ios + n;
        rc = fat_repair(&vol, map, sizeof map, &done);
        if (rc == 0) {
            continue; /* a failing read-ahead costs nothing */
        }
        if (rc != -EIO || vol.fault ||
            fat_repair(&vol, map, sizeof map, &done) != 0) {
            CHECK(false, "repair with a failing access");
        }
        fat_unmount(&vol);
        fat_disk_free(&disk);
    }
    CHECK(n > 3, "accesses failed");
    fat_unmount(&vol);
    fat_disk_free(&disk);
}

int main(void)
{
    for (unsigned s = 0; s < 2; s++) {
        shape = &shapes[s];
        test_mends();
        test_doubles();
        test_refusals();
        test_mark();
        test_errors();
    }
    return tap_end();
}
