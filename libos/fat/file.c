/* SPDX-License-Identifier: BSL-1.0 */
/*
 * file.c - opening, closing and describing files; listing directories
 */
#include "private.h"

bool fat_file_open(const struct fat_file *file)
{
    return file->vol && file->node;
}

static int flags_check(uint32_t flags)
{
    if (!(flags & (FAT_READ | FAT_WRITE)) ||
        ((flags & (FAT_TRUNC | FAT_APPEND)) && !(flags & FAT_WRITE)) ||
        ((flags & FAT_CREATE) && (flags & FAT_DIRECTORY))) {
        return -EINVAL;
    }
    return 0;
}

/* Make an empty file at a place where none is. */
static int file_create(struct fat_volume *vol, struct fat_place *place)
{
    uint8_t raw[DIR_SLOT_BYTES] = {0};

    int rc;

    if (place->wants_dir) {
        return -EISDIR;
    }
    if (!fat_name_creatable(&vol->leaf)) {
        return -EINVAL;
    }
    rc = fat_change_begin(vol);
    if (rc < 0) {
        return rc;
    }
    raw[SLOT_ATTR] = FAT_ATTR_ARCHIVE;
    fat_stamp_new(vol, raw);
    return fat_dir_add(vol, place->dir, &vol->leaf, raw, &place->entry);
}

/* May what was found be opened this way? */
static int open_check(const struct fat_volume *vol,
                      const struct fat_place *place, uint32_t flags)
{
    bool is_dir = place->is_root || fat_entry_is_dir(&place->entry);

    if ((flags & FAT_CREATE) && (flags & FAT_EXCL)) {
        return -EEXIST;
    }
    if (is_dir) {
        return flags & (FAT_WRITE | FAT_CREATE) ? -EISDIR : 0;
    }
    if (flags & FAT_DIRECTORY) {
        return -ENOTDIR;
    }
    if (!(flags & FAT_WRITE)) {
        return 0;
    }
    if (vol->read_only) {
        return -EROFS;
    }
    return place->entry.raw[SLOT_ATTR] & FAT_ATTR_READ_ONLY ? -EACCES : 0;
}

/* A new node's facts from the medium, checked before anyone uses them. */
static int node_load(struct fat_volume *vol, struct fat_node *node,
                     const struct fat_place *place)
{
    const uint8_t *raw = place->entry.raw;

    if (place->is_root) {
        node->attr = FAT_ATTR_DIRECTORY;
        node->first = vol->root_cluster;
        return 0;
    }
    node->attr = raw[SLOT_ATTR];
    node->mtime =
        fat_clock_unpack(get16(raw + SLOT_TIME), get16(raw + SLOT_DATE));
    if (node->attr & FAT_ATTR_DIRECTORY) {
        return fat_entry_dir(vol, &place->entry, &node->first);
    }
    node->first = fat_slot_cluster(vol, raw);
    node->size = get32(raw + SLOT_SIZE);
    if (node->first && !fat_cluster_valid(vol, node->first)) {
        return fat_fault(vol, "file starts at a bad cluster", node->first);
    }
    if (node->size > (uint64_t)vol->clusters * vol->cluster_bytes ||
        (node->size && !node->first)) {
        return fat_fault(vol, "file larger than its chain can be", node->first);
    }
    return 0;
}

static int file_attach(struct fat_volume *vol, struct fat_file *file,
                       const struct fat_place *place, uint32_t flags)
{
    struct fat_node *node =
        fat_node_take(vol, place->entry.lba, place->entry.offset);
    int rc;

    if (!node) {
        return -ENFILE;
    }
    rc = node->refs == 1 ? node_load(vol, node, place) : 0;
    if (rc < 0) {
        node->refs--;
        return rc;
    }
    memset(file, 0, sizeof *file);
    file->vol = vol;
    file->node = node;
    file->flags = flags;
    return 0;
}

/* Is a node for this place sure to be had? Asked before creating a file. */
static bool node_available(const struct fat_volume *vol)
{
    for (unsigned i = 0; i < FAT_NODE_MAX; i++) {
        if (!vol->node[i].refs) {
            return true;
        }
    }
    return false;
}

int fat_open(struct fat_volume *vol, struct fat_file *file, const char *path,
             uint32_t flags)
{
    struct fat_place place;
    int rc = flags_check(flags);

    file->vol = NULL;
    file->node = NULL;
    rc = rc < 0 ? rc : fat_path_find(vol, path, NO_CLUSTER, &place);
    if (rc < 0) {
        return rc;
    }
    if (place.found) {
        rc = open_check(vol, &place, flags);
    } else if (!(flags & FAT_CREATE)) {
        rc = -ENOENT;
    } else {
        rc = node_available(vol) ? file_create(vol, &place) : -ENFILE;
    }
    rc = rc < 0 ? rc : file_attach(vol, file, &place, flags);
    if (rc == 0 && (flags & FAT_TRUNC)) {
        rc = fat_change_begin(vol);
        rc = rc < 0 ? rc : fat_file_cut(file, 0);
        if (rc < 0) {
            (void)fat_close(file);
        }
    }
    return rc;
}

int fat_flush(struct fat_file *file)
{
    struct fat_volume *vol = file->vol;
    int rc;

    if (!fat_file_open(file)) {
        return -EBADF;
    }
    rc = fat_node_flush(vol, file->node);
    file->node->lost = 0;
    if (rc == 0 && vol->dev->flush && !vol->dev->read_only) {
        rc = vol->dev->flush(vol->dev->ctx);
    }
    return rc;
}

int fat_close(struct fat_file *file)
{
    int rc;

    if (!fat_file_open(file)) {
        return -EBADF;
    }
    rc = fat_node_flush(file->vol, file->node);
    file->node->lost = 0;
    file->node->refs--;
    file->vol = NULL;
    file->node = NULL;
    return rc;
}

static void node_info(const struct fat_node *node, struct fat_info *info)
{
    info->id = node->lba * DIR_SECTOR_SLOTS + node->offset / DIR_SLOT_BYTES;
    info->is_dir = node->attr & FAT_ATTR_DIRECTORY;
    info->size = info->is_dir ? 0 : node->size;
    info->mtime = node->mtime;
    info->attributes = node->attr;
}

/* An open file's node knows better than its entry on the medium. */
static void entry_info(struct fat_volume *vol, const struct fat_entry *entry,
                       struct fat_info *info)
{
    const uint8_t *raw = entry->raw;
    struct fat_node *node = fat_node_find(vol, entry->lba, entry->offset);

    if (node) {
        node_info(node, info);
        return;
    }
    info->id = entry->lba * DIR_SECTOR_SLOTS + entry->offset / DIR_SLOT_BYTES;
    info->is_dir = fat_entry_is_dir(entry);
    info->size = info->is_dir ? 0 : get32(raw + SLOT_SIZE);
    info->mtime =
        fat_clock_unpack(get16(raw + SLOT_TIME), get16(raw + SLOT_DATE));
    info->attributes = raw[SLOT_ATTR];
}

int fat_stat(struct fat_volume *vol, const char *path, struct fat_info *info)
{
    struct fat_place place;
    int rc = fat_path_find(vol, path, NO_CLUSTER, &place);

    if (rc < 0 || !place.found) {
        return rc < 0 ? rc : -ENOENT;
    }
    if (place.is_root) {
        memset(info, 0, sizeof *info);
        info->is_dir = true;
        info->attributes = FAT_ATTR_DIRECTORY;
        info->mtime = fat_clock_unpack(0, 0); /* the root has no stamp */
    } else {
        entry_info(vol, &place.entry, info);
    }
    return 0;
}

int fat_fstat(struct fat_file *file, struct fat_info *info)
{
    if (!fat_file_open(file)) {
        return -EBADF;
    }
    node_info(file->node, info);
    return 0;
}

int fat_readdir(struct fat_volume *vol, struct fat_file *dir, uint32_t *cursor,
                struct fat_dirent *entry)
{
    struct fat_walk walk;
    struct fat_entry found;
    int rc;

    if (!fat_file_open(dir)) {
        return -EBADF;
    }
    if (dir->vol != vol) {
        return -EINVAL;
    }
    if (!(dir->node->attr & FAT_ATTR_DIRECTORY)) {
        return -ENOTDIR;
    }
    fat_walk_start(&walk, vol, dir->node->first);
    if (dir->cluster) { /* directory chains only grow while open */
        walk.index = dir->index;
        walk.cluster = dir->cluster;
    }
    rc = fat_dir_next(&walk, cursor, &found);
    dir->index = walk.index;
    dir->cluster = walk.cluster;
    if (rc > 0 && !fat_name_text(&vol->found, entry->name)) {
        return -EIO; /* cannot be: fat_dir_next lets only good names pass */
    }
    if (rc > 0) {
        entry_info(vol, &found, &entry->info);
    }
    return rc;
}
