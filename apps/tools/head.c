/* SPDX-License-Identifier: BSL-1.0 */
/* head: the first lines (10, or -n N) of each file. */
#include "number.h"
#include "report.h"
#include "tools.h"
#include "transfer.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char read_buffer[16 * 1024];

/* Bytes of the buffer up to the end of the last wanted line. */
static size_t lines_take(const char *bytes, size_t n, long long *lines)
{
    size_t i = 0;

    while (i<n && * lines> 0) {
        if (bytes[i++] == '\n') {
            --*lines;
        }
    }
    return i;
}

/* Returns 0, 1 after a reading error, -1 when the output is gone. */
static int head_open(int in, const char *name, long long lines)
{
    while (lines > 0) {
        ssize_t n = transfer_read(in, read_buffer, sizeof(read_buffer));
        size_t take;

        if (n < 0) {
            return report_errno(name);
        }
        if (n == 0) {
            return 0;
        }
        take = lines_take(read_buffer, (size_t)n, &lines);
        if (fwrite(read_buffer, 1, take, stdout) != take) {
            report_output();
            return -1;
        }
    }
    return 0;
}

static int head_file(const char *name, long long lines)
{
    int status;
    int in = open(name, O_RDONLY);

    if (in < 0) {
        return report_errno(name);
    }
    status = head_open(in, name, lines);
    close(in);
    return status;
}

static int head_files(int count, char **names, long long lines)
{
    int status = 0;

    for (int i = 0; i < count && status >= 0; i++) {
        int one;

        if (count > 1) {
            printf("%s==> %s <==\n", i > 0 ? "\n" : "", names[i]);
        }
        one = head_file(names[i], lines);
        status = one < 0 ? one : status | one;
    }
    return status != 0;
}

int tool_head(int argc, char **argv)
{
    const char *count = "10";
    long long lines;
    int first = 1;

    if (argc > 2 && strcmp(argv[1], "-n") == 0) {
        count = argv[2];
        first = 3;
    } else if (argc > 1 && argv[1][0] == '-') {
        count = argv[1] + 1; /* the old spelling: head -5 */
        first = 2;
        if (!isdigit((unsigned char)count[0])) {
            return report_usage();
        }
    }
    if (!number_parse(count, &lines) || lines < 0) {
        return report_cause(count, "not a number of lines");
    }
    if (first == argc) {
        return head_open(STDIN_FILENO, "standard input", lines) != 0;
    }
    return head_files(argc - first, argv + first, lines);
}
