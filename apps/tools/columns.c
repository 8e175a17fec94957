/* SPDX-License-Identifier: BSL-1.0 */
/* Names in columns; see columns.h. */
#include "columns.h"

#include <stdio.h>

enum { SCREEN_COLUMNS = 80, COLUMN_GAP = 2 };

/* Columns on the screen: UTF-8 continuation bytes take none. */
static size_t name_width(const char *name)
{
    size_t width = 0;

    for (; *name != '\0'; name++) {
        width += ((unsigned char)*name & 0xc0) != 0x80;
    }
    return width;
}

static void row_print(const struct names *names, size_t row, size_t rows,
                      size_t widest)
{
    for (size_t i = row; i < names->count; i += rows) {
        size_t pad = widest + COLUMN_GAP - name_width(names->items[i]);

        if (i + rows >= names->count) {
            pad = 0;
        }
        printf("%s%*s", names->items[i], (int)pad, "");
    }
    putchar('\n');
}

void columns_print(const struct names *names)
{
    size_t widest = 1;
    size_t columns;
    size_t rows;

    for (size_t i = 0; i < names->count; i++) {
        size_t width = name_width(names->items[i]);

        widest = width > widest ? width : widest;
    }
    columns = (SCREEN_COLUMNS - 1 + COLUMN_GAP) / (widest + COLUMN_GAP);
    columns = columns == 0 ? 1 : columns;
    rows = (names->count + columns - 1) / columns;
    for (size_t row = 0; row < rows; row++) {
        row_print(names, row, rows, widest);
    }
}
