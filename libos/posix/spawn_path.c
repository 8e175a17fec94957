/* SPDX-License-Identifier: BSL-1.0
 *
 * posix_spawnp: looking for a program in the directories of PATH. Not there in
 * one of them: the next is tried. Other errors of a file that is there end the
 * search.
 */
#include <errno.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>

#include "path.h"

#define DEFAULT_PATH "/bin:/boot"

int posix_spawnp(pid_t *restrict pid, const char *restrict file,
                 const posix_spawn_file_actions_t *actions,
                 const posix_spawnattr_t *restrict attributes,
                 char *const argv[], char *const envp[])
{
    const char *at = getenv("PATH");
    char path[PATH_BYTES];
    int error = ENOENT;

    if (strchr(file, '/') != NULL || file[0] == '\0') {
        return posix_spawn(pid, file, actions, attributes, argv, envp);
    }
    at = at != NULL ? at : DEFAULT_PATH;
    for (;;) {
        size_t bytes = strcspn(at, ":");

        error = posix_path_join(at, bytes, file, path);
        if (error == 0) {
            error = posix_spawn(pid, path, actions, attributes, argv, envp);
        }
        if ((error != ENOENT && error != ENOTDIR && error != ENOMEDIUM) ||
            at[bytes] == '\0') {
            return error;
        }
        at += bytes + 1;
    }
}
