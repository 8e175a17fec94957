/* SPDX-License-Identifier: BSL-1.0 */
/*
 * touch: makes missing files; renews the time of those that exist by setting
 * them to the size they have, which POSIX counts as a modification.
 */
#include "report.h"
#include "tools.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static int touch_one(const char *path)
{
    struct stat info;
    int status = 0;
    int fd = open(path, O_WRONLY | O_CREAT, 0666);

    if (fd < 0) {
        return report_errno(path);
    }
    if (fstat(fd, &info) != 0 || ftruncate(fd, info.st_size) != 0) {
        status = report_errno(path);
    }
    if (close(fd) != 0 && status == 0) {
        status = report_errno(path);
    }
    return status;
}

int tool_touch(int argc, char **argv)
{
    int status = 0;

    if (argc < 2 || argv[1][0] == '-') {
        return report_usage();
    }
    for (int i = 1; i < argc; i++) {
        status |= touch_one(argv[i]);
    }
    return status;
}
