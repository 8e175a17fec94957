/* SPDX-License-Identifier: BSL-1.0
 *
 * What a program may ask about the system: sysconf, pathconf, identities,
 * umask. There is one user, who may do everything that the capabilities allow.
 */
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <vesper/root.h>
#include <vesper/root_call.h>

#include "fd.h"
#include "path.h"
#include "result.h"

#define PAGE_SIZE_BYTES 4096

/* Physical memory in pages: word 1 all of it, word 4 what is free. */
static long memory_pages(unsigned word)
{
    uint64_t w[8] = {ROOT_USAGE};
    int error = root_call(w, 0);

    return error != 0 ? result(error) : (long)(w[word] / PAGE_SIZE_BYTES);
}

long sysconf(int name)
{
    switch (name) {
    case _SC_PAGESIZE:
        return PAGE_SIZE_BYTES;
    case _SC_CLK_TCK:
        return CLOCKS_PER_SEC;
    case _SC_OPEN_MAX:
    case _SC_STREAM_MAX:
        return FD_MAX;
    case _SC_NPROCESSORS_CONF:
    case _SC_NPROCESSORS_ONLN:
        return 1; /* a domain's threads share one core */
    case _SC_PHYS_PAGES:
        return memory_pages(1);
    case _SC_AVPHYS_PAGES:
        return memory_pages(4);
    case _SC_ARG_MAX:
        return 1 << 20;
    case _SC_MONOTONIC_CLOCK:
    case _SC_TIMERS:
    case _SC_THREADS:
    case _SC_BARRIERS:
    case _SC_READER_WRITER_LOCKS:
    case _SC_SEMAPHORES:
    case _SC_THREAD_CPUTIME:
    case _SC_FSYNC:
    case _SC_SPAWN:
        return 200809L;
    case _SC_TTY_NAME_MAX:
        return 16;
    default:
        return result(EINVAL);
    }
}

long pathconf(const char *path, int name)
{
    (void)path;
    switch (name) {
    case _PC_NAME_MAX:
        return 255;
    case _PC_PATH_MAX:
        return PATH_BYTES;
    case _PC_LINK_MAX:
    case _PC_NO_TRUNC:
        return 1;
    case _PC_PIPE_BUF:
        return 512;
    default:
        return result(EINVAL);
    }
}

long fpathconf(int fd, int name)
{
    (void)fd;
    return pathconf("/", name);
}

int getdtablesize(void)
{
    return FD_MAX;
}

uid_t getuid(void)
{
    return 0;
}

uid_t geteuid(void)
{
    return 0;
}

gid_t getgid(void)
{
    return 0;
}

gid_t getegid(void)
{
    return 0;
}

/* Kept for those who ask, used by nobody: FAT has no rights to mask. */
mode_t umask(mode_t wanted)
{
    static mode_t mask = 022;
    mode_t old = mask;

    mask = wanted & ACCESSPERMS;
    return old;
}
