/* SPDX-License-Identifier: BSL-1.0
 *
 * Paths as text. Pure: no file is looked at, so ".." is taken back by letters
 * (there are no symbolic links that could make this wrong).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define PATH_BYTES 1024u /* longest absolute path with its NUL */

/* Write into out[PATH_BYTES] the absolute form of `path` seen from `cwd`
 * (itself absolute and clean): one '/' between names, no "." and "..", no '/'
 * at the end but in "/". *directory: the path ended in "/", "." or "..", so
 * that it can only name a directory. 0; ENOENT: path is empty; ENAMETOOLONG.
 * out and path may not overlap. */
int posix_path_absolute(const char *cwd, const char *path, char *out,
                        bool *directory);

/* Join up to PATH_BYTES: directory + "/" + name. 0 or ENAMETOOLONG. An empty
 * directory stands for ".". */
int posix_path_join(const char *directory, size_t directory_bytes,
                    const char *name, char *out);
