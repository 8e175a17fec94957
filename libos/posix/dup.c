/* SPDX-License-Identifier: BSL-1.0
 *
 * Second names for open files: dup, dup2, dup3, and what fcntl does with them.
 */
#define _GNU_SOURCE /* dup3 */
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <unistd.h>
#include <vesper/root_call.h>

#include "fd.h"
#include "result.h"

static int dup_from(int fd, int lowest, bool close_on_exec)
{
    struct description *d;
    int copy;
    int error = posix_fd_hold(fd, &d);

    if (error != 0) {
        return result(error);
    }
    error = posix_fd_take(d, lowest, close_on_exec, &copy);
    if (error != 0) {
        posix_description_drop(d);
        return result(error);
    }
    return copy;
}

int dup(int fd)
{
    return dup_from(fd, 0, false);
}

static int dup_to(int fd, int to, bool close_on_exec)
{
    struct description *d;
    int error = posix_fd_hold(fd, &d);

    if (error != 0) {
        return result(error);
    }
    if (fd == to) {
        posix_description_drop(d);
        return to;
    }
    error = posix_fd_put(d, to, close_on_exec);
    if (error != 0) {
        posix_description_drop(d);
        return result(error);
    }
    return to;
}

int dup2(int fd, int to)
{
    return dup_to(fd, to, false);
}

int dup3(int fd, int to, int flags)
{
    if (fd == to || (flags & ~O_CLOEXEC) != 0) {
        return result(EINVAL);
    }
    return dup_to(fd, to, (flags & O_CLOEXEC) != 0);
}

#define FLAGS_OF_OPENING                                                       \
    (O_ACCMODE | O_CREAT | O_EXCL | O_TRUNC | O_NOCTTY | O_DIRECTORY)

static int flags_get(int fd)
{
    struct description *d;
    int flags;
    int error = posix_fd_hold(fd, &d);

    if (error != 0) {
        return result(error);
    }
    flags = (int)d->flags & (O_ACCMODE | O_APPEND | O_SYNC);
    posix_description_drop(d);
    return flags;
}

/* What a file was opened with stays: O_NONBLOCK and the like are EINVAL. */
static int flags_set(int fd, int flags)
{
    int now = flags_get(fd);

    if (now < 0) {
        return -1;
    }
    if (((flags ^ now) & ~FLAGS_OF_OPENING) != 0) {
        return result(EINVAL);
    }
    return 0;
}

static int exec_flag_get(int fd)
{
    bool close_on_exec;
    int error = posix_fd_close_on_exec(fd, &close_on_exec);

    return error != 0 ? result(error) : (close_on_exec ? FD_CLOEXEC : 0);
}

int fcntl(int fd, int command, ...)
{
    va_list arguments;
    int value;

    va_start(arguments, command);
    value = va_arg(arguments, int);
    va_end(arguments);
    switch (command) {
    case F_DUPFD:
        return dup_from(fd, value, false);
    case F_DUPFD_CLOEXEC:
        return dup_from(fd, value, true);
    case F_GETFD:
        return exec_flag_get(fd);
    case F_SETFD:
        return result(
            posix_fd_set_close_on_exec(fd, (value & FD_CLOEXEC) != 0));
    case F_GETFL:
        return flags_get(fd);
    case F_SETFL:
        return flags_set(fd, value);
    case F_GETLK:
    case F_SETLK:
    case F_SETLKW:
        return unimplemented("fcntl (locks)");
    default:
        return result(EINVAL);
    }
}
