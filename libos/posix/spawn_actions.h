/* SPDX-License-Identifier: BSL-1.0
 *
 * posix_spawn's file actions, as they are kept until the spawn.
 */
#pragma once

#include <spawn.h>

#include "fd.h"

/* Carry them out, in order, on a copy of the table. 0 or a positive errno. */
int posix_spawn_actions_apply(const posix_spawn_file_actions_t *actions,
                              struct fd_entry copy[FD_MAX]);
