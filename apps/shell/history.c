/* SPDX-License-Identifier: BSL-1.0 */
/* A ring of lines; see history.h. */
#include "history.h"
#include "token.h"

#include <stdio.h>
#include <string.h>

static char lines[HISTORY_LINES][LINE_BYTES_MAX + 1];
static size_t added; /* since the start; the newest is at added - 1 */

const char *history_get(size_t back)
{
    if (back == 0 || back > added || back > HISTORY_LINES) {
        return NULL;
    }
    return lines[(added - back) % HISTORY_LINES];
}

void history_add(const char *line)
{
    const char *last = history_get(1);

    if (line[0] == '\0' || (last != NULL && strcmp(last, line) == 0)) {
        return;
    }
    snprintf(lines[added % HISTORY_LINES], sizeof(lines[0]), "%s", line);
    added++;
}
