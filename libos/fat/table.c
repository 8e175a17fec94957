/* SPDX-License-Identifier: BSL-1.0 */
/*
 * table.c - the file allocation table: chains of clusters, free clusters
 *
 * Why runs: a sector of the table is written once for all neighbours that
 * change in it. Copies are written from the last to the first, so the copy
 * that is read changes last. Every walk is bounded by the cluster count.
 */
#include "private.h"

#define CLUSTER_FIRST 2u

bool fat_cluster_valid(const struct fat_volume *vol, uint32_t cluster)
{
    return cluster >= CLUSTER_FIRST && cluster - CLUSTER_FIRST < vol->clusters;
}

uint64_t fat_cluster_lba(const struct fat_volume *vol, uint32_t cluster)
{
    return vol->data_lba +
           (uint64_t)(cluster - CLUSTER_FIRST) * vol->cluster_sectors;
}

static uint64_t table_lba(const struct fat_volume *vol, uint32_t cluster)
{
    return vol->fat_lba + cluster / (FAT_SECTOR_BYTES * 8u / vol->bits);
}

/* The entry of a valid cluster, in the cache. */
static int table_entry(struct fat_volume *vol, uint32_t cluster, uint8_t **at)
{
    uint8_t *sector;
    int rc = fat_cache_read(vol, table_lba(vol, cluster), &sector);

    if (rc < 0) {
        return rc;
    }
    *at = sector + cluster * (vol->bits / 8u) % FAT_SECTOR_BYTES;
    return 0;
}

static uint32_t entry_get(const struct fat_volume *vol, const uint8_t *at)
{
    return vol->bits == 16 ? get16(at) : get32(at) & 0x0fffffffu;
}

static void entry_put(const struct fat_volume *vol, uint8_t *at, uint32_t v)
{
    if (vol->bits == 16) {
        put16(at, v);
    } else {
        put32(at, (get32(at) & 0xf0000000u) | v); /* top bits are reserved */
    }
}

static uint32_t entry_last(const struct fat_volume *vol)
{
    return vol->bits == 16 ? 0xffffu : 0x0fffffffu;
}

static int table_write(struct fat_volume *vol, uint64_t lba)
{
    for (uint32_t i = vol->mirrors + 1; i-- > 0;) {
        int rc =
            fat_cache_write(vol, lba, lba + (uint64_t)i * vol->fat_sectors);

        if (rc < 0) {
            fat_cache_drop(vol, lba, 1);
            vol->free_known = false;
            vol->free_counted = false;
            return rc;
        }
    }
    return 0;
}

int fat_chain_next(struct fat_volume *vol, uint32_t cluster, uint32_t *next)
{
    uint8_t *at;
    uint32_t v;
    int rc;

    if (!fat_cluster_valid(vol, cluster)) {
        return fat_fault(vol, "cluster number out of range", cluster);
    }
    rc = table_entry(vol, cluster, &at);
    if (rc < 0) {
        return rc;
    }
    v = entry_get(vol, at);
    if (v >= (entry_last(vol) & ~7u)) {
        *next = 0;
        return 0;
    }
    if (v == 0) {
        return fat_fault(vol, "free cluster in a chain", cluster);
    }
    if (v == cluster) {
        return fat_fault(vol, "cluster chain loops", cluster);
    }
    if (!fat_cluster_valid(vol, v)) {
        return fat_fault(vol, "bad cluster number in a chain", cluster);
    }
    *next = v;
    return 0;
}

uint32_t fat_chain_ahead(struct fat_volume *vol, uint32_t cluster,
                         uint32_t want)
{
    const uint32_t bytes = vol->bits / 8u;
    const uint32_t there =
        (FAT_SECTOR_BYTES - cluster * bytes % FAT_SECTOR_BYTES) / bytes;
    uint32_t n = 0;
    uint8_t *at;

    if (!fat_cluster_valid(vol, cluster) ||
        table_entry(vol, cluster, &at) < 0) {
        return 0;
    }
    want = want < there ? want : there;
    while (n < want && entry_get(vol, at + n * bytes) == cluster + n + 1) {
        n++;
    }
    return n > 0 && !fat_cluster_valid(vol, cluster + n) ? n - 1 : n;
}

int fat_chain_check_end(struct fat_volume *vol, uint32_t cluster)
{
    for (uint32_t n = 0; n <= vol->clusters; n++) {
        uint32_t next;
        int rc = fat_chain_next(vol, cluster, &next);

        if (rc < 0 || next == 0) {
            return rc;
        }
        cluster = next;
    }
    return fat_fault(vol, "cluster chain loops", cluster);
}

/* 1 = free, 0 = used */
static int table_is_free(struct fat_volume *vol, uint32_t cluster)
{
    uint8_t *at;
    int rc = table_entry(vol, cluster, &at);

    return rc < 0 ? rc : entry_get(vol, at) == 0;
}

static int table_find_one(struct fat_volume *vol, uint32_t start,
                          uint32_t *found)
{
    uint32_t c = start;

    for (uint32_t n = 0; n < vol->clusters; n++) {
        int rc = table_is_free(vol, c);

        if (rc != 0) {
            *found = c;
            return rc < 0 ? rc : 0;
        }
        c = fat_cluster_valid(vol, c + 1) ? c + 1 : CLUSTER_FIRST;
    }
    vol->free_clusters = 0;
    vol->free_known = true;
    vol->free_counted = true;
    return -ENOSPC;
}

int fat_table_find(struct fat_volume *vol, uint32_t near, uint32_t want,
                   uint32_t *first, uint32_t *count)
{
    uint32_t start = fat_cluster_valid(vol, near) ? near : vol->next_free;
    uint32_t n = 1;
    int rc;

    if (vol->free_counted && vol->free_clusters == 0) {
        return -ENOSPC;
    }
    rc = fat_cluster_valid(vol, start) ? table_is_free(vol, start) : 0;
    if (rc == 0 && fat_cluster_valid(vol, vol->next_free)) {
        start = vol->next_free;
    }
    rc = rc < 0 ? rc
                : table_find_one(vol,
                                 fat_cluster_valid(vol, start) ? start
                                                               : CLUSTER_FIRST,
                                 first);
    while (rc == 0 && n < want && fat_cluster_valid(vol, *first + n)) {
        rc = table_is_free(vol, *first + n);
        if (rc != 1) {
            break;
        }
        rc = 0;
        n++;
    }
    *count = n;
    return rc;
}

/* Mark a run, last cluster first; all table sectors but the lowest written. */
static int run_mark(struct fat_volume *vol, uint32_t first, uint32_t count)
{
    for (uint32_t i = count; i-- > 0;) {
        uint64_t lba = table_lba(vol, first + i);
        uint8_t *at;
        int rc = table_entry(vol, first + i, &at);

        if (rc < 0) {
            return rc;
        }
        entry_put(vol, at, i + 1 < count ? first + i + 1 : entry_last(vol));
        if (i > 0 && table_lba(vol, first + i - 1) != lba) {
            rc = table_write(vol, lba);
            if (rc < 0) {
                return rc;
            }
        }
    }
    return 0;
}

int fat_table_take(struct fat_volume *vol, uint32_t tail, uint32_t first,
                   uint32_t count)
{
    int rc = run_mark(vol, first, count);

    if (rc == 0 && (!tail || table_lba(vol, tail) != table_lba(vol, first))) {
        rc = table_write(vol, table_lba(vol, first));
    }
    if (rc == 0 && tail) { /* often the same sector: then one write for both */
        rc = fat_table_link(vol, tail, first);
    }
    if (rc < 0) {
        return rc;
    }
    vol->free_clusters -=
        count < vol->free_clusters ? count : vol->free_clusters;
    vol->next_free =
        fat_cluster_valid(vol, first + count) ? first + count : CLUSTER_FIRST;
    vol->info_dirty = true;
    return 0;
}

int fat_table_link(struct fat_volume *vol, uint32_t cluster, uint32_t next)
{
    uint8_t *at;
    int rc = table_entry(vol, cluster, &at);

    if (rc < 0) {
        return rc;
    }
    entry_put(vol, at, next ? next : entry_last(vol));
    return table_write(vol, table_lba(vol, cluster));
}

/* Free one cluster in the cache only; *next is what followed it. */
static int chain_drop(struct fat_volume *vol, uint32_t cluster, uint32_t *next)
{
    uint8_t *at;
    int rc = fat_chain_next(vol, cluster, next);

    rc = rc < 0 ? rc : table_entry(vol, cluster, &at);
    if (rc == 0) {
        entry_put(vol, at, 0);
        vol->free_clusters += vol->free_clusters < vol->clusters;
    }
    return rc;
}

int fat_chain_free(struct fat_volume *vol, uint32_t first)
{
    uint32_t c = first;

    vol->info_dirty = true;
    while (c) {
        uint64_t lba = fat_cluster_valid(vol, c) ? table_lba(vol, c) : 0;
        uint32_t next = 0;
        int rc = chain_drop(vol, c, &next);

        if (rc < 0) {
            fat_cache_drop(vol, lba, 1); /* may hold unwritten changes */
            vol->free_known = false;
            vol->free_counted = false;
            return rc;
        }
        if (!next || table_lba(vol, next) != lba) {
            rc = table_write(vol, lba);
            if (rc < 0) {
                return rc;
            }
        }
        c = next;
    }
    return 0;
}

static uint32_t clean_flag(const struct fat_volume *vol)
{
    return vol->bits == 16 ? 0x8000u : 0x08000000u;
}

int fat_table_clean(struct fat_volume *vol, bool *clean)
{
    uint8_t *at;
    int rc = table_entry(vol, 1, &at);

    if (rc == 0) {
        *clean = entry_get(vol, at) & clean_flag(vol);
    }
    return rc;
}

int fat_table_set_clean(struct fat_volume *vol, bool clean)
{
    uint8_t *at;
    uint32_t v;
    int rc = table_entry(vol, 1, &at);

    if (rc < 0) {
        return rc;
    }
    v = entry_get(vol, at) & ~clean_flag(vol);
    entry_put(vol, at, clean ? v | clean_flag(vol) : v);
    return table_write(vol, table_lba(vol, 1));
}

int fat_table_mirror(struct fat_volume *vol, uint32_t sector)
{
    uint64_t lba = vol->fat_lba + sector;
    int differ = 0;

    for (uint32_t i = 1; i <= vol->mirrors; i++) {
        uint64_t copy = lba + (uint64_t)i * vol->fat_sectors;
        uint8_t *a;
        uint8_t *b;
        int rc = fat_cache_read(vol, copy, &b);

        rc = rc < 0 ? rc : fat_cache_read(vol, lba, &a);
        if (rc == 0 && memcmp(a, b, FAT_SECTOR_BYTES) != 0) {
            differ = 1;
            rc = fat_cache_write(vol, lba, copy);
        }
        if (rc < 0) {
            return rc;
        }
    }
    return differ;
}

int fat_table_sweep(struct fat_volume *vol, uint32_t cluster, bool lost,
                    bool flush)
{
    uint64_t lba = table_lba(vol, cluster);
    uint32_t bad = entry_last(vol) - 8;
    int swept = 0;
    uint8_t *at;
    int rc = table_entry(vol, cluster, &at);

    if (rc < 0) {
        return rc;
    }
    if (lost && entry_get(vol, at) != 0 && entry_get(vol, at) != bad) {
        entry_put(vol, at, 0);
        swept = 1;
    }
    if (flush) {
        rc = table_write(vol, lba);
    }
    return rc < 0 ? rc : swept;
}

int fat_table_count(struct fat_volume *vol)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < vol->clusters; i++) {
        int rc = table_is_free(vol, CLUSTER_FIRST + i);

        if (rc < 0) {
            return rc;
        }
        n += (uint32_t)rc;
    }
    vol->info_dirty |= n != vol->free_clusters;
    vol->free_clusters = n;
    vol->free_known = true;
    vol->free_counted = true;
    return 0;
}
