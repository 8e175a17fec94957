/* SPDX-License-Identifier: BSL-1.0
 *
 * Inside libos functions answer 0 or a positive errno; a POSIX function answers
 * -1 and sets errno. This is the one place where the one becomes the other.
 */
#pragma once

#include <errno.h>

/* -1 with errno = error, or 0 if there is none. */
static inline int result(int error)
{
    if (error == 0) {
        return 0;
    }
    errno = error;
    return -1;
}
