/* SPDX-License-Identifier: BSL-1.0 */
/*
 * fat_disk.h - a disk in memory for the tests of libos/fat
 *
 * It formats itself, counts and logs what is written, and fails on demand.
 * Host only: it allocates. All of a struct fat_disk may be read by tests.
 */
#pragma once

#include "libos/fat/fat.h"

/* One sector as it was written, in order. */
struct fat_disk_write {
    uint64_t lba;
    uint8_t data[FAT_SECTOR_BYTES];
};

enum fat_disk_failure {
    FAT_DISK_FAIL_CLEAN, /* a failing write changes nothing */
    FAT_DISK_FAIL_DONE,  /* it is done and reported as failed */
};

struct fat_disk {
    uint8_t *bytes;
    uint64_t sectors;
    struct fat_device dev;
    uint32_t ios; /* calls of read and write so far */
    uint32_t flushes;
    uint32_t fail_at; /* the ios number to fail, 0 = none */
    bool fail_sticky; /* and all after it */
    enum fat_disk_failure failure;
    bool logging;
    struct fat_disk_write *log;
    uint32_t log_count;
    uint32_t log_room;
};

struct fat_shape {
    uint8_t bits; /* 12, 16 or 32 */
    uint8_t cluster_sectors;
    uint32_t clusters;
    uint32_t start_lba;    /* 0: no MBR, volume at sector 0 */
    uint16_t root_entries; /* FAT16; multiple of 16 */
};

/* Where things are, computed apart from the library. */
struct fat_layout {
    uint32_t boot; /* sectors of the device */
    uint32_t fat[2];
    uint32_t fat_sectors;
    uint32_t root; /* FAT16 root, FAT32: of cluster 2 */
    uint32_t data; /* cluster 2 */
    uint32_t end;
};

/* Make a formatted disk; free it with fat_disk_free. */
void fat_disk_make(struct fat_disk *disk, const struct fat_shape *shape,
                   struct fat_layout *at);
/* A disk of given size full of zeros. */
void fat_disk_blank(struct fat_disk *disk, uint64_t sectors);
/* A copy without log and failures. */
void fat_disk_copy(struct fat_disk *disk, const struct fat_disk *from);
void fat_disk_free(struct fat_disk *disk);

static inline uint8_t *fat_disk_at(const struct fat_disk *disk, uint64_t lba)
{
    return disk->bytes + lba * FAT_SECTOR_BYTES;
}

/* Read and write a FAT entry in all copies. */
uint32_t fat_disk_entry(const struct fat_disk *disk,
                        const struct fat_shape *shape,
                        const struct fat_layout *at, uint32_t cluster);
void fat_disk_set_entry(struct fat_disk *disk, const struct fat_shape *shape,
                        const struct fat_layout *at, uint32_t cluster,
                        uint32_t value);
