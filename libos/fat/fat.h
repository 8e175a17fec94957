/* SPDX-License-Identifier: BSL-1.0 */
/*
 * fat.h - FAT16 and FAT32 file system with long names, read and write
 *
 * Rules
 *  - Results: 0 (or a count) for success, a negative <errno.h> number for
 *    failure. A failed call changes nothing unless its text says otherwise.
 *  - No heap, no globals, no stdio: all state lives in the caller's
 *    struct fat_volume and struct fat_file. Neither may move while in use.
 *  - One thread at a time in a volume: the caller serialises. No call
 *    recurses.
 *  - Names, directories and chains are in the device when a call returns 0.
 *    Of what was written to a file, parts of sectors (of one line of eight, of
 *    one file, in the whole volume), its size and its time stamp wait for
 *    fat_flush, fat_close or fat_sync; so does FSInfo. No size comes before
 *    its data. What cannot be written then is lost: the file's next fat_flush
 *    or fat_close tells, and writes until then. The device's own flush is left
 *    to fat_flush and fat_sync.
 *  - Order on the medium: data, FAT copies from the last to the first,
 *    directory entry, FSInfo; for deletion the directory entry, then the FAT.
 *    A power cut leaves at worst unused clusters marked as used, a chain
 *    longer than its file, differing FAT copies, orphan long-name slots, a
 *    stale FSInfo, or (cut in a rename) one file under both names or a wrong
 *    "..". vol->was_dirty then tells at the next mount, and fat_repair mends
 *    it. Without repair, removing one of both names damages the other.
 *  - Nothing on the medium is trusted. Damage found on the way gives
 *    -FAT_ECORRUPT, makes the volume read-only and sets vol->fault.
 *
 * Paths are absolute UTF-8 with '/'. "." and ".." are removed by the text of
 * the path alone, before any lookup. Lookup ignores case, creation keeps it.
 * A trailing '/' asks for a directory.
 *
 * Errors any call with a path may give
 *   ENOENT   empty path; a component does not exist
 *   ENOTDIR  a component that must be a directory is a file
 *   EINVAL   path not absolute; not UTF-8; one of " * : < > ? \ | or a control
 *            character in a name; a new name ends in '.' or ' '
 *   ENAMETOOLONG  path over 1024 bytes; a name over 255 UTF-16 units
 *   EIO      the device said so, or FAT_ECORRUPT (then vol->fault is set)
 *   EROFS    change asked of a read-only volume
 *   ENOSPC   no cluster, or no directory slot, is left
 */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FAT_SECTOR_BYTES   512
#define FAT_LINE_SECTORS   8
#define FAT_CACHE_LINES    8
#define FAT_HINTS          64
#define FAT_NODE_MAX       64   /* different files open at once */
#define FAT_NAME_UNITS     255  /* longest name in UTF-16 units */
#define FAT_NAME_BYTES     766  /* the same in UTF-8 with its NUL */
#define FAT_PATH_BYTES     1025 /* longest path with its NUL */
#define FAT_FILE_BYTES_MAX 0xffffffffu
#define FAT_ECORRUPT       EIO

/* Attribute bits as stored on the medium. */
#define FAT_ATTR_READ_ONLY 0x01u
#define FAT_ATTR_HIDDEN    0x02u
#define FAT_ATTR_SYSTEM    0x04u
#define FAT_ATTR_VOLUME_ID 0x08u
#define FAT_ATTR_DIRECTORY 0x10u
#define FAT_ATTR_ARCHIVE   0x20u

/* Flags of fat_open. */
#define FAT_READ      0x01u
#define FAT_WRITE     0x02u
#define FAT_CREATE    0x04u /* make the file if it does not exist */
#define FAT_EXCL      0x08u /* with CREATE: EEXIST if it does exist */
#define FAT_TRUNC     0x10u /* with WRITE: cut to 0 bytes */
#define FAT_APPEND    0x20u /* every write goes to the end */
#define FAT_DIRECTORY 0x40u /* ENOTDIR unless it is a directory */

/*
 * struct fat_device - the block device under a volume, filled by the caller
 * All calls return 0 or a negative errno. Sectors are 512 bytes. `buf` is the
 * caller's own buffer in multi-sector transfers: no alignment is promised.
 */
struct fat_device {
    void *ctx;
    uint64_t sectors; /* size of the device */
    bool read_only;
    int (*read)(void *ctx, uint64_t lba, uint32_t count, void *buf);
    int (*write)(void *ctx, uint64_t lba, uint32_t count, const void *buf);
    int (*flush)(void *ctx); /* NULL: nothing to flush */
};

/* Private: neighbouring sectors in the cache, each valid or not. */
struct fat_line {
    uint64_t lba; /* multiple of FAT_LINE_SECTORS */
    uint32_t age;
    uint8_t valid; /* bit i: sector lba + i is here */
    uint8_t late;  /* bit i: and newer than the medium's */
    uint8_t data[FAT_LINE_SECTORS][FAT_SECTOR_BYTES];
};

/* Private: what all handles of one open file or directory share. */
struct fat_node {
    uint64_t lba;    /* sector of its directory entry; 0 = the root */
    uint32_t offset; /* byte of the entry in that sector */
    uint32_t refs;   /* 0 = unused */
    uint32_t first;  /* first cluster, 0 = none */
    uint32_t size;   /* bytes */
    uint32_t cuts;   /* truncations; makes remembered positions stale */
    uint8_t attr;
    bool dirty;    /* size or mtime is newer than the entry on the medium */
    int lost;      /* why late data could not be written; told once. Or 0 */
    int64_t mtime; /* Unix seconds */
};

/* Private: a name in UTF-16. */
struct fat_name {
    uint16_t len;
    uint16_t unit[FAT_NAME_UNITS];
};

/* Private: the slot where a name was found last is looked at first. What is
 * there then decides, so nothing has to be kept up to date. */
struct fat_hint {
    uint32_t hash; /* of directory and name */
    uint32_t slot; /* first of the entry; 0: none, begin there */
};

/* Private: the long name being collected from its slots. */
struct fat_long {
    uint32_t first_slot;
    uint8_t parts; /* slots of the whole name, 0 = none in progress */
    uint8_t left;  /* slots still to come */
    uint8_t sum;   /* checksum of the short name it belongs to */
    uint16_t unit[20 * 13];
};

/*
 * struct fat_volume - one mounted file system
 * `now` may be set after fat_mount; NULL dates everything 1980-01-01.
 * The rest is for reading only, by the caller.
 */
struct fat_volume {
    int64_t (*now)(void *now_ctx); /* Unix seconds, UTC */
    void *now_ctx;
    bool read_only;
    const char *fault;        /* NULL, or what damage was found first */
    uint32_t fault_cluster;   /* where, 0 = not in a chain */
    uint32_t skipped_entries; /* directory entries with an unusable name */
    bool was_dirty;           /* not unmounted when last used: fat_repair */

    /* immutable after mount: */
    const struct fat_device *dev;
    uint64_t start_lba; /* first sector of the volume */
    uint64_t end_lba;   /* one past its last */
    uint64_t fat_lba;   /* the FAT copy in use */
    uint64_t root_lba;  /* FAT16: fixed root directory */
    uint64_t data_lba;  /* cluster 2 */
    uint64_t info_lba;  /* FSInfo, 0 = none */
    uint32_t fat_sectors;
    uint32_t mirrors;      /* FAT copies kept after fat_lba */
    uint32_t root_entries; /* FAT16 */
    uint32_t root_cluster; /* FAT32; 0 on FAT16 */
    uint32_t cluster_sectors;
    uint32_t cluster_bytes;
    uint32_t clusters; /* numbered 2 .. clusters + 1 */
    uint8_t bits;      /* 16 or 32 */

    /* private: */
    uint32_t free_clusters;
    bool free_known;   /* free_clusters is at least FSInfo's word */
    bool free_counted; /* free_clusters was counted by us */
    bool info_dirty;
    bool marked;        /* the medium says that it is in use */
    uint32_t next_free; /* where to look first */
    uint32_t cache_clock;
    uint32_t cache_last;
    struct fat_line cache[FAT_CACHE_LINES];
    struct fat_line *late; /* with sectors newer than the medium's; or NULL */
    struct fat_node *late_of; /* whose they are */
    struct fat_node *writer;  /* whose data is being written */
    struct fat_node node[FAT_NODE_MAX];
    uint32_t node_end; /* from here on, none was in use yet */
    struct fat_hint hint[FAT_HINTS];
    struct fat_long lfn;   /* being read */
    struct fat_name found; /* name of the entry read last */
    struct fat_name leaf;  /* last component of the path resolved last */
    char path[FAT_PATH_BYTES];
};

/* struct fat_file - one open file or directory; private inside */
struct fat_file {
    struct fat_volume *vol; /* NULL = not open */
    struct fat_node *node;
    uint32_t flags;
    uint32_t cuts;    /* node->cuts when the position was learnt */
    uint32_t index;   /* position: cluster number in the file ... */
    uint32_t cluster; /* ... and on the medium; 0 = not known */
};

struct fat_info {
    uint64_t id;        /* unique in the volume until renamed */
    uint64_t size;      /* bytes; 0 for a directory */
    int64_t mtime;      /* Unix seconds; 2 s steps on the medium */
    uint8_t attributes; /* FAT_ATTR_* */
    bool is_dir;
};

struct fat_dirent {
    struct fat_info info;
    char name[FAT_NAME_BYTES]; /* UTF-8 */
};

struct fat_space {
    uint64_t total_bytes;
    uint64_t free_bytes;
    uint32_t cluster_bytes;
};

/*
 * fat_mount - open the FAT file system of a device
 * Takes a volume that starts at sector 0, else the first mountable partition
 * of type 04 06 0b 0c 0e of the MBR's four. `dev` must outlive the mount.
 * reason  [out]  on failure why, as a phrase; untouched on success; or NULL
 * Returns 0; -EINVAL (not a FAT16/32 volume); the device's error.
 */
int fat_mount(struct fat_volume *vol, const struct fat_device *dev,
              const char **reason);

/* fat_unmount - sync and let go. -EBUSY with files open (still mounted). */
int fat_unmount(struct fat_volume *vol);

/*
 * fat_sync - write all that is owed, mark the volume clean, flush the device
 * The first change after it costs one more write, to mark the volume in use.
 */
int fat_sync(struct fat_volume *vol);

/* What fat_repair mended. */
struct fat_repairs {
    uint32_t lost_clusters; /* given back */
    uint32_t long_chains;   /* cut to their file's size */
    uint32_t double_names;  /* of files that were being renamed */
    uint32_t wrong_dots;    /* "." or ".." set right */
    uint32_t fat_sectors;   /* of second FAT copies, made equal */
};

/*
 * fat_repair - mend what a power cut leaves, and count the free space
 * Reads the whole FAT and all directories; needed if vol->was_dirty, harmless
 * at any time. Only before the first fat_open.
 * map  [in]  scratch memory of fat_repair_bytes(vol) bytes: a bit a cluster
 * done [out] counts; or NULL
 * Returns 0; -EINVAL (map too small); -EBUSY (files open); -EROFS; -EIO;
 * -FAT_ECORRUPT for damage of other kinds: two files share clusters, a chain
 * loops, is too short or has a wild number; what was mended until then stays.
 * -ELOOP: directories deeper than 40 levels; nothing was swept.
 * Takes 3 KiB of stack; no other call takes over 512 bytes in one frame.
 */
size_t fat_repair_bytes(const struct fat_volume *vol);
int fat_repair(struct fat_volume *vol, void *map, size_t bytes,
               struct fat_repairs *done);

/* fat_statfs - size and free space; may read the whole FAT the first time */
int fat_statfs(struct fat_volume *vol, struct fat_space *space);

/*
 * fat_open - open or create; `file` is filled by it
 * A directory can be opened with FAT_READ only, for fat_readdir.
 * Returns 0; -EEXIST (CREATE|EXCL); -EISDIR (WRITE on a directory); -EACCES
 * (WRITE on a file with the read-only attribute); -ENFILE (FAT_NODE_MAX
 * files open); -EINVAL (neither READ nor WRITE; TRUNC or APPEND without
 * WRITE; CREATE with DIRECTORY); path errors.
 */
int fat_open(struct fat_volume *vol, struct fat_file *file, const char *path,
             uint32_t flags);

/*
 * fat_read - read up to len bytes at offset
 * Returns the bytes read: short only at the end of the file or before a bad
 * place (the next call then gives its error); 0 at or after the end; -EBADF
 * (not open, not for reading); -EISDIR; -EIO.
 */
int64_t fat_read(struct fat_file *file, uint64_t offset, void *buf, size_t len);

/*
 * fat_write - write len bytes at offset (APPEND: at the end)
 * A gap between the end of the file and offset is filled with zeros.
 * Returns the bytes written: short when the volume gets full or the file
 * reaches 4 GiB - 1, and what was written stays; -ENOSPC or -EFBIG when not
 * one byte fits (file unchanged); -EBADF (not open, not for writing); -EROFS;
 * -EIO (bytes in the range may be old or new; the size is the old one).
 */
int64_t fat_write(struct fat_file *file, uint64_t offset, const void *buf,
                  size_t len);

/* fat_truncate - set the size; growth is zeros. -EFBIG, -ENOSPC: unchanged */
int fat_truncate(struct fat_file *file, uint64_t size);

/* fat_flush - bring one file's data and entry to the medium */
int fat_flush(struct fat_file *file);

/* fat_close - close; the handle is closed even if the result is an error */
int fat_close(struct fat_file *file);

/* fat_stat, fat_fstat - facts of a path, of an open file */
int fat_stat(struct fat_volume *vol, const char *path, struct fat_info *info);
int fat_fstat(struct fat_file *file, struct fat_info *info);

/*
 * fat_readdir - next entry of an open directory
 * cursor  [in/out]  0 to start; otherwise as the last call left it. Stays
 *                   good while entries are added or removed: one that stays
 *                   is returned exactly once.
 * "." and ".." are never returned. Returns 1 (entry filled); 0 (end);
 * -EBADF; -ENOTDIR; -EINVAL (file of another volume); -EIO.
 */
int fat_readdir(struct fat_volume *vol, struct fat_file *dir, uint32_t *cursor,
                struct fat_dirent *entry);

/* fat_mkdir - -EEXIST if the name is taken; path errors */
int fat_mkdir(struct fat_volume *vol, const char *path);

/* fat_unlink - remove a file. -EISDIR; -EBUSY while it is open */
int fat_unlink(struct fat_volume *vol, const char *path);

/* fat_rmdir - remove an empty directory. -ENOTEMPTY -ENOTDIR -EBUSY (open) */
int fat_rmdir(struct fat_volume *vol, const char *path);

/*
 * fat_rename - move or rename a file or directory, replacing the target
 * A replaced target keeps the case of its name. Open files stay open.
 * Returns 0; -EBUSY (target open; the root); -EISDIR (file onto directory);
 * -ENOTDIR (directory onto file); -ENOTEMPTY; -EINVAL (a directory into its
 * own subtree); path errors.
 */
int fat_rename(struct fat_volume *vol, const char *from, const char *to);

/* fat_set_mtime - set the time of last change of a file or directory */
int fat_set_mtime(struct fat_volume *vol, const char *path, int64_t seconds);
