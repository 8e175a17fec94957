/* SPDX-License-Identifier: BSL-1.0
 *
 * Command lines for the shell.
 */
#pragma once

#include <spawn.h>

/* Start the shell on a command line. 0 or a positive errno. */
int posix_command_start(pid_t *child, const char *command,
                        const posix_spawn_file_actions_t *actions);
/* Wait for it, whatever signals come. Its status, or -1 and errno. */
int posix_command_wait(pid_t child);
