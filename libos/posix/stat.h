/* SPDX-License-Identifier: BSL-1.0
 *
 * stat for those who have found the place already.
 */
#pragma once

struct place;
struct stat;

/* 0 or a positive errno; ENOTDIR: written as a directory's, but it is none. */
int posix_place_stat(const struct place *place, struct stat *out);
