/* SPDX-License-Identifier: BSL-1.0 */
/*
 * data.c - bytes of a run of neighbouring sectors
 *
 * Whole sectors go straight between the caller and the device; only the
 * edges, and reads of a few sectors, pass through the cache.
 */
#include "private.h"

#define RUN_SECTORS_MAX 0x8000u /* 16 MiB: keeps counts far from 2^32 */
#define RUN_SECTORS_MIN 4u      /* shorter reads gain by the read-ahead */

/* Whole sectors that can move at once; 0 = an edge comes first. */
static uint32_t whole_sectors(uint32_t skip, size_t len)
{
    size_t n = skip ? 0 : len / FAT_SECTOR_BYTES;

    return n < RUN_SECTORS_MAX ? (uint32_t)n : RUN_SECTORS_MAX;
}

static size_t edge_bytes(uint32_t skip, size_t len)
{
    size_t room = FAT_SECTOR_BYTES - skip;

    return len < room ? len : room;
}

int fat_data_read(struct fat_volume *vol, uint64_t lba, uint32_t skip,
                  uint8_t *buf, size_t len)
{
    lba += skip / FAT_SECTOR_BYTES;
    skip %= FAT_SECTOR_BYTES;
    while (len > 0) {
        uint32_t whole = whole_sectors(skip, len);
        uint32_t n = whole < RUN_SECTORS_MIN ? 0 : whole;
        size_t bytes = n ? (size_t)n * FAT_SECTOR_BYTES : edge_bytes(skip, len);
        uint8_t *sector;
        int rc;

        if (n) {
            rc = fat_disk_read(vol, lba, n, buf);
        } else {
            rc = fat_cache_read(vol, lba, &sector);
            if (rc == 0) {
                memcpy(buf, sector + skip, bytes);
            }
        }
        if (rc < 0) {
            return rc;
        }
        buf += bytes;
        len -= bytes;
        lba += n ? n : 1;
        skip = 0;
    }
    return 0;
}

/* Change part of one sector. */
static int edge_write(struct fat_volume *vol, uint64_t lba, uint32_t skip,
                      const uint8_t *src, size_t len, bool fresh)
{
    uint8_t *sector;

    if (fresh) {
        fat_cache_fresh(vol, lba, &sector);
    } else {
        int rc = fat_cache_read(vol, lba, &sector);

        if (rc < 0) {
            return rc;
        }
    }
    if (src) {
        memcpy(sector + skip, src, len);
    } else {
        memset(sector + skip, 0, len);
    }
    return fat_cache_later(vol, lba);
}

int fat_data_write(struct fat_volume *vol, uint64_t lba, uint32_t skip,
                   const uint8_t *src, size_t len, bool fresh)
{
    lba += skip / FAT_SECTOR_BYTES;
    skip %= FAT_SECTOR_BYTES;
    while (len > 0) {
        uint32_t n = whole_sectors(skip, len);
        size_t bytes = n ? (size_t)n * FAT_SECTOR_BYTES : edge_bytes(skip, len);
        int rc = !n    ? edge_write(vol, lba, skip, src, bytes, fresh)
                 : src ? fat_disk_write(vol, lba, n, src)
                       : fat_disk_zero(vol, lba, n);

        if (rc < 0) {
            return rc;
        }
        src = src ? src + bytes : NULL;
        len -= bytes;
        lba += n ? n : 1;
        skip = 0;
    }
    return 0;
}
