/* SPDX-License-Identifier: BSL-1.0 */
/*
 * hexdump: 16 bytes a line as offset, hexadecimal and text. Lines equal to
 * the one before are folded into one "*". -C is accepted: it is the layout.
 */
#include "report.h"
#include "tools.h"
#include "transfer.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LINE_BYTES = 16, READ_BYTES = 16 * 1024 };

struct dump {
    unsigned long long offset_bytes;
    unsigned char line[LINE_BYTES];
    size_t fill;
    unsigned char last[LINE_BYTES];
    bool has_last;
    bool folding;
    bool is_lost; /* the output is gone */
};

static unsigned char read_buffer[READ_BYTES];

static void line_print(struct dump *dump)
{
    printf("%08llx ", dump->offset_bytes);
    for (size_t i = 0; i < LINE_BYTES; i++) {
        if (i % 8 == 0) {
            putchar(' ');
        }
        if (i < dump->fill) {
            printf("%02x ", dump->line[i]);
        } else {
            fputs("   ", stdout);
        }
    }
    fputs(" |", stdout);
    for (size_t i = 0; i < dump->fill; i++) {
        unsigned char byte = dump->line[i];

        putchar(byte >= 0x20 && byte < 0x7f ? byte : '.');
    }
    dump->is_lost = puts("|") < 0;
}

static void line_end(struct dump *dump)
{
    bool same = dump->fill == LINE_BYTES && dump->has_last &&
                memcmp(dump->line, dump->last, LINE_BYTES) == 0;

    if (!same) {
        line_print(dump);
    } else if (!dump->folding) {
        puts("*");
    }
    dump->folding = same;
    dump->has_last = true;
    memcpy(dump->last, dump->line, LINE_BYTES);
    dump->offset_bytes += dump->fill;
    dump->fill = 0;
}

/* Returns 0, 1 after a reading error, -1 when the output is gone. */
static int dump_open(struct dump *dump, int in, const char *name)
{
    for (;;) {
        ssize_t n = transfer_read(in, read_buffer, sizeof(read_buffer));

        if (n < 0) {
            return report_errno(name);
        }
        if (n == 0) {
            return 0;
        }
        for (ssize_t i = 0; i < n && !dump->is_lost; i++) {
            dump->line[dump->fill++] = read_buffer[i];
            if (dump->fill == LINE_BYTES) {
                line_end(dump);
            }
        }
        if (dump->is_lost) {
            report_output();
            return -1;
        }
    }
}

static int dump_file(struct dump *dump, const char *name)
{
    int status;
    int in = open(name, O_RDONLY);

    if (in < 0) {
        return report_errno(name);
    }
    status = dump_open(dump, in, name);
    close(in);
    return status;
}

int tool_hexdump(int argc, char **argv)
{
    struct dump dump = {0};
    int status = 0;
    int option;

    while ((option = getopt(argc, argv, "C")) != -1) {
        if (option == '?') {
            return report_usage();
        }
    }
    if (optind == argc) {
        status = dump_open(&dump, STDIN_FILENO, "standard input");
    }
    for (int i = optind; i < argc && status >= 0; i++) {
        int one = dump_file(&dump, argv[i]);

        status = one < 0 ? one : status | one;
    }
    if (dump.fill > 0) {
        line_end(&dump);
    }
    if (dump.offset_bytes > 0) {
        printf("%08llx\n", dump.offset_bytes);
    }
    return status != 0;
}
