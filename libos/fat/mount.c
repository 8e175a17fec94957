/* SPDX-License-Identifier: BSL-1.0 */
/*
 * mount.c - finding and checking a FAT volume on a device
 *
 * Every number of the boot sector is checked before it is used; the reason
 * of a refusal is a constant phrase. FAT32 is told by its empty 16-bit FAT
 * size, as Linux and dosfstools do, because small FAT32 volumes that break
 * the cluster-count rule are common; FAT12 and FAT16 by the cluster count.
 */
#include "private.h"

#define CLUSTERS_FAT16_MIN 4085u
#define CLUSTERS_FAT16_MAX 65524u
#define CLUSTERS_FAT32_MAX 0x0ffffff5u
#define MBR_TABLE          446
#define MBR_ENTRY_BYTES    16

/* The boot sector's numbers, as it gives them. */
struct bpb {
    uint32_t cluster_sectors;
    uint32_t reserved;
    uint32_t fats;
    uint32_t root_entries;
    uint32_t root_sectors;
    uint32_t sectors;
    uint32_t fat_sectors;
    uint32_t flags;
    uint32_t root_cluster;
    uint32_t info;
    uint8_t bits;
};

static const char no_jump[] = "no boot jump";

static bool power_of_two(uint32_t n)
{
    return n && (n & (n - 1)) == 0;
}

static void bpb_load(const uint8_t *s, struct bpb *b)
{
    b->cluster_sectors = s[13];
    b->reserved = get16(s + 14);
    b->fats = s[16];
    b->root_entries = get16(s + 17);
    b->root_sectors =
        (b->root_entries + DIR_SECTOR_SLOTS - 1) / DIR_SECTOR_SLOTS;
    b->sectors = get16(s + 19) ? get16(s + 19) : get32(s + 32);
    b->fat_sectors = get16(s + 22);
    b->bits = b->fat_sectors ? 16 : 32;
    b->flags = 0;
    b->root_cluster = 0;
    b->info = 0;
    if (b->bits == 32) {
        b->fat_sectors = get32(s + 36);
        b->flags = get16(s + 40);
        b->root_cluster = get32(s + 44);
        b->info = get16(s + 48);
    }
}

/* NULL, or what is wrong with the sector on its own */
static const char *bpb_refuse(const uint8_t *s, const struct bpb *b)
{
    if (get16(s + 510) != 0xaa55) {
        return "no 55 AA at the end of the boot sector";
    }
    if (!(s[0] == 0xeb && s[2] == 0x90) && s[0] != 0xe9) {
        return no_jump;
    }
    if (get16(s + 11) != FAT_SECTOR_BYTES) {
        return "sectors are not 512 bytes";
    }
    if (!power_of_two(b->cluster_sectors)) {
        return "sectors per cluster is not a power of two";
    }
    if (b->reserved == 0) {
        return "no reserved sectors";
    }
    if (b->fats < 1 || b->fats > 2) {
        return "number of FATs is not 1 or 2";
    }
    if (b->fat_sectors == 0) {
        return "FAT size is zero";
    }
    if (b->bits == 32 && get16(s + 42) != 0) {
        return "unknown FAT32 version";
    }
    if (b->bits == 16 && b->root_entries == 0) {
        return "root directory has no entries";
    }
    if (b->bits == 32 && b->root_entries != 0) {
        return "FAT32 with a fixed root directory";
    }
    return NULL;
}

/* Lay the volume out; NULL, or what does not fit. */
static const char *volume_layout(struct fat_volume *vol, const struct bpb *b,
                                 uint64_t room)
{
    uint64_t meta = (uint64_t)b->reserved + (uint64_t)b->fats * b->fat_sectors +
                    b->root_sectors;

    if (b->sectors > room) {
        return "volume is larger than its partition or device";
    }
    if (meta >= b->sectors) {
        return "volume has no room for data";
    }
    vol->bits = b->bits;
    vol->clusters = (uint32_t)((b->sectors - meta) / b->cluster_sectors);
    vol->cluster_sectors = b->cluster_sectors;
    vol->cluster_bytes = b->cluster_sectors * FAT_SECTOR_BYTES;
    vol->fat_sectors = b->fat_sectors;
    vol->root_entries = b->root_entries;
    vol->root_cluster = b->root_cluster;
    vol->end_lba = vol->start_lba + b->sectors;
    vol->fat_lba = vol->start_lba + b->reserved;
    vol->root_lba = vol->fat_lba + (uint64_t)b->fats * b->fat_sectors;
    vol->data_lba = vol->root_lba + b->root_sectors;
    vol->mirrors = b->fats - 1;
    return NULL;
}

/* NULL, or why the layout cannot be a FAT16 or FAT32 volume */
static const char *volume_refuse(const struct fat_volume *vol)
{
    if (vol->clusters == 0) {
        return "volume has no clusters";
    }
    if (vol->bits == 16 && vol->clusters < CLUSTERS_FAT16_MIN) {
        return "FAT12 is not supported";
    }
    if (vol->bits == 16 && vol->clusters > CLUSTERS_FAT16_MAX) {
        return "too many clusters for FAT16";
    }
    if (vol->clusters > CLUSTERS_FAT32_MAX) {
        return "too many clusters";
    }
    if (((uint64_t)vol->clusters + 2) * (vol->bits / 8) >
        (uint64_t)vol->fat_sectors * FAT_SECTOR_BYTES) {
        return "FAT is too small for the clusters";
    }
    if (vol->bits == 32 && !fat_cluster_valid(vol, vol->root_cluster)) {
        return "root directory starts at a bad cluster";
    }
    return NULL;
}

/* FAT32 may keep one copy only and leave the others stale. */
static const char *active_fat(struct fat_volume *vol, const struct bpb *b)
{
    uint32_t active = b->flags & 15;

    if (!(b->flags & 0x80)) {
        return NULL;
    }
    if (active >= b->fats) {
        return "active FAT does not exist";
    }
    vol->fat_lba += (uint64_t)active * b->fat_sectors;
    vol->mirrors = 0;
    return NULL;
}

/* FSInfo is a hint: taken only where it is possible. */
static int info_load(struct fat_volume *vol, const struct bpb *b)
{
    uint8_t *s;
    int rc;

    if (b->info == 0 || b->info >= b->reserved) {
        return 0;
    }
    rc = fat_cache_read(vol, vol->start_lba + b->info, &s);
    if (rc < 0) {
        return rc;
    }
    if (get32(s) != 0x41615252 || get32(s + 484) != 0x61417272) {
        return 0;
    }
    vol->info_lba = vol->start_lba + b->info;
    vol->free_clusters = get32(s + 488);
    vol->free_known = vol->free_clusters <= vol->clusters;
    if (fat_cluster_valid(vol, get32(s + 492))) {
        vol->next_free = get32(s + 492);
    }
    return 0;
}

static int state_load(struct fat_volume *vol)
{
    bool clean = true;
    int rc = fat_table_clean(vol, &clean);

    vol->was_dirty = !clean;
    vol->marked = !clean;
    return rc;
}

static void volume_reset(struct fat_volume *vol, const struct fat_device *dev)
{
    memset(vol, 0, sizeof *vol);
    vol->dev = dev;
    vol->read_only = dev->read_only;
    vol->end_lba = dev->sectors;
    vol->next_free = 2;
    fat_cache_reset(vol);
}

static int mount_at(struct fat_volume *vol, const struct fat_device *dev,
                    uint64_t start, uint64_t sectors, const char **why)
{
    struct bpb b;
    uint8_t *s;
    int rc;

    volume_reset(vol, dev);
    rc = fat_cache_read(vol, start, &s);
    if (rc < 0) {
        *why = "boot sector cannot be read";
        return rc;
    }
    bpb_load(s, &b);
    *why = bpb_refuse(s, &b);
    vol->start_lba = start;
    *why = *why ? *why : volume_layout(vol, &b, sectors);
    *why = *why ? *why : volume_refuse(vol);
    *why = *why ? *why : active_fat(vol, &b);
    if (*why) {
        return -EINVAL;
    }
    rc = info_load(vol, &b);
    if (rc < 0) {
        *why = "FSInfo cannot be read";
        return rc;
    }
    rc = state_load(vol);
    if (rc < 0) {
        *why = "FAT cannot be read";
    }
    return rc;
}

static bool type_is_fat(uint8_t type)
{
    return type == 0x04 || type == 0x06 || type == 0x0b || type == 0x0c ||
           type == 0x0e;
}

/* Mount one of the MBR's four; *why as far as it was a candidate. */
static int mount_partition(struct fat_volume *vol, const struct fat_device *dev,
                           const uint8_t *entry, const char **why)
{
    uint64_t start = get32(entry + 8);
    uint64_t sectors = get32(entry + 12);

    if (!type_is_fat(entry[4])) {
        *why =
            entry[4] == 0xee ? "GPT partition tables are not supported" : NULL;
        return -EINVAL;
    }
    if (start == 0 || sectors == 0 || start + sectors > dev->sectors) {
        *why = "partition lies outside the device";
        return -EINVAL;
    }
    return mount_at(vol, dev, start, sectors, why);
}

static int mount_mbr(struct fat_volume *vol, const struct fat_device *dev,
                     const uint8_t *table, const char **why)
{
    const char *first = NULL;
    int result = -EINVAL;

    for (unsigned i = 0; i < 4; i++) {
        const char *this = NULL;
        int rc = mount_partition(vol, dev, table + i * MBR_ENTRY_BYTES, &this);

        if (rc == 0) {
            return 0;
        }
        if (this && !first) {
            first = this;
            result = rc;
        }
    }
    if (first) {
        *why = first;
    } else if (*why == no_jump) {
        *why = "neither a FAT boot sector nor a FAT partition";
    }
    return result;
}

int fat_mount(struct fat_volume *vol, const struct fat_device *dev,
              const char **reason)
{
    uint8_t table[4 * MBR_ENTRY_BYTES];
    const char *why = NULL;
    uint8_t *s;
    int rc;

    volume_reset(vol, dev);
    rc = fat_cache_read(vol, 0, &s);
    if (rc < 0) {
        why =
            dev->sectors ? "sector 0 cannot be read" : "device has no sectors";
    } else {
        bool is_mbr = get16(s + 510) == 0xaa55;

        memcpy(table, s + MBR_TABLE, sizeof table);
        rc = mount_at(vol, dev, 0, dev->sectors, &why);
        if (rc == -EINVAL && is_mbr) {
            rc = mount_mbr(vol, dev, table, &why);
        }
    }
    if (rc < 0) {
        memset(vol, 0, sizeof *vol);
        vol->read_only = true;
        if (reason) {
            *reason = why;
        }
    }
    return rc;
}
