/* SPDX-License-Identifier: BSL-1.0 */
/*
 * archive.h - files in the boot archive: cpio, format "newc".
 *
 * Why: the first programs cannot come from a file system, because the file
 * system is itself a program. scripts/mkarchive.py puts them into one cpio
 * archive; any cpio can list it.
 *
 * Rules: functions are pure and read the archive in place; nothing in it is
 * trusted. Results point into it: in an archive of mkarchive.py that begins at
 * a multiple of 4096, the data of each file does so too. Only regular files
 * are seen. If a name is there twice, the first counts.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* A file of the archive; the pointers live as long as the archive. */
struct archive_entry {
    const char *name; /* C string, not empty */
    const uint8_t *data;
    uint64_t size_bytes;
};

/* Why an archive is broken: print as "boot archive REASON WHERE". */
struct archive_fault {
    const char *reason; /* static string, ends with what where counts */
    uint64_t where;
};

enum archive_result {
    ARCHIVE_FOUND = 0,
    ARCHIVE_END = 1,    /* there is no such file, or no more */
    ARCHIVE_BROKEN = 2, /* archive_check() tells why */
};

/*
 * archive_next - take one file after the other
 * base    [in]     the archive, `bytes` long
 * cursor  [in,out] 0 before the first call
 * entry   [out]    written only with ARCHIVE_FOUND
 * Each call either moves the cursor on or is the last.
 */
enum archive_result archive_next(const void *base, uint64_t bytes,
                                 uint64_t *cursor, struct archive_entry *entry);

/*
 * archive_find - look up a file by its whole name
 * entry  [out]  written only with ARCHIVE_FOUND
 */
enum archive_result archive_find(const void *base, uint64_t bytes,
                                 const char *name, struct archive_entry *entry);

/*
 * archive_check - walk the whole archive
 * fault  [out]  written only when it is broken
 * Returns 0, or -1 and *fault.
 */
int archive_check(const void *base, uint64_t bytes,
                  struct archive_fault *fault);
