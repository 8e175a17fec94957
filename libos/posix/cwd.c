/* SPDX-License-Identifier: BSL-1.0
 *
 * The current directory as programs see it: chdir and getcwd; and
 * realpath, which is the same arithmetic.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "place.h"
#include "result.h"
#include "stat.h"

/* "/" is always there, also while no card is. */
int chdir(const char *path)
{
    struct place place;
    struct stat found;
    int error = posix_place_find(path, &place);

    if (error != 0) {
        return result(error);
    }
    if (strcmp(place.path, "/") != 0) {
        error = posix_place_stat(&place, &found);
        if (error == 0 && !S_ISDIR(found.st_mode)) {
            error = ENOTDIR;
        }
    }
    if (error == 0) {
        posix_cwd_set(place.path);
    }
    return result(error);
}

/* out NULL: allocate it, as most systems do. */
static char *text_give(const char *text, char *out, size_t bytes)
{
    if (out == NULL) {
        out = strdup(text);
        if (out == NULL) {
            errno = ENOMEM;
        }
        return out;
    }
    if (strlen(text) >= bytes) {
        errno = ERANGE;
        return NULL;
    }
    return strcpy(out, text);
}

char *getcwd(char *out, size_t bytes)
{
    char now[PATH_BYTES];

    if (out != NULL && bytes == 0) {
        errno = EINVAL;
        return NULL;
    }
    posix_cwd_copy(now);
    return text_give(now, out, bytes);
}

char *realpath(const char *restrict path, char *restrict out)
{
    struct place place;
    struct stat found;
    int error = posix_place_find(path, &place);

    if (error == 0) {
        error = posix_place_stat(&place, &found);
    }
    if (error != 0) {
        errno = error;
        return NULL;
    }
    return text_give(place.path, out, PATH_MAX);
}
