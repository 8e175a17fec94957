/* SPDX-License-Identifier: BSL-1.0
 *
 * system(): a command line for the shell of the boot archive. Signals are not
 * blocked meanwhile: Ctrl-C goes to the foreground program alone.
 */
#include "command.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define SHELL "/boot/shell"

int posix_command_start(pid_t *child, const char *command,
                        const posix_spawn_file_actions_t *actions)
{
    char *argv[] = {"sh", "-c", (char *)command, NULL};

    return posix_spawn(child, SHELL, actions, NULL, argv, environ);
}

int posix_command_wait(pid_t child)
{
    int status;

    while (waitpid(child, &status, 0) < 0) {
        if (errno != EINTR) {
            return -1;
        }
    }
    return status;
}

int system(const char *command)
{
    pid_t child;
    int error;

    if (command == NULL) {
        return 1;
    }
    error = posix_command_start(&child, command, NULL);
    if (error != 0) {
        errno = error;
        return -1;
    }
    return posix_command_wait(child);
}
