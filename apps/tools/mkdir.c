/* SPDX-License-Identifier: BSL-1.0 */
/* mkdir and rmdir: make directories (-p: with their parents), remove them. */
#include "path.h"
#include "report.h"
#include "tools.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int make_one(const char *path)
{
    return mkdir(path, 0777) == 0 ? 0 : report_errno(path);
}

/* Every prefix that ends before a slash, then the whole. */
static int make_parents(const char *path)
{
    char prefix[PATH_BYTES];
    size_t n = strlen(path);

    if (n >= sizeof(prefix)) {
        errno = ENAMETOOLONG;
        return report_errno(path);
    }
    for (size_t i = 1; i <= n; i++) {
        if ((path[i] != '/' && path[i] != '\0') || path[i - 1] == '/') {
            continue;
        }
        memcpy(prefix, path, i);
        prefix[i] = '\0';
        if (!path_is_directory(prefix) && make_one(prefix) != 0) {
            return 1;
        }
    }
    return 0;
}

int tool_mkdir(int argc, char **argv)
{
    bool parents = false;
    int status = 0;
    int option;

    while ((option = getopt(argc, argv, "p")) != -1) {
        if (option == '?') {
            return report_usage();
        }
        parents = true;
    }
    if (optind == argc) {
        return report_usage();
    }
    for (int i = optind; i < argc; i++) {
        status |= parents ? make_parents(argv[i]) : make_one(argv[i]);
    }
    return status;
}

int tool_rmdir(int argc, char **argv)
{
    int status = 0;

    if (argc < 2 || argv[1][0] == '-') {
        return report_usage();
    }
    for (int i = 1; i < argc; i++) {
        if (rmdir(argv[i]) != 0) {
            status = report_errno(argv[i]);
        }
    }
    return status;
}
