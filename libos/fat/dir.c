/* SPDX-License-Identifier: BSL-1.0 */
/*
 * dir.c - reading directories
 *
 * A directory is an array of 32-byte slots; a file is a short slot, preceded
 * by up to 20 slots that hold its long name backwards. Long slots count only
 * if their order and checksum fit the short slot after them. "." and ".." are
 * never believed: they are skipped wherever they are. The length of a
 * directory is bounded by DIR_SLOTS_MAX, so a looping chain ends.
 */
#include "private.h"

#define ATTR_LONG      0x0fu
#define ATTR_LONG_MASK 0x3fu
#define LONG_LAST      0x40u

void fat_walk_start(struct fat_walk *walk, struct fat_volume *vol, uint32_t dir)
{
    walk->vol = vol;
    walk->dir = dir;
    walk->index = 0;
    walk->cluster = dir;
}

/* Move to a cluster of the chain. 1 = there, 0 = the chain is shorter. */
static int walk_move(struct fat_walk *walk, uint32_t index)
{
    if (index < walk->index) {
        fat_walk_start(walk, walk->vol, walk->dir);
    }
    while (walk->index < index) {
        uint32_t next;
        int rc = fat_chain_next(walk->vol, walk->cluster, &next);

        if (rc < 0 || next == 0) {
            return rc;
        }
        walk->cluster = next;
        walk->index++;
    }
    return 1;
}

/* Sector of a slot. 1 = exists. */
static int walk_lba(struct fat_walk *walk, uint32_t slot, uint64_t *lba)
{
    struct fat_volume *vol = walk->vol;
    uint32_t sector = slot / DIR_SECTOR_SLOTS;
    int rc;

    if (walk->dir == 0) {
        *lba = vol->root_lba + sector;
        return slot < vol->root_entries;
    }
    if (slot > DIR_SLOTS_MAX) {
        return 0;
    }
    rc = walk_move(walk, sector / vol->cluster_sectors);
    if (rc <= 0) {
        return rc;
    }
    if (!fat_cluster_valid(vol, walk->cluster)) {
        return fat_fault(vol, "directory starts at a bad cluster",
                         walk->cluster);
    }
    if (slot >= DIR_SLOTS_MAX) {
        return fat_fault(vol, "directory has over 65536 slots", walk->dir);
    }
    *lba = fat_cluster_lba(vol, walk->cluster) + sector % vol->cluster_sectors;
    return 1;
}

int fat_walk_slot(struct fat_walk *walk, uint32_t slot, uint64_t *lba,
                  uint8_t **data)
{
    uint64_t sector = 0;
    int rc = walk_lba(walk, slot, &sector);

    if (rc <= 0) {
        return rc;
    }
    *lba = sector;
    rc = fat_cache_read(walk->vol, sector, data);
    if (rc < 0) {
        return rc;
    }
    *data += slot % DIR_SECTOR_SLOTS * DIR_SLOT_BYTES;
    return 1;
}

/* Take a long-name slot into vol->lfn, or forget the name if out of order. */
static void long_add(struct fat_long *lfn, const uint8_t *slot, uint32_t nr)
{
    static const uint8_t places[LONG_PART_UNITS] = {1,  3,  5,  7,  9,  14, 16,
                                                    18, 20, 22, 24, 28, 30};
    unsigned part = slot[0] & 0x3fu;

    if (slot[0] & LONG_LAST) {
        lfn->parts = (uint8_t)(part <= 20 ? part : 0);
        lfn->left = lfn->parts;
        lfn->sum = slot[13];
        lfn->first_slot = nr;
    }
    if (part == 0 || lfn->parts == 0 || part != lfn->left ||
        lfn->sum != slot[13]) {
        lfn->parts = 0;
        return;
    }
    lfn->left--;
    for (unsigned i = 0; i < LONG_PART_UNITS; i++) {
        lfn->unit[lfn->left * LONG_PART_UNITS + i] =
            (uint16_t)get16(slot + places[i]);
    }
}

/* The collected long name, if it belongs to this short slot and is usable. */
static bool long_name(const struct fat_long *lfn, const uint8_t *slot,
                      struct fat_name *name)
{
    unsigned n = 0;

    if (lfn->parts == 0 || lfn->left != 0 || lfn->sum != fat_short_sum(slot)) {
        return false;
    }
    while (n < lfn->parts * LONG_PART_UNITS && lfn->unit[n]) {
        n++;
    }
    if (n > FAT_NAME_UNITS) {
        return false;
    }
    name->len = (uint16_t)n;
    memcpy(name->unit, lfn->unit, n * sizeof name->unit[0]);
    return fat_name_allowed(name);
}

bool fat_slot_is_dots(const uint8_t *slot)
{
    return memcmp(slot, ".          ", SHORT_BYTES) == 0 ||
           memcmp(slot, "..         ", SHORT_BYTES) == 0;
}

/* Fill entry from a short slot; false if its name is unusable. */
static bool entry_fill(struct fat_volume *vol, const uint8_t *slot,
                       struct fat_entry *entry)
{
    bool is_long = long_name(&vol->lfn, slot, &vol->found);

    entry->first_slot = is_long ? vol->lfn.first_slot : entry->slot;
    vol->lfn.parts = 0;
    memcpy(entry->raw, slot, DIR_SLOT_BYTES);
    if (!is_long && !fat_short_name(slot, &vol->found)) {
        vol->skipped_entries++;
        return false;
    }
    return true;
}

int fat_dir_next(struct fat_walk *walk, uint32_t *slot, struct fat_entry *entry)
{
    struct fat_volume *vol = walk->vol;

    vol->lfn.parts = 0;
    for (;; (*slot)++) {
        uint8_t *p;
        int rc = fat_walk_slot(walk, *slot, &entry->lba, &p);

        if (rc <= 0 || p[0] == SLOT_END) {
            return rc < 0 ? rc : 0;
        }
        if (p[0] != SLOT_DELETED &&
            (p[SLOT_ATTR] & ATTR_LONG_MASK) == ATTR_LONG) {
            long_add(&vol->lfn, p, *slot);
            continue;
        }
        if (p[0] == SLOT_DELETED || (p[SLOT_ATTR] & FAT_ATTR_VOLUME_ID) ||
            fat_slot_is_dots(p)) {
            vol->lfn.parts = 0;
            continue;
        }
        entry->dir = walk->dir;
        entry->slot = *slot;
        entry->offset = *slot % DIR_SECTOR_SLOTS * DIR_SLOT_BYTES;
        if (entry_fill(vol, p, entry)) {
            (*slot)++;
            return 1;
        }
    }
}

/* Is that the name of the entry just read? A file also answers to the short
 * name under its long one. */
static bool entry_answers(struct fat_volume *vol, const struct fat_entry *entry,
                          const struct fat_name *name)
{
    return fat_name_same(&vol->found, name) ||
           (entry->first_slot != entry->slot && name->len <= 12 &&
            fat_short_name(entry->raw, &vol->found) &&
            fat_name_same(&vol->found, name));
}

/* Of this name in this directory, or emptied for it. */
static struct fat_hint *hint_of(struct fat_volume *vol, uint32_t dir,
                                const struct fat_name *name)
{
    struct fat_hint *hint;
    uint32_t hash = dir;

    for (unsigned i = 0; i < name->len; i++) {
        hash = (hash ^ name->unit[i]) * 16777619u;
    }
    hint = &vol->hint[hash % FAT_HINTS];
    if (hint->hash != hash) {
        *hint = (struct fat_hint){.hash = hash};
    }
    return hint;
}

int fat_dir_find(struct fat_volume *vol, uint32_t dir,
                 const struct fat_name *name, struct fat_entry *entry)
{
    struct fat_hint *hint = hint_of(vol, dir, name);
    uint32_t slot = hint->slot;
    struct fat_walk walk;
    int rc;

    fat_walk_start(&walk, vol, dir);
    if (slot != 0 && fat_dir_next(&walk, &slot, entry) > 0 &&
        entry_answers(vol, entry, name)) {
        return 1;
    }
    slot = 0;
    while ((rc = fat_dir_next(&walk, &slot, entry)) > 0) {
        if (entry_answers(vol, entry, name)) {
            hint->slot = entry->first_slot;
            return 1;
        }
    }
    return rc;
}

int fat_dir_empty(struct fat_volume *vol, uint32_t dir)
{
    struct fat_walk walk;
    struct fat_entry entry;
    uint32_t slot = 0;
    int rc;

    fat_walk_start(&walk, vol, dir);
    rc = fat_dir_next(&walk, &slot, &entry);
    return rc < 0 ? rc : !rc;
}

uint32_t fat_slot_cluster(const struct fat_volume *vol, const uint8_t *raw)
{
    uint32_t high = vol->bits == 32 ? get16(raw + SLOT_CLUSTER_HIGH) : 0;

    return (high << 16 | get16(raw + SLOT_CLUSTER_LOW)) & 0x0fffffffu;
}

void fat_slot_set_cluster(const struct fat_volume *vol, uint8_t *raw,
                          uint32_t cluster)
{
    put16(raw + SLOT_CLUSTER_LOW, cluster);
    if (vol->bits == 32) { /* FAT16 may keep something else there */
        put16(raw + SLOT_CLUSTER_HIGH, cluster >> 16);
    }
}

bool fat_entry_is_dir(const struct fat_entry *entry)
{
    return entry->raw[SLOT_ATTR] & FAT_ATTR_DIRECTORY;
}

int fat_entry_dir(struct fat_volume *vol, const struct fat_entry *entry,
                  uint32_t *dir)
{
    *dir = fat_slot_cluster(vol, entry->raw);
    if (!fat_cluster_valid(vol, *dir)) {
        return fat_fault(vol, "directory starts at a bad cluster", *dir);
    }
    if (*dir == vol->root_cluster || *dir == entry->dir) {
        return fat_fault(vol, "directory contains itself", *dir);
    }
    return 0;
}
