/* SPDX-License-Identifier: BSL-1.0 */
/*
 * fat_bad_test.c - bad media: each damage gets its answer, none a hang
 *
 * Rows 16 (boot sector), 17 (chains) and 18 (directories) of the bad-input
 * table of the assurance plan. Damage is put into a good volume; the library
 * must refuse to mount with the right words, or give -FAT_ECORRUPT, name the
 * fault and turn read-only, and must have written nothing afterwards.
 */
#include "tests/unit/fat_check.h"
#include "tests/unit/tap.h"

#include <stdlib.h>
#include <string.h>

#define RW (FAT_READ | FAT_WRITE)

static const struct fat_shape fat32 = {.bits = 32,
                                       .cluster_sectors = 1,
                                       .clusters = 2000};
static const struct fat_shape fat32_mbr = {.bits = 32,
                                           .cluster_sectors = 2,
                                           .clusters = 300,
                                           .start_lba = 64};
static const struct fat_shape fat16 = {.bits = 16,
                                       .cluster_sectors = 1,
                                       .clusters = 4100,
                                       .root_entries = 512};

static const struct fat_shape *shape;
static struct fat_layout at;
static struct fat_disk disk;
static struct fat_volume vol;
static uint8_t buf[1 << 16];

static void begin(const struct fat_shape *s)
{
    shape = s;
    fat_disk_make(&disk, s, &at);
}

static void end(void)
{
    memset(&vol, 0, sizeof vol);
    fat_disk_free(&disk);
}

/* A good volume refused after one change to its boot sector. */
struct boot_case {
    const char *what;
    const struct fat_shape *shape;
    uint8_t offset;
    uint8_t bytes;
    uint32_t value;
    const char *reason;
};

static const struct boot_case boot_cases[] = {
    {"1024-byte sectors", &fat32, 11, 2, 1024, "sectors are not 512 bytes"},
    {"0-byte sectors", &fat32, 11, 2, 0, "sectors are not 512 bytes"},
    {"0 sectors a cluster", &fat32, 13, 1, 0,
     "sectors per cluster is not a power of two"},
    {"3 sectors a cluster", &fat16, 13, 1, 3,
     "sectors per cluster is not a power of two"},
    {"no reserved sectors", &fat32, 14, 2, 0, "no reserved sectors"},
    {"0 FATs", &fat32, 16, 1, 0, "number of FATs is not 1 or 2"},
    {"9 FATs", &fat16, 16, 1, 9, "number of FATs is not 1 or 2"},
    {"no jump", &fat32, 0, 1, 0,
     "neither a FAT boot sector nor a FAT partition"},
    {"FAT32 FAT of 0 sectors", &fat32, 36, 4, 0, "FAT size is zero"},
    {"FAT32 FAT of 1 sector", &fat32, 36, 4, 1,
     "FAT is too small for the clusters"},
    {"FAT16 FAT of 1 sector", &fat16, 22, 2, 1,
     "FAT is too small for the clusters"},
    {"FAT larger than the volume", &fat32, 36, 4, 0xffffffff,
     "volume has no room for data"},
    {"root at cluster 0", &fat32, 44, 4, 0,
     "root directory starts at a bad cluster"},
    {"root at cluster 1", &fat32, 44, 4, 1,
     "root directory starts at a bad cluster"},
    {"root past the end", &fat32, 44, 4, 2002,
     "root directory starts at a bad cluster"},
    {"root at 2^32-1", &fat32, 44, 4, 0xffffffff,
     "root directory starts at a bad cluster"},
    {"FAT32 version 1", &fat32, 42, 2, 0x100, "unknown FAT32 version"},
    {"FAT32 with a FAT16 root", &fat32, 17, 2, 512,
     "FAT32 with a fixed root directory"},
    {"FAT16 without a root", &fat16, 17, 2, 0, "root directory has no entries"},
    {"larger than the device", &fat32, 32, 4, 1 << 20,
     "volume is larger than its partition or device"},
    {"2^32-1 sectors", &fat32, 32, 4, 0xffffffff,
     "volume is larger than its partition or device"},
    {"0 sectors", &fat32, 32, 4, 0, "volume has no room for data"},
    {"FAT12", &fat16, 32, 4, 3000, "FAT12 is not supported"},
    {"no whole cluster", &fat32_mbr, 32, 4, 39, "volume has no clusters"},
    {"active FAT that is none", &fat32, 40, 2, 0x83,
     "active FAT does not exist"},
    {"partition larger than itself", &fat32_mbr, 32, 4, 1000,
     "volume is larger than its partition or device"},
    {"partition with 0 FATs", &fat32_mbr, 16, 1, 0,
     "number of FATs is not 1 or 2"},
};

static void boot_case_run(const struct boot_case *c)
{
    const char *reason = "";
    uint8_t *boot;
    int rc;

    begin(c->shape);
    boot = fat_disk_at(&disk, at.boot);
    for (unsigned i = 0; i < c->bytes; i++) {
        boot[c->offset + i] = (uint8_t)(c->value >> 8 * i);
    }
    rc = fat_mount(&vol, &disk.dev, &reason);
    if (!CHECK(rc == -EINVAL && strcmp(reason, c->reason) == 0, c->what)) {
        printf("# rc %d: %s\n", rc, reason);
    }
    CHECK(fat_mount(&vol, &disk.dev, NULL) == -EINVAL, "reason not wanted");
    end();
}

/* One change to the MBR, given as bytes at an offset. */
static void mbr_case(const char *what, unsigned offset, const char *bytes,
                     unsigned n, const char *want)
{
    const char *reason = "";
    int rc;

    begin(&fat32_mbr);
    memcpy(disk.bytes + offset, bytes, n);
    rc = fat_mount(&vol, &disk.dev, &reason);
    if (!CHECK(want ? rc == -EINVAL && strcmp(reason, want) == 0 : rc == 0,
               what)) {
        printf("# rc %d: %s\n", rc, reason);
    }
    end();
}

static void test_mbr(void)
{
    static const char none[] = "neither a FAT boot sector nor a FAT partition";
    static const char outside[] = "partition lies outside the device";
    struct fat_disk zero;
    const char *reason = "";

    mbr_case("as it is", 0, "", 0, NULL);
    mbr_case("no 55 AA in the MBR", 510, "\0", 2,
             "no 55 AA at the end of the boot sector");
    mbr_case("no 55 AA in the partition", 64 * 512 + 510, "\0", 2,
             "no 55 AA at the end of the boot sector");
    mbr_case("Linux partition", 450, "\x83", 1, none);
    mbr_case("GPT", 450, "\xee", 1, "GPT partition tables are not supported");
    mbr_case("type 0b", 450, "\x0b", 1, NULL);
    mbr_case("type 0e", 450, "\x0e", 1, NULL);
    mbr_case("type 04", 450, "\x04", 1, NULL);
    mbr_case("start 0", 454, "\0\0\0", 4, outside);
    mbr_case("start past the device", 454, "\xff\xff\xff\xff", 4, outside);
    mbr_case("0 sectors", 458, "\0\0\0", 4, outside);
    mbr_case("2^32-1 sectors", 458, "\xff\xff\xff\xff", 4, outside);
    mbr_case("partition too small", 458, "\x64\0\0", 4,
             "volume is larger than its partition or device");
    begin(&fat32_mbr);
    memcpy(disk.bytes + 446 + 48, disk.bytes + 446, 16);
    memset(disk.bytes + 446 + 8, 0xff, 4);
    CHECK(fat_mount(&vol, &disk.dev, NULL) == 0, "fourth partition mounts");
    end();
    fat_disk_blank(&zero, 0);
    CHECK(fat_mount(&vol, &zero.dev, &reason) < 0 &&
              strcmp(reason, "device has no sectors") == 0,
          "no sectors");
    fat_disk_free(&zero);
    fat_disk_blank(&zero, 5);
    CHECK(fat_mount(&vol, &zero.dev, &reason) == -EINVAL &&
              strcmp(reason, "no 55 AA at the end of the boot sector") == 0,
          "zeros");
    zero.fail_at = zero.ios + 1;
    CHECK(fat_mount(&vol, &zero.dev, &reason) == -EIO &&
              strcmp(reason, "sector 0 cannot be read") == 0,
          "unreadable");
    CHECK(fat_unmount(&vol) == -ENODEV && fat_sync(&vol) == -ENODEV,
          "not mounted");
    fat_disk_free(&zero);
}

/* Every single byte of the boot sector, all ones or flipped: no crash, and
 * what does mount can be listed. */
static void test_boot_bytes(void)
{
    static struct fat_dirent entry;
    unsigned mounted = 0;

    for (unsigned i = 0; i < 1024; i++) {
        struct fat_file dir;
        uint32_t cursor = 0;

        begin(i % 2 ? &fat32 : &fat16);
        disk.bytes[i / 2] ^= i % 4 < 2 ? 0xff : 1 << i / 4 % 8;
        if (fat_mount(&vol, &disk.dev, NULL) == 0) {
            mounted++;
            if (fat_open(&vol, &dir, "/", FAT_READ) == 0) {
                while (fat_readdir(&vol, &dir, &cursor, &entry) > 0) {
                }
                fat_close(&dir);
            }
        }
        end();
    }
    CHECK(mounted > 0 && mounted < 1024, "any byte of the boot sector");
}

/* A volume with /f of ten clusters (its chain is 3..12 on FAT32) and /g of
 * three, then one FAT entry of /f changed. */
static uint32_t chain_begin(const struct fat_shape *s)
{
    struct fat_file f;
    struct fat_file g;
    uint32_t first;

    begin(s);
    memset(buf, 0x55, sizeof buf);
    fat_mount(&vol, &disk.dev, NULL);
    fat_open(&vol, &f, "/f", RW | FAT_CREATE);
    fat_write(&f, 0, buf, 10 * 512);
    first = f.node->first;
    fat_open(&vol, &g, "/g", RW | FAT_CREATE);
    fat_write(&g, 0, buf, 3 * 512);
    fat_close(&f);
    fat_close(&g);
    fat_unmount(&vol);
    return first;
}

/* After damage: EIO, a fault named, read-only, and no byte was written. */
static void faulted(const char *what, int64_t rc, const char *fault,
                    const struct fat_disk *before)
{
    struct fat_file f;

    if (!CHECK(rc == -FAT_ECORRUPT && vol.fault && vol.read_only &&
                   strcmp(vol.fault, fault) == 0,
               what)) {
        printf("# rc %lld: %s\n", (long long)rc,
               vol.fault ? vol.fault : "no fault");
    }
    CHECK(fat_open(&vol, &f, "/new", RW | FAT_CREATE) == -EROFS ||
              vol.fault_cluster == vol.root_cluster,
          "then read-only");
    CHECK(memcmp(disk.bytes, before->bytes, disk.sectors * FAT_SECTOR_BYTES) ==
              0,
          "nothing written");
}

struct chain_case {
    const char *what;
    unsigned from; /* cluster of the file whose entry changes */
    int to;        /* >= 0: that cluster of the file; -1: value below */
    uint32_t value;
    const char *fault;
};

static const struct chain_case chain_cases[] = {
    {"self loop", 3, 3, 0, "cluster chain loops"},
    {"self loop at the end", 9, 9, 0, "cluster chain loops"},
    {"loop at the end", 9, 0, 0, "cluster chain loops"},
    {"short loop", 9, 8, 0, "cluster chain loops"},
    {"free cluster", 4, -1, 0, "free cluster in a chain"},
    {"cluster 1", 4, -1, 1, "bad cluster number in a chain"},
    {"bad cluster", 4, -1, 0x0ffffff7, "bad cluster number in a chain"},
    {"past the end", 4, -1, 0x0ffffff0, "bad cluster number in a chain"},
    {"chain too short", 4, -1, 0x0fffffff,
     "cluster chain shorter than the file"},
};

static int64_t read_all(const char *path)
{
    struct fat_file f;
    int64_t n = fat_open(&vol, &f, path, FAT_READ);
    uint64_t done = 0;

    if (n < 0) {
        return n;
    }
    while ((n = fat_read(&f, done, buf, 2000)) > 0) {
        done += (uint64_t)n;
    }
    fat_close(&f);
    return n < 0 ? n : (int64_t)done;
}

/* Append to a file; the error if any. */
static int64_t append(const char *path)
{
    struct fat_file f;
    int64_t n = fat_open(&vol, &f, path, FAT_WRITE | FAT_APPEND);

    if (n == 0) {
        n = fat_write(&f, 0, buf, 700);
        fat_close(&f);
    }
    return n;
}

static void chain_case_run(const struct chain_case *c,
                           const struct fat_shape *s)
{
    uint32_t first = chain_begin(s);
    struct fat_disk before;

    /* As after a power cut: then nothing at all may be written. */
    fat_disk_set_entry(&disk, s, &at, 1, 0x07ff7fff);
    fat_disk_set_entry(&disk, s, &at, first + c->from,
                       c->to >= 0 ? first + (unsigned)c->to : c->value);
    fat_disk_copy(&before, &disk);
    fat_mount(&vol, &disk.dev, NULL);
    faulted(c->what, read_all("/f"), c->fault, &before);
    CHECK(read_all("/g") == 3 * 512, "the other file still reads");
    fat_unmount(&vol);
    fat_mount(&vol, &disk.dev, NULL);
    if (c->to == 0) { /* the loop is only met at the end of the chain */
        CHECK(read_all("/g") == 3 * 512, "nothing to append to");
    } else if (c->to < 0) {
        faulted("append", append("/f"), c->fault, &before);
    }
    fat_unmount(&vol);
    fat_mount(&vol, &disk.dev, NULL);
    CHECK(fat_unlink(&vol, "/f") ==
              (c->value == 0x0fffffff ? 0 : -FAT_ECORRUPT),
          "unlink ends");
    end();
    fat_disk_free(&before);
}

static void test_chains(void)
{
    struct fat_info info;
    uint32_t first;

    for (unsigned i = 0; i < sizeof chain_cases / sizeof *chain_cases; i++) {
        chain_case_run(&chain_cases[i], &fat32);
        chain_case_run(&chain_cases[i], &fat16);
    }
    first = chain_begin(&fat32); /* longer than the file: harmless */
    fat_disk_set_entry(&disk, shape, &at, first + 9, 500);
    fat_disk_set_entry(&disk, shape, &at, 500, 0x0fffffff);
    fat_mount(&vol, &disk.dev, NULL);
    CHECK(read_all("/f") == 5120 && !vol.fault, "chain too long");
    CHECK(append("/f") == 700 && fat_stat(&vol, "/f", &info) == 0 &&
              info.size == 5820 && read_all("/f") == 5820,
          "and is used");
    fat_unmount(&vol);
    end();
    first = chain_begin(&fat32); /* /g runs into /f */
    fat_disk_set_entry(&disk, shape, &at, first + 10 + 2, first);
    fat_mount(&vol, &disk.dev, NULL);
    CHECK(fat_unlink(&vol, "/g") == 0 && read_all("/f") == -FAT_ECORRUPT,
          "cross-link, met after a deletion");
    end();
}

/* Directory entries: /f is the first slot of the root, /d the second. */
static uint8_t *entry_begin(const struct fat_shape *s)
{
    struct fat_file f;

    begin(s);
    fat_mount(&vol, &disk.dev, NULL);
    fat_open(&vol, &f, "/F", RW | FAT_CREATE);
    fat_write(&f, 0, buf, 1000);
    fat_close(&f);
    fat_mkdir(&vol, "/D");
    fat_unmount(&vol);
    return fat_disk_at(&disk, at.root);
}

struct entry_case {
    const char *what;
    unsigned slot;
    uint32_t cluster;
    uint32_t size;
    const char *path;
    const char *fault;
};

static const struct entry_case entry_cases[] = {
    {"file at cluster 1", 0, 1, 1000, "/F", "file starts at a bad cluster"},
    {"file past the end", 0, 0xfff0, 1000, "/F",
     "file starts at a bad cluster"},
    {"file with size but no cluster", 0, 0, 1000, "/F",
     "file larger than its chain can be"},
    {"file larger than the volume", 0, 3, 0xffffffff, "/F",
     "file larger than its chain can be"},
    {"directory at cluster 0", 1, 0, 0, "/D/x",
     "directory starts at a bad cluster"},
    {"directory past the end", 1, 0xfff0, 0, "/D/x",
     "directory starts at a bad cluster"},
};

static void test_entries(void)
{
    struct fat_disk before;

    for (unsigned i = 0; i < sizeof entry_cases / sizeof *entry_cases; i++) {
        const struct entry_case *c = &entry_cases[i];
        uint8_t *p = entry_begin(i % 2 ? &fat32 : &fat16) + c->slot * 32;
        struct fat_file f;

        memset(p + 20, 0, 2);
        p[26] = (uint8_t)c->cluster;
        p[27] = (uint8_t)(c->cluster >> 8);
        for (unsigned k = 0; k < 4; k++) {
            p[28 + k] = (uint8_t)(c->size >> 8 * k);
        }
        fat_disk_copy(&before, &disk);
        fat_mount(&vol, &disk.dev, NULL);
        faulted(c->what, fat_open(&vol, &f, c->path, FAT_READ), c->fault,
                &before);
        fat_disk_free(&before);
        end();
    }
}

static void test_dir_loops(void)
{
    struct fat_info info;
    struct fat_disk before;
    uint8_t *p = entry_begin(&fat32);
    uint32_t dir = p[32 + 26];
    char path[1024] = "";

    p[32 + 26] = 2;
    fat_disk_copy(&before, &disk);
    fat_mount(&vol, &disk.dev, NULL);
    faulted("directory that is the root", fat_stat(&vol, "/D/F", &info),
            "directory contains itself", &before);
    fat_disk_free(&before);
    end();

    p = entry_begin(&fat32);
    dir = p[32 + 26];
    memcpy(fat_disk_at(&disk, at.data + dir - 2) + 64, p + 32, 32);
    fat_disk_copy(&before, &disk);
    fat_mount(&vol, &disk.dev, NULL);
    faulted("directory that holds itself", fat_stat(&vol, "/D/D/D", &info),
            "directory contains itself", &before);
    fat_disk_free(&before);
    end();

    p = entry_begin(&fat32); /* /D/E is /D's own cluster by way of E */
    dir = p[32 + 26];
    fat_mount(&vol, &disk.dev, NULL);
    fat_mkdir(&vol, "/D/E");
    fat_mkdir(&vol, "/D/E/D");
    fat_unmount(&vol);
    p = fat_disk_at(&disk, at.data + dir - 2) + 64;
    p = fat_disk_at(&disk, at.data + p[26] - 2u) + 64;
    p[26] = (uint8_t)dir;
    fat_mount(&vol, &disk.dev, NULL);
    for (unsigned i = 0; i < 250; i++) {
        strcat(path, i % 2 ? "/E" : "/D");
    }
    CHECK(fat_stat(&vol, path, &info) == 0 && info.is_dir,
          "a ring of directories ends with the path");
    end();

    p = entry_begin(&fat32); /* the root's chain loops, and never ends */
    for (unsigned i = 2; i < 16; i++) {
        memcpy(p + i * 32, p, 32);
    }
    fat_disk_set_entry(&disk, &fat32, &at, 2, 1500);
    fat_disk_set_entry(&disk, &fat32, &at, 1500, 1501);
    fat_disk_set_entry(&disk, &fat32, &at, 1501, 1500);
    for (unsigned i = 0; i < 2; i++) {
        memcpy(fat_disk_at(&disk, at.data + 1498 + i), p, 512);
    }
    fat_disk_copy(&before, &disk);
    fat_mount(&vol, &disk.dev, NULL);
    faulted("directory chain that loops", fat_stat(&vol, "/x", &info),
            "directory has over 65536 slots", &before);
    fat_disk_free(&before);
    end();
}

/* 65,536 slots and no more: a root of 4096 one-sector clusters. */
static void test_dir_full(void)
{
    static const struct fat_shape wide = {.bits = 32,
                                          .cluster_sectors = 1,
                                          .clusters = 4200};
    struct fat_file f;
    struct fat_info info;
    char name[16];

    begin(&wide);
    for (uint32_t i = 0; i < 65535; i++) {
        uint8_t *p = fat_disk_at(&disk, at.data + i / 16) + i % 16 * 32;

        snprintf(name, sizeof name, "%08uXYZ", i);
        memcpy(p, name, 11);
        p[11] = 0x20;
    }
    for (uint32_t i = 0; i < 4096; i++) {
        fat_disk_set_entry(&disk, &wide, &at, 2 + i,
                           i < 4095 ? 3 + i : 0x0fffffff);
    }
    fat_mount(&vol, &disk.dev, NULL);
    CHECK(fat_stat(&vol, "/00065534.XYZ", &info) == 0, "the last but one");
    CHECK(fat_open(&vol, &f, "/two slots", RW | FAT_CREATE) == -ENOSPC,
          "no room for two slots");
    CHECK(fat_open(&vol, &f, "/ONE", RW | FAT_CREATE) == 0 &&
              fat_close(&f) == 0,
          "room for one");
    CHECK(fat_open(&vol, &f, "/TWO", RW | FAT_CREATE) == -ENOSPC && !vol.fault,
          "then it is full");
    CHECK(fat_stat(&vol, "/TWO", &info) == -ENOENT, "and can be searched");
    end();
}

/* Long names that do not fit their short name: the short one counts. */
static void test_long_names(void)
{
    static const struct {
        const char *what;
        unsigned offset; /* from the first long slot of two */
        uint8_t value;
        bool alias_only; /* else the long name stays good */
    } cases[] = {
        {"as made", 0, 0x42, false},
        {"checksum", 13, 0, true},
        {"checksum of the second", 32 + 13, 0, true},
        {"order", 0, 0x43, true},
        {"order 0", 0, 0x40, true},
        {"order 63", 0, 0x7f, true},
        {"order of the second", 32, 0x02, true},
        {"second is deleted", 32, 0xe5, true},
        {"no last mark", 0, 0x02, true},
        {"a slash", 32 + 1, '/', true},
        {"a control character", 32 + 1, 7, true},
        {"half a surrogate pair", 32 + 2, 0xd8, true},
        {"NUL in front", 32 + 1, 0, true},
    };
    static struct fat_dirent entry;

    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fat_file f;
        struct fat_info info;
        uint32_t cursor = 0;
        uint8_t *p;

        begin(&fat32);
        fat_mount(&vol, &disk.dev, NULL);
        fat_open(&vol, &f, "/a longer file name", RW | FAT_CREATE);
        fat_close(&f);
        fat_unmount(&vol);
        p = fat_disk_at(&disk, at.root);
        p[cases[i].offset] = cases[i].value;
        fat_mount(&vol, &disk.dev, NULL);
        CHECK(fat_stat(&vol, "/ALONGE~1", &info) == 0, cases[i].what);
        CHECK((fat_stat(&vol, "/a longer file name", &info) == -ENOENT) ==
                  cases[i].alias_only,
              "the long name counts only if whole");
        fat_open(&vol, &f, "/", FAT_READ);
        CHECK(fat_readdir(&vol, &f, &cursor, &entry) == 1 &&
                  strcmp(entry.name, cases[i].alias_only
                                         ? "ALONGE~1"
                                         : "a longer file name") == 0,
              "the same in the list");
        CHECK(fat_readdir(&vol, &f, &cursor, &entry) == 0, "once");
        fat_close(&f);
        CHECK(fat_unlink(&vol, "/alonge~1") == 0 && !vol.fault, "removable");
        end();
    }
}

/* Short names that no path can say: skipped and counted. */
static void test_short_names(void)
{
    static const char *const names[] = {
        "A/B        ",
        "A\0B        ",
        "\x20"
        "AB        ",
        "A.B        ",
        "A:B        ",
        "AB      .X ",
        "AB\x1f        ",
        "AB      /  ",
        ".HIDDEN    ",
        "...        ",
        "A\\B       ",
        "A|B        ",
    };
    struct fat_file f;
    static struct fat_dirent entry;

    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        uint8_t *p = entry_begin(i % 2 ? &fat32 : &fat16);
        uint32_t cursor = 0;

        memcpy(p, names[i], 11);
        fat_mount(&vol, &disk.dev, NULL);
        fat_open(&vol, &f, "/", FAT_READ);
        CHECK(fat_readdir(&vol, &f, &cursor, &entry) == 1 &&
                  strcmp(entry.name, "D") == 0 &&
                  fat_readdir(&vol, &f, &cursor, &entry) == 0 &&
                  vol.skipped_entries == 1 && !vol.fault,
              "skipped");
        fat_close(&f);
        end();
    }
}

static void test_dots(void)
{
    uint8_t *p = entry_begin(&fat32);
    struct fat_disk before;
    struct fat_info info;
    uint32_t dir = p[32 + 26];

    fat_mount(&vol, &disk.dev, NULL);
    fat_mkdir(&vol, "/E");
    fat_unmount(&vol);
    p = fat_disk_at(&disk, at.data + dir - 2);
    p[26] = 99;      /* "." */
    p[32 + 26] = 99; /* ".." */
    fat_mount(&vol, &disk.dev, NULL);
    CHECK(fat_stat(&vol, "/D/../D/./../F", &info) == 0 && !vol.fault,
          "wrong dots are not believed");
    CHECK(fat_rename(&vol, "/D", "/E/D") == 0 && p[32 + 26] != 99,
          "a move mends ..");
    fat_unmount(&vol);
    memcpy(p + 32, "NODOTS     ", 11);
    fat_mount(&vol, &disk.dev, NULL);
    CHECK(fat_rename(&vol, "/E/D", "/D") == -FAT_ECORRUPT && vol.fault &&
              fat_stat(&vol, "/D", &info) == 0,
          "a directory without ..");
    end();
    p = entry_begin(&fat16); /* removal does not need the dots */
    dir = p[32 + 26];
    memset(fat_disk_at(&disk, at.data + dir - 2), 0, 64);
    fat_disk_copy(&before, &disk);
    fat_mount(&vol, &disk.dev, NULL);
    CHECK(fat_rmdir(&vol, "/D") == 0 && !vol.fault, "rmdir without dots");
    fat_disk_free(&before);
    end();
}

/* Junk behind the end mark of a directory must stay behind one. */
static void test_end_mark(void)
{
    uint8_t *p = entry_begin(&fat32);
    struct fat_info info;
    struct fat_file f;

    for (unsigned i = 3; i < 16; i++) {
        memcpy(p + i * 32, "GHOST   TXT ", 12);
        p[i * 32] = (uint8_t)('A' + i);
    }
    fat_mount(&vol, &disk.dev, NULL);
    for (unsigned i = 0; i < 12; i++) {
        char name[] = "/NEWA";

        name[4] = (char)('A' + i);
        fat_open(&vol, &f, name, RW | FAT_CREATE);
        fat_close(&f);
    }
    for (unsigned i = 3; i < 16; i++) {
        char name[] = "/AHOST.TXT";

        name[1] = (char)('A' + i);
        CHECK(fat_stat(&vol, name, &info) == -ENOENT, "no ghost");
    }
    end();
}

/* FSInfo is a hint that may say anything. */
static void test_fsinfo(void)
{
    static const uint32_t values[] = {0,    1,    77,         1999,
                                      2000, 2001, 0xffffffff, 0x80000000};
    struct fat_space space;
    struct fat_damage d;
    struct fat_file f;

    for (unsigned i = 0; i < 64; i++) {
        uint32_t pair[2] = {values[i / 8], values[i % 8]};

        begin(&fat32);
        memcpy(disk.bytes + 512 + 488, pair, 8);
        fat_mount(&vol, &disk.dev, NULL);
        fat_open(&vol, &f, "/x", RW | FAT_CREATE);
        if (fat_write(&f, 0, buf, 30000) != 30000 || fat_close(&f) ||
            fat_statfs(&vol, &space) || fat_unmount(&vol)) {
            CHECK(false, "wrong FSInfo stops nothing");
        }
        fat_check(&disk, shape, &at, &d);
        if (d.lost || d.crossed || d.too_short) {
            CHECK(false, "wrong FSInfo spoils nothing");
        }
        end();
    }
    begin(&fat32);
    memset(disk.bytes + 512, 0, 512);
    fat_mount(&vol, &disk.dev, NULL);
    CHECK(fat_statfs(&vol, &space) == 0 && space.free_bytes == 1999 * 512,
          "no FSInfo: counted");
    fat_unmount(&vol);
    CHECK(disk.bytes[512] == 0, "no FSInfo: none written");
    end();
}

/* FAT32 with mirroring off: the active copy is used, the other left alone. */
static void test_active_fat(void)
{
    struct fat_file f;

    begin(&fat32);
    memset(fat_disk_at(&disk, at.fat[0]), 0xaa, at.fat_sectors * 512);
    disk.bytes[40] = 0x81;
    CHECK(fat_mount(&vol, &disk.dev, NULL) == 0, "mount on the second FAT");
    CHECK(fat_open(&vol, &f, "/x", RW | FAT_CREATE) == 0 &&
              fat_write(&f, 0, buf, 5000) == 5000 && fat_close(&f) == 0 &&
              read_all("/x") == 5000 && fat_unmount(&vol) == 0,
          "write");
    for (uint32_t i = 0; i < at.fat_sectors * 512; i++) {
        if (fat_disk_at(&disk, at.fat[0])[i] != 0xaa) {
            CHECK(false, "the stale FAT is left alone");
            break;
        }
    }
    end();
}

int main(void)
{
    for (unsigned i = 0; i < sizeof boot_cases / sizeof *boot_cases; i++) {
        boot_case_run(&boot_cases[i]);
    }
    test_mbr();
    test_boot_bytes();
    test_chains();
    test_entries();
    test_dir_loops();
    test_dir_full();
    test_long_names();
    test_short_names();
    test_dots();
    test_end_mark();
    test_fsinfo();
    test_active_fat();
    return tap_end();
}
