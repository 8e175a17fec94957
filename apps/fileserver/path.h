/* SPDX-License-Identifier: BSL-1.0
 *
 * Paths as they arrive in requests: in memory that the client may still change,
 * so they are copied before anybody looks at them.
 */
#pragma once

#include <stdint.h>
#include <fat.h>

struct path {
    char text[FAT_PATH_BYTES]; /* NUL-ended */
};

/* 0, ENOENT (empty), ENAMETOOLONG, or EINVAL (a NUL inside). */
int path_copy(struct path *out, const char *data, uint32_t bytes);

/* Two paths with a NUL between them. */
int path_copy_two(struct path *first, struct path *second, const char *data,
                  uint32_t bytes);
