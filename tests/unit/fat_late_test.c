/* SPDX-License-Identifier: BSL-1.0 */
/*
 * fat_late_test.c - small writes, which reach the medium later: what is read
 * meanwhile, what brings them there, in which order, and who is told if they
 * cannot be written
 */
#include "tests/unit/fat_check.h"
#include "tests/unit/tap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define RW   (FAT_READ | FAT_WRITE)
#define SIZE 40000u /* of a file: more sectors than the cache has */

static const struct fat_shape shape = {.bits = 16,
                                       .cluster_sectors = 4,
                                       .clusters = 4085,
                                       .root_entries = 64};

static struct fat_layout at;
static struct fat_disk disk;
static struct fat_volume vol;
static struct fat_file a, b; /* of SIZE bytes each, synced */
static uint8_t data[SIZE], back[SIZE + 4096];

static void begin(void)
{
    fat_disk_make(&disk, &shape, &at);
    (void)fat_mount(&vol, &disk.dev, NULL);
    memset(data, 'o', sizeof data);
    CHECK(fat_open(&vol, &a, "/a", RW | FAT_CREATE) == 0 &&
              fat_open(&vol, &b, "/b", RW | FAT_CREATE) == 0 &&
              fat_write(&a, 0, data, SIZE) == SIZE &&
              fat_write(&b, 0, data, SIZE) == SIZE && fat_sync(&vol) == 0,
          "two files");
    (void)fat_write(&a, 0, "o", 1); /* the volume is in use from here on */
    (void)fat_flush(&a);
    disk.logging = true;
    disk.log_count = 0;
}

static void end(void)
{
    struct fat_damage damage;

    disk.fail_at = 0;
    (void)fat_close(&a);
    (void)fat_close(&b);
    CHECK(fat_unmount(&vol) == 0, "unmounted");
    fat_check(&disk, &shape, &at, &damage);
    CHECK(damage.lost + damage.crossed + damage.bad_links + damage.too_short +
                  damage.too_long ==
              0,
          "no damage");
    fat_disk_free(&disk);
}

static bool has(struct fat_file *f, uint64_t offset, const char *text)
{
    size_t n = strlen(text);

    return fat_read(f, offset, back, n) == (int64_t)n &&
           memcmp(back, text, n) == 0;
}

/* Is the text somewhere on the medium? */
static bool written(const char *text)
{
    size_t n = strlen(text);

    for (uint64_t i = 0; i + n <= disk.sectors * FAT_SECTOR_BYTES; i++) {
        if (memcmp(disk.bytes + i, text, n) == 0) {
            return true;
        }
    }
    return false;
}

static void test_append(void)
{
    struct fat_info info;
    char text[] = "part 0";

    begin();
    for (int i = 0; i < 20; i++) {
        text[5] = (char)('a' + i);
        (void)fat_write(&a, SIZE + (unsigned)i * 6, text, 6);
    }
    CHECK(disk.log_count == 0, "twenty small writes write nothing");
    CHECK(fat_stat(&vol, "/a", &info) == 0 && info.size == SIZE + 120,
          "the size is the new one");
    CHECK(has(&a, SIZE, "part apart b"), "and what is read");
    CHECK(fat_read(&a, 0, back, sizeof back) == SIZE + 120 &&
              memcmp(back + SIZE + 114, "part t", 6) == 0,
          "by a large read, too");
    CHECK(fat_flush(&a) == 0 && written("part apart bpart c"), "flush writes");
    CHECK(disk.log_count == 2 && disk.log[0].lba >= at.data &&
              disk.log[1].lba < at.data,
          "first the data, then the entry with the size");
    end();
}

static void test_what_settles(void)
{
    begin();
    (void)fat_write(&a, 700, "first", 5);
    CHECK(!written("first") && fat_read(&a, 0, back, SIZE) == SIZE &&
              memcmp(back + 700, "first", 5) == 0,
          "late, and in a large read");
    (void)fat_write(&b, 700, "second", 6);
    CHECK(written("first") && !written("second"), "another file writes");
    (void)fat_write(&b, 700 + 4096, "third", 5);
    CHECK(written("second") && !written("third"), "another line is written");
    CHECK(fat_sync(&vol) == 0 && written("third"), "sync");
    (void)fat_write(&a, 700, "closed", 6);
    CHECK(fat_close(&a) == 0 && written("closed"), "close");
    (void)fat_open(&vol, &a, "/a", RW);
    end();
}

static void test_stays(void)
{
    begin();
    (void)fat_write(&a, 700, "stays", 5);
    for (unsigned i = 0; i < SIZE; i += 512) {
        (void)fat_read(&b, i, back, 1);
    }
    CHECK(has(&a, 700, "stays") && !written("stays"),
          "reading all of another file leaves it");
    (void)fat_write(&a, 0, data, SIZE);
    (void)fat_flush(&a);
    CHECK(has(&a, 700, "ooooo") && !written("stays"),
          "a large write over it is newer");
    (void)fat_write(&a, 700, "gone", 4);
    (void)fat_truncate(&a, 0);
    (void)fat_write(&b, SIZE, data, SIZE); /* takes its clusters */
    (void)fat_sync(&vol);
    CHECK(fat_read(&b, SIZE, back, SIZE) == SIZE &&
              memcmp(back, data, SIZE) == 0,
          "what was cut off comes up in no other file");
    end();
}

static void test_time(void)
{
    struct fat_info info;

    begin();
    (void)fat_write(&a, SIZE, "x", 1);
    (void)fat_set_mtime(&vol, "/a", 1000000000);
    (void)fat_close(&a);
    CHECK(fat_stat(&vol, "/a", &info) == 0 && info.size == SIZE + 1 &&
              info.mtime == 1000000000,
          "a size that waits survives a new time");
    (void)fat_open(&vol, &a, "/a", RW);
    end();
}

static void fail_next(void)
{
    disk.fail_at = disk.ios + 1;
}

static void test_loss(void)
{
    begin();
    (void)fat_write(&a, 700, "lost", 4);
    fail_next();
    CHECK(fat_flush(&a) == -EIO && fat_flush(&a) == 0,
          "flush tells of the loss, once");
    CHECK(has(&a, 700, "oooo"), "what is there counts again");
    (void)fat_write(&a, 700, "lost", 4);
    (void)has(&b, 700, "oooo"); /* so the next access is a write */
    fail_next();
    CHECK(fat_write(&b, 700, "kept", 4) == 4 && fat_flush(&b) == 0,
          "whoever drives it out is not told");
    CHECK(fat_write(&a, 701, "more", 4) == -EIO && fat_close(&a) == -EIO,
          "but whose it was, by write and by close");
    (void)fat_open(&vol, &a, "/a", RW);
    (void)fat_write(&a, 700, "lost", 4);
    fail_next();
    CHECK(fat_sync(&vol) == -EIO && fat_sync(&vol) == -EIO &&
              fat_flush(&a) == -EIO && fat_sync(&vol) == 0,
          "a sync before does not hide it");
    end();
}

int main(void)
{
    test_append();
    test_what_settles();
    test_stays();
    test_time();
    test_loss();
    return tap_end();
}
