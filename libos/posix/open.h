/* SPDX-License-Identifier: BSL-1.0
 *
 * Opening a path without giving it a file descriptor.
 */
#pragma once

struct description;

/* flags: O_x. One reference for the caller. 0 or a positive errno. */
int posix_description_open(const char *path, int flags,
                           struct description **out);
