/* SPDX-License-Identifier: BSL-1.0 */
/*
 * The descriptors above 2 that the shell holds open: pipe ends, targets of
 * redirections, the script. A program must inherit none of them (a pipe with
 * a forgotten writer never ends), so each is registered here, under the
 * number of the stage of the pipeline that uses it.
 */
#pragma once

#include <stdbool.h>
#include <spawn.h>

enum {
    DESCRIPTORS_MAX = 64,
    STAGE_NONE = -1, /* not a pipeline's: the script */
};

/* Takes fd over; false, with fd closed and EMFILE, if there are too many. */
bool descriptors_add(int fd, int stage);

/* Closes those of one stage. */
void descriptors_close(int stage);

/* Has a child close all of them; 0 or an error number. */
int descriptors_exclude(posix_spawn_file_actions_t *actions);
