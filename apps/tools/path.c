/* SPDX-License-Identifier: BSL-1.0 */
/* Paths as text; the contract is in path.h. */
#include "path.h"

#include <errno.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

static bool copy_bounded(char *out, size_t bytes, const char *from, size_t n)
{
    if (n >= bytes) {
        errno = ENAMETOOLONG;
        return false;
    }
    memcpy(out, from, n);
    out[n] = '\0';
    return true;
}

bool path_append(char *path, size_t bytes, const char *name)
{
    size_t n = strlen(path);
    size_t slash = n > 0 && path[n - 1] != '/';

    if (n + slash + strlen(name) >= bytes) {
        errno = ENAMETOOLONG;
        return false;
    }
    if (slash) {
        path[n++] = '/';
    }
    return copy_bounded(path + n, bytes - n, name, strlen(name));
}

bool path_join(char *out, size_t bytes, const char *dir, const char *name)
{
    return copy_bounded(out, bytes, dir, strlen(dir)) &&
           path_append(out, bytes, name);
}

bool path_base(char *out, size_t bytes, const char *path)
{
    size_t end = strlen(path);
    size_t start;

    while (end > 1 && path[end - 1] == '/') {
        end--;
    }
    start = end;
    while (start > 0 && path[start - 1] != '/') {
        start--;
    }
    return copy_bounded(out, bytes, path + start, end - start);
}

/* Appends one component to the absolute path in out, of length *n. */
static bool component_add(char *out, size_t bytes, size_t *n, const char *name,
                          size_t length)
{
    if (length == 0 || (length == 1 && name[0] == '.')) {
        return true;
    }
    if (length == 2 && name[0] == '.' && name[1] == '.') {
        while (*n > 0 && out[--*n] != '/') {
        }
        out[*n] = '\0';
        return true;
    }
    if (!copy_bounded(out + *n, bytes - *n, "/", 1)) {
        return false;
    }
    ++*n;
    if (!copy_bounded(out + *n, bytes - *n, name, length)) {
        return false;
    }
    *n += length;
    return true;
}

static bool components_add(char *out, size_t bytes, size_t *n, const char *path)
{
    while (*path != '\0') {
        size_t length = strcspn(path, "/");

        if (!component_add(out, bytes, n, path, length)) {
            return false;
        }
        path += length;
        path += *path == '/';
    }
    return true;
}

bool path_normalise(char *out, size_t bytes, const char *path)
{
    char here[PATH_BYTES];
    size_t n = 0;

    out[0] = '\0';
    if (path[0] != '/') {
        if (getcwd(here, sizeof(here)) == NULL ||
            !components_add(out, bytes, &n, here)) {
            return false;
        }
    }
    if (!components_add(out, bytes, &n, path)) {
        return false;
    }
    return n > 0 || copy_bounded(out, bytes, "/", 1);
}

bool path_exists(const char *path)
{
    struct stat info;

    return stat(path, &info) == 0;
}

bool path_is_directory(const char *path)
{
    struct stat info;

    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

bool path_is_same(const char *a, const char *b)
{
    struct stat sa;
    struct stat sb;
    char na[PATH_BYTES];
    char nb[PATH_BYTES];

    if (stat(a, &sa) != 0 || stat(b, &sb) != 0) {
        return false;
    }
    if (sa.st_ino != 0 && sb.st_ino != 0) {
        return sa.st_ino == sb.st_ino && sa.st_dev == sb.st_dev;
    }
    /* A file system without file numbers: the names must do. */
    return path_normalise(na, sizeof(na), a) &&
           path_normalise(nb, sizeof(nb), b) && strcasecmp(na, nb) == 0;
}

bool path_is_inside(const char *path, const char *dir)
{
    char np[PATH_BYTES];
    char nd[PATH_BYTES];
    size_t n;

    if (!path_normalise(np, sizeof(np), path) ||
        !path_normalise(nd, sizeof(nd), dir)) {
        return false;
    }
    n = strlen(nd);
    if (n == 1) {
        return true; /* everything is below "/" */
    }
    return strncasecmp(np, nd, n) == 0 && (np[n] == '/' || np[n] == '\0');
}

bool path_is_root(const char *path)
{
    char normal[PATH_BYTES];

    return path_normalise(normal, sizeof(normal), path) &&
           strcmp(normal, "/") == 0;
}
