/* SPDX-License-Identifier: BSL-1.0
 *
 * The rows in order; `echo` as an argument makes it the other process.
 */
#include "tests/bench/app/app.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vesper/authority.h>
#include <vesper/system.h>

#define ROWS_MAX    64u
#define DOMAINS_MAX 32u

static char names[ROWS_MAX][64];
static unsigned rows;

void row_end(const char *name)
{
    expect(rows == ROWS_MAX, "too many rows");
    (void)snprintf(names[rows++], sizeof(names[0]), "%s", name);
}

static struct {
    uint64_t address;
    char name[32];
} places[DOMAINS_MAX];
static unsigned place_count;

static void place_note(const struct sys_domain *d)
{
    struct sys_origin origin;
    if (sys_origin(d->id, &origin) != 0 || place_count == DOMAINS_MAX) {
        return;
    }
    for (unsigned i = 0; i < place_count; i++) {
        if (places[i].address == origin.address) {
            return;
        }
    }
    places[place_count].address = origin.address;
    strcpy(places[place_count++].name, d->name);
}

void domains_note(void)
{
    static struct sys_domain domains[DOMAINS_MAX];
    int n = sys_domains(domains, DOMAINS_MAX);
    for (int i = 0; i < n; i++) {
        place_note(&domains[i]);
    }
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
    domains_note();
    thread_rows();
    process_rows();
    file_rows();
    for (unsigned i = 0; i < place_count; i++) {
        printf("domain %#llx %s\n", (unsigned long long)places[i].address,
               places[i].name);
    }
    for (unsigned i = 0; i < rows; i++) {
        printf("row %u %s\n", RUNS, names[i]);
    }
    printf("row %u end\n", RUNS);
    return 0;
}
