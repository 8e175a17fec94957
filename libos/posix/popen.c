/* SPDX-License-Identifier: BSL-1.0
 *
 * popen and pclose: a command line with a pipe to it or from it.
 */
#define _GNU_SOURCE /* pipe2 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>
#include <vesper/thread.h>

#include "command.h"
#include "fd.h"
#include "signal_state.h"

/* Who feeds or reads a descriptor's pipe. */
static struct mutex lock;
static struct {
    FILE *stream; /* NULL: not in use; guarded by lock */
    pid_t child;
} commands[FD_MAX];

/* `theirs` becomes the command's fd 0 or 1; the other end it does not get. */
static int command_start(pid_t *child, const char *command, int theirs, int fd)
{
    posix_spawn_file_actions_t actions;
    int error = posix_spawn_file_actions_init(&actions);

    if (error != 0) {
        return error;
    }
    error = posix_spawn_file_actions_adddup2(&actions, theirs, fd);
    if (error == 0) {
        error = posix_command_start(child, command, &actions);
    }
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

static void remember(FILE *stream, pid_t child)
{
    posix_signal_hold();
    mutex_lock(&lock);
    commands[fileno(stream)].stream = stream;
    commands[fileno(stream)].child = child;
    mutex_unlock(&lock);
    posix_signal_release();
}

/* The command's pid, forgotten from now on; 0: not one of popen's. */
static pid_t forget(FILE *stream)
{
    int fd = fileno(stream);
    pid_t child = 0;

    posix_signal_hold();
    mutex_lock(&lock);
    if (fd >= 0 && fd < FD_MAX && commands[fd].stream == stream) {
        child = commands[fd].child;
        commands[fd].stream = NULL;
    }
    mutex_unlock(&lock);
    posix_signal_release();
    return child;
}

static FILE *stream_open(int ours, int theirs, const char *command,
                         bool reading)
{
    FILE *stream = fdopen(ours, reading ? "r" : "w");
    pid_t child;
    int error = stream != NULL ? 0 : errno;

    if (error == 0) {
        error = command_start(&child, command, theirs, reading ? 1 : 0);
    }
    close(theirs);
    if (error == 0) {
        remember(stream, child);
        return stream;
    }
    if (stream != NULL) {
        fclose(stream);
    } else {
        close(ours);
    }
    errno = error;
    return NULL;
}

FILE *popen(const char *command, const char *mode)
{
    bool reading = mode[0] == 'r';
    int ends[2];

    if ((mode[0] != 'r' && mode[0] != 'w') || mode[1] != '\0') {
        errno = EINVAL;
        return NULL;
    }
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return NULL;
    }
    return reading ? stream_open(ends[0], ends[1], command, true)
                   : stream_open(ends[1], ends[0], command, false);
}

int pclose(FILE *stream)
{
    pid_t child = forget(stream);

    if (child == 0) {
        errno = EINVAL;
        return -1;
    }
    fclose(stream);
    return posix_command_wait(child);
}
