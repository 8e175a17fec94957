/* SPDX-License-Identifier: BSL-1.0 */
/*
 * fat_disk.c - the memory disk and its formatter
 */
#include "fat_disk.h"

#include <stdlib.h>
#include <string.h>

static void *need(void *p)
{
    if (!p) {
        abort();
    }
    return p;
}

static bool disk_fails(struct fat_disk *disk)
{
    disk->ios++;
    return disk->fail_at && (disk->ios == disk->fail_at ||
                             (disk->fail_sticky && disk->ios > disk->fail_at));
}

static int disk_read(void *ctx, uint64_t lba, uint32_t count, void *buf)
{
    struct fat_disk *disk = ctx;

    if (count == 0 || lba >= disk->sectors || count > disk->sectors - lba) {
        abort(); /* the library must never ask for this */
    }
    if (disk_fails(disk)) {
        memset(buf, 0xee, (size_t)count * FAT_SECTOR_BYTES);
        return -EIO;
    }
    memcpy(buf, fat_disk_at(disk, lba), (size_t)count * FAT_SECTOR_BYTES);
    return 0;
}

static void disk_log(struct fat_disk *disk, uint64_t lba, const uint8_t *data)
{
    if (disk->log_count == disk->log_room) {
        disk->log_room = disk->log_room ? disk->log_room * 2 : 64;
        disk->log =
            need(realloc(disk->log, disk->log_room * sizeof *disk->log));
    }
    disk->log[disk->log_count].lba = lba;
    memcpy(disk->log[disk->log_count].data, data, FAT_SECTOR_BYTES);
    disk->log_count++;
}

static int disk_write(void *ctx, uint64_t lba, uint32_t count, const void *buf)
{
    struct fat_disk *disk = ctx;
    bool fails = disk_fails(disk);

    if (count == 0 || lba >= disk->sectors || count > disk->sectors - lba ||
        disk->dev.read_only) {
        abort();
    }
    if (fails && disk->failure == FAT_DISK_FAIL_CLEAN) {
        return -EIO;
    }
    for (uint32_t i = 0; disk->logging && i < count; i++) {
        disk_log(disk, lba + i, (const uint8_t *)buf + i * FAT_SECTOR_BYTES);
    }
    memcpy(fat_disk_at(disk, lba), buf, (size_t)count * FAT_SECTOR_BYTES);
    return fails ? -EIO : 0;
}

static int disk_flush(void *ctx)
{
    ((struct fat_disk *)ctx)->flushes++;
    return 0;
}

void fat_disk_blank(struct fat_disk *disk, uint64_t sectors)
{
    memset(disk, 0, sizeof *disk);
    disk->sectors = sectors;
    disk->bytes = need(calloc(sectors ? sectors : 1, FAT_SECTOR_BYTES));
    disk->dev = (struct fat_device){
        .ctx = disk,
        .sectors = sectors,
        .read = disk_read,
        .write = disk_write,
        .flush = disk_flush,
    };
}

void fat_disk_copy(struct fat_disk *disk, const struct fat_disk *from)
{
    fat_disk_blank(disk, from->sectors);
    memcpy(disk->bytes, from->bytes, from->sectors * FAT_SECTOR_BYTES);
}

void fat_disk_free(struct fat_disk *disk)
{
    free(disk->bytes);
    free(disk->log);
    memset(disk, 0, sizeof *disk);
}

static void set16(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
}

static void set32(uint8_t *p, uint32_t v)
{
    set16(p, v);
    set16(p + 2, v >> 16);
}

static uint32_t load32(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
           (uint32_t)p[3] << 24;
}

uint32_t fat_disk_entry(const struct fat_disk *disk,
                        const struct fat_shape *shape,
                        const struct fat_layout *at, uint32_t cluster)
{
    const uint8_t *fat = fat_disk_at(disk, at->fat[0]);

    if (shape->bits == 16) {
        return fat[cluster * 2] | (uint32_t)fat[cluster * 2 + 1] << 8;
    }
    return load32(fat + cluster * 4) & 0x0fffffff;
}

void fat_disk_set_entry(struct fat_disk *disk, const struct fat_shape *shape,
                        const struct fat_layout *at, uint32_t cluster,
                        uint32_t value)
{
    for (int i = 0; i < 2; i++) {
        uint8_t *fat = fat_disk_at(disk, at->fat[i]);

        if (shape->bits == 16) {
            set16(fat + cluster * 2, value);
        } else {
            set32(fat + cluster * 4, value);
        }
    }
}

static void layout_make(const struct fat_shape *shape, struct fat_layout *at)
{
    uint32_t reserved = shape->bits == 32 ? 32 : 1;

    at->boot = shape->start_lba;
    at->fat_sectors =
        ((shape->clusters + 2) * (shape->bits == 32 ? 4 : 2) + 511) / 512;
    at->fat[0] = at->boot + reserved;
    at->fat[1] = at->fat[0] + at->fat_sectors;
    at->root = at->fat[1] + at->fat_sectors;
    at->data = at->root + (shape->bits == 32 ? 0 : shape->root_entries / 16);
    at->end = at->data + shape->clusters * shape->cluster_sectors;
}

static void boot_write(uint8_t *s, const struct fat_shape *shape,
                       const struct fat_layout *at)
{
    s[0] = 0xeb;
    s[1] = 0x58;
    s[2] = 0x90;
    memcpy(s + 3, "VESPER  ", 8);
    set16(s + 11, 512);
    s[13] = shape->cluster_sectors;
    set16(s + 14, at->fat[0] - at->boot);
    s[16] = 2;
    set16(s + 17, shape->root_entries);
    set32(s + 32, at->end - at->boot);
    s[21] = 0xf8;
    set16(s + 510, 0xaa55);
    if (shape->bits != 32) {
        set16(s + 22, at->fat_sectors);
        return;
    }
    set32(s + 36, at->fat_sectors);
    set32(s + 44, 2);
    set16(s + 48, 1);
    s[66] = 0x29;
    set32(s + 512, 0x41615252);
    set32(s + 512 + 484, 0x61417272);
    set32(s + 512 + 488, shape->clusters - 1);
    set32(s + 512 + 492, 3);
    set16(s + 512 + 510, 0xaa55);
}

void fat_disk_make(struct fat_disk *disk, const struct fat_shape *shape,
                   struct fat_layout *at)
{
    uint32_t last = shape->bits == 32 ? 0x0fffffff : 0xffff;

    layout_make(shape, at);
    fat_disk_blank(disk, at->end);
    if (shape->start_lba) {
        uint8_t *entry = disk->bytes + 446;

        entry[4] = shape->bits == 32 ? 0x0c : 0x06;
        set32(entry + 8, at->boot);
        set32(entry + 12, at->end - at->boot);
        set16(disk->bytes + 510, 0xaa55);
    }
    boot_write(fat_disk_at(disk, at->boot), shape, at);
    fat_disk_set_entry(disk, shape, at, 0, last - 7);
    fat_disk_set_entry(disk, shape, at, 1, last);
    if (shape->bits == 32) {
        fat_disk_set_entry(disk, shape, at, 2, last);
    }
}
