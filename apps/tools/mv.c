/* SPDX-License-Identifier: BSL-1.0 */
/*
 * mv: renames within a file system; between two it copies and then removes.
 * A file over a file replaces it, as rename() does.
 */
#include "copy.h"
#include "path.h"
#include "remove.h"
#include "report.h"
#include "tools.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static bool is_same_name(const char *from, const char *to)
{
    char a[PATH_BYTES];
    char b[PATH_BYTES];

    /* By case: `mv readme README` is a wish that FAT can grant. */
    return path_normalise(a, sizeof(a), from) &&
           path_normalise(b, sizeof(b), to) && strcmp(a, b) == 0;
}

static int move_one(const char *from, const char *to)
{
    if (is_same_name(from, to) && path_exists(from)) {
        return report_cause(from, "source and target are the same file");
    }
    if (path_is_directory(from) && path_is_inside(to, from) &&
        !path_is_same(from, to)) {
        return report_cause(from, "cannot be moved into itself");
    }
    if (rename(from, to) == 0) {
        return 0;
    }
    if (errno != EXDEV) {
        return report_errno(from);
    }
    if (copy_tree(from, to, true) != 0) {
        return 1;
    }
    return remove_tree(from);
}

static int move_into(const char *from, const char *directory)
{
    char base[PATH_BYTES];
    char to[PATH_BYTES];

    if (!path_base(base, sizeof(base), from) ||
        !path_join(to, sizeof(to), directory, base)) {
        return report_errno(from);
    }
    return move_one(from, to);
}

int tool_mv(int argc, char **argv)
{
    const char *to;
    int status = 0;

    if (argc < 3 || argv[1][0] == '-') {
        return report_usage();
    }
    to = argv[argc - 1];
    if (path_is_directory(to) && !(argc == 3 && path_is_same(argv[1], to))) {
        for (int i = 1; i < argc - 1; i++) {
            status |= move_into(argv[i], to);
        }
        return status;
    }
    if (argc > 3) {
        return report_cause(to, "is not a directory");
    }
    return move_one(argv[1], to);
}
