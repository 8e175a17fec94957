/* SPDX-License-Identifier: BSL-1.0 */
/*
 * tree.c - making, removing and renaming entries of the directory tree
 *
 * Rename writes the new entry before it removes the old one: a power cut in
 * between leaves the file under both names, never under none, and the old one
 * marked for fat_repair. Within a directory both happen in one sector write
 * where the old slots can hold the new name.
 */
#include "private.h"

/* The number ".." holds: 0 stands for the root, on FAT32 too. */
static uint32_t parent_number(const struct fat_volume *vol, uint32_t dir)
{
    return dir == vol->root_cluster ? 0 : dir;
}

/* Write an empty directory, with its two dots, into a free cluster. */
static int dir_format(struct fat_volume *vol, uint32_t cluster, uint32_t parent,
                      const uint8_t *raw)
{
    uint64_t lba = fat_cluster_lba(vol, cluster);
    uint8_t *sector;
    int rc = fat_disk_zero(vol, lba, vol->cluster_sectors);

    if (rc < 0) {
        return rc;
    }
    fat_cache_fresh(vol, lba, &sector);
    memcpy(sector, raw, DIR_SLOT_BYTES);
    memcpy(sector, ".          ", SHORT_BYTES);
    memcpy(sector + DIR_SLOT_BYTES, raw, DIR_SLOT_BYTES);
    memcpy(sector + DIR_SLOT_BYTES, "..         ", SHORT_BYTES);
    fat_slot_set_cluster(vol, sector + DIR_SLOT_BYTES,
                         parent_number(vol, parent));
    return fat_cache_write(vol, lba, lba);
}

static int dir_make(struct fat_volume *vol, uint32_t parent)
{
    uint8_t raw[DIR_SLOT_BYTES] = {0};
    uint32_t cluster;
    uint32_t n;
    int rc = fat_table_find(vol, 0, 1, &cluster, &n);

    if (rc < 0) {
        return rc;
    }
    raw[SLOT_ATTR] = FAT_ATTR_DIRECTORY;
    fat_stamp_new(vol, raw);
    fat_slot_set_cluster(vol, raw, cluster);
    rc = dir_format(vol, cluster, parent, raw);
    rc = rc < 0 ? rc : fat_table_take(vol, 0, cluster, 1);
    if (rc < 0) {
        return rc;
    }
    rc = fat_dir_add(vol, parent, &vol->leaf, raw, NULL);
    if (rc == -ENOSPC) { /* after other errors the entry may exist */
        (void)fat_chain_free(vol, cluster);
    }
    return rc;
}

int fat_mkdir(struct fat_volume *vol, const char *path)
{
    struct fat_place place;
    int rc = fat_path_find(vol, path, NO_CLUSTER, &place);

    if (rc == -ENOTDIR && place.found) {
        return -EEXIST; /* "file/": the name is taken all the same */
    }
    if (rc < 0) {
        return rc;
    }
    if (place.found) {
        return -EEXIST;
    }
    if (!fat_name_creatable(&vol->leaf)) {
        return -EINVAL;
    }
    rc = fat_change_begin(vol);
    return rc < 0 ? rc : dir_make(vol, place.dir);
}

/* A chain an entry owns, checked before its entry is removed. */
static int entry_chain(struct fat_volume *vol, const struct fat_entry *entry,
                       uint32_t *first)
{
    *first = fat_slot_cluster(vol, entry->raw);
    if (*first && !fat_cluster_valid(vol, *first)) {
        return fat_fault(vol, "file starts at a bad cluster", *first);
    }
    return 0;
}

static int entry_delete(struct fat_volume *vol, const struct fat_entry *entry)
{
    uint32_t first;
    int rc = entry_chain(vol, entry, &first);

    rc = rc < 0 ? rc : fat_dir_remove(vol, entry);
    return rc < 0 || !first ? rc : fat_chain_free(vol, first);
}

static bool entry_open(struct fat_volume *vol, const struct fat_entry *entry)
{
    return fat_node_find(vol, entry->lba, entry->offset);
}

int fat_unlink(struct fat_volume *vol, const char *path)
{
    struct fat_place place;
    int rc = fat_path_find(vol, path, NO_CLUSTER, &place);

    if (rc < 0 || !place.found) {
        return rc < 0 ? rc : -ENOENT;
    }
    if (place.is_root || fat_entry_is_dir(&place.entry)) {
        return -EISDIR;
    }
    rc = fat_change_begin(vol);
    if (rc < 0) {
        return rc;
    }
    return entry_open(vol, &place.entry) ? -EBUSY
                                         : entry_delete(vol, &place.entry);
}

/* 0 if a directory entry may be removed */
static int dir_removable(struct fat_volume *vol, const struct fat_entry *entry)
{
    uint32_t dir;
    int rc = fat_entry_dir(vol, entry, &dir);

    rc = rc < 0 ? rc : fat_dir_empty(vol, dir);
    if (rc <= 0) {
        return rc < 0 ? rc : -ENOTEMPTY;
    }
    return entry_open(vol, entry) ? -EBUSY : 0;
}

int fat_rmdir(struct fat_volume *vol, const char *path)
{
    struct fat_place place;
    int rc = fat_path_find(vol, path, NO_CLUSTER, &place);

    if (rc < 0 || !place.found) {
        return rc < 0 ? rc : -ENOENT;
    }
    if (place.is_root) {
        return -EBUSY;
    }
    if (!fat_entry_is_dir(&place.entry)) {
        return -ENOTDIR;
    }
    rc = fat_change_begin(vol);
    rc = rc < 0 ? rc : dir_removable(vol, &place.entry);
    return rc < 0 ? rc : entry_delete(vol, &place.entry);
}

/* Point the ".." of a moved directory to its new parent. */
static int parent_set(struct fat_volume *vol, uint32_t dir, uint32_t parent)
{
    struct fat_walk walk;
    uint64_t lba;
    uint8_t *p;
    int rc;

    fat_walk_start(&walk, vol, dir);
    rc = fat_walk_slot(&walk, 1, &lba, &p);
    if (rc < 0) {
        return rc;
    }
    if (rc == 0 || memcmp(p, "..         ", SHORT_BYTES) != 0) {
        return fat_fault(vol, "directory without ..", dir);
    }
    fat_slot_set_cluster(vol, p, parent_number(vol, parent));
    return fat_cache_write(vol, lba, lba);
}

/* Everything that forbids the move, found before anything is changed. */
static int rename_check(struct fat_volume *vol, const struct fat_place *from,
                        const struct fat_place *to)
{
    bool is_dir = fat_entry_is_dir(&from->entry);
    bool onto_dir = to->found && fat_entry_is_dir(&to->entry);

    int rc = fat_change_begin(vol);

    if (rc < 0) {
        return rc;
    }
    if (!to->found) {
        return to->wants_dir && !is_dir         ? -ENOTDIR
               : fat_name_creatable(&vol->leaf) ? 0
                                                : -EINVAL;
    }
    if (is_dir != onto_dir) {
        return is_dir ? -ENOTDIR : -EISDIR;
    }
    if (is_dir) {
        return dir_removable(vol, &to->entry);
    }
    return entry_open(vol, &to->entry) ? -EBUSY : 0;
}

/* Write the new entry: over the target's, whose name stays, or added. */
static int rename_new(struct fat_volume *vol, const struct fat_place *from,
                      struct fat_place *to)
{
    uint8_t raw[DIR_SLOT_BYTES];

    if (!to->found) {
        return fat_dir_add(vol, to->dir, &vol->leaf, from->entry.raw,
                           &to->entry);
    }
    memcpy(raw, from->entry.raw, DIR_SLOT_BYTES);
    raw[SLOT_CASE] = to->entry.raw[SLOT_CASE];
    return fat_dir_patch(vol, to->entry.lba, to->entry.offset, raw);
}

/* Mark the old entry, so that fat_repair knows which of both is the old one;
 * then write the new one. */
static int rename_write(struct fat_volume *vol, const struct fat_place *from,
                        struct fat_place *to)
{
    const struct fat_entry *old = &from->entry;
    uint8_t raw[DIR_SLOT_BYTES];
    int rc;

    memcpy(raw, old->raw, DIR_SLOT_BYTES);
    raw[SLOT_CASE] |= SLOT_MOVING;
    rc = fat_dir_patch(vol, old->lba, old->offset, raw);
    rc = rc < 0 ? rc : rename_new(vol, from, to);
    if (rc == -ENOSPC) {
        (void)fat_dir_patch(vol, old->lba, old->offset, old->raw);
    }
    return rc;
}

static void node_move(struct fat_volume *vol, const struct fat_entry *from,
                      const struct fat_entry *to)
{
    struct fat_node *node = fat_node_find(vol, from->lba, from->offset);

    if (node) {
        node->lba = to->lba;
        node->offset = to->offset;
    }
}

static int rename_move(struct fat_volume *vol, const struct fat_place *from,
                       struct fat_place *to)
{
    uint32_t moved = 0;
    uint32_t freed = 0;
    int rc = entry_chain(vol, &from->entry, &moved);

    if (rc == 0 && to->found) {
        rc = entry_chain(vol, &to->entry, &freed);
    }
    rc = rc < 0 ? rc : rename_write(vol, from, to);
    if (rc < 0) {
        return rc;
    }
    node_move(vol, &from->entry, &to->entry);
    rc = fat_dir_remove(vol, &from->entry);
    if (rc == 0 && fat_entry_is_dir(&from->entry) && from->dir != to->dir) {
        rc = parent_set(vol, moved, to->dir);
    }
    return rc < 0 || !freed ? rc : fat_chain_free(vol, freed);
}

/* Source and target are one entry: at most the name's case changes. */
static int rename_same(struct fat_volume *vol, struct fat_place *from,
                       struct fat_place *to)
{
    struct fat_walk walk;
    uint32_t slot = from->entry.first_slot;
    int rc;

    fat_walk_start(&walk, vol, from->dir);
    rc = fat_dir_next(&walk, &slot, &from->entry); /* name to vol->found */
    if (rc <= 0 || fat_name_identical(&vol->found, &vol->leaf)) {
        return rc < 0 ? rc : 0;
    }
    if (!fat_name_creatable(&vol->leaf)) {
        return -EINVAL;
    }
    rc = fat_change_begin(vol);
    rc = rc < 0 ? rc : fat_dir_rename_in_place(vol, &from->entry, &vol->leaf);
    if (rc != 0) {
        return rc < 0 ? rc : 0;
    }
    to->found = false;
    return rename_move(vol, from, to);
}

/* Find the source and bring its entry up to date. */
static int rename_source(struct fat_volume *vol, const char *path,
                         struct fat_place *from)
{
    struct fat_node *node;
    int rc = fat_path_find(vol, path, NO_CLUSTER, from);

    if (rc < 0 || !from->found) {
        return rc < 0 ? rc : -ENOENT;
    }
    if (from->is_root) {
        return -EBUSY;
    }
    node = fat_node_find(vol, from->entry.lba, from->entry.offset);
    if (!node || !node->dirty) {
        return 0;
    }
    rc = fat_node_flush(vol, node);
    return rc < 0 ? rc : fat_path_find(vol, path, NO_CLUSTER, from);
}

int fat_rename(struct fat_volume *vol, const char *from, const char *to)
{
    struct fat_place source;
    struct fat_place target;
    uint32_t avoid = NO_CLUSTER;
    int rc = rename_source(vol, from, &source);

    if (rc == 0 && fat_entry_is_dir(&source.entry)) {
        rc = fat_entry_dir(vol, &source.entry, &avoid);
    }
    rc = rc < 0 ? rc : fat_path_find(vol, to, avoid, &target);
    if (rc < 0) {
        return rc;
    }
    if (target.is_root) {
        return -EBUSY;
    }
    if (target.found && target.entry.lba == source.entry.lba &&
        target.entry.offset == source.entry.offset) {
        return rename_same(vol, &source, &target);
    }
    rc = rename_check(vol, &source, &target);
    if (rc == 0 && !target.found && target.dir == source.dir) {
        rc = fat_dir_rename_in_place(vol, &source.entry, &vol->leaf);
        if (rc != 0) {
            return rc < 0 ? rc : 0;
        }
    }
    return rc < 0 ? rc : rename_move(vol, &source, &target);
}

int fat_set_mtime(struct fat_volume *vol, const char *path, int64_t seconds)
{
    struct fat_place place = {0};
    struct fat_node *node;
    uint8_t *raw = place.entry.raw;
    int rc = fat_path_find(vol, path, NO_CLUSTER, &place);

    if (rc < 0 || !place.found) {
        return rc < 0 ? rc : -ENOENT;
    }
    if (place.is_root) {
        return -EINVAL; /* it has no entry to keep a time in */
    }
    rc = fat_change_begin(vol);
    if (rc < 0) {
        return rc;
    }
    fat_clock_pack(seconds, raw + SLOT_TIME, raw + SLOT_DATE);
    rc = fat_dir_patch(vol, place.entry.lba, place.entry.offset, raw);
    node = fat_node_find(vol, place.entry.lba, place.entry.offset);
    if (rc == 0 && node) {
        node->mtime =
            fat_clock_unpack(get16(raw + SLOT_TIME), get16(raw + SLOT_DATE));
    }
    return rc;
}
