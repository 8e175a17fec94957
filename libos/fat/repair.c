/* SPDX-License-Identifier: BSL-1.0 */
/*
 * repair.c - mending what a power cut leaves
 *
 * One walk over the tree marks every cluster that a chain holds in the
 * caller's bitmap and mends entries on the way; then unmarked clusters are
 * given back. The FAT copy in use is right, for it is written last. Damage
 * that no cut of ours can leave is not guessed about: it is a fault. The walk
 * keeps a fixed stack instead of recursing; marked clusters make it finite.
 */
#include "private.h"

#define DEPTH_MAX 40

/* A walk over all entries, parents first; the caller decides where to enter.
 */
struct tree {
    unsigned depth; /* levels in use */
    struct {
        struct fat_walk walk;
        uint32_t slot;
    } level[DEPTH_MAX];
};

struct repair {
    struct fat_volume *vol;
    uint8_t *map;
    struct fat_repairs *done;
    bool moving; /* entries marked as being renamed were met */
    struct tree tree;
};

static int tree_enter(struct tree *t, struct fat_volume *vol, uint32_t dir)
{
    if (t->depth == DEPTH_MAX) {
        return -ELOOP;
    }
    fat_walk_start(&t->level[t->depth].walk, vol, dir);
    t->level[t->depth++].slot = 0;
    return 0;
}

/* 1 = entry filled, 0 = end */
static int tree_next(struct tree *t, struct fat_entry *entry)
{
    int rc = 0;

    while (rc == 0 && t->depth) {
        rc = fat_dir_next(&t->level[t->depth - 1].walk,
                          &t->level[t->depth - 1].slot, entry);
        t->depth -= rc == 0;
    }
    return rc;
}

size_t fat_repair_bytes(const struct fat_volume *vol)
{
    return (vol->clusters + 7u) / 8;
}

static bool map_has(const struct repair *r, uint32_t cluster)
{
    return r->map[(cluster - 2) / 8] >> (cluster - 2) % 8 & 1;
}

static void map_add(struct repair *r, uint32_t cluster)
{
    r->map[(cluster - 2) / 8] |= (uint8_t)(1u << (cluster - 2) % 8);
}

/* Mark a chain; cut it after `most` clusters; fault if it has under `least`.
 */
static int chain_claim(struct repair *r, uint32_t first, uint32_t least,
                       uint32_t most)
{
    uint32_t c = first;

    for (uint32_t n = 1;; n++) {
        uint32_t next;
        int rc = fat_chain_next(r->vol, c, &next);

        if (rc < 0) {
            return rc;
        }
        if (map_has(r, c)) {
            return fat_fault(r->vol, "two chains share a cluster", c);
        }
        map_add(r, c);
        if (n == most && next) {
            r->done->long_chains++;
            return fat_table_link(r->vol, c, 0);
        }
        if (!next) {
            return n >= least ? 0
                              : fat_fault(r->vol,
                                          "cluster chain shorter than the file",
                                          first);
        }
        c = next;
    }
}

/* Set the cluster of one dot; a directory without its dots is left alone. */
static int dot_mend(struct repair *r, struct fat_walk *walk, uint32_t slot,
                    uint32_t cluster)
{
    uint64_t lba;
    uint8_t *p;
    int rc = fat_walk_slot(walk, slot, &lba, &p);

    if (rc <= 0 || !fat_slot_is_dots(p) ||
        fat_slot_cluster(r->vol, p) == cluster) {
        return rc < 0 ? rc : 0;
    }
    r->done->wrong_dots++;
    fat_slot_set_cluster(r->vol, p, cluster);
    return fat_cache_write(r->vol, lba, lba);
}

static int dots_mend(struct repair *r, uint32_t dir, uint32_t parent)
{
    struct fat_walk walk;
    int rc;

    fat_walk_start(&walk, r->vol, dir);
    rc = dot_mend(r, &walk, 0, dir);
    return rc < 0 ? rc
                  : dot_mend(r, &walk, 1,
                             parent == r->vol->root_cluster ? 0 : parent);
}

static bool is_moving(const struct fat_entry *entry)
{
    return entry->raw[SLOT_CASE] & SLOT_MOVING;
}

/* Remove the marked entry that this one replaces. The walk has passed it:
 * look again at what it passed until here. */
static int double_find(struct repair *r, const struct fat_entry *twin)
{
    uint32_t first = fat_slot_cluster(r->vol, twin->raw);
    struct tree again = {0};
    struct fat_entry e;
    int rc = tree_enter(&again, r->vol, r->vol->root_cluster);

    while (rc == 0 && (rc = tree_next(&again, &e)) > 0 &&
           (e.lba != twin->lba || e.offset != twin->offset)) {
        uint32_t cluster = fat_slot_cluster(r->vol, e.raw);

        if (is_moving(&e) && cluster == first &&
            memcmp(e.raw + SLOT_SIZE, twin->raw + SLOT_SIZE, 4) == 0 &&
            fat_entry_is_dir(&e) == fat_entry_is_dir(twin)) {
            r->done->double_names++;
            return fat_dir_remove(r->vol, &e);
        }
        rc = fat_entry_is_dir(&e) ? tree_enter(&again, r->vol, cluster) : 0;
    }
    return rc < 0 ? rc
                  : fat_fault(r->vol, "two files share their clusters", first);
}

/* An entry whose first cluster is taken: one of both was being renamed. */
static int double_mend(struct repair *r, const struct fat_entry *entry,
                       uint32_t first)
{
    int rc;

    if (is_moving(entry)) {
        r->done->double_names++;
        return fat_dir_remove(r->vol, entry);
    }
    rc = double_find(r, entry);
    return rc < 0 || !fat_entry_is_dir(entry) ? rc
                                              : dots_mend(r, first, entry->dir);
}

static int file_mend(struct repair *r, struct fat_entry *entry)
{
    struct fat_volume *vol = r->vol;
    uint32_t first = fat_slot_cluster(vol, entry->raw);
    uint32_t size = get32(entry->raw + SLOT_SIZE);
    uint32_t n = (uint32_t)(((uint64_t)size + vol->cluster_bytes - 1) /
                            vol->cluster_bytes);

    if (n == 0 && first == 0) {
        return 0;
    }
    if (n == 0) { /* clusters of an empty file: let the sweep have them */
        r->done->long_chains++;
        fat_slot_set_cluster(vol, entry->raw, 0);
        return fat_dir_patch(vol, entry->lba, entry->offset, entry->raw);
    }
    if (!fat_cluster_valid(vol, first)) {
        return fat_fault(vol, "file starts at a bad cluster", first);
    }
    return map_has(r, first) ? double_mend(r, entry, first)
                             : chain_claim(r, first, n, n);
}

static int dir_mend(struct repair *r, const struct fat_entry *entry)
{
    uint32_t dir;
    int rc = fat_entry_dir(r->vol, entry, &dir);

    if (rc < 0) {
        return rc;
    }
    if (map_has(r, dir)) {
        return double_mend(r, entry, dir);
    }
    rc = chain_claim(r, dir, 1, UINT32_MAX);
    rc = rc < 0 ? rc : dots_mend(r, dir, entry->dir);
    return rc < 0 ? rc : tree_enter(&r->tree, r->vol, dir);
}

static int tree_mend(struct repair *r)
{
    uint32_t root = r->vol->root_cluster;
    struct fat_entry e;
    int rc = root ? chain_claim(r, root, 1, UINT32_MAX) : 0;

    rc = rc < 0 ? rc : tree_enter(&r->tree, r->vol, root);
    while (rc == 0 && (rc = tree_next(&r->tree, &e)) > 0) {
        r->moving = r->moving || is_moving(&e);
        rc = fat_entry_is_dir(&e) ? dir_mend(r, &e) : file_mend(r, &e);
    }
    return rc;
}

/* Take the marks away: whoever still has one is alone. */
static int marks_drop(struct repair *r)
{
    struct fat_entry e;
    int rc = tree_enter(&r->tree, r->vol, r->vol->root_cluster);

    while (rc == 0 && (rc = tree_next(&r->tree, &e)) > 0) {
        rc = 0;
        if (is_moving(&e)) {
            e.raw[SLOT_CASE] &= (uint8_t)~SLOT_MOVING;
            rc = fat_dir_patch(r->vol, e.lba, e.offset, e.raw);
        }
        if (rc == 0 && fat_entry_is_dir(&e)) {
            rc = tree_enter(&r->tree, r->vol, fat_slot_cluster(r->vol, e.raw));
        }
    }
    return rc;
}

static int mirrors_mend(struct repair *r)
{
    for (uint32_t i = 0; i < r->vol->fat_sectors; i++) {
        int rc = fat_table_mirror(r->vol, i);

        if (rc < 0) {
            return rc;
        }
        r->done->fat_sectors += (uint32_t)rc;
    }
    return 0;
}

/* Free what nobody claimed; a table sector is written when it is left. */
static int sweep(struct repair *r)
{
    uint32_t per = FAT_SECTOR_BYTES * 8u / r->vol->bits;
    uint32_t end = r->vol->clusters + 2;
    uint32_t pending = 0;

    for (uint32_t c = 2; c < end; c++) {
        bool leave = c + 1 == end || (c + 1) % per == 0;
        int rc = fat_table_sweep(r->vol, c, !map_has(r, c), false);

        pending += rc > 0;
        if (rc >= 0 && leave && pending) {
            r->done->lost_clusters += pending;
            pending = 0;
            rc = fat_table_sweep(r->vol, c, false, true);
        }
        if (rc < 0) {
            return rc;
        }
    }
    return 0;
}

static int repair_run(struct repair *r)
{
    int rc = mirrors_mend(r);

    rc = rc < 0 ? rc : tree_mend(r);
    rc = rc < 0 || !r->moving ? rc : marks_drop(r);
    rc = rc < 0 ? rc : sweep(r);
    return rc < 0 ? rc : fat_table_count(r->vol);
}

int fat_repair(struct fat_volume *vol, void *map, size_t bytes,
               struct fat_repairs *done)
{
    struct fat_repairs unwanted = {0};
    struct repair r = {.vol = vol, .map = map};
    int rc;

    r.done = done ? done : &unwanted;
    memset(r.done, 0, sizeof *r.done);
    if (bytes < fat_repair_bytes(vol)) {
        return -EINVAL;
    }
    for (unsigned i = 0; i < FAT_NODE_MAX; i++) {
        if (vol->node[i].refs) {
            return -EBUSY;
        }
    }
    memset(map, 0, fat_repair_bytes(vol));
    rc = fat_change_begin(vol);
    rc = rc < 0 ? rc : repair_run(&r);
    if (rc < 0) {
        return rc;
    }
    vol->was_dirty = false;
    return fat_sync(vol);
}
