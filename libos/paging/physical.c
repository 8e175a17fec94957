/* SPDX-License-Identifier: BSL-1.0
 *
 * Physical regions get a frame at the first touch of a page; nailed ones are
 * those, touched at once.
 */
#include "paging.h"

#include <errno.h>

static int fault(struct region *r, uint32_t i, bool write)
{
    struct page *p = &r->page[i];
    struct frame *f = p->frame != NULL ? p->frame : paging_take();
    (void)write;
    if (f == NULL) {
        return ENOMEM;
    }
    return region_show(r, i, f, p->rights);
}

static bool at_once(struct region *r, uint32_t i, bool write)
{
    struct page *p = &r->page[i];
    struct frame *f = p->frame != NULL ? p->frame : paging_take_at_once();
    (void)write;
    return f != NULL && region_show(r, i, f, p->rights) == 0;
}

static void drop(struct region *r, uint32_t i)
{
    if (r->page[i].frame != NULL) {
        paging_give(r->page[i].frame);
    }
}

const struct region_driver physical_driver = {"physical", fault, at_once, drop,
                                              NULL};
static const struct region_driver nailed = {"nailed", fault, at_once, drop,
                                            NULL};

static int region_of(const struct region_driver *driver, size_t bytes,
                     struct region **r, void **out)
{
    int error = region_make(driver, bytes, REGION_READ | REGION_WRITE, NULL, r);
    if (error == 0) {
        *out = (void *)(*r)->base;
    }
    return error;
}

int region_physical(size_t bytes, void **out)
{
    struct region *r;
    return region_of(&physical_driver, bytes, &r, out);
}

int region_nailed(size_t bytes, void **out)
{
    struct region *r;
    int error = region_of(&nailed, bytes, &r, out);
    if (error != 0) {
        return error;
    }
    mutex_lock(&paging_lock);
    for (uint32_t i = 0; i < r->pages && error == 0; i++) {
        error = fault(r, i, true);
    }
    mutex_unlock(&paging_lock);
    if (error != 0) {
        (void)region_free(*out);
    }
    return error;
}
