/* SPDX-License-Identifier: BSL-1.0 */
/* cat: copies files, or standard input ("-" or no name), to the output. */
#include "report.h"
#include "tools.h"
#include "transfer.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* Returns 0, 1 after a reading error, -1 when the output is gone. */
static int cat_open(int in, const char *name)
{
    switch (transfer_all(in, STDOUT_FILENO)) {
    case TRANSFER_READ:
        return report_errno(name);
    case TRANSFER_WRITE:
        report_output();
        return -1;
    case TRANSFER_DONE:
        break;
    }
    return 0;
}

static int cat_file(const char *name)
{
    int in;
    int status;

    if (strcmp(name, "-") == 0) {
        return cat_open(STDIN_FILENO, "standard input");
    }
    in = open(name, O_RDONLY);
    if (in < 0) {
        return report_errno(name);
    }
    status = cat_open(in, name);
    close(in);
    return status;
}

int tool_cat(int argc, char **argv)
{
    int status = 0;

    if (argc > 1 && argv[1][0] == '-' && argv[1][1] != '\0') {
        return report_usage();
    }
    if (argc == 1) {
        return cat_file("-") != 0;
    }
    for (int i = 1; i < argc; i++) {
        int one = cat_file(argv[i]);

        if (one < 0) {
            return 1;
        }
        status |= one;
    }
    return status;
}
