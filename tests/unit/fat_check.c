/* SPDX-License-Identifier: BSL-1.0 */
/*
 * fat_check.c - walk a whole volume and count its damage
 */
#include "fat_check.h"

#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 64

struct check {
    const struct fat_disk *disk;
    const struct fat_shape *shape;
    const struct fat_layout *at;
    struct fat_damage *damage;
    uint8_t *seen;  /* by cluster */
    uint8_t *heads; /* clusters that begin a chain */
};

static uint32_t load16(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8;
}

static bool valid(const struct check *c, uint32_t cluster)
{
    return cluster >= 2 && cluster < c->shape->clusters + 2;
}

static uint32_t next_of(const struct check *c, uint32_t cluster)
{
    uint32_t v = fat_disk_entry(c->disk, c->shape, c->at, cluster);
    uint32_t end = c->shape->bits == 32 ? 0x0ffffff8 : 0xfff8;

    return v >= end ? 0 : v ? v : 1;
}

/* Mark a chain; its length. */
static uint32_t chain_mark(struct check *c, uint32_t first)
{
    uint32_t n = 0;

    c->damage->same_first += c->heads[first];
    c->heads[first] = 1;
    for (uint32_t at = first; at;) {
        if (!valid(c, at)) {
            c->damage->bad_links++;
            return n;
        }
        if (c->seen[at]) {
            c->damage->crossed++;
            return n;
        }
        c->seen[at] = 1;
        c->damage->used++;
        n++;
        at = next_of(c, at);
        c->damage->bad_links += at == 1;
        at = at == 1 ? 0 : at;
    }
    return n;
}

/* Slot i of a directory (0 = FAT16 root); NULL after its last. */
static const uint8_t *slot_at(const struct check *c, uint32_t dir, uint32_t i)
{
    uint32_t per = c->shape->cluster_sectors * 16u;

    if (dir == 0) {
        return i < c->shape->root_entries
                   ? fat_disk_at(c->disk, c->at->root) + i * 32
                   : NULL;
    }
    for (; i >= per; i -= per) {
        dir = next_of(c, dir);
        if (!valid(c, dir)) {
            return NULL;
        }
    }
    return fat_disk_at(c->disk, c->at->data + (uint64_t)(dir - 2) *
                                                  c->shape->cluster_sectors) +
           i * 32;
}

static void duplicates_count(struct check *c, uint32_t dir, uint32_t upto,
                             const uint8_t *slot)
{
    for (uint32_t i = 0; i < upto; i++) {
        const uint8_t *p = slot_at(c, dir, i);

        if (p[0] != 0xe5 && p[11] != 0x0f && memcmp(p, slot, 11) == 0) {
            c->damage->duplicates++;
        }
    }
}

static uint32_t slot_cluster(const struct check *c, const uint8_t *p)
{
    uint32_t high = c->shape->bits == 32 ? load16(p + 20) : 0;

    return high << 16 | load16(p + 26);
}

static void file_check(struct check *c, const uint8_t *p, uint32_t first)
{
    uint32_t size = load16(p + 28) | load16(p + 30) << 16;
    uint32_t bytes = c->shape->cluster_sectors * 512u;
    uint32_t need = (uint32_t)(((uint64_t)size + bytes - 1) / bytes);
    uint32_t crossed = c->damage->crossed;
    uint32_t n = first ? chain_mark(c, first) : 0;

    if (c->damage->crossed == crossed) {
        c->damage->too_short += n < need;
        c->damage->too_long += n > need;
    }
}

static void dots_check(struct check *c, uint32_t dir, uint32_t parent)
{
    const uint8_t *dot = slot_at(c, dir, 0);
    const uint8_t *dots = slot_at(c, dir, 1);

    c->damage->dots +=
        memcmp(dot, ".          ", 11) != 0 || slot_cluster(c, dot) != dir;
    c->damage->dots +=
        memcmp(dots, "..         ", 11) != 0 || slot_cluster(c, dots) != parent;
}

static void dir_check(struct check *c, uint32_t dir, uint32_t self,
                      unsigned depth)
{
    const uint8_t *p;

    for (uint32_t i = 0; (p = slot_at(c, dir, i)) && p[0]; i++) {
        uint32_t first = slot_cluster(c, p);

        if (p[0] == 0xe5 || p[0] == '.' || (p[11] & 8)) {
            continue;
        }
        duplicates_count(c, dir, i, p);
        if (first && !valid(c, first)) {
            c->damage->bad_links++;
        } else if (!(p[11] & 0x10)) {
            file_check(c, p, first);
        } else if (!first || depth == DEPTH_MAX) {
            c->damage->bad_links++;
        } else {
            uint32_t crossed = c->damage->crossed;

            chain_mark(c, first);
            if (c->damage->crossed == crossed) {
                dots_check(c, first, self);
                dir_check(c, first, first, depth + 1);
            }
        }
    }
}

void fat_check(const struct fat_disk *disk, const struct fat_shape *shape,
               const struct fat_layout *at, struct fat_damage *damage)
{
    struct check c = {disk, shape, at, damage, NULL, NULL};

    memset(damage, 0, sizeof *damage);
    c.seen = calloc(shape->clusters + 2, 1);
    c.heads = calloc(shape->clusters + 2, 1);
    if (!c.seen || !c.heads) {
        abort();
    }
    if (shape->bits == 32) {
        chain_mark(&c, 2);
    }
    dir_check(&c, shape->bits == 32 ? 2 : 0, 0, 0);
    for (uint32_t i = 2; i < shape->clusters + 2; i++) {
        damage->lost += !c.seen[i] && fat_disk_entry(disk, shape, at, i) != 0;
    }
    for (uint32_t i = 0; i < at->fat_sectors; i++) {
        damage->mirror += memcmp(fat_disk_at(disk, at->fat[0] + i),
                                 fat_disk_at(disk, at->fat[1] + i), 512) != 0;
    }
    free(c.seen);
    free(c.heads);
}
