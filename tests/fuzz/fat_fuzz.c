/* SPDX-License-Identifier: BSL-1.0 */
/*
 * fat_fuzz.c - libFuzzer: any bytes as a medium, any calls on it
 *
 * The first 64 bytes of an input choose the calls, the rest is the start of
 * the disk; beyond it are zeros. Whatever the medium says: no access outside
 * it, no write once the volume is read-only, only names that a path can say,
 * and an end after a bounded number of accesses. fat_seeds.py makes good
 * media to start from.
 */
#include "libos/fat/fat.h"

#include <stdlib.h>
#include <string.h>

#define DISK_SECTORS 4400
#define CALL_BYTES   64
#define IO_MAX       400000 /* per call; the FAT has at most 4400 entries */

#define REQUIRE(condition)                                                     \
    do {                                                                       \
        if (!(condition)) {                                                    \
            abort();                                                           \
        }                                                                      \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t disk[DISK_SECTORS][FAT_SECTOR_BYTES];
static bool touched[DISK_SECTORS];
static struct fat_volume vol;
static uint32_t ios;

/* Every path that is used. */
static const char *const paths[] = {
    "/",
    "/A",
    "/a long name.text",
    "/D",
    "/D/x",
    "/D/E",
    "/D/E/y",
    "/D/another long name",
    "/D/../A",
    "/NEW",
    "/new long name",
    "/D/NEW",
    "/\xc3\xa9t\xc3\xa9",
    "/LONG~1",
    "/D/E/F",
    "/ALONGN~1.TEX",
};

static int disk_read(void *ctx, uint64_t lba, uint32_t count, void *buf)
{
    (void)ctx;
    REQUIRE(count > 0 && lba < DISK_SECTORS && count <= DISK_SECTORS - lba);
    REQUIRE(++ios < IO_MAX);
    memcpy(buf, disk[lba], (size_t)count * FAT_SECTOR_BYTES);
    return 0;
}

static int disk_write(void *ctx, uint64_t lba, uint32_t count, const void *buf)
{
    (void)ctx;
    REQUIRE(count > 0 && lba < DISK_SECTORS && count <= DISK_SECTORS - lba);
    REQUIRE(++ios < IO_MAX && !vol.read_only && !vol.fault);
    memcpy(disk[lba], buf, (size_t)count * FAT_SECTOR_BYTES);
    memset(touched + lba, true, count);
    return 0;
}

static void disk_load(const uint8_t *data, size_t size)
{
    for (uint32_t i = 0; i < DISK_SECTORS; i++) {
        size_t from = (size_t)i * FAT_SECTOR_BYTES;

        if (touched[i]) {
            memset(disk[i], 0, FAT_SECTOR_BYTES);
            touched[i] = false;
        }
        if (from < size) {
            memcpy(disk[i], data + from,
                   size - from < FAT_SECTOR_BYTES ? size - from
                                                  : FAT_SECTOR_BYTES);
            touched[i] = true;
        }
    }
}

static void name_require(const char *name)
{
    size_t len = strlen(name);

    REQUIRE(len > 0 && len < FAT_NAME_BYTES && !strchr(name, '/'));
    REQUIRE(strcmp(name, ".") && strcmp(name, ".."));
    for (size_t i = 0; i < len; i++) {
        REQUIRE((uint8_t)name[i] >= 0x20);
    }
}

static void call_list(const char *path)
{
    static struct fat_dirent entry;
    struct fat_info info;
    struct fat_file dir;
    char full[FAT_NAME_BYTES + 64];
    uint32_t cursor = 0;
    int n = 0;

    if (fat_open(&vol, &dir, path, FAT_READ | FAT_DIRECTORY) < 0) {
        return;
    }
    while (fat_readdir(&vol, &dir, &cursor, &entry) > 0) {
        name_require(entry.name);
        REQUIRE(++n <= 65536);
        if (n <= 20) { /* what is listed can be found */
            size_t len = strlen(path);

            memcpy(full, path, len);
            full[len] = '/';
            strcpy(full + len + 1, entry.name);
            REQUIRE(fat_stat(&vol, full, &info) == 0 || vol.fault);
        }
    }
    fat_close(&dir);
}

static void call_file(const char *path, uint8_t how, uint8_t arg)
{
    static uint8_t buf[5000];
    struct fat_file f;
    struct fat_info info;
    uint64_t offset = (uint64_t)arg * 97;
    int64_t n;

    if (fat_open(&vol, &f, path,
                 FAT_READ | (how & 1 ? FAT_WRITE : 0) |
                     (how & 2 ? FAT_CREATE : 0)) < 0) {
        return;
    }
    REQUIRE(fat_fstat(&f, &info) == 0);
    n = fat_read(&f, offset, buf, sizeof buf);
    REQUIRE(n <= (int64_t)sizeof buf);
    REQUIRE(n <= 0 || offset + (uint64_t)n <= info.size);
    if (how & 1) {
        n = fat_write(&f, how & 4 ? info.size : offset, buf, arg * 16u);
        REQUIRE(n <= arg * 16);
        if (n > 0) {
            REQUIRE(fat_fstat(&f, &info) == 0 && info.size >= (uint64_t)n);
        }
        if (how & 8) {
            (void)fat_truncate(&f, offset);
        }
    }
    (void)fat_close(&f);
}

/* What was repaired needs no second repair. */
static void call_repair(void)
{
    static uint8_t map[DISK_SECTORS / 8 + 1];
    struct fat_repairs done;
    struct fat_repairs again;
    int rc;

    REQUIRE(fat_repair_bytes(&vol) <= sizeof map);
    rc = fat_repair(&vol, map, sizeof map, &done);
    REQUIRE(rc <= 0 && (rc != -FAT_ECORRUPT || vol.fault));
    if (rc == 0) {
        ios = 0;
        REQUIRE(fat_repair(&vol, map, sizeof map, &again) == 0);
        REQUIRE(!again.lost_clusters && !again.long_chains &&
                !again.double_names && !again.wrong_dots &&
                !again.fat_sectors && !vol.was_dirty);
    }
}

static void call(uint8_t verb, uint8_t which, uint8_t arg)
{
    const char *path = paths[which % 16];
    struct fat_space space;

    ios = 0;
    switch (verb % 8) {
    case 0:
        call_list(path);
        break;
    case 1:
    case 2:
        call_file(path, verb >> 4, arg);
        break;
    case 3:
        (void)fat_mkdir(&vol, path);
        break;
    case 4:
        (void)fat_unlink(&vol, path);
        break;
    case 5:
        (void)fat_rmdir(&vol, path);
        break;
    case 6:
        (void)fat_rename(&vol, path, paths[arg % 16]);
        break;
    default:
        if (fat_statfs(&vol, &space) == 0) {
            REQUIRE(space.free_bytes <= space.total_bytes);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct fat_device dev = {
        .sectors = DISK_SECTORS,
        .read = disk_read,
        .write = disk_write,
    };
    const char *reason = NULL;

    if (size <= CALL_BYTES || size > CALL_BYTES + sizeof disk) {
        return 0;
    }
    disk_load(data + CALL_BYTES, size - CALL_BYTES);
    ios = 0;
    if (fat_mount(&vol, &dev, &reason) < 0) {
        REQUIRE(reason && *reason);
        return 0;
    }
    if (data[CALL_BYTES - 1] & 1) {
        call_repair();
    }
    for (unsigned i = 0; i + 2 < CALL_BYTES; i += 3) {
        call(data[i], data[i + 1], data[i + 2]);
    }
    ios = 0;
    REQUIRE(fat_unmount(&vol) != -EBUSY);
    return 0;
}
