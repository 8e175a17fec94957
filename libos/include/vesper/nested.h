/* SPDX-License-Identifier: BSL-1.0 */
/*
 * vesper/nested.h - a program that schedules domains of its own.
 *
 * What CPU time the program has and its own threads leave, it gives to programs
 * that it started, by any policy of vesper/scheduler.h; so may they, up to four
 * levels below the root server. Its threads go first: what they do is what its
 * children do not get. There is nothing to call in a loop: libos chooses
 * whenever no thread can run.
 *
 * When the scheduler ends, its children go on: the root server schedules them
 * as it does any program. docs/scheduling.md, "Nested schedulers".
 *
 * Context: any thread. Errors are positive errno values.
 */
#pragma once

#include <spawn.h>
#include <stdint.h>
#include <vesper/scheduler.h>

/* For posix_spawnattr_setflags: this program schedules the one that is started.
 * It waits for nested_set. EMLINK of posix_spawn: too many levels. */
#define POSIX_SPAWN_NESTED_NP 0x4000

/* Go on with this policy. Before the first call there are no children. */
void nested_policy(const struct scheduler_policy *policy);

/* Schedule `child`, which was started so, with params, or change them. Promises
 * are checked against each other, as parts of what this program gets. EINVAL:
 * *why; EAGAIN: no policy was set. */
int nested_set(pid_t child, const struct scheduler_params *params,
               enum scheduler_refusal *why);

/* posix_spawn and nested_set in one; if the latter fails, the child is killed.
 * actions may be NULL. */
int nested_spawn(pid_t *child, const char *path,
                 const posix_spawn_file_actions_t *actions, char *const argv[],
                 const struct scheduler_params *params);

/* Ticks of the counter that the child has had; 0: it is not there. */
uint64_t nested_used(pid_t child);
