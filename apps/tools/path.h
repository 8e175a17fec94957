/* SPDX-License-Identifier: BSL-1.0 */
/*
 * Paths as text, and the question whether two of them mean one file. Names
 * on a FAT card ignore case, so comparisons of text here do too: the tools
 * use them only to refuse, never to act.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { PATH_BYTES = 1024 }; /* a path with its NUL; libos allows no more */

/* Adds "/name" to path (just name to an empty one); as path_join. */
bool path_append(char *path, size_t bytes, const char *name);

/* "dir/name" into out; false and ENAMETOOLONG if it does not fit. */
bool path_join(char *out, size_t bytes, const char *dir, const char *name);

/* The last component of path, without trailing slashes, into out. */
bool path_base(char *out, size_t bytes, const char *path);

/* Absolute, without ".", ".." and doubled slashes; false and errno. */
bool path_normalise(char *out, size_t bytes, const char *path);

/* Something of that name is there. */
bool path_exists(const char *path);

bool path_is_directory(const char *path);

/* Both exist and are one file. */
bool path_is_same(const char *a, const char *b);

/* Path is dir itself or lies below it (by text). */
bool path_is_inside(const char *path, const char *dir);

/* Normalises to "/". */
bool path_is_root(const char *path);
