/* SPDX-License-Identifier: BSL-1.0 */
/*
 * fat_fault_test.c - power cuts and device errors at every possible moment
 *
 * Every sequence of one or two operations is run on a small volume. Cuts: the
 * disk is rebuilt as it was after each single sector write. Errors: each read
 * or write in turn fails, once or from then on, done or not done. Afterwards
 * the tree must be the one before or the one after the operation hit, nothing
 * else may have changed, and the independent checker may find only the damage
 * that fat.h admits.
 */
#include "tests/unit/fat_check.h"
#include "tests/unit/tap.h"

#include <stdlib.h>
#include <string.h>

#define RW (FAT_READ | FAT_WRITE)

static const struct fat_shape shapes[] = {
    {.bits = 32, .cluster_sectors = 1, .clusters = 300},
    {.bits = 16, .cluster_sectors = 1, .clusters = 4090, .root_entries = 64},
};

enum kind { CREATE, WRITE, RESIZE, UNLINK, MKDIR, RMDIR, RENAME };

struct op {
    enum kind kind;
    const char *path;
    const char *to;
    uint32_t offset; /* RESIZE: the size */
    uint32_t len;
};

/* The base has: A.TXT 1500, "b, a longer name.txt" 800, D, D/x 300, E. */
#define B "/b, a longer name.txt"
static const struct op ops[] = {
    {CREATE, "/new", NULL, 0, 0},
    {CREATE, "/a very long new name that needs five slots.text", NULL, 0, 0},
    {CREATE, "/D/in", NULL, 0, 0},
    {WRITE, "/A.TXT", NULL, 200, 700},
    {WRITE, "/A.TXT", NULL, 1500, 30},
    {WRITE, "/A.TXT", NULL, 1500, 5000},
    {WRITE, "/new", NULL, 0, 2000},
    {WRITE, B, NULL, 3000, 100},
    {RESIZE, "/A.TXT", NULL, 0, 0},
    {RESIZE, "/A.TXT", NULL, 600, 0},
    {RESIZE, B, NULL, 4000, 0},
    {UNLINK, "/A.TXT", NULL, 0, 0},
    {UNLINK, B, NULL, 0, 0},
    {MKDIR, "/D/sub directory", NULL, 0, 0},
    {MKDIR, "/F", NULL, 0, 0},
    {RMDIR, "/E", NULL, 0, 0},
    {RENAME, "/A.TXT", "/C.TXT", 0, 0},
    {RENAME, "/A.TXT", B, 0, 0},
    {RENAME, "/A.TXT", "/D/moved to another directory", 0, 0},
    {RENAME, B, "/B", 0, 0},
    {RENAME, B, "/a name that is even longer than it was before", 0, 0},
    {RENAME, "/D/x", "/x", 0, 0},
    {RENAME, "/D", "/E/D", 0, 0},
    {RENAME, "/D", "/E", 0, 0},
};
#define OPS (sizeof ops / sizeof *ops)

/* What a tree holds. */
struct snap_file {
    char path[96];
    bool is_dir;
    uint64_t size;
    uint32_t hash;
};

struct snap {
    unsigned count;
    bool failed;
    struct snap_file file[32];
};

static const struct fat_shape *shape;
static struct fat_layout at;
static struct fat_disk base;
static struct fat_volume vol;
static struct fat_volume look;
static uint8_t data[8192];
static uint64_t checks;
static uint64_t repairs;
static unsigned failures;

static int op_write(const struct op *op)
{
    struct fat_file f;
    int64_t n;
    int rc = fat_open(&vol, &f, op->path, RW | FAT_CREATE);

    if (rc < 0) {
        return rc;
    }
    n = op->kind == WRITE    ? fat_write(&f, op->offset, data, op->len)
        : op->kind == RESIZE ? fat_truncate(&f, op->offset)
                             : 0;
    rc = fat_close(&f);
    return n < 0 ? (int)n : rc;
}

static int op_run(const struct op *op)
{
    switch (op->kind) {
    case CREATE:
    case WRITE:
    case RESIZE:
        return op_write(op);
    case UNLINK:
        return fat_unlink(&vol, op->path);
    case MKDIR:
        return fat_mkdir(&vol, op->path);
    case RMDIR:
        return fat_rmdir(&vol, op->path);
    case RENAME:
        return fat_rename(&vol, op->path, op->to);
    }
    return -EINVAL;
}

static void snap_content(struct snap *snap, struct snap_file *s)
{
    static uint8_t buf[16384];
    struct fat_file f;
    int64_t n = -1;

    if (fat_open(&look, &f, s->path, FAT_READ) == 0) {
        n = fat_read(&f, 0, buf, sizeof buf);
        fat_close(&f);
    }
    snap->failed = snap->failed || n != (int64_t)s->size;
    s->hash = 2166136261u;
    for (int64_t i = 0; i < n; i++) {
        s->hash = (s->hash ^ buf[i]) * 16777619u;
    }
}

static void snap_dir(struct snap *snap, const char *path)
{
    struct fat_dirent entry;
    struct fat_file dir;
    uint32_t cursor = 0;
    int rc = fat_open(&look, &dir, *path ? path : "/", FAT_READ);

    while (rc >= 0 && snap->count < 32 &&
           (rc = fat_readdir(&look, &dir, &cursor, &entry)) > 0) {
        struct snap_file *s = &snap->file[snap->count++];

        memset(s, 0, sizeof *s);
        entry.name[60] = 0;
        snprintf(s->path, sizeof s->path, "%.30s/%.60s", path, entry.name);
        s->is_dir = entry.info.is_dir;
        s->size = entry.info.size;
        if (s->is_dir) {
            snap_dir(snap, s->path);
        } else {
            snap_content(snap, s);
        }
    }
    snap->failed = snap->failed || rc < 0;
    if (dir.vol) {
        fat_close(&dir);
    }
}

/* Take a snapshot through a mount of its own that cannot write. */
static void snap_take(struct snap *snap, struct fat_disk *disk)
{
    struct fat_device dev = disk->dev;

    dev.read_only = true;
    snap->count = 0;
    snap->failed = fat_mount(&look, &dev, NULL) != 0;
    if (!snap->failed) {
        snap_dir(snap, "");
    }
}

static const struct snap_file *snap_find(const struct snap *snap,
                                         const char *path)
{
    for (unsigned i = 0; i < snap->count; i++) {
        if (strcmp(snap->file[i].path, path) == 0) {
            return &snap->file[i];
        }
    }
    return NULL;
}

static bool same(const struct snap_file *a, const struct snap_file *b)
{
    return (!a && !b) || (a && b && a->is_dir == b->is_dir &&
                          a->size == b->size && a->hash == b->hash);
}

/* Is one path what it was before or after the operation? Content that was
 * being written may be torn; its size may not. A file that a write created
 * may still be empty: that was a call of its own. */
static bool path_good(const struct op *op, const char *path,
                      const struct snap *before, const struct snap *after,
                      const struct snap *got)
{
    const struct snap_file *b = snap_find(before, path);
    const struct snap_file *a = snap_find(after, path);
    const struct snap_file *g = snap_find(got, path);

    if (same(g, b) || same(g, a)) {
        return true;
    }
    return (op->kind == WRITE || op->kind == RESIZE) && g && !g->is_dir &&
           strcmp(path, op->path) == 0 &&
           (g->size == (b ? b->size : 0) || (a && g->size == a->size));
}

static const char *tree_wrong(const struct op *op, const struct snap *before,
                              const struct snap *after, const struct snap *got)
{
    const struct snap *all[] = {before, after, got};

    if (got->failed) {
        return "the tree cannot be read";
    }
    for (unsigned k = 0; k < 3; k++) {
        for (unsigned i = 0; i < all[k]->count; i++) {
            if (!path_good(op, all[k]->file[i].path, before, after, got)) {
                return all[k]->file[i].path;
            }
        }
    }
    if (op->kind == RENAME && snap_find(before, op->path) &&
        !snap_find(got, op->path) && !snap_find(got, op->to)) {
        return "renamed file is gone";
    }
    return NULL;
}

static const char *damage_wrong(const struct op *op, const struct fat_damage *d)
{
    if (d->bad_links || d->too_short || d->duplicates) {
        return "damaged chains or names";
    }
    if (op->kind != RENAME && (d->crossed || d->dots)) {
        return "crossed chains or bad dots";
    }
    if (d->crossed != d->same_first) {
        return "crossed chains that are not one file";
    }
    return NULL;
}

static void judge(const char *when, const struct op *op, struct fat_disk *disk,
                  const struct snap *before, const struct snap *after)
{
    static struct snap got;
    struct fat_damage damage;
    const char *wrong;

    checks++;
    snap_take(&got, disk);
    fat_check(disk, shape, &at, &damage);
    wrong = tree_wrong(op, before, after, &got);
    wrong = wrong ? wrong : damage_wrong(op, &damage);
    if (wrong && failures++ < 10) {
        printf("# %s, operation %u (%s): %s\n", when, (unsigned)(op - ops),
               op->path, wrong);
    }
}

/* What is wrong after a repair? Nothing may be left. */
static const char *repair_wrong(const struct op *op, struct fat_disk *disk,
                                const struct snap *before,
                                const struct snap *after)
{
    static const struct fat_damage none;
    static struct snap got;
    static uint8_t map[1024];
    struct fat_damage damage;
    struct fat_space space = {0};
    int rc = fat_mount(&vol, &disk->dev, NULL);

    if (rc < 0 || !vol.was_dirty) {
        return "not marked as in use";
    }
    rc = fat_repair(&vol, map, fat_repair_bytes(&vol), NULL);
    if (rc < 0) {
        return vol.fault ? vol.fault : "repair fails";
    }
    fat_unmount(&vol);
    fat_mount(&vol, &disk->dev, NULL);
    fat_statfs(&vol, &space);
    fat_check(disk, shape, &at, &damage);
    if (space.free_bytes != (shape->clusters - damage.used) * 512ull ||
        vol.was_dirty) {
        return "free space or state wrong after repair";
    }
    damage.used = 0;
    snap_take(&got, disk);
    return memcmp(&damage, &none, sizeof none)
               ? "damage after repair"
               : tree_wrong(op, before, after, &got);
}

static void judge_repair(const struct op *op, const struct fat_disk *cut,
                         const struct snap *before, const struct snap *after)
{
    struct fat_disk disk;
    const char *wrong;

    fat_disk_copy(&disk, cut);
    wrong = repair_wrong(op, &disk, before, after);
    repairs++;
    if (wrong && failures++ < 10) {
        printf("# repair, operation %u (%s): %s\n", (unsigned)(op - ops),
               op->path, wrong);
    }
    fat_disk_free(&disk);
}

static void base_make(void)
{
    static const struct op setup[] = {
        {WRITE, "/A.TXT", NULL, 0, 1500}, {WRITE, B, NULL, 0, 800},
        {MKDIR, "/D", NULL, 0, 0},        {WRITE, "/D/x", NULL, 0, 300},
        {MKDIR, "/E", NULL, 0, 0},
    };

    for (unsigned i = 0; i < sizeof data; i++) {
        data[i] = (uint8_t)(i * 31 + i / 256);
    }
    fat_disk_make(&base, shape, &at);
    fat_mount(&vol, &base.dev, NULL);
    for (unsigned i = 0; i < sizeof setup / sizeof *setup; i++) {
        op_run(&setup[i]);
    }
    fat_unmount(&vol);
    memset(data, 0x77, 100); /* what is written from now on differs */
}

/* Run a pair with a log, then look at every prefix of the log. */
static void cut_pair(const struct op *const *pair, unsigned n)
{
    static struct snap snaps[3];
    struct fat_disk disk;
    struct fat_disk cut;
    uint32_t ends[2];
    uint32_t w = 0;

    fat_disk_copy(&disk, &base);
    fat_disk_copy(&cut, &base);
    disk.logging = true;
    fat_mount(&vol, &disk.dev, NULL);
    snap_take(&snaps[0], &disk);
    for (unsigned i = 0; i < n; i++) {
        op_run(pair[i]);
        ends[i] = disk.log_count;
        snap_take(&snaps[i + 1], &disk);
    }
    for (unsigned i = 0; i < n; i++) {
        for (; w < ends[i]; w++) {
            memcpy(fat_disk_at(&cut, disk.log[w].lba), disk.log[w].data, 512);
            judge("power cut", pair[i], &cut, &snaps[i], &snaps[i + 1]);
            /* The first write only marks the second FAT copy. */
            if (w > 0 && (shape->bits == 32 || w % 8 == 0)) {
                judge_repair(pair[i], &cut, &snaps[i], &snaps[i + 1]);
            }
        }
    }
    fat_disk_free(&disk);
    fat_disk_free(&cut);
}

/* Fail one access of a pair; stop at the first operation that says so, or go
 * on with the volume as it is. False when there was no such access. */
static bool error_pair(const struct op *const *pair, unsigned n,
                       uint32_t fail_at, bool sticky,
                       enum fat_disk_failure failure)
{
    static struct snap before;
    static struct snap after;
    struct fat_disk disk;
    struct fat_disk good;
    bool hit;

    fat_disk_copy(&disk, &base);
    fat_mount(&vol, &disk.dev, NULL);
    disk.fail_at = disk.ios + fail_at;
    disk.fail_sticky = sticky;
    disk.failure = failure;
    for (unsigned i = 0; i < n; i++) {
        int rc;

        fat_disk_copy(&good, &disk);
        rc = op_run(pair[i]);
        hit = disk.ios >= disk.fail_at;
        if (rc == -EIO && hit) {
            uint32_t old = disk.fail_at;

            disk.fail_at = 0;
            snap_take(&before, &good);
            fat_unmount(&vol);
            fat_mount(&vol, &good.dev, NULL);
            op_run(pair[i]);
            snap_take(&after, &good);
            judge("device error", pair[i], &disk, &before, &after);
            disk.fail_at = old;
            i = n;
        }
        fat_disk_free(&good);
    }
    hit = disk.ios >= disk.fail_at;
    fat_disk_free(&disk);
    return hit;
}

/* After an error that passes, the same mount goes on being used. */
static bool error_then_go_on(uint32_t fail_at, enum fat_disk_failure failure)
{
    struct fat_damage d;
    struct fat_disk disk;
    bool hit;

    fat_disk_copy(&disk, &base);
    fat_mount(&vol, &disk.dev, NULL);
    disk.fail_at = disk.ios + fail_at;
    disk.failure = failure;
    for (unsigned i = 0; i < OPS; i++) {
        op_run(&ops[i]);
    }
    hit = disk.ios >= disk.fail_at;
    fat_sync(&vol);
    fat_check(&disk, shape, &at, &d);
    checks++;
    if ((d.bad_links || d.too_short || d.crossed != d.same_first) &&
        failures++ < 10) {
        printf("# going on after error %u: links %u short %u crossed %u\n",
               fail_at, d.bad_links, d.too_short, d.crossed);
    }
    fat_disk_free(&disk);
    return hit;
}

static void report(const char *what)
{
    char line[96];

    snprintf(line, sizeof line, "FAT%u: %s (%llu states)", shape->bits, what,
             (unsigned long long)checks);
    CHECK(failures == 0 && checks > 50, line);
    failures = 0;
    checks = 0;
}

static void run_errors(enum fat_disk_failure failure)
{
    for (unsigned i = 0; i < OPS * 3; i++) {
        const struct op *pair[] = {&ops[i % OPS],
                                   &ops[(i * 7 + i / OPS) % OPS]};

        for (uint32_t n = 1; error_pair(pair, 2, n, false, failure); n++) {
        }
        for (uint32_t n = 1; error_pair(pair, 2, n, true, failure); n++) {
        }
    }
    report(failure == FAT_DISK_FAIL_CLEAN ? "failing accesses"
                                          : "writes done but failed");
    for (uint32_t n = 1; error_then_go_on(n, failure); n++) {
    }
    report("going on after one error");
}

int main(void)
{
    for (unsigned s = 0; s < 2; s++) {
        shape = &shapes[s];
        base_make();
        for (unsigned a = 0; a < OPS; a++) {
            for (unsigned b = 0; b < OPS; b++) {
                const struct op *pair[] = {&ops[a], &ops[b]};

                cut_pair(pair, 2);
            }
        }
        report("power cut at every sector write");
        checks = repairs;
        report("repair after power cuts");
        repairs = 0;
        run_errors(FAT_DISK_FAIL_CLEAN);
        run_errors(FAT_DISK_FAIL_DONE);
        fat_disk_free(&base);
    }
    return tap_end();
}
