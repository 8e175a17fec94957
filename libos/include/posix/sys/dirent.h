/* SPDX-License-Identifier: BSL-1.0
 *
 * What picolibc's <dirent.h> asks the system for: the entry and the DIR type.
 */
#pragma once

#include <sys/types.h>

#define DT_UNKNOWN 0
#define DT_FIFO    1
#define DT_CHR     2
#define DT_DIR     4
#define DT_REG     8
#define DT_LNK     10

struct dirent {
    ino_t d_ino;          /* 0: the file system has no number for it */
    unsigned char d_type; /* DT_x */
    char d_name[256];
};

typedef struct posix_directory DIR;
