/* SPDX-License-Identifier: BSL-1.0
 *
 * fgetpos and fsetpos, which picolibc declares only.
 */
#include <stdio.h>

int fgetpos(FILE *f, fpos_t *out)
{
    __off_t at = ftello(f);

    if (at < 0) {
        return -1;
    }
    *out = at;
    return 0;
}

int fsetpos(FILE *f, fpos_t *at)
{
    return fseeko(f, (__off_t)*at, SEEK_SET);
}
