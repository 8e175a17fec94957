/* SPDX-License-Identifier: BSL-1.0 */
/*
 * content.c - reading, writing and resizing files
 *
 * How a file grows: clusters are filled, then marked and linked to its chain in
 * one go, and the directory entry with the new size comes last. Until then the
 * chain is longer than the file, which every reader allows; a failure takes
 * the new clusters off again, and a full volume loses nothing.
 */
#include "private.h"

/* Clusters appended to a file whose size does not include them yet. */
struct growth {
    uint32_t tail;  /* the file's last cluster before, 0 = it had none */
    uint32_t first; /* new cluster, 0 = none yet */
    uint32_t last;  /* new cluster */
};

/* Steps over neighbours, up to `most`; returns how many. */
static uint32_t file_ahead(struct fat_file *file, uint32_t most)
{
    uint32_t n = fat_chain_ahead(file->vol, file->cluster, most);

    file->cluster += n;
    file->index += n;
    return n;
}

/* Make the handle's position the given cluster number of the file, or the
 * last one before; *cluster = 0 if the chain is shorter. */
static int file_map(struct fat_file *file, uint32_t index, uint32_t *cluster)
{
    struct fat_node *node = file->node;

    *cluster = 0;
    if (file->cuts != node->cuts || !file->cluster || index < file->index) {
        file->cuts = node->cuts;
        file->index = 0;
        file->cluster = node->first;
    }
    while (file->cluster && file->index < index) {
        uint32_t next;
        int rc;

        if (file_ahead(file, index - file->index) > 0) {
            continue;
        }
        rc = fat_chain_next(file->vol, file->cluster, &next);
        if (rc < 0 || !next) {
            return rc;
        }
        file->cluster = next;
        file->index++;
    }
    *cluster = file->cluster;
    return 0;
}

/* As file_map, for a cluster that must exist; *count of neighbours <= want */
static int file_run(struct fat_file *file, uint32_t index, uint32_t want,
                    uint32_t *cluster, uint32_t *count)
{
    uint32_t c;
    int rc = file_map(file, index, cluster);

    if (rc == 0 && *cluster == 0) {
        return fat_fault(file->vol, "cluster chain shorter than the file",
                         file->node->first);
    }
    for (*count = 1; rc == 0 && *count < want; ++*count) {
        *count += file_ahead(file, want - *count);
        if (*count == want || file_map(file, index + *count, &c) < 0 ||
            c != *cluster + *count) {
            break; /* the next call meets whatever is there */
        }
    }
    return rc;
}

static uint32_t clusters_for(const struct fat_volume *vol, uint64_t bytes)
{
    return (uint32_t)((bytes + vol->cluster_bytes - 1) / vol->cluster_bytes);
}

/* Read within the file, as much as one run gives. A chain must end: that is
 * checked where the file's last cluster is read. */
static int read_run(struct fat_file *file, uint32_t pos, uint8_t *buf,
                    size_t *len)
{
    struct fat_volume *vol = file->vol;
    uint32_t skip = pos % vol->cluster_bytes;
    uint64_t room;
    uint32_t c;
    uint32_t n;
    int rc = file_run(file, pos / vol->cluster_bytes,
                      clusters_for(vol, (uint64_t)skip + *len), &c, &n);

    if (rc < 0) {
        return rc;
    }
    room = (uint64_t)n * vol->cluster_bytes - skip;
    *len = *len < room ? *len : (size_t)room;
    if ((uint64_t)pos + *len == file->node->size) {
        rc = fat_chain_check_end(vol, c + n - 1);
    }
    return rc < 0
               ? rc
               : fat_data_read(vol, fat_cluster_lba(vol, c), skip, buf, *len);
}

int64_t fat_read(struct fat_file *file, uint64_t offset, void *buf, size_t len)
{
    uint8_t *to = buf;
    size_t done = 0;

    if (!fat_file_open(file) || !(file->flags & FAT_READ)) {
        return -EBADF;
    }
    if (file->node->attr & FAT_ATTR_DIRECTORY) {
        return -EISDIR;
    }
    if (offset >= file->node->size) {
        return 0;
    }
    if (len > file->node->size - offset) {
        len = (size_t)(file->node->size - offset);
    }
    while (done < len) {
        size_t n = len - done;
        int rc = read_run(file, (uint32_t)(offset + done), to + done, &n);

        if (rc < 0) {
            return done ? (int64_t)done : rc;
        }
        done += n;
    }
    return (int64_t)done;
}

/* Write into clusters the file has. *len: bytes written, 0 = none exists. */
static int put_existing(struct fat_file *file, uint64_t pos, const uint8_t *src,
                        size_t *len)
{
    struct fat_volume *vol = file->vol;
    uint32_t index = (uint32_t)(pos / vol->cluster_bytes);
    uint32_t skip = (uint32_t)(pos % vol->cluster_bytes);
    uint64_t room;
    uint32_t c;
    uint32_t n = 0;
    int rc = file_map(file, index, &c);

    if (rc == 0 && c) {
        rc = file_run(file, index, clusters_for(vol, (uint64_t)skip + *len), &c,
                      &n);
    } else if (rc == 0 &&
               (skip || (file->cluster ? file->index + 1 : 0) != index)) {
        rc = fat_fault(vol, "cluster chain shorter than the file",
                       file->node->first);
    }
    if (rc < 0 || n == 0) {
        *len = 0;
        return rc;
    }
    room = (uint64_t)n * vol->cluster_bytes - skip;
    *len = *len < room ? *len : (size_t)room;
    return fat_data_write(vol, fat_cluster_lba(vol, c), skip, src, *len, false);
}

/* Fill a new run of clusters and hang it on the growth. */
static int put_new(struct fat_file *file, struct growth *g, const uint8_t *src,
                   size_t *len)
{
    struct fat_volume *vol = file->vol;
    uint32_t end = g->first ? g->last : g->tail;
    uint64_t room;
    uint32_t c;
    uint32_t n;
    int rc =
        fat_table_find(vol, end ? end + 1 : 0, clusters_for(vol, *len), &c, &n);

    if (rc < 0) {
        return rc;
    }
    room = (uint64_t)n * vol->cluster_bytes;
    *len = *len < room ? *len : (size_t)room;
    rc = fat_data_write(vol, fat_cluster_lba(vol, c), 0, src, *len, true);
    rc = rc < 0 ? rc : fat_table_take(vol, end, c, n);
    if (rc == 0) {
        g->first = g->first ? g->first : c;
        g->last = c + n - 1;
    }
    return rc;
}

/* Bytes that still fit in the growth's last cluster, which ends at or after
 * pos: the zeros of a gap may stop inside it. */
static int put_last(struct fat_file *file, const struct growth *g, uint64_t pos,
                    const uint8_t *src, size_t *len)
{
    struct fat_volume *vol = file->vol;
    uint32_t skip = (uint32_t)(pos % vol->cluster_bytes);
    size_t room = vol->cluster_bytes - skip;

    *len = *len < room ? *len : room;
    return fat_data_write(vol, fat_cluster_lba(vol, g->last), skip, src, *len,
                          false);
}

/* Write [pos, pos + len), src NULL = zeros. *done counts even on ENOSPC. */
static int file_put(struct fat_file *file, struct growth *g, uint64_t pos,
                    const uint8_t *src, size_t len, size_t *done)
{
    for (*done = 0; *done < len;) {
        const uint8_t *from = src ? src + *done : NULL;
        uint64_t at = pos + *done;
        size_t n = len - *done;
        int rc = 0;

        if (g->first && at % file->vol->cluster_bytes) {
            rc = put_last(file, g, at, from, &n);
        } else if (g->first) {
            rc = put_new(file, g, from, &n);
        } else {
            rc = put_existing(file, at, from, &n);
            if (rc == 0 && n == 0) {
                g->tail = file->cluster;
                n = len - *done;
                rc = put_new(file, g, from, &n);
            }
        }
        if (rc < 0) {
            return rc;
        }
        *done += n;
    }
    return 0;
}

static void file_touch(struct fat_file *file)
{
    uint8_t stamp[4];

    fat_clock_pack(fat_now(file->vol), stamp, stamp + 2);
    file->node->mtime = fat_clock_unpack(get16(stamp), get16(stamp + 2));
    file->node->dirty = true;
}

/* Make the growth part of the file and give it its new size. The entry on the
 * medium learns it later, after the data. */
static int growth_commit(struct fat_file *file, const struct growth *g,
                         uint32_t size)
{
    struct fat_node *node = file->node;
    uint32_t first = node->first ? node->first : g->first;

    file_touch(file);
    if (first != node->first) {
        return fat_node_store(file->vol, node, first, size);
    }
    node->size = size;
    return 0;
}

/* Take the new clusters off again. Failure only leaves them unused. */
static void growth_abort(struct fat_file *file, const struct growth *g)
{
    if (!g->first || file->vol->read_only) {
        return;
    }
    file->node->cuts++;
    if (!g->tail || fat_table_link(file->vol, g->tail, 0) == 0) {
        (void)fat_chain_free(file->vol, g->first);
    }
}

static int write_check(const struct fat_file *file)
{
    if (!fat_file_open(file) || !(file->flags & FAT_WRITE)) {
        return -EBADF;
    }
    file->vol->writer = file->node;
    return fat_change_begin(file->vol);
}

/* Write at pos, which the end of the file may precede. */
static int64_t write_at(struct fat_file *file, uint64_t pos, const uint8_t *src,
                        size_t len)
{
    struct growth g = {0};
    uint64_t size = file->node->size;
    size_t done = 0;
    int rc = 0;

    if (pos > size) {
        rc = file_put(file, &g, size, NULL, (size_t)(pos - size), &done);
        done = 0;
    }
    rc = rc < 0 ? rc : file_put(file, &g, pos, src, len, &done);
    if (rc < 0 && (rc != -ENOSPC || done == 0)) {
        growth_abort(file, &g);
        return rc;
    }
    size = pos + done > size ? pos + done : size;
    rc = growth_commit(file, &g, (uint32_t)size);
    return rc < 0 ? rc : (int64_t)done;
}

int64_t fat_write(struct fat_file *file, uint64_t offset, const void *buf,
                  size_t len)
{
    int rc = write_check(file);

    if (rc < 0 || len == 0) {
        return rc;
    }
    if (file->flags & FAT_APPEND) {
        offset = file->node->size;
    }
    if (offset >= FAT_FILE_BYTES_MAX) {
        return -EFBIG;
    }
    if (len > FAT_FILE_BYTES_MAX - offset) {
        len = (size_t)(FAT_FILE_BYTES_MAX - offset);
    }
    return write_at(file, offset, buf, len);
}

/* The two ends of the cut: last cluster kept (0 = none), first one freed. */
static int cut_find(struct fat_file *file, uint32_t size, uint32_t *keep,
                    uint32_t *drop)
{
    uint32_t n = clusters_for(file->vol, size);
    int rc;

    *keep = 0;
    *drop = file->node->first;
    if (n == 0) {
        return 0;
    }
    rc = file_map(file, n - 1, keep);
    if (rc == 0 && !*keep) {
        rc = fat_fault(file->vol, "cluster chain shorter than the file",
                       file->node->first);
    }
    return rc < 0 ? rc : fat_chain_next(file->vol, *keep, drop);
}

int fat_file_cut(struct fat_file *file, uint32_t size)
{
    struct fat_volume *vol = file->vol;
    struct fat_node *node = file->node;
    uint32_t keep;
    uint32_t drop;
    int rc = cut_find(file, size, &keep, &drop);

    if (rc < 0) {
        return rc;
    }
    if (size == node->size && !drop) {
        return 0;
    }
    file_touch(file);
    rc = fat_node_store(vol, node, size ? node->first : 0, size);
    if (rc < 0) {
        return rc;
    }
    node->cuts++;
    if (keep && drop) {
        rc = fat_table_link(vol, keep, 0);
    }
    return rc < 0 || !drop ? rc : fat_chain_free(vol, drop);
}

int fat_truncate(struct fat_file *file, uint64_t size)
{
    struct growth g = {0};
    uint32_t old;
    size_t done;
    int rc = write_check(file);

    if (rc < 0) {
        return rc;
    }
    if (size > FAT_FILE_BYTES_MAX) {
        return -EFBIG;
    }
    old = file->node->size;
    if (size <= old) {
        return fat_file_cut(file, (uint32_t)size);
    }
    rc = file_put(file, &g, old, NULL, (size_t)(size - old), &done);
    if (rc < 0) {
        growth_abort(file, &g);
        return rc;
    }
    return growth_commit(file, &g, (uint32_t)size);
}
