/* SPDX-License-Identifier: BSL-1.0 */
/* wc: lines, words and bytes of each file, and their sum. */
#include "report.h"
#include "tools.h"
#include "transfer.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

struct counts {
    unsigned long long lines;
    unsigned long long words;
    unsigned long long bytes;
};

enum { SHOW_LINES = 1, SHOW_WORDS = 2, SHOW_BYTES = 4, SHOW_ALL = 7 };

static unsigned char read_buffer[16 * 1024];

static int count_open(int in, const char *name, struct counts *counts)
{
    bool in_word = false;

    for (;;) {
        ssize_t n = transfer_read(in, read_buffer, sizeof(read_buffer));

        if (n <= 0) {
            return n < 0 ? report_errno(name) : 0;
        }
        counts->bytes += (unsigned long long)n;
        for (ssize_t i = 0; i < n; i++) {
            bool blank = isspace(read_buffer[i]);

            counts->lines += read_buffer[i] == '\n';
            counts->words += !blank && !in_word;
            in_word = !blank;
        }
    }
}

static void counts_print(const struct counts *counts, int show,
                         const char *name)
{
    if (show & SHOW_LINES) {
        printf("%7llu", counts->lines);
    }
    if (show & SHOW_WORDS) {
        printf("%7llu", counts->words);
    }
    if (show & SHOW_BYTES) {
        printf("%7llu", counts->bytes);
    }
    printf("%s%s\n", name[0] != '\0' ? " " : "", name);
}

static int count_file(const char *name, int show, struct counts *total)
{
    struct counts counts = {0};
    int status;
    int in = open(name, O_RDONLY);

    if (in < 0) {
        return report_errno(name);
    }
    status = count_open(in, name, &counts);
    close(in);
    if (status == 0) {
        counts_print(&counts, show, name);
        total->lines += counts.lines;
        total->words += counts.words;
        total->bytes += counts.bytes;
    }
    return status;
}

static int count_input(int show)
{
    struct counts counts = {0};
    int status = count_open(STDIN_FILENO, "standard input", &counts);

    if (status == 0) {
        counts_print(&counts, show, "");
    }
    return status;
}

int tool_wc(int argc, char **argv)
{
    struct counts total = {0};
    int show = 0;
    int status = 0;
    int option;

    while ((option = getopt(argc, argv, "clw")) != -1) {
        if (option == '?') {
            return report_usage();
        }
        show |= option == 'l'   ? SHOW_LINES
                : option == 'w' ? SHOW_WORDS
                                : SHOW_BYTES;
    }
    show = show == 0 ? SHOW_ALL : show;
    if (optind == argc) {
        return count_input(show);
    }
    for (int i = optind; i < argc; i++) {
        status |= count_file(argv[i], show, &total);
    }
    if (argc - optind > 1) {
        counts_print(&total, show, "total");
    }
    return status;
}
