/* SPDX-License-Identifier: BSL-1.0
 *
 * mmap, munmap, mprotect, msync. Anonymous memory is a physical region; a file
 * is a stored one, which reads by a number of its own for the open file, so
 * that the descriptor can be closed.
 */
#include <sys/mman.h>

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>

#include <vesper/file.h>
#include <vesper/start.h>

#include "../paging/paging.h"
#include "fd.h"
#include "result.h"
#include "service.h"

struct mapping {
    size_t bytes;
    uint8_t rights;
    bool shared;
    uint64_t offset;
};

/* Who may write may read: the CPU knows no other way. */
static uint8_t rights_of(int protection)
{
    uint8_t rights = 0;

    if ((protection & (PROT_READ | PROT_WRITE)) != 0) {
        rights |= REGION_READ;
    }
    if ((protection & PROT_WRITE) != 0) {
        rights |= REGION_WRITE;
    }
    return rights;
}

static int protection_check(int protection)
{
    if ((protection & ~(PROT_READ | PROT_WRITE | PROT_EXEC)) != 0) {
        return EINVAL;
    }
    return (protection & PROT_EXEC) != 0 ? ENOTSUP : 0;
}

static int arguments_check(size_t bytes, int protection, int flags,
                           off_t offset)
{
    int kind = flags & (MAP_SHARED | MAP_PRIVATE);

    if (bytes == 0 || (kind != MAP_SHARED && kind != MAP_PRIVATE) ||
        offset < 0 || offset % (off_t)PAGE_BYTES != 0) {
        return EINVAL;
    }
    if ((flags & MAP_FIXED) != 0) {
        return ENOTSUP;
    }
    return protection_check(protection);
}

/* ---- files ------------------------------------------------------------- */

static int file_check(struct description *d, const struct mapping *m)
{
    uint32_t type;
    uint32_t access = d->flags & O_ACCMODE;
    int error = posix_description_check(d);

    if (error == 0) {
        error = posix_description_type(d, &type);
    }
    if (error != 0) {
        return error;
    }
    if (type != FILE_REGULAR) {
        return ENODEV;
    }
    if (access == O_WRONLY ||
        (m->shared && access != O_RDWR && (m->rights & REGION_WRITE) != 0)) {
        return EACCES;
    }
    return m->offset + m->bytes < m->offset ? EOVERFLOW : 0;
}

/* The open file once more, for the pager's channel. */
static int file_grant(struct description *d, uint64_t *granted)
{
    struct channel_request r = {.op = FILE_GRANT,
                                .handle = d->handle,
                                .arg = {start_self->id}};
    struct channel_completion answer;
    uint32_t generation = d->generation;
    int error = posix_service_call_of(d->service, &generation, &r, &answer);

    *granted = answer.value[0];
    return error;
}

static int file_map(struct description *d, const struct mapping *m,
                    struct region **r)
{
    struct paging_store *store;
    uint64_t granted;
    bool writes = m->shared && (d->flags & O_ACCMODE) == O_RDWR;
    int error = file_check(d, m);

    if (error == 0) {
        error = file_grant(d, &granted);
    }
    if (error == 0) {
        error = card_open_file(granted, m->offset, writes, &store);
    }
    if (error != 0) {
        return error;
    }
    error = region_stored(m->bytes, m->rights, store, r);
    if (error != 0) {
        store->close(store);
    } else if (m->shared && !writes) {
        (*r)->read_only = true;
    }
    return error;
}

static int map(int fd, int flags, const struct mapping *m, struct region **r)
{
    struct description *d;
    int error;

    if ((flags & MAP_ANONYMOUS) != 0) {
        return region_make(&physical_driver, m->bytes, m->rights, NULL, r);
    }
    error = posix_fd_hold(fd, &d);
    if (error == 0) {
        error = file_map(d, m, r);
        posix_description_drop(d);
    }
    return error;
}

void *mmap(void *address, size_t bytes, int protection, int flags, int fd,
           off_t offset)
{
    struct region *r;
    struct mapping m = {.bytes = bytes,
                        .rights = rights_of(protection),
                        .shared = (flags & MAP_SHARED) != 0,
                        .offset = (uint64_t)offset};
    int error = arguments_check(bytes, protection, flags, offset);

    (void)address;
    if (error == 0) {
        error = map(fd, flags, &m, &r);
    }
    if (error != 0) {
        errno = error;
        return MAP_FAILED;
    }
    return (void *)r->base;
}

/* ---- ranges ------------------------------------------------------------ */

static int range_of(const void *address, size_t bytes, uint64_t *end)
{
    uint64_t base = (uintptr_t)address;

    if (base % PAGE_BYTES != 0 || bytes > UINT64_MAX - base - PAGE_BYTES) {
        return EINVAL;
    }
    *end = (base + bytes + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
    return 0;
}

/* With the lock. The region that has a page at va, and which; or NULL. */
static struct region *page_find(uint64_t va, uint32_t *i)
{
    struct region *r = region_find(va);

    if (r == NULL) {
        return NULL;
    }
    *i = (uint32_t)((va - r->base) / PAGE_BYTES);
    return r->page[*i].hole ? NULL : r;
}

/* With the lock. */
static bool is_mapped(uint64_t va, uint64_t end)
{
    uint32_t i;

    while (va < end && page_find(va, &i) != NULL) {
        va += PAGE_BYTES;
    }
    return va >= end;
}

/* With the lock: all dirty pages there to their files. */
static int range_clean(uint64_t va, uint64_t end)
{
    uint32_t i;
    int first_error = 0;

    for (; va < end; va += PAGE_BYTES) {
        struct region *r = page_find(va, &i);

        if (r != NULL && r->driver == &paged_driver) {
            uint32_t last = i + (uint32_t)((end - va) / PAGE_BYTES);
            int error = paged_sync(r, i, last < r->pages ? last : r->pages);

            first_error = first_error == 0 ? error : first_error;
            va = r->base + (uint64_t)(r->pages - 1) * PAGE_BYTES;
        }
    }
    return first_error;
}

int munmap(void *address, size_t bytes)
{
    uint64_t end;
    uint32_t i;
    int error = bytes != 0 ? range_of(address, bytes, &end) : EINVAL;

    if (error != 0) {
        return result(error);
    }
    mutex_lock(&paging_lock);
    (void)range_clean((uintptr_t)address, end);
    for (uint64_t va = (uintptr_t)address; va < end; va += PAGE_BYTES) {
        struct region *r = page_find(va, &i);

        if (r != NULL) {
            region_cut(r, i);
        }
    }
    mutex_unlock(&paging_lock);
    return 0;
}

/* With the lock. */
static int range_protect(uint64_t va, uint64_t end, uint8_t rights)
{
    uint32_t i;

    for (; va < end; va += PAGE_BYTES) {
        struct region *r = page_find(va, &i);

        if (r->read_only && (rights & REGION_WRITE) != 0) {
            return EACCES;
        }
        r->page[i].rights = rights;
        region_hide(r, i); /* shown anew when it is touched */
    }
    return 0;
}

int mprotect(void *address, size_t bytes, int protection)
{
    uint64_t end, va = (uintptr_t)address;
    int error = protection_check(protection);

    if (error == 0) {
        error = range_of(address, bytes, &end);
    }
    if (error != 0) {
        return result(error);
    }
    mutex_lock(&paging_lock);
    error = is_mapped(va, end) ? range_protect(va, end, rights_of(protection))
                               : ENOMEM;
    mutex_unlock(&paging_lock);
    return result(error);
}

int msync(void *address, size_t bytes, int flags)
{
    uint64_t end, va = (uintptr_t)address;
    int error = range_of(address, bytes, &end);

    if ((flags & ~(MS_ASYNC | MS_SYNC | MS_INVALIDATE)) != 0 ||
        (flags & (MS_ASYNC | MS_SYNC)) == (MS_ASYNC | MS_SYNC)) {
        error = EINVAL;
    }
    if (error != 0) {
        return result(error);
    }
    mutex_lock(&paging_lock);
    error = is_mapped(va, end) ? range_clean(va, end) : ENOMEM;
    mutex_unlock(&paging_lock);
    return result(error);
}
