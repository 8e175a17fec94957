/* SPDX-License-Identifier: BSL-1.0
 *
 * POSIX functions that Vesper does not have but that a program can go on
 * without: each fails with ENOSYS and says its name once on the console.
 *
 * Those that no program can do without (fork, exec) are not even here, so
 * that linking fails and names them.
 */
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/types.h>
#include <unistd.h>
#include <vesper/root_call.h>

int link(const char *from, const char *to)
{
    (void)from;
    (void)to;
    return unimplemented("link");
}

int symlink(const char *from, const char *to)
{
    (void)from;
    (void)to;
    return unimplemented("symlink");
}

ssize_t readlink(const char *restrict path, char *restrict out, size_t bytes)
{
    (void)path;
    (void)out;
    (void)bytes;
    return unimplemented("readlink");
}

int chmod(const char *path, mode_t mode)
{
    (void)path;
    (void)mode;
    return unimplemented("chmod");
}

int fchmod(int fd, mode_t mode)
{
    (void)fd;
    (void)mode;
    return unimplemented("fchmod");
}

int chown(const char *path, uid_t owner, gid_t group)
{
    (void)path;
    (void)owner;
    (void)group;
    return unimplemented("chown");
}

int fchown(int fd, uid_t owner, gid_t group)
{
    (void)fd;
    (void)owner;
    (void)group;
    return unimplemented("fchown");
}

int utimes(const char *path, const struct timeval when[2])
{
    (void)path;
    (void)when;
    return unimplemented("utimes");
}

int mkfifo(const char *path, mode_t mode)
{
    (void)path;
    (void)mode;
    return unimplemented("mkfifo");
}

int fchdir(int fd)
{
    (void)fd;
    return unimplemented("fchdir");
}
