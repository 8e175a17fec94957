/* SPDX-License-Identifier: BSL-1.0 */
/* Directory entries as a sorted list; the contract is in names.h. */
#include "names.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool names_grow(struct names *names)
{
    size_t capacity = names->capacity == 0 ? 32 : names->capacity * 2;
    char **items = realloc(names->items, capacity * sizeof(*items));

    if (items == NULL) {
        errno = ENOMEM;
        return false;
    }
    names->items = items;
    names->capacity = capacity;
    return true;
}

bool names_add(struct names *names, const char *name)
{
    size_t bytes = strlen(name) + 1;
    char *copy;

    if (names->count == names->capacity && !names_grow(names)) {
        return false;
    }
    copy = malloc(bytes);
    if (copy == NULL) {
        errno = ENOMEM;
        return false;
    }
    memcpy(copy, name, bytes);
    names->items[names->count++] = copy;
    return true;
}

static int name_compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void names_sort(struct names *names)
{
    if (names->count > 1) {
        qsort(names->items, names->count, sizeof(*names->items), name_compare);
    }
}

void names_free(struct names *names)
{
    for (size_t i = 0; i < names->count; i++) {
        free(names->items[i]);
    }
    free(names->items);
    *names = (struct names){0};
}

static bool is_dots(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

bool names_read(struct names *names, const char *directory)
{
    DIR *dir = opendir(directory);
    struct dirent *entry;
    int cause = 0;

    if (dir == NULL) {
        return false;
    }
    for (;;) {
        errno = 0;
        entry = readdir(dir);
        if (entry == NULL) {
            cause = errno;
            break;
        }
        if (!is_dots(entry->d_name) && !names_add(names, entry->d_name)) {
            cause = ENOMEM;
            break;
        }
    }
    closedir(dir);
    if (cause != 0) {
        names_free(names);
        errno = cause;
        return false;
    }
    names_sort(names);
    return true;
}
