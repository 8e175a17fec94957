/* SPDX-License-Identifier: BSL-1.0 */
/*
 * cp: copies files and, with -r, directories. What was copied only in part
 * (the card is full, a read failed) is removed again and named. A file is
 * never copied onto itself nor a directory into itself.
 */
#include "copy.h"
#include "path.h"
#include "report.h"
#include "tools.h"

#include <unistd.h>

static int copy_into(const char *from, const char *directory, bool recurse)
{
    char base[PATH_BYTES];
    char to[PATH_BYTES];

    if (!path_base(base, sizeof(base), from) ||
        !path_join(to, sizeof(to), directory, base)) {
        return report_errno(from);
    }
    return copy_tree(from, to, recurse);
}

int tool_cp(int argc, char **argv)
{
    bool recurse = false;
    int status = 0;
    int option;

    while ((option = getopt(argc, argv, "rR")) != -1) {
        if (option == '?') {
            return report_usage();
        }
        recurse = true;
    }
    argc -= optind;
    argv += optind;
    if (argc < 2) {
        return report_usage();
    }
    if (path_is_directory(argv[argc - 1])) {
        for (int i = 0; i < argc - 1; i++) {
            status |= copy_into(argv[i], argv[argc - 1], recurse);
        }
        return status;
    }
    if (argc > 2) {
        return report_cause(argv[argc - 1], "is not a directory");
    }
    return copy_tree(argv[0], argv[1], recurse);
}
