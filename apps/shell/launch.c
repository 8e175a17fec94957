/* SPDX-License-Identifier: BSL-1.0 */
/* posix_spawn() for the shell; the contract is in launch.h. */
#include "launch.h"
#include "descriptors.h"
#include "lookup.h"
#include "output.h"
#include "state.h"

#include "../tools/path.h"

#include <errno.h>
#include <spawn.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

/* 0 or an error number, as posix_spawn() itself. */
static int spawn(const char *path, char **argv, const int fds[3], pid_t *pid)
{
    posix_spawn_file_actions_t actions;
    int error = posix_spawn_file_actions_init(&actions);

    if (error != 0) {
        return error;
    }
    for (int i = 0; i < 3 && error == 0; i++) {
        if (fds[i] != i) {
            error = posix_spawn_file_actions_adddup2(&actions, fds[i], i);
        }
    }
    if (error == 0) {
        error = descriptors_exclude(&actions);
    }
    if (error == 0) {
        error = posix_spawn(pid, path, &actions, NULL, argv, environ);
    }
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

/* What is being started, and the first error that means more than "none". */
struct launch {
    char **argv;
    const int *fds;
    pid_t *pid;
    int error;
};

static const char *error_text(int error)
{
    if (error == ENOEXEC) {
        return "not a program for this machine";
    }
    return strerror(error);
}

static int launch_report(const struct launch *launch)
{
    if (launch->error == 0) {
        return 0;
    }
    output_text(launch->fds[2], "%s: %s\n", launch->argv[0],
                error_text(launch->error));
    return launch->error == ENOENT ? STATUS_NOT_FOUND : STATUS_NOT_RUNNABLE;
}

static int launch_path(const char *path, char **argv, const int fds[3],
                       pid_t *pid)
{
    struct launch launch = {.argv = argv, .fds = fds, .pid = pid};

    launch.error = spawn(path, argv, fds, pid);
    if (launch.error != 0 && path_is_directory(path)) {
        launch.error = EISDIR;
    }
    return launch_report(&launch);
}

/* The program is not in this directory of the search path. */
static bool is_absent(int error, const char *path)
{
    return error == ENOENT || error == ENOTDIR || error == ENOMEDIUM ||
           (error != 0 && path_is_directory(path));
}

/* True ends the search: it runs, or it is there and cannot be run. */
static bool launch_from(const char *directory, void *context)
{
    struct launch *launch = context;
    char path[PATH_BYTES];

    if (!path_join(path, sizeof(path), directory, launch->argv[0])) {
        launch->error = ENAMETOOLONG;
        return true;
    }
    launch->error = spawn(path, launch->argv, launch->fds, launch->pid);
    return !is_absent(launch->error, path);
}

int launch_program(char **argv, const int fds[3], pid_t *pid)
{
    struct launch launch = {.argv = argv, .fds = fds, .pid = pid};
    const char *path = lookup_fixed(argv[0]);

    if (path != NULL) {
        return launch_path(path, argv, fds, pid);
    }
    if (argv[0][0] != '\0' && lookup_directories(launch_from, &launch)) {
        return launch_report(&launch);
    }
    output_text(fds[2], "%s: command not found\n", argv[0]);
    return STATUS_NOT_FOUND;
}

int launch_shell(const char *text, const int fds[3], pid_t *pid)
{
    char name[] = "sh";
    char option[] = "-c";
    char *argv[] = {name, option, (char *)text, NULL};

    return launch_path(lookup_shell(), argv, fds, pid);
}
