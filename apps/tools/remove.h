/* SPDX-License-Identifier: BSL-1.0 */
/* Removing a file or a whole tree, for rm and mv. */
#pragma once

/*
 * Removes path and, if it is a directory, all below it. Failures are
 * reported by name and do not stop the rest. Returns 0 or 1.
 */
int remove_tree(const char *path);
