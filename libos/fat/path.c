/* SPDX-License-Identifier: BSL-1.0 */
/*
 * path.c - from a path to the place of its last component
 */
#include "private.h"

static size_t part_len(const char *s)
{
    size_t n = 0;

    while (s[n] && s[n] != '/') {
        n++;
    }
    return n;
}

/* Append "/part" to vol->path, or take one part away for "..". */
static size_t path_step(char *out, size_t at, const char *part, size_t len)
{
    if (len == 0 || (len == 1 && part[0] == '.')) {
        return at;
    }
    if (len == 2 && part[0] == '.' && part[1] == '.') {
        while (at > 0 && out[--at] != '/') {
        }
        return at;
    }
    out[at] = '/';
    memcpy(out + at + 1, part, len);
    return at + 1 + len;
}

/* Clean a path into vol->path: "" or "/a/b", never longer than it was. */
static int path_clean(struct fat_volume *vol, const char *path, bool *wants_dir)
{
    size_t at = 0;
    size_t len = 0;

    if (path[0] != '/') {
        return path[0] ? -EINVAL : -ENOENT;
    }
    while (path[len]) {
        if (++len == FAT_PATH_BYTES) {
            return -ENAMETOOLONG;
        }
    }
    while (*path) {
        path++; /* the '/' */
        len = part_len(path);
        *wants_dir = len == 0 || (path[0] == '.' &&
                                  (len == 1 || (len == 2 && path[1] == '.')));
        at = path_step(vol->path, at, path, len);
        path += len;
    }
    vol->path[at] = 0;
    return 0;
}

/* Step from a found entry into it, as a directory. */
static int path_enter(struct fat_volume *vol, const struct fat_entry *entry,
                      uint32_t avoid, uint32_t *dir)
{
    int rc =
        fat_entry_is_dir(entry) ? fat_entry_dir(vol, entry, dir) : -ENOTDIR;

    return rc == 0 && *dir == avoid ? -EINVAL : rc;
}

int fat_path_find(struct fat_volume *vol, const char *path, uint32_t avoid,
                  struct fat_place *place)
{
    const char *p = vol->path;
    int rc;

    memset(place, 0, sizeof *place);
    rc = path_clean(vol, path, &place->wants_dir);
    place->dir = vol->root_cluster;
    place->is_root = place->found = rc == 0 && !*p;
    while (rc == 0 && *p) {
        size_t len = part_len(++p);

        rc = fat_name_parse(p, len, &vol->leaf);
        rc = rc < 0 ? rc
                    : fat_dir_find(vol, place->dir, &vol->leaf, &place->entry);
        if (rc < 0) {
            return rc;
        }
        p += len;
        if (!*p) {
            place->found = rc;
            return rc && place->wants_dir && !fat_entry_is_dir(&place->entry)
                       ? -ENOTDIR
                       : 0;
        }
        rc = rc ? path_enter(vol, &place->entry, avoid, &place->dir) : -ENOENT;
    }
    return rc;
}
