/* SPDX-License-Identifier: BSL-1.0 */
/* Removing trees; the contract is in remove.h. */
#include "remove.h"
#include "copy.h"
#include "names.h"
#include "path.h"
#include "report.h"

#include <string.h>
#include <unistd.h>

static char path_buffer[PATH_BYTES];

static int remove_level(int depth);

static int remove_entries(const struct names *names, int depth)
{
    size_t length = strlen(path_buffer);
    int status = 0;

    for (size_t i = 0; i < names->count; i++) {
        const char *name = names->items[i];

        if (!path_append(path_buffer, sizeof(path_buffer), name)) {
            status = report_errno(name);
        } else {
            status |= remove_level(depth);
        }
        path_buffer[length] = '\0';
    }
    return status;
}

static int remove_level(int depth)
{
    struct names names = {0};
    int status;

    /* First as a file: where links exist, this never follows one. */
    if (unlink(path_buffer) == 0) {
        return 0;
    }
    if (!path_is_directory(path_buffer)) {
        return report_errno(path_buffer);
    }
    if (depth == TREE_DEPTH_MAX) {
        return report_cause(path_buffer, "too many levels (limit 32)");
    }
    if (!names_read(&names, path_buffer)) {
        return report_errno(path_buffer);
    }
    status = remove_entries(&names, depth + 1);
    names_free(&names);
    if (status == 0 && rmdir(path_buffer) != 0) {
        return report_errno(path_buffer);
    }
    return status;
}

int remove_tree(const char *path)
{
    path_buffer[0] = '\0';
    if (!path_append(path_buffer, sizeof(path_buffer), path)) {
        return report_errno(path);
    }
    return remove_level(0);
}
