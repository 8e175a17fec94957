/* SPDX-License-Identifier: BSL-1.0 */
/* Starting one program with its three descriptors. */
#pragma once

#include <sys/types.h>

/*
 * Looks argv[0] up and starts it with fds as standard input, output, error.
 * Returns 0 and the process in *pid, or the status that stands for the
 * failure (126, 127), which has then been named on fds[2].
 */
int launch_program(char **argv, const int fds[3], pid_t *pid);

/* The same with this shell as the program: `sh -c text`. */
int launch_shell(const char *text, const int fds[3], pid_t *pid);
