/* SPDX-License-Identifier: BSL-1.0
 *
 * Overlay of picolibc's <sys/errno.h>: with the names that it hides, and the
 * ones that removable media need.
 */
#pragma once

#define __LINUX_ERRNO_EXTENSIONS__ 1
#include_next <sys/errno.h>

/* The card holds no file system that is understood. */
#define EMEDIUMTYPE 2000
