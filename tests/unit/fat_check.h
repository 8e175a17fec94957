/* SPDX-License-Identifier: BSL-1.0 */
/*
 * fat_check.h - what is wrong with a FAT volume: a checker for the tests
 *
 * Written apart from the library and sharing no code with it. Host only.
 */
#pragma once

#include "fat_disk.h"

struct fat_damage {
    uint32_t lost;       /* clusters used in the FAT, by no file */
    uint32_t crossed;    /* clusters used by two chains */
    uint32_t same_first; /* of these: entries with the same first cluster */
    uint32_t bad_links;  /* free, reserved or wild numbers in chains; loops */
    uint32_t too_short;  /* chains shorter than their file */
    uint32_t too_long;   /* chains longer than their file */
    uint32_t mirror;     /* FAT sectors that differ between the copies */
    uint32_t dots;       /* wrong "." or ".." */
    uint32_t duplicates; /* equal short names in one directory */
    uint32_t used;       /* clusters in chains */
};

void fat_check(const struct fat_disk *disk, const struct fat_shape *shape,
               const struct fat_layout *at, struct fat_damage *damage);
