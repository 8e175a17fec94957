/* SPDX-License-Identifier: BSL-1.0 */
/*
 * The names in a directory, read at once: so no directory stays open while
 * its entries are changed, moved or descended into.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct names {
    char **items; /* each from malloc, in ascending byte order */
    size_t count;
    size_t capacity;
};

/*
 * Fills an empty `struct names` ({0}) with every entry but "." and "..".
 * False and errno (as opendir, or ENOMEM); the list is then empty.
 */
bool names_read(struct names *names, const char *directory);

/* Adds a copy of name at the end; false and ENOMEM. */
bool names_add(struct names *names, const char *name);

void names_sort(struct names *names);

/* Frees all and leaves an empty list. */
void names_free(struct names *names);
