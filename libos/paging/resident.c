/* SPDX-License-Identifier: BSL-1.0
 *
 * Which pages of paged regions are in memory: two lists, first in first out.
 * Pages at the end of the active list are hidden, not given away; who touches a
 * hidden one gets it back without the card and at the head of the active list.
 * What nobody touched until it is the oldest of the hidden ones goes. So the
 * order comes near to "least recently used", without a bit that says so, which
 * this CPU does not have (segmented FIFO: Turner and Levy, 1981).
 */
#include "paging.h"

#include <stddef.h>

#define FRAMES_MIN   16u
#define FRAMES_MAX   16384u
#define FRAMES_START 512u
#define HIDDEN_PART  4u /* one page in so many is hidden */

struct frame_list {
    struct frame *first, *last;
    uint32_t count;
};

static struct frame_list active, hidden;
struct paging_counts counts = {.limit = FRAMES_START};

static void list_push(struct frame_list *list, struct frame *f)
{
    f->list = list;
    f->next = NULL;
    f->previous = list->last;
    *(list->last != NULL ? &list->last->next : &list->first) = f;
    list->last = f;
    list->count++;
}

static void list_take(struct frame *f)
{
    struct frame_list *list = f->list;
    *(f->previous != NULL ? &f->previous->next : &list->first) = f->next;
    *(f->next != NULL ? &f->next->previous : &list->last) = f->previous;
    f->list = NULL;
    list->count--;
}

static void hide_oldest(void)
{
    struct frame *f = active.first;
    region_hide(f->region, f->page);
    list_take(f);
    list_push(&hidden, f);
}

/* Its page is in memory no more. The contents of a frame that was taken from us
 * cannot be written out, but the store has those of a clean page. */
static void page_out(struct frame *f)
{
    struct region *r = f->region;
    region_hide(r, f->page);
    if (f->dirty &&
        (frame_is_gone(f) || paged_clean(r, f->page, r->pages) != 0)) {
        r->page[f->page].lost = true;
        counts.lost++;
    }
    list_take(f);
    r->page[f->page].frame = NULL;
    f->used = true;
    f->dirty = f->mapped = false;
}

void resident_evict(struct frame *f)
{
    page_out(f);
    counts.frames--;
}

/* The frame of the page that is to go, in no list; or NULL. */
static struct frame *evict(void)
{
    if (hidden.first == NULL && active.first != NULL) {
        hide_oldest();
    }
    struct frame *f = hidden.first;
    if (f != NULL) {
        page_out(f);
    }
    return f;
}

struct frame *resident_take(void)
{
    struct frame *f = NULL;
    if (counts.frames < counts.limit) {
        f = paging_take_any(true);
        counts.frames += f != NULL;
    }
    return f != NULL ? f : evict();
}

void resident_give(struct frame *f)
{
    if (f->list != NULL) {
        list_take(f);
        counts.frames--;
    }
    paging_give(f);
}

void resident_return(struct frame *f)
{
    counts.frames--;
    paging_give(f);
}

void resident_enter(struct frame *f, struct region *r, uint32_t i)
{
    f->region = r;
    f->page = i;
    f->dirty = false;
    r->page[i].frame = f;
    list_push(&active, f);
}

void resident_touch(struct frame *f)
{
    if (f->list == &hidden) {
        counts.soft++;
        list_take(f);
        list_push(&active, f);
    }
}

void resident_nail(struct frame *f)
{
    if (f->list != NULL) {
        list_take(f);
        counts.frames--;
    }
}

void resident_balance(void)
{
    while (counts.frames > counts.limit) {
        struct frame *f = evict();
        if (f == NULL) {
            break;
        }
        counts.frames--;
        paging_give(f);
    }
    while (active.count > 0 && hidden.count < counts.frames / HIDDEN_PART) {
        hide_oldest();
    }
}

void paging_limit(uint32_t frames)
{
    mutex_lock(&paging_lock);
    counts.limit = frames < FRAMES_MIN   ? FRAMES_MIN
                   : frames > FRAMES_MAX ? FRAMES_MAX
                                         : frames;
    mutex_unlock(&paging_lock);
}

void paging_counts(struct paging_counts *out)
{
    mutex_lock(&paging_lock);
    *out = counts;
    out->free = frames_free();
    mutex_unlock(&paging_lock);
}
