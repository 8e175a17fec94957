/* SPDX-License-Identifier: BSL-1.0
 *
 * Memory mappings, over the regions of <vesper/paging.h>. What differs from
 * POSIX: PROT_EXEC and MAP_FIXED fail with ENOTSUP; two mappings of one file
 * are two copies, which meet in the file at msync and munmap. A handler for
 * SIGBUS and SIGSEGV (<vesper/fault.h>) is called if paging_on_fault set none.
 */
#pragma once

#include <sys/types.h>

#define PROT_NONE  0
#define PROT_READ  1
#define PROT_WRITE 2
#define PROT_EXEC  4

#define MAP_SHARED    1
#define MAP_PRIVATE   2
#define MAP_FIXED     16
#define MAP_ANONYMOUS 32
#define MAP_ANON      MAP_ANONYMOUS
#define MAP_FAILED    ((void *)-1)

#define MS_ASYNC      1
#define MS_INVALIDATE 2
#define MS_SYNC       4

/* address is only a wish, and not heeded. EINVAL, EBADF, EACCES, ENODEV (no
 * regular file), ENOMEM, ENOTSUP, EOVERFLOW. */
void *mmap(void *address, size_t bytes, int protection, int flags, int fd,
           off_t offset);
/* EINVAL */
int munmap(void *address, size_t bytes);
/* EINVAL, ENOMEM (not mapped), EACCES (a file that cannot be written),
 * ENOTSUP */
int mprotect(void *address, size_t bytes, int protection);
/* MS_ASYNC writes at once, too. EINVAL, ENOMEM (not mapped), EIO */
int msync(void *address, size_t bytes, int flags);
