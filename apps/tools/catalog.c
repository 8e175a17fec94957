/* SPDX-License-Identifier: BSL-1.0 */
/*
 * The names of the tools, without the tools: the shell links this file alone
 * to know what /boot/tools can do.
 */
#include "tools.h"

#include <string.h>

#define TOOL_ENTRY(name, arguments, summary) {#name, arguments, summary},
const struct tool_entry tools_catalog[] = {TOOLS_TABLE(TOOL_ENTRY)};
#undef TOOL_ENTRY

const size_t tools_catalog_count =
    sizeof(tools_catalog) / sizeof(tools_catalog[0]);

const struct tool_entry *tools_find(const char *name)
{
    for (size_t i = 0; i < tools_catalog_count; i++) {
        if (strcmp(tools_catalog[i].name, name) == 0) {
            return &tools_catalog[i];
        }
    }
    return NULL;
}
