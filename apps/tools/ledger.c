/* SPDX-License-Identifier: BSL-1.0 */
/*
 * ledger: all memory of the board by type, owner and state. The sum must be
 * the board's RAM to the last byte; if it is not, the tool says so and fails.
 */
#include "owner.h"
#include "report.h"
#include "tools.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <vesper/authority.h>

enum { ROWS_MAX = 320, ATTEMPTS = 50 };

struct word {
    const char *type, *state;
};

static const struct word regions[] = {
    [BOOT_SPIN_TABLE] = {"spin table", "fixed"},
    [BOOT_KERNEL] = {"image", "fixed"},
    [BOOT_DIRECTORY] = {"directory", "fixed"},
    [BOOT_ROOT_IMAGE] = {"image", "mapped"},
    [BOOT_ARCHIVE] = {"boot archive", "mapped"},
    [BOOT_INFO] = {"boot info", "mapped"},
    [BOOT_ROOT_OBJECTS] = {"objects", "in use"},
    [BOOT_ROOT_TABLES] = {"page tables", "in use"},
    [BOOT_VIDEOCORE] = {"reserved", "not the ARM's"},
    [BOOT_PERIPHERALS] = {"reserved", "under devices"},
};

static const char *const region_owners[] = {
    [BOOT_SPIN_TABLE] = "firmware", [BOOT_KERNEL] = "kernel",
    [BOOT_DIRECTORY] = "kernel",    [BOOT_ROOT_IMAGE] = "root",
    [BOOT_ARCHIVE] = "root",        [BOOT_INFO] = "root",
    [BOOT_ROOT_OBJECTS] = "root",   [BOOT_ROOT_TABLES] = "root",
    [BOOT_VIDEOCORE] = "videocore", [BOOT_PERIPHERALS] = "videocore",
};

enum { REGION_KINDS = sizeof(regions) / sizeof(regions[0]) };

static const struct word types[LEDGER_TYPES] = {
    [LEDGER_CNODE] = {"cnode", "in use"},
    [LEDGER_MAPPED] = {"frame", "mapped"},
    [LEDGER_UNMAPPED] = {"frame", "not mapped"},
    [LEDGER_TABLE] = {"page table", "in use"},
    [LEDGER_SPACE] = {"domain", "in use"},
    [LEDGER_DISPATCHER] = {"dispatcher", "in use"},
    [LEDGER_SMALL] = {"small object", "in use"},
    [LEDGER_UNTYPED] = {"untyped", "given, free"},
    [LEDGER_RESERVE] = {"untyped", "kept, free"},
    [LEDGER_GAP] = {"gap", "spent"},
};

/* The whole table at one moment: again, as long as memory changes hands. */
static int rows_read(struct sys_ledger *rows, size_t *count)
{
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        uint32_t row = 0;
        bool same = true;

        *count = 0;
        while (*count < ROWS_MAX && sys_ledger(&row, &rows[*count]) == 0) {
            same = same && rows[*count].changes == rows[0].changes;
            ++*count;
        }
        if (errno != ENOENT || *count == ROWS_MAX) {
            return report_errno("ledger");
        }
        if (same) {
            return 0;
        }
    }
    return report_cause("ledger", "memory does not come to rest");
}

static uint64_t line_print(uint64_t bytes, struct word what, const char *owner)
{
    if (bytes > 0) {
        printf("%10llu  %-13s %-15s %s\n", (unsigned long long)bytes, what.type,
               what.state, owner);
    }
    return bytes;
}

static uint64_t types_print(const struct sys_ledger *row)
{
    char owner[OWNER_BYTES];
    uint64_t sum = 0;

    owner_name(row->owner, row->id, owner);
    for (size_t i = 0; i < LEDGER_TYPES; i++) {
        sum += line_print(row->type[i], types[i], owner);
    }
    return sum;
}

static uint64_t row_print(const struct sys_ledger *row)
{
    uint32_t kind = row->region;

    switch (row->owner) {
    case LEDGER_BOARD:
        return 0;
    case LEDGER_REGION:
        return kind < REGION_KINDS
                   ? line_print(row->bytes, regions[kind], region_owners[kind])
                   : line_print(row->bytes, (struct word){"?", "?"}, "?");
    case LEDGER_FREE:
        return line_print(row->bytes, (struct word){"untyped", "free"}, "-") +
               line_print(row->small_bytes,
                          (struct word){"untyped", "free, too small"}, "-");
    default:
        return types_print(row);
    }
}

static int table_print(struct sys_ledger *rows)
{
    uint64_t sum = 0;
    size_t count;
    int status = rows_read(rows, &count);

    if (status != 0) {
        return status;
    }
    puts("     BYTES  TYPE          STATE           OWNER");
    for (size_t i = 0; i < count; i++) {
        sum += row_print(&rows[i]);
    }
    printf("%10llu  total, of %llu bytes of RAM\n", (unsigned long long)sum,
           (unsigned long long)rows[0].bytes);
    if (sum != rows[0].bytes) {
        return report_cause("total", "is not the board's RAM");
    }
    return 0;
}

int tool_ledger(int argc, char **argv)
{
    struct sys_ledger *rows;
    int status;

    (void)argv;
    if (argc > 1) {
        return report_usage();
    }
    rows = calloc(ROWS_MAX, sizeof(*rows));
    if (rows == NULL) {
        return report_errno("ledger");
    }
    status = table_print(rows);
    free(rows);
    return status;
}
