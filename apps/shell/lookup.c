/* SPDX-License-Identifier: BSL-1.0 */
/* Finding programs; the contract is in lookup.h. */
#include "lookup.h"

#include "../tools/path.h"
#include "../tools/tools.h"

#include <stdlib.h>
#include <string.h>

static const char *setting(const char *name, const char *otherwise)
{
    const char *value = getenv(name);

    return value != NULL && value[0] != '\0' ? value : otherwise;
}

const char *lookup_shell(void)
{
    return setting("SHELL", "/boot/shell");
}

bool lookup_directories(bool (*visit)(const char *directory, void *context),
                        void *context)
{
    const char *path = setting("PATH", "/bin:/boot");
    char directory[PATH_BYTES];

    while (*path != '\0') {
        size_t n = strcspn(path, ":");

        if (n > 0 && n < sizeof(directory)) {
            memcpy(directory, path, n);
            directory[n] = '\0';
            if (visit(directory, context)) {
                return true;
            }
        }
        path += n;
        path += *path == ':';
    }
    return false;
}

const char *lookup_fixed(const char *name)
{
    if (strchr(name, '/') != NULL) {
        return name;
    }
    if (tools_find(name) != NULL) {
        return setting("TOOLS", "/boot/tools");
    }
    return strcmp(name, "sh") == 0 ? lookup_shell() : NULL;
}
