/* SPDX-License-Identifier: BSL-1.0 */
/*
 * private.h - what the files of libos/fat share and nobody else sees
 *
 * Rules: one file a noun, lower ones first: clock, name < cache < table < dir
 * (alias, slots) < node, path < data, file, tree, mount. Functions return 0
 * (or a stated count) or a negative errno. A cached sector's pointer is good
 * until two more sectors were asked for.
 */
#pragma once

#include "fat.h"

#include <string.h>

#define DIR_SLOT_BYTES   32
#define DIR_SECTOR_SLOTS (FAT_SECTOR_BYTES / DIR_SLOT_BYTES)
#define DIR_SLOTS_MAX    65536u /* what the 2 MiB limit of FAT allows */
#define LONG_PART_UNITS  13
#define SHORT_BYTES      11

/* Offsets in a directory slot. */
enum {
    SLOT_ATTR = 11,
    SLOT_CASE = 12,
    SLOT_MADE_TIME = 14,
    SLOT_MADE_DATE = 16,
    SLOT_READ_DATE = 18,
    SLOT_CLUSTER_HIGH = 20,
    SLOT_TIME = 22,
    SLOT_DATE = 24,
    SLOT_CLUSTER_LOW = 26,
    SLOT_SIZE = 28,
};

/* In SLOT_CASE, reserved: the entry is being renamed; another may have its
 * clusters already. */
#define SLOT_MOVING 0x40u

#define SLOT_END     0x00u
#define SLOT_DELETED 0xe5u

/* Little-endian fields on the medium. */
static inline uint32_t get16(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8;
}

static inline uint32_t get32(const uint8_t *p)
{
    return get16(p) | get16(p + 2) << 16;
}

static inline void put16(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
}

static inline void put32(uint8_t *p, uint32_t v)
{
    put16(p, v);
    put16(p + 2, v >> 16);
}

/* volume.c */
/* Record damage, turn the volume read-only; returns -FAT_ECORRUPT. */
int fat_fault(struct fat_volume *vol, const char *what, uint32_t cluster);
int64_t fat_now(const struct fat_volume *vol);
/* Ask before any change: 0 once the medium is marked in use; -EROFS. */
int fat_change_begin(struct fat_volume *vol);
/* Set all time stamps of a new directory entry. */
void fat_stamp_new(const struct fat_volume *vol, uint8_t *raw);

/* clock.c: FAT stamps are UTC, 1980..2107, clamped */
void fat_clock_pack(int64_t seconds, uint8_t *time, uint8_t *date);
int64_t fat_clock_unpack(uint32_t time, uint32_t date);

/* cache.c: sectors by their number on the device */
int fat_disk_read(struct fat_volume *vol, uint64_t lba, uint32_t count,
                  void *buf);
int fat_disk_write(struct fat_volume *vol, uint64_t lba, uint32_t count,
                   const void *buf);
int fat_disk_zero(struct fat_volume *vol, uint64_t lba, uint32_t count);
void fat_cache_reset(struct fat_volume *vol);
int fat_cache_read(struct fat_volume *vol, uint64_t lba, uint8_t **data);
/* A sector of zeros, not read from the device. */
void fat_cache_fresh(struct fat_volume *vol, uint64_t lba, uint8_t **data);
/* Write a cached sector to `to`. On failure it is dropped from the cache. */
int fat_cache_write(struct fat_volume *vol, uint64_t lba, uint64_t to);
int fat_cache_later(struct fat_volume *vol, uint64_t lba);
void fat_cache_settle(struct fat_volume *vol);
void fat_cache_drop(struct fat_volume *vol, uint64_t lba, uint32_t count);

/* table.c: the file allocation table */
bool fat_cluster_valid(const struct fat_volume *vol, uint32_t cluster);
uint64_t fat_cluster_lba(const struct fat_volume *vol, uint32_t cluster);
/* Next of a used cluster; 0 at the end; anything else wrong is a fault. */
int fat_chain_next(struct fat_volume *vol, uint32_t cluster, uint32_t *next);
/* How many steps of a chain, at most `want`, lead from each cluster to its
 * neighbour; those are looked at that lie in one sector of the table. What
 * stops it, an error too, is for fat_chain_next to find. */
uint32_t fat_chain_ahead(struct fat_volume *vol, uint32_t cluster,
                         uint32_t want);
/* Fault unless the chain from here ends within the volume's clusters. */
int fat_chain_check_end(struct fat_volume *vol, uint32_t cluster);
/* Find, without marking, 1..want free neighbours, from `near` onwards. */
int fat_table_find(struct fat_volume *vol, uint32_t near, uint32_t want,
                   uint32_t *first, uint32_t *count);
/* Mark a found run as a chain; then link it to the end of another, unless tail
 * is 0. */
int fat_table_take(struct fat_volume *vol, uint32_t tail, uint32_t first,
                   uint32_t count);
/* Make `cluster` point to `next`; 0 = end of chain. */
int fat_table_link(struct fat_volume *vol, uint32_t cluster, uint32_t next);
int fat_chain_free(struct fat_volume *vol, uint32_t first);
int fat_table_count(struct fat_volume *vol);
/* Read, write the "clean" flag, which lives in the entry of cluster 1. */
int fat_table_clean(struct fat_volume *vol, bool *clean);
int fat_table_set_clean(struct fat_volume *vol, bool clean);
/* Make the other copies of one table sector like the one in use; 1 = were not
 * alike. */
int fat_table_mirror(struct fat_volume *vol, uint32_t sector);
/* Free a cluster that no chain holds, unless free or bad; 1 = was not free.
 * Neighbours in one table sector are written by the last call: `flush`. */
int fat_table_sweep(struct fat_volume *vol, uint32_t cluster, bool lost,
                    bool flush);

/* name.c */
int fat_name_parse(const char *text, size_t len, struct fat_name *name);
bool fat_name_creatable(const struct fat_name *name);
bool fat_name_same(const struct fat_name *a, const struct fat_name *b);
bool fat_name_identical(const struct fat_name *a, const struct fat_name *b);
/* UTF-8 with NUL; false if the units are not well-formed or not allowed. */
bool fat_name_text(const struct fat_name *name, char *text);
bool fat_name_allowed(const struct fat_name *name);
/* The name a short entry shows; false if unusable. */
bool fat_short_name(const uint8_t *slot, struct fat_name *name);
uint8_t fat_short_sum(const uint8_t *sfn);

/* dir.c: directories as arrays of slots; `dir` = first cluster, 0 = FAT16
 * root */
struct fat_walk {
    struct fat_volume *vol;
    uint32_t dir;
    uint32_t index;   /* position learnt: which cluster of the chain */
    uint32_t cluster; /* and its number; once past the end, the last one */
};

struct fat_entry {
    uint64_t lba;    /* of the short slot */
    uint32_t offset; /* of the short slot in its sector */
    uint32_t dir;
    uint32_t first_slot; /* first long-name slot, or == slot */
    uint32_t slot;
    uint8_t raw[DIR_SLOT_BYTES];
};

void fat_walk_start(struct fat_walk *walk, struct fat_volume *vol,
                    uint32_t dir);
/* 1 = slot exists, its bytes at *data; 0 = the directory is not that long */
int fat_walk_slot(struct fat_walk *walk, uint32_t slot, uint64_t *lba,
                  uint8_t **data);
/* Next real entry from *slot on; its name in vol->found. 1, 0 = end. */
int fat_dir_next(struct fat_walk *walk, uint32_t *slot,
                 struct fat_entry *entry);
/* 1 = found; 0 = no such name */
int fat_dir_find(struct fat_volume *vol, uint32_t dir,
                 const struct fat_name *name, struct fat_entry *entry);
/* 1 = no entries but the dots; 0 = some */
int fat_dir_empty(struct fat_volume *vol, uint32_t dir);
uint32_t fat_slot_cluster(const struct fat_volume *vol, const uint8_t *raw);
void fat_slot_set_cluster(const struct fat_volume *vol, uint8_t *raw,
                          uint32_t cluster);
bool fat_slot_is_dots(const uint8_t *slot);
bool fat_entry_is_dir(const struct fat_entry *entry);
/* First cluster of a directory entry, checked. */
int fat_entry_dir(struct fat_volume *vol, const struct fat_entry *entry,
                  uint32_t *dir);

/* alias.c: pick a free 8.3 name; *is_long: the name needs long slots too */
int fat_alias_pick(struct fat_volume *vol, uint32_t dir,
                   const struct fat_name *name, uint8_t *sfn, bool *is_long);

/* slots.c: change directories */
/* Add an entry; raw holds all but the name. entry [out] may be NULL. */
int fat_dir_add(struct fat_volume *vol, uint32_t dir,
                const struct fat_name *name, const uint8_t *raw,
                struct fat_entry *entry);
int fat_dir_remove(struct fat_volume *vol, const struct fat_entry *entry);
/* Replace all of a short slot but its name. */
int fat_dir_patch(struct fat_volume *vol, uint64_t lba, uint32_t offset,
                  const uint8_t *raw);
/* Give an entry another name in its old slots, if one sector write does. */
int fat_dir_rename_in_place(struct fat_volume *vol, struct fat_entry *entry,
                            const struct fat_name *name);

/* node.c: files that are open */
struct fat_node *fat_node_find(struct fat_volume *vol, uint64_t lba,
                               uint32_t offset);
struct fat_node *fat_node_take(struct fat_volume *vol, uint64_t lba,
                               uint32_t offset);
/* Write the directory entry of an open file with a new start and size. */
int fat_node_store(struct fat_volume *vol, struct fat_node *node,
                   uint32_t first, uint32_t size);
int fat_node_flush(struct fat_volume *vol, struct fat_node *node);

/* path.c */
struct fat_place {
    uint32_t dir; /* directory holding the last component */
    bool is_root;
    bool found;
    bool wants_dir;         /* the path ended in '/' */
    struct fat_entry entry; /* if found */
};
/*
 * Find the place of a path; its last name is left in vol->leaf. A path through
 * or to the directory `avoid` is -EINVAL; NO_CLUSTER = none is avoided.
 */
#define NO_CLUSTER 1u
int fat_path_find(struct fat_volume *vol, const char *path, uint32_t avoid,
                  struct fat_place *place);

/* data.c: bytes of one run of neighbouring sectors */
int fat_data_read(struct fat_volume *vol, uint64_t lba, uint32_t skip,
                  uint8_t *buf, size_t len);
/* src NULL = zeros. fresh: old content of partly written sectors is junk. */
int fat_data_write(struct fat_volume *vol, uint64_t lba, uint32_t skip,
                   const uint8_t *src, size_t len, bool fresh);

/* file.c */
bool fat_file_open(const struct fat_file *file);
int fat_file_cut(struct fat_file *file, uint32_t size);
