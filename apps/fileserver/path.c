/* SPDX-License-Identifier: BSL-1.0 */
/* Copying paths; the contract is in path.h. */
#include "path.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

int path_copy(struct path *out, const char *data, uint32_t bytes)
{
    if (data == NULL || bytes == 0) {
        return ENOENT;
    }
    /* One NUL may be sent along. */
    if (bytes > sizeof out->text) {
        return ENAMETOOLONG;
    }
    memcpy(out->text, data, bytes);
    if (out->text[bytes - 1] == '\0') {
        bytes--;
    }
    if (bytes == 0) {
        return ENOENT;
    }
    if (bytes == sizeof out->text) {
        return ENAMETOOLONG;
    }
    out->text[bytes] = '\0';
    return memchr(out->text, '\0', bytes) != NULL ? EINVAL : 0;
}

int path_copy_two(struct path *first, struct path *second, const char *data,
                  uint32_t bytes)
{
    const char *end = data != NULL ? memchr(data, '\0', bytes) : NULL;
    uint32_t length;
    int error;

    if (end == NULL) {
        return EINVAL;
    }
    length = (uint32_t)(end - data);
    error = path_copy(first, data, length);
    if (error != 0) {
        return error;
    }
    return path_copy(second, end + 1, bytes - length - 1);
}
