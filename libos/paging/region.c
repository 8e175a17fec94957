/* SPDX-License-Identifier: BSL-1.0
 *
 * Regions: made, found, shown, cut, freed. The list is changed with the lock
 * and masked, so that the upcall handler may walk it.
 */
#include "paging.h"

#include <errno.h>
#include <stdlib.h>

#include <vesper/frames.h>

#include "../core/page.h"
#include "fault.h"

struct mutex paging_lock;
static struct region *regions;

struct region *region_find(uint64_t address)
{
    struct region *r = regions;
    while (r != NULL &&
           (address < r->base || address - r->base >= r->pages * PAGE_BYTES)) {
        r = r->next;
    }
    return r;
}

static void list_add(struct region *r)
{
    upcall_mask();
    r->next = regions;
    regions = r;
    upcall_unmask();
}

static void list_drop(const struct region *r)
{
    struct region **link = &regions;
    upcall_mask();
    while (*link != r) {
        link = &(*link)->next;
    }
    *link = r->next;
    upcall_unmask();
}

/* With the lock. */
static int region_place(struct region *r, uint8_t rights)
{
    r->page = calloc(r->pages, sizeof(*r->page));
    r->base = r->page != NULL ? arena_take(r->pages) : 0;
    if (r->base == 0) {
        free(r->page);
        return ENOMEM;
    }
    for (uint32_t i = 0; i < r->pages; i++) {
        r->page[i].rights = rights;
    }
    list_add(r);
    return 0;
}

int region_make(const struct region_driver *driver, size_t bytes,
                uint8_t rights, void *state, struct region **out)
{
    size_t pages = bytes / PAGE_BYTES + (bytes % PAGE_BYTES != 0);
    if (bytes == 0) {
        return EINVAL;
    }
    if (pages > UINT32_MAX / PAGE_BYTES || !fault_start()) {
        return ENOMEM;
    }
    struct region *r = calloc(1, sizeof(*r));
    if (r == NULL) {
        return ENOMEM;
    }
    r->driver = driver;
    r->pages = (uint32_t)pages;
    r->state = state;
    mutex_lock(&paging_lock);
    int error = region_place(r, rights);
    mutex_unlock(&paging_lock);
    if (error != 0) {
        free(r);
        return error;
    }
    *out = r;
    return 0;
}

static uint64_t page_address(const struct region *r, uint32_t i)
{
    return r->base + i * PAGE_BYTES;
}

int region_show(struct region *r, uint32_t i, struct frame *f, uint8_t rights)
{
    uint64_t va = page_address(r, i);
    uint64_t how =
        rights & REGION_WRITE ? RIGHT_READ | RIGHT_WRITE : RIGHT_READ;
    cptr_t slot = frame_slot(f);
    enum abi_error e = f->mapped
                           ? frames_protect(slot, how, 1)
                           : frames_map(slot, arena_stretch(va), va, how, 1);
    f->mapped = f->mapped || e == ERR_OK;
    r->page[i].frame = f;
    return e == ERR_OK ? 0 : EIO;
}

void region_hide(struct region *r, uint32_t i)
{
    struct frame *f = r->page[i].frame;
    if (f != NULL && f->mapped) {
        (void)frames_unmap(frame_slot(f), 1);
        f->mapped = false;
    }
}

/* With the lock. */
static void region_end(struct region *r)
{
    list_drop(r);
    arena_give(r->base, r->pages);
    if (r->driver->close != NULL) {
        r->driver->close(r);
    }
    free(r->page);
    free(r);
}

bool region_cut(struct region *r, uint32_t i)
{
    struct page *p = &r->page[i];
    if (p->hole) {
        return true;
    }
    region_hide(r, i);
    if (r->driver->drop != NULL) {
        r->driver->drop(r, i);
    }
    *p = (struct page){.hole = true};
    if (++r->holes < r->pages) {
        return true;
    }
    region_end(r);
    return false;
}

int region_renew(void *address)
{
    mutex_lock(&paging_lock);
    struct region *r = region_find((uintptr_t)address);
    if (r != NULL) {
        r->page[((uintptr_t)address - r->base) / PAGE_BYTES].lost = false;
    }
    mutex_unlock(&paging_lock);
    return r != NULL ? 0 : EINVAL;
}

int region_free(void *address)
{
    int error = EINVAL;
    mutex_lock(&paging_lock);
    struct region *r = region_find((uintptr_t)address);
    if (r != NULL && r->base == (uintptr_t)address) {
        for (uint32_t i = 0; region_cut(r, i); i++) {
        }
        error = 0;
    }
    mutex_unlock(&paging_lock);
    return error;
}
