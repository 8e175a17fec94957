/* SPDX-License-Identifier: BSL-1.0
 *
 * How full a file system is.
 */
#pragma once

#include <sys/types.h>

struct statvfs {
    unsigned long f_bsize;  /* bytes of a block */
    unsigned long f_frsize; /* unit of the counts below, bytes */
    unsigned long long f_blocks, f_bfree, f_bavail;
    unsigned long long f_files, f_ffree, f_favail; /* 0: FAT does not count */
    unsigned long f_fsid, f_flag, f_namemax;
};

#define ST_RDONLY 1
#define ST_NOSUID 2

int statvfs(const char *path, struct statvfs *out);
int fstatvfs(int fd, struct statvfs *out);
