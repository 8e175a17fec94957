/* SPDX-License-Identifier: BSL-1.0
 *
 * The rows in order; `echo` as an argument makes it the other process.
 */
#include "tests/bench/app/app.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROWS_MAX 64u

static char names[ROWS_MAX][64];
static unsigned rows;

void row_end(const char *name)
{
    expect(rows == ROWS_MAX, "too many rows");
    (void)snprintf(names[rows++], sizeof(names[0]), "%s", name);
}

void expect(unsigned long error, const char *what)
{
    if (error != 0) {
        printf("failed %s: error %lu\n", what, error);
        exit(1);
    }
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "echo") == 0) {
        return echo();
    }
    thread_rows();
    process_rows();
    file_rows();
    for (unsigned i = 0; i < rows; i++) {
        printf("row %u %s\n", RUNS, names[i]);
    }
    printf("row %u end\n", RUNS);
    return 0;
}
