/* SPDX-License-Identifier: BSL-1.0 */
/* sync: returns when the card holds what was written (all, or the files). */
#include "report.h"
#include "tools.h"

#include <fcntl.h>
#include <unistd.h>

static int sync_one(const char *path)
{
    int status = 0;
    int fd = open(path, O_RDONLY);

    if (fd < 0) {
        return report_errno(path);
    }
    if (fsync(fd) != 0) {
        status = report_errno(path);
    }
    close(fd);
    return status;
}

int tool_sync(int argc, char **argv)
{
    int status = 0;

    if (argc == 1) {
        sync();
    }
    for (int i = 1; i < argc; i++) {
        status |= sync_one(argv[i]);
    }
    return status;
}
