/* SPDX-License-Identifier: BSL-1.0 */
/*
 * volume.c - a mounted volume as a whole: faults, time, sync, space
 */
#include "private.h"

int fat_fault(struct fat_volume *vol, const char *what, uint32_t cluster)
{
    vol->read_only = true;
    if (!vol->fault) {
        vol->fault = what;
        vol->fault_cluster = cluster;
    }
    return -FAT_ECORRUPT;
}

int64_t fat_now(const struct fat_volume *vol)
{
    return vol->now ? vol->now(vol->now_ctx) : 0;
}

void fat_stamp_new(const struct fat_volume *vol, uint8_t *raw)
{
    fat_clock_pack(fat_now(vol), raw + SLOT_TIME, raw + SLOT_DATE);
    memcpy(raw + SLOT_MADE_TIME, raw + SLOT_TIME, 2);
    memcpy(raw + SLOT_MADE_DATE, raw + SLOT_DATE, 2);
    memcpy(raw + SLOT_READ_DATE, raw + SLOT_DATE, 2);
}

int fat_change_begin(struct fat_volume *vol)
{
    int rc;

    if (vol->read_only) {
        return -EROFS;
    }
    rc = vol->marked ? 0 : fat_table_set_clean(vol, false);
    vol->marked = vol->marked || rc == 0;
    return rc;
}

/* Everything is written: say so on the medium, unless it needs repair. */
static int change_end(struct fat_volume *vol)
{
    int rc;

    if (!vol->marked || vol->was_dirty || vol->read_only) {
        return 0;
    }
    rc = fat_table_set_clean(vol, true);
    vol->marked = rc < 0;
    return rc;
}

/* Offsets of the FSInfo fields. */
#define INFO_FREE 488
#define INFO_NEXT 492

static int info_write(struct fat_volume *vol)
{
    uint8_t *sector;
    int rc;

    if (!vol->info_lba || !vol->info_dirty || vol->read_only) {
        return 0;
    }
    rc = fat_cache_read(vol, vol->info_lba, &sector);
    if (rc < 0) {
        return rc;
    }
    put32(sector + INFO_FREE,
          vol->free_known ? vol->free_clusters : 0xffffffffu);
    put32(sector + INFO_NEXT, vol->next_free);
    rc = fat_cache_write(vol, vol->info_lba, vol->info_lba);
    if (rc == 0) {
        vol->info_dirty = false;
    }
    return rc;
}

int fat_sync(struct fat_volume *vol)
{
    int result = 0;
    int rc;

    if (!vol->dev) {
        return -ENODEV;
    }
    for (unsigned i = 0; i < FAT_NODE_MAX; i++) {
        rc = fat_node_flush(vol, &vol->node[i]);
        result = result ? result : rc;
    }
    rc = info_write(vol);
    result = result ? result : rc;
    rc = result ? 0 : change_end(vol);
    result = result ? result : rc;
    if (vol->dev->flush && !vol->dev->read_only) {
        rc = vol->dev->flush(vol->dev->ctx);
        result = result ? result : rc;
    }
    return result;
}

int fat_unmount(struct fat_volume *vol)
{
    int rc;

    for (unsigned i = 0; i < FAT_NODE_MAX; i++) {
        if (vol->node[i].refs) {
            return -EBUSY;
        }
    }
    rc = fat_sync(vol);
    memset(vol, 0, sizeof *vol);
    vol->read_only = true;
    return rc;
}

int fat_statfs(struct fat_volume *vol, struct fat_space *space)
{
    if (!vol->free_known) {
        int rc = fat_table_count(vol);

        if (rc < 0) {
            return rc;
        }
    }
    space->cluster_bytes = vol->cluster_bytes;
    space->total_bytes = (uint64_t)vol->clusters * vol->cluster_bytes;
    space->free_bytes = (uint64_t)vol->free_clusters * vol->cluster_bytes;
    return 0;
}
