/* SPDX-License-Identifier: BSL-1.0 */
/*
 * Copying one file or one tree, for cp and for mv across file systems. Every
 * failure is reported by name before the function returns 1.
 */
#pragma once

#include <stdbool.h>

enum { TREE_DEPTH_MAX = 32 }; /* directories within directories */

/*
 * Copies `from` to the exact path `to`; 0 or 1. Directories need `recurse`
 * and merge into an existing directory `to`. An unfinished file is deleted.
 */
int copy_tree(const char *from, const char *to, bool recurse);
