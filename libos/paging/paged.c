/* SPDX-License-Identifier: BSL-1.0
 *
 * Regions whose contents lie in a store. A clean page is shown read-only; the
 * fault of the first write makes it dirty. Pages travel in rows: of who reads
 * one page after the other, the next ones are fetched along; dirty neighbours
 * are written together.
 */
#include "paging.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TRIES 4u /* as often may a frame be taken in one fault */

static struct paging_store *store_of(const struct region *r)
{
    return r->state;
}

/* ---- in ---------------------------------------------------------------- */

static bool follows(const struct region *r, uint32_t i, uint32_t k)
{
    const struct page *p = &r->page[i + k];
    return !p->hole && p->frame == NULL && p->stored && !p->lost &&
           p->rights != 0 && p->place == r->page[i].place + k;
}

/* How many pages to fetch: more than one, if they are wanted one after the
 * other. */
static uint32_t row_in(const struct region *r, uint32_t i)
{
    uint32_t n = 1;
    if (r->page[i].stored && i == r->next_read) {
        while (n < PAGING_ROW && i + n < r->pages && follows(r, i, n)) {
            n++;
        }
    }
    return n;
}

/* Have n pages in the buffer; *got: how many bytes are there. */
static int fetch(const struct region *r, uint32_t i, uint32_t n, size_t *got)
{
    struct paging_store *s = store_of(r);
    void *to = paging_buffer();
    size_t bytes = n * PAGE_BYTES;
    *got = 0;
    if (to == NULL) {
        return ENOMEM;
    }
    int error = s->read(s, r->page[i].place, to, bytes, got);
    if (error == 0 && *got == 0) {
        error = ENXIO;
    }
    counts.reads += n;
    return error;
}

/* Fill n frames: with `got` bytes of the buffer, then zeros. */
static int fill(struct frame *const f[], uint32_t n, size_t got)
{
    char *to = paging_peek(f, n);
    if (to == NULL) {
        return ENOMEM;
    }
    memcpy(to, paging_buffer(), got);
    memset(to + got, 0, n * PAGE_BYTES - got);
    /* One that was taken meanwhile is missed when it is to be shown. */
    (void)paging_unpeek(f, n);
    return 0;
}

static int page_in(struct region *r, uint32_t i)
{
    struct frame *f[PAGING_ROW];
    uint32_t wanted = row_in(r, i), n = 0;
    size_t got = 0;
    while (n < wanted && (f[n] = resident_take()) != NULL) {
        n++;
    }
    int error = n == 0 ? ENOMEM : 0;
    if (error == 0 && r->page[i].stored) {
        error = fetch(r, i, n, &got);
    }
    if (error == 0) {
        error = fill(f, n, got);
    }
    for (uint32_t k = 0; k < n; k++) {
        if (error == 0 && (k == 0 || k * PAGE_BYTES < got)) {
            resident_enter(f[k], r, i + k);
            (void)region_show(r, i + k, f[k], REGION_READ);
        } else {
            resident_return(f[k]);
        }
    }
    r->next_read = i + n;
    return error;
}

/* What cannot be written out must not lie in memory that is only lent. */
static int keep(struct region *r, uint32_t i)
{
    struct frame *from = r->page[i].frame, *to = from;
    if (from->list == NULL) {
        return 0;
    }
    region_hide(r, i);
    if (frame_is_lent(from)) {
        to = paging_take_any(false);
        if (to == NULL) {
            return ENOMEM;
        }
        struct frame *both[] = {to, from};
        char *at = paging_peek(both, 2);
        if (at == NULL) {
            paging_give(to);
            return ENOMEM;
        }
        memcpy(at, at + PAGE_BYTES, PAGE_BYTES);
        if (!paging_unpeek(both, 2)) {
            paging_give(to);
            return EAGAIN;
        }
        resident_give(from);
        to->dirty = true;
    } else {
        resident_nail(from);
    }
    r->page[i].frame = to;
    return 0;
}

/* EAGAIN: its frame was taken from us. */
static int show(struct region *r, uint32_t i, bool write)
{
    struct page *p = &r->page[i];
    if (p->lost) {
        return EIO;
    }
    int error = p->frame == NULL ? page_in(r, i) : 0;
    if (error == 0 && write && store_of(r)->write == NULL) {
        error = keep(r, i);
    }
    if (error != 0) {
        return error;
    }
    struct frame *f = p->frame;
    if (f == NULL) {
        return EIO;
    }
    bool dirty = f->dirty || write;
    if (region_show(r, i, f, dirty ? p->rights : REGION_READ) != 0) {
        return EAGAIN;
    }
    f->dirty = dirty;
    resident_touch(f);
    return 0;
}

static int fault(struct region *r, uint32_t i, bool write)
{
    int error = EAGAIN;
    for (uint32_t tries = 0; tries < TRIES && error == EAGAIN; tries++) {
        const struct frame *f = r->page[i].frame;
        if (tries > 0 || (f != NULL && frame_is_gone(f))) {
            banks_sweep();
        }
        error = show(r, i, write);
    }
    resident_balance();
    return error == EAGAIN ? EIO : error;
}

/* ---- out --------------------------------------------------------------- */

/* Page i + k goes in one row with page i; gives it a place if it has none. */
static bool joins(struct region *r, uint32_t i, uint32_t k)
{
    struct paging_store *s = store_of(r);
    struct page *p = &r->page[i + k];
    if (p->frame == NULL || !p->frame->dirty || p->frame->mapped) {
        return false;
    }
    bool place = s->scratch && !p->stored;
    if (k > 0 && (place ? s->placed : p->place) != r->page[i].place + k) {
        return false;
    }
    if (place) {
        p->place = s->placed++;
    }
    return true;
}

static int copy_out(struct frame *const f[], uint32_t n)
{
    void *to = paging_buffer();
    const char *from = to != NULL ? paging_peek(f, n) : NULL;
    if (from == NULL) {
        return ENOMEM;
    }
    memcpy(to, from, n * PAGE_BYTES);
    return paging_unpeek(f, n) ? 0 : EIO;
}

int paged_clean(struct region *r, uint32_t i, uint32_t end)
{
    struct paging_store *s = store_of(r);
    struct frame *f[PAGING_ROW];
    uint32_t n = 0;
    if (s->write == NULL) {
        return 0;
    }
    while (n < PAGING_ROW && i + n < end && joins(r, i, n)) {
        f[n] = r->page[i + n].frame;
        n++;
    }
    if (n == 0) {
        return 0;
    }
    int error = copy_out(f, n);
    if (error == 0) {
        error = s->write(s, r->page[i].place, paging_buffer(), n * PAGE_BYTES);
    }
    for (uint32_t k = 0; k < n && error == 0; k++) {
        f[k]->dirty = false;
        r->page[i + k].stored = true;
        counts.writes++;
    }
    return error;
}

int paged_sync(struct region *r, uint32_t i, uint32_t end)
{
    struct paging_store *s = store_of(r);
    int first_error = 0;
    for (uint32_t k = i; k < end; k++) {
        if (r->page[k].frame != NULL && r->page[k].frame->dirty) {
            region_hide(r, k);
        }
    }
    for (uint32_t k = i; k < end; k++) {
        if (r->page[k].frame != NULL && r->page[k].frame->dirty) {
            int error = paged_clean(r, k, end);
            first_error = first_error == 0 ? error : first_error;
        }
    }
    if (first_error == 0 && s->write != NULL && s->sync != NULL) {
        first_error = s->sync(s);
    }
    return first_error;
}

static void drop(struct region *r, uint32_t i)
{
    struct frame *f = r->page[i].frame;
    if (f == NULL) {
        return;
    }
    if (f->dirty && !store_of(r)->scratch && paged_clean(r, i, i + 1) != 0) {
        counts.lost++;
    }
    resident_give(f);
}

static void close_store(struct region *r)
{
    struct paging_store *s = store_of(r);
    s->close(s);
}

const struct region_driver paged_driver = {"paged", fault, NULL, drop,
                                           close_store};

int region_stored(size_t bytes, uint8_t rights, struct paging_store *store,
                  struct region **out)
{
    int error = region_make(&paged_driver, bytes, rights, store, out);
    for (uint32_t i = 0; error == 0 && !store->scratch && i < (*out)->pages;
         i++) {
        (*out)->page[i].stored = true;
        (*out)->page[i].place = i;
    }
    return error;
}

int region_paged(size_t bytes, const char *path, void **out)
{
    struct paging_store *store;
    struct region *r;
    int error = bytes != 0 ? card_scratch(path, &store) : EINVAL;
    if (error != 0) {
        return error;
    }
    error = region_stored(bytes, REGION_READ | REGION_WRITE, store, &r);
    if (error != 0) {
        store->close(store);
        return error;
    }
    *out = (void *)r->base;
    return 0;
}
