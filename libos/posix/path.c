/* SPDX-License-Identifier: BSL-1.0
 *
 * Making paths absolute and clean. The text in `out` is at all times a clean
 * absolute path without the NUL; "/" is kept as the empty text until the end.
 */
#include "path.h"

#include <errno.h>
#include <string.h>

struct text {
    char *at;
    size_t used;
};

static bool is_dot(const char *name, size_t bytes)
{
    return bytes == 1 && name[0] == '.';
}

static bool is_dot_dot(const char *name, size_t bytes)
{
    return bytes == 2 && name[0] == '.' && name[1] == '.';
}

static void text_pop(struct text *t)
{
    while (t->used > 0 && t->at[--t->used] != '/') {
    }
}

static int text_push(struct text *t, const char *name, size_t bytes)
{
    if (bytes >= PATH_BYTES - 1 - t->used) {
        return ENAMETOOLONG;
    }
    t->at[t->used++] = '/';
    memcpy(t->at + t->used, name, bytes);
    t->used += bytes;
    return 0;
}

/* One name between slashes; empty names come from double slashes. */
static int text_add(struct text *t, const char *name, size_t bytes)
{
    if (bytes == 0 || is_dot(name, bytes)) {
        return 0;
    }
    if (is_dot_dot(name, bytes)) {
        text_pop(t);
        return 0;
    }
    return text_push(t, name, bytes);
}

static int text_add_all(struct text *t, const char *path, bool *directory)
{
    *directory = false;
    while (*path != '\0') {
        size_t bytes = strcspn(path, "/");
        int error = text_add(t, path, bytes);

        if (error != 0) {
            return error;
        }
        *directory = path[bytes] == '/' || is_dot(path, bytes) ||
                     is_dot_dot(path, bytes);
        path += bytes + (path[bytes] == '/' ? 1 : 0);
    }
    return 0;
}

int posix_path_absolute(const char *cwd, const char *path, char *out,
                        bool *directory)
{
    struct text t = {out, 0};
    int error = 0;

    if (path[0] == '\0') {
        return ENOENT;
    }
    if (path[0] != '/') {
        error = text_add_all(&t, cwd, directory);
    }
    if (error == 0) {
        error = text_add_all(&t, path, directory);
    }
    if (error != 0) {
        return error;
    }
    if (t.used == 0) {
        out[t.used++] = '/';
    }
    out[t.used] = '\0';
    return 0;
}

int posix_path_join(const char *directory, size_t directory_bytes,
                    const char *name, char *out)
{
    size_t name_bytes = strlen(name);

    if (directory_bytes == 0) {
        directory = ".";
        directory_bytes = 1;
    }
    if (directory_bytes >= PATH_BYTES || name_bytes >= PATH_BYTES ||
        directory_bytes + 1 + name_bytes >= PATH_BYTES) {
        return ENAMETOOLONG;
    }
    memcpy(out, directory, directory_bytes);
    out[directory_bytes] = '/';
    memcpy(out + directory_bytes + 1, name, name_bytes + 1);
    return 0;
}
