/* SPDX-License-Identifier: BSL-1.0
 *
 * Overlay of picolibc's <sys/stat.h>, which declares lstat for few systems
 * only.
 */
#pragma once

#include_next <sys/stat.h>

/* There are no symbolic links: the same as stat. */
int lstat(const char *__restrict path, struct stat *__restrict out);
