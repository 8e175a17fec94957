/* SPDX-License-Identifier: BSL-1.0 */
/*
 * slots.c - changing directories
 *
 * Why the order: an entry exists when its short slot does. Adding writes
 * sectors upwards, so the short slot, the last of its set, comes last;
 * removing goes downwards, so it goes first. What a power cut leaves is an
 * orphan long slot, which every reader skips.
 */
#include "private.h"

/* Add a zeroed cluster behind the last one, where the walk stands. */
static int dir_extend(struct fat_walk *walk)
{
    struct fat_volume *vol = walk->vol;
    uint32_t cluster;
    uint32_t n;
    int rc;

    if (walk->dir == 0) {
        return -ENOSPC; /* the FAT16 root has a fixed size */
    }
    rc = fat_table_find(vol, walk->cluster + 1, 1, &cluster, &n);
    if (rc < 0) {
        return rc;
    }
    rc =
        fat_disk_zero(vol, fat_cluster_lba(vol, cluster), vol->cluster_sectors);
    return rc < 0 ? rc : fat_table_take(vol, walk->cluster, cluster, 1);
}

/* The slot after new last ones must again end the directory. */
static int dir_end_at(struct fat_walk *walk, uint32_t slot)
{
    uint64_t lba;
    uint8_t *p;
    int rc;

    if (slot >= DIR_SLOTS_MAX) {
        return 0;
    }
    rc = fat_walk_slot(walk, slot, &lba, &p);
    if (rc <= 0 || p[0] == SLOT_END) {
        return rc < 0 ? rc : 0;
    }
    p[0] = SLOT_END;
    return fat_cache_write(walk->vol, lba, lba);
}

/* Find n free slots in a row, growing the directory if need be. */
static int dir_room(struct fat_walk *walk, unsigned n, uint32_t *start)
{
    bool ended = false;
    unsigned run = 0;

    for (uint32_t slot = 0; slot < DIR_SLOTS_MAX;) {
        uint64_t lba;
        uint8_t *p;
        int rc = fat_walk_slot(walk, slot, &lba, &p);

        if (rc == 0) {
            rc = dir_extend(walk);
            if (rc < 0) {
                return rc;
            }
            continue;
        }
        if (rc < 0) {
            return rc;
        }
        ended = ended || p[0] == SLOT_END;
        run = ended || p[0] == SLOT_DELETED ? run + 1 : 0;
        slot++;
        if (run == n) {
            *start = slot - n;
            return ended ? dir_end_at(walk, slot) : 0;
        }
    }
    return -ENOSPC;
}

/* Part `part` (1 = first 13 units) of a long name. */
static void long_fill(uint8_t *slot, const struct fat_name *name, unsigned part,
                      bool last, uint8_t sum)
{
    static const uint8_t places[LONG_PART_UNITS] = {1,  3,  5,  7,  9,  14, 16,
                                                    18, 20, 22, 24, 28, 30};

    memset(slot, 0, DIR_SLOT_BYTES);
    slot[0] = (uint8_t)(part | (last ? 0x40u : 0));
    slot[SLOT_ATTR] = 0x0f;
    slot[13] = sum;
    for (unsigned i = 0; i < LONG_PART_UNITS; i++) {
        unsigned at = (part - 1) * LONG_PART_UNITS + i;

        put16(slot + places[i], at < name->len    ? name->unit[at]
                                : at == name->len ? 0
                                                  : 0xffff);
    }
}

/* Slot i of the n that spell a name, the short one (raw) last. */
static void slot_fill(uint8_t *slot, const struct fat_name *name, unsigned i,
                      unsigned n, const uint8_t *raw)
{
    if (i + 1 < n) {
        long_fill(slot, name, n - 1 - i, i == 0, fat_short_sum(raw));
    } else {
        memcpy(slot, raw, DIR_SLOT_BYTES);
    }
}

static unsigned name_slots(const struct fat_name *name, bool is_long)
{
    return 1 +
           (is_long ? (name->len + LONG_PART_UNITS - 1u) / LONG_PART_UNITS : 0);
}

int fat_dir_add(struct fat_volume *vol, uint32_t dir,
                const struct fat_name *name, const uint8_t *raw,
                struct fat_entry *entry)
{
    struct fat_entry made = {.dir = dir};
    struct fat_walk walk;
    bool is_long;
    unsigned n;
    int rc;

    memcpy(made.raw, raw, DIR_SLOT_BYTES);
    made.raw[SLOT_CASE] = 0;
    rc = fat_alias_pick(vol, dir, name, made.raw, &is_long);
    if (rc < 0) {
        return rc;
    }
    n = name_slots(name, is_long);
    fat_walk_start(&walk, vol, dir);
    rc = dir_room(&walk, n, &made.first_slot);
    for (unsigned i = 0; rc == 0 && i < n; i++) {
        uint8_t *p;

        made.slot = made.first_slot + i;
        rc = fat_walk_slot(&walk, made.slot, &made.lba, &p);
        if (rc <= 0) {
            return rc < 0 ? rc : -EIO;
        }
        slot_fill(p, name, i, n, made.raw);
        made.offset = made.slot % DIR_SECTOR_SLOTS * DIR_SLOT_BYTES;
        rc = i + 1 == n || made.offset == FAT_SECTOR_BYTES - DIR_SLOT_BYTES
                 ? fat_cache_write(vol, made.lba, made.lba)
                 : 0;
    }
    if (rc == 0 && entry) {
        *entry = made;
    }
    return rc;
}

int fat_dir_remove(struct fat_volume *vol, const struct fat_entry *entry)
{
    struct fat_walk walk;

    fat_walk_start(&walk, vol, entry->dir);
    for (uint32_t slot = entry->slot + 1; slot-- > entry->first_slot;) {
        uint64_t lba;
        uint8_t *p;
        int rc = fat_walk_slot(&walk, slot, &lba, &p);

        if (rc <= 0) {
            return rc < 0 ? rc : -EIO;
        }
        p[0] = SLOT_DELETED;
        if (slot == entry->first_slot || slot % DIR_SECTOR_SLOTS == 0) {
            rc = fat_cache_write(vol, lba, lba);
            if (rc < 0) {
                return rc;
            }
        }
    }
    return 0;
}

int fat_dir_patch(struct fat_volume *vol, uint64_t lba, uint32_t offset,
                  const uint8_t *raw)
{
    uint8_t *sector;
    int rc = fat_cache_read(vol, lba, &sector);

    if (rc < 0) {
        return rc;
    }
    memcpy(sector + offset + SLOT_ATTR, raw + SLOT_ATTR,
           DIR_SLOT_BYTES - SLOT_ATTR);
    return fat_cache_write(vol, lba, lba);
}

int fat_dir_rename_in_place(struct fat_volume *vol, struct fat_entry *entry,
                            const struct fat_name *name)
{
    unsigned have = entry->slot - entry->first_slot + 1;
    uint8_t raw[DIR_SLOT_BYTES];
    uint8_t *sector;
    bool is_long;
    unsigned n;
    int rc;

    memcpy(raw, entry->raw, DIR_SLOT_BYTES);
    raw[SLOT_CASE] = 0;
    rc = fat_alias_pick(vol, entry->dir, name, raw, &is_long);
    n = name_slots(name, is_long);
    if (rc < 0 || n > have ||
        entry->first_slot / DIR_SECTOR_SLOTS !=
            entry->slot / DIR_SECTOR_SLOTS) {
        return rc < 0 ? rc : 0;
    }
    rc = fat_cache_read(vol, entry->lba, &sector);
    if (rc < 0) {
        return rc;
    }
    sector += entry->offset - (have - 1) * DIR_SLOT_BYTES;
    for (unsigned i = 0; i < have; i++, sector += DIR_SLOT_BYTES) {
        if (i < have - n) {
            sector[0] = SLOT_DELETED;
        } else {
            slot_fill(sector, name, i - (have - n), n, raw);
        }
    }
    rc = fat_cache_write(vol, entry->lba, entry->lba);
    return rc < 0 ? rc : 1;
}
