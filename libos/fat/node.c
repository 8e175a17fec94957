/* SPDX-License-Identifier: BSL-1.0 */
/*
 * node.c - open files: one node each, shared by all its handles
 *
 * A node is known by the place of its directory entry, which only rename
 * moves (tree.c then moves the node too).
 */
#include "private.h"

struct fat_node *fat_node_find(struct fat_volume *vol, uint64_t lba,
                               uint32_t offset)
{
    for (uint32_t i = 0; i < vol->node_end; i++) {
        struct fat_node *node = &vol->node[i];

        if (node->refs && node->lba == lba && node->offset == offset) {
            return node;
        }
    }
    return NULL;
}

struct fat_node *fat_node_take(struct fat_volume *vol, uint64_t lba,
                               uint32_t offset)
{
    struct fat_node *node = fat_node_find(vol, lba, offset);

    for (uint32_t i = 0; !node && i < FAT_NODE_MAX; i++) {
        if (vol->node[i].refs == 0) {
            node = &vol->node[i];
            memset(node, 0, sizeof *node);
            node->lba = lba;
            node->offset = offset;
            vol->node_end += i == vol->node_end;
        }
    }
    if (node) {
        node->refs++;
    }
    return node;
}

int fat_node_store(struct fat_volume *vol, struct fat_node *node,
                   uint32_t first, uint32_t size)
{
    uint8_t *sector;
    uint8_t *slot;
    int rc;

    fat_cache_settle(vol); /* no size covers data that is not there */
    rc = fat_cache_read(vol, node->lba, &sector);
    if (rc < 0) {
        return rc;
    }
    slot = sector + node->offset;
    slot[SLOT_ATTR] |= FAT_ATTR_ARCHIVE;
    fat_slot_set_cluster(vol, slot, first);
    put32(slot + SLOT_SIZE, size);
    fat_clock_pack(node->mtime, slot + SLOT_TIME, slot + SLOT_DATE);
    memcpy(slot + SLOT_READ_DATE, slot + SLOT_DATE, 2);
    rc = fat_cache_write(vol, node->lba, node->lba);
    if (rc == 0) {
        node->attr |= FAT_ATTR_ARCHIVE;
        node->first = first;
        node->size = size;
        node->dirty = false;
    }
    return rc;
}

int fat_node_flush(struct fat_volume *vol, struct fat_node *node)
{
    int rc = 0;

    if (!node->refs) {
        return 0;
    }
    fat_cache_settle(vol);
    if (node->dirty && !vol->read_only) {
        rc = fat_node_store(vol, node, node->first, node->size);
    }
    return node->lost ? node->lost : rc;
}
