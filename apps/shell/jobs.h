/* SPDX-License-Identifier: BSL-1.0 */
/* The programs that run in the background, until they were reported. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { JOBS_MAX = 16, PIPELINE_MAX = 8 };

/* A place is left; ask before starting the programs. */
bool jobs_has_room(void);

/* Takes note of one pipeline, last program last, with its source text. */
void jobs_add(const pid_t *pids, size_t count, const char *text, size_t n);

/*
 * Collects what has ended, without waiting; if `report`, each job that ended
 * is named on standard error: "[7] done: sleep 1".
 */
void jobs_reap(bool report);

/*
 * Waits for the job with that process, or for all (0). Returns the status of
 * the last one that ended, STATUS_NOT_FOUND if there was none, or 130 after
 * Ctrl-C.
 */
int jobs_wait(pid_t pid);

/* One line for each job, to descriptor fd. */
void jobs_list(int fd);

/* waitpid()'s status word as the shell's status, 0..255. */
int jobs_status(int word);
