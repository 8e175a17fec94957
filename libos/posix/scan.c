/* SPDX-License-Identifier: BSL-1.0
 *
 * A whole directory at once, sorted: scandir, alphasort.
 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

typedef int entry_choose(const struct dirent *);
typedef int entry_compare(const struct dirent **, const struct dirent **);

struct scan {
    struct dirent **list;
    size_t used, room;
};

int alphasort(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int scan_add(struct scan *s, const struct dirent *entry)
{
    if (s->used == s->room) {
        size_t room = s->room == 0 ? 16 : 2 * s->room;
        struct dirent **list = realloc(s->list, room * sizeof(*list));

        if (list == NULL) {
            return ENOMEM;
        }
        s->list = list;
        s->room = room;
    }
    s->list[s->used] = malloc(sizeof(*entry));
    if (s->list[s->used] == NULL) {
        return ENOMEM;
    }
    *s->list[s->used++] = *entry;
    return 0;
}

static int scan_all(struct scan *s, DIR *directory, entry_choose *choose)
{
    for (;;) {
        const struct dirent *entry;
        int error = 0;

        errno = 0;
        entry = readdir(directory);
        if (entry == NULL) {
            return errno;
        }
        if (choose == NULL || choose(entry) != 0) {
            error = scan_add(s, entry);
        }
        if (error != 0) {
            return error;
        }
    }
}

static void scan_free(struct scan *s)
{
    while (s->used > 0) {
        free(s->list[--s->used]);
    }
    free(s->list);
}

int scandir(const char *path, struct dirent ***out, entry_choose *choose,
            entry_compare *compare)
{
    struct scan s = {NULL, 0, 0};
    DIR *directory = opendir(path);
    int error;

    if (directory == NULL) {
        return -1;
    }
    error = scan_all(&s, directory, choose);
    closedir(directory);
    if (error != 0) {
        scan_free(&s);
        errno = error;
        return -1;
    }
    if (compare != NULL && s.used > 0) {
        qsort(s.list, s.used, sizeof(*s.list),
              (int (*)(const void *, const void *))compare);
    }
    *out = s.list;
    return (int)s.used;
}
