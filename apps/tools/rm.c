/* SPDX-License-Identifier: BSL-1.0 */
/*
 * rm: removes files and, with -r, directories. The root and the directories
 * "." and ".." are refused whatever the options say.
 */
#include "path.h"
#include "remove.h"
#include "report.h"
#include "tools.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static bool is_dots(const char *path)
{
    char base[PATH_BYTES];

    return path_base(base, sizeof(base), path) &&
           (strcmp(base, ".") == 0 || strcmp(base, "..") == 0);
}

static int remove_one(const char *path, bool recurse, bool force)
{
    if (path_is_root(path)) {
        return report_cause(path, "refusing to remove the root directory");
    }
    if (is_dots(path)) {
        return report_cause(path, "refusing to remove '.' or '..'");
    }
    if (path_is_directory(path)) {
        if (!recurse) {
            return report_cause(path, "is a directory (-r removes it)");
        }
        return remove_tree(path);
    }
    if (unlink(path) == 0 || (force && errno == ENOENT)) {
        return 0;
    }
    return report_errno(path);
}

int tool_rm(int argc, char **argv)
{
    bool recurse = false;
    bool force = false;
    int status = 0;
    int option;

    while ((option = getopt(argc, argv, "rRf")) != -1) {
        if (option == '?') {
            return report_usage();
        }
        if (option == 'f') {
            force = true;
        } else {
            recurse = true;
        }
    }
    if (optind == argc && !force) {
        return report_usage();
    }
    for (int i = optind; i < argc; i++) {
        status |= remove_one(argv[i], recurse, force);
    }
    return status;
}
