/* SPDX-License-Identifier: BSL-1.0 */
/*
 * cache.c - a few sectors of metadata and file edges
 *
 * Metadata is written through. Edges of files are late: of one line, which all
 * belong to one file, until they are wanted on the medium or another line or
 * file is written. Large reads bypass the cache but for those; large writes
 * drop what they overlap. All access is checked against the volume's bounds
 * here, in one place.
 *
 * Sectors are kept in lines of eight. A miss reads one sector, but the rest of
 * its line too if the sector before it is here: then somebody walks through a
 * directory or the FAT, and a card takes one long command faster than eight.
 */
#include "private.h"

static bool disk_covers(const struct fat_volume *vol, uint64_t lba,
                        uint32_t count)
{
    return lba >= vol->start_lba && lba < vol->end_lba &&
           count <= vol->end_lba - lba;
}

/* What of these sectors is late. */
static void late_copy(const struct fat_volume *vol, uint64_t lba,
                      uint32_t count, uint8_t *buf)
{
    const struct fat_line *line = vol->late;

    for (unsigned i = 0; line && i < FAT_LINE_SECTORS; i++) {
        uint64_t at = line->lba + i;

        if (line->late >> i & 1 && at >= lba && at - lba < count) {
            memcpy(buf + (at - lba) * FAT_SECTOR_BYTES, line->data[i],
                   FAT_SECTOR_BYTES);
        }
    }
}

int fat_disk_read(struct fat_volume *vol, uint64_t lba, uint32_t count,
                  void *buf)
{
    int rc;

    if (!disk_covers(vol, lba, count)) {
        return fat_fault(vol, "sector outside the volume", 0);
    }
    rc = vol->dev->read(vol->dev->ctx, lba, count, buf);
    if (rc < 0) {
        return rc;
    }
    late_copy(vol, lba, count, buf);
    return 0;
}

static int disk_put(struct fat_volume *vol, uint64_t lba, uint32_t count,
                    const void *buf)
{
    int rc;

    if (vol->read_only) {
        return -EROFS;
    }
    if (!disk_covers(vol, lba, count)) {
        return fat_fault(vol, "sector outside the volume", 0);
    }
    rc = vol->dev->write(vol->dev->ctx, lba, count, buf);
    return rc < 0 ? rc : 0;
}

int fat_disk_write(struct fat_volume *vol, uint64_t lba, uint32_t count,
                   const void *buf)
{
    fat_cache_drop(vol, lba, count);
    return disk_put(vol, lba, count, buf);
}

int fat_disk_zero(struct fat_volume *vol, uint64_t lba, uint32_t count)
{
    static const uint8_t zeros[8 * FAT_SECTOR_BYTES];

    while (count > 0) {
        uint32_t n = count < 8 ? count : 8;
        int rc = fat_disk_write(vol, lba, n, zeros);

        if (rc < 0) {
            return rc;
        }
        lba += n;
        count -= n;
    }
    return 0;
}

/* No two lines may have one place, not even while empty. */
void fat_cache_reset(struct fat_volume *vol)
{
    for (unsigned i = 0; i < FAT_CACHE_LINES; i++) {
        vol->cache[i].lba = UINT64_MAX - i; /* no multiple of a line */
        vol->cache[i].valid = vol->cache[i].late = 0;
    }
    vol->late = NULL;
}

/* The line that a sector belongs to, if there is one. */
static struct fat_line *line_find(struct fat_volume *vol, uint64_t lba)
{
    uint64_t start = lba / FAT_LINE_SECTORS * FAT_LINE_SECTORS;

    for (unsigned n = 0; n < FAT_CACHE_LINES; n++) {
        unsigned i = (vol->cache_last + n) % FAT_CACHE_LINES;

        if (vol->cache[i].lba == start) {
            vol->cache_last = i;
            return &vol->cache[i];
        }
    }
    return NULL;
}

/* Empty the line unused for longest, which is not late, for a sector; ages are
 * modulo 2^32. */
static struct fat_line *line_claim(struct fat_volume *vol, uint64_t lba)
{
    unsigned oldest = vol->late == &vol->cache[0];

    for (unsigned i = oldest + 1; i < FAT_CACHE_LINES; i++) {
        if (vol->late != &vol->cache[i] &&
            vol->cache_clock - vol->cache[i].age >
                vol->cache_clock - vol->cache[oldest].age) {
            oldest = i;
        }
    }
    vol->cache_last = oldest;
    vol->cache[oldest].valid = 0;
    vol->cache[oldest].lba = lba / FAT_LINE_SECTORS * FAT_LINE_SECTORS;
    return &vol->cache[oldest];
}

static bool line_has(const struct fat_line *line, unsigned i)
{
    return line->valid >> i & 1;
}

/* Sectors of a line, as a mask. */
static uint8_t sectors_from(unsigned i, unsigned n)
{
    return (uint8_t)(((1u << n) - 1) << i);
}

static void line_forget(struct fat_line *line, unsigned i, unsigned n)
{
    line->valid &= (uint8_t)~sectors_from(i, n);
    line->late &= (uint8_t)~sectors_from(i, n);
}

static bool cache_has(struct fat_volume *vol, uint64_t lba)
{
    for (unsigned i = 0; i < FAT_CACHE_LINES; i++) {
        if (vol->cache[i].lba == lba / FAT_LINE_SECTORS * FAT_LINE_SECTORS) {
            return line_has(&vol->cache[i], lba % FAT_LINE_SECTORS);
        }
    }
    return false;
}

/* How many sectors to read for a miss on the i-th of a line. */
static unsigned line_ahead(struct fat_volume *vol, const struct fat_line *line,
                           unsigned i)
{
    unsigned n = 1;

    if (line->lba + i == 0 || !cache_has(vol, line->lba + i - 1)) {
        return 1;
    }
    while (i + n < FAT_LINE_SECTORS && !line_has(line, i + n) &&
           disk_covers(vol, line->lba + i + n, 1)) {
        n++;
    }
    return n;
}

/* Read the i-th sector of a line, and perhaps those after it. */
static int line_fill(struct fat_volume *vol, struct fat_line *line, unsigned i)
{
    unsigned n = line_ahead(vol, line, i);
    int rc = fat_disk_read(vol, line->lba + i, n, line->data[i]);

    if (rc < 0 && n > 1) { /* one of the others may be bad */
        n = 1;
        rc = fat_disk_read(vol, line->lba + i, n, line->data[i]);
    }
    if (rc == 0) {
        line->valid |= sectors_from(i, n);
    }
    return rc;
}

int fat_cache_read(struct fat_volume *vol, uint64_t lba, uint8_t **data)
{
    struct fat_line *line = line_find(vol, lba);
    unsigned i = lba % FAT_LINE_SECTORS;

    if (!line) {
        line = line_claim(vol, lba);
    }
    if (!line_has(line, i)) {
        int rc = line_fill(vol, line, i);

        if (rc < 0) {
            return rc;
        }
    }
    line->age = ++vol->cache_clock;
    *data = line->data[i];
    return 0;
}

void fat_cache_fresh(struct fat_volume *vol, uint64_t lba, uint8_t **data)
{
    struct fat_line *line = line_find(vol, lba);
    unsigned i = lba % FAT_LINE_SECTORS;

    if (!line) {
        line = line_claim(vol, lba);
    }
    memset(line->data[i], 0, FAT_SECTOR_BYTES);
    line_forget(line, i, 1);
    line->valid |= sectors_from(i, 1);
    line->age = ++vol->cache_clock;
    *data = line->data[i];
}

int fat_cache_write(struct fat_volume *vol, uint64_t lba, uint64_t to)
{
    struct fat_line *line = line_find(vol, lba);
    unsigned i = lba % FAT_LINE_SECTORS;
    int rc;

    if (!line || !line_has(line, i)) {
        return -EIO; /* the caller broke the pointer rule */
    }
    rc = disk_put(vol, to, 1, line->data[i]);
    if (to != lba) {
        fat_cache_drop(vol, to, 1); /* read-ahead may have brought it here */
    }
    if (rc < 0) {
        fat_cache_drop(vol, lba, 1); /* what the medium holds is unknown */
    } else if (to == lba) {
        line->late &= (uint8_t)~sectors_from(i, 1);
    }
    return rc;
}

/* The late sectors from the i-th on that follow each other go in one command.
 * Those that cannot be written are lost. */
static unsigned line_put(struct fat_volume *vol, struct fat_line *line,
                         unsigned i)
{
    unsigned n = 1;
    int rc;

    while (i + n < FAT_LINE_SECTORS && line->late >> (i + n) & 1) {
        n++;
    }
    rc = disk_put(vol, line->lba + i, n, line->data[i]);
    if (rc < 0) {
        line_forget(line, i, n);
        vol->late_of->lost = rc;
    }
    return n;
}

/* Write what is late. Whose could not be written has it noted. */
void fat_cache_settle(struct fat_volume *vol)
{
    struct fat_line *line = vol->late;
    unsigned i = 0;

    while (line && i < FAT_LINE_SECTORS) {
        i += line->late >> i & 1 ? line_put(vol, line, i) : 1;
    }
    if (line) {
        line->late = 0;
    }
    vol->late = NULL;
}

/* A sector of the writer's was changed: it is written later. */
int fat_cache_later(struct fat_volume *vol, uint64_t lba)
{
    struct fat_line *line = line_find(vol, lba);
    unsigned i = lba % FAT_LINE_SECTORS;

    if (!line || !line_has(line, i)) {
        return -EIO; /* the caller broke the pointer rule */
    }
    if (vol->late && (vol->late != line || vol->late_of != vol->writer)) {
        fat_cache_settle(vol);
    }
    if (vol->read_only || vol->writer->lost) {
        line_forget(line, i, 1);
        return vol->read_only ? -EROFS : vol->writer->lost;
    }
    line->late |= sectors_from(i, 1);
    vol->late = line;
    vol->late_of = vol->writer;
    return 0;
}

void fat_cache_drop(struct fat_volume *vol, uint64_t lba, uint32_t count)
{
    for (unsigned i = 0; i < FAT_CACHE_LINES; i++) {
        struct fat_line *line = &vol->cache[i];

        for (unsigned k = 0; line->valid && k < FAT_LINE_SECTORS; k++) {
            if (line->lba + k >= lba && line->lba + k - lba < count) {
                line_forget(line, k, 1);
            }
        }
    }
}
