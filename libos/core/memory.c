/* SPDX-License-Identifier: BSL-1.0
 *
 * Maps, stacks and runs. Addresses are handed out once, in ascending order: a
 * stale pointer then faults. Only the stretches of runs are used again, after
 * the longest time, because every start of a program needs one. Whole slots are
 * one frame of 2 MiB each, if there is such a piece of memory.
 */
#include "memory.h"

#include <errno.h>
#include <string.h>

#include <vesper/frames.h>
#include <vesper/memory.h>
#include <vesper/thread.h>

#include "object.h"
#include "page.h"

#define FRAME_BYTES (1ull << BIG_FRAME_LOG2)
#define RUN_FRAMES  (STRETCH_BYTES / FRAME_BYTES)
#define RUNS_MAX    8u
#define HEAP_SLOTS  32u /* 64 MiB */
#define SMALL_PAGES 4u  /* maps up to here take pages, not a frame */
#define SPARE_PAGES 16u

/* How deep the code that holds memory_lock goes. */
#define MEMORY_STACK_BYTES 4096u

struct run {
    uint64_t va; /* 0: never used */
    cptr_t stretch;
    cptr_t frame[RUN_FRAMES];
    bool busy;
    uint64_t given; /* order of giving back; oldest is used first */
};

struct mutex memory_lock;

/* Guarded by memory_lock. */
static uint64_t range_next, range_end; /* slots never used */
static uint64_t map_next, map_end;     /* rest of the latest map slot */
static cptr_t map_stretch;
static struct run runs[RUNS_MAX];
static cptr_t spare_page[SPARE_PAGES]; /* made, and not yet mapped */
static uint32_t spare_pages;
static uint64_t give_count;

void memory_init(uint64_t base, uint64_t bytes)
{
    uint64_t heap = HEAP_SLOTS * STRETCH_BYTES;
    if (heap > bytes / 2) {
        heap = bytes / 2 / STRETCH_BYTES * STRETCH_BYTES;
    }
    heap_init(base, base + heap);
    range_next = base + heap;
    range_end = base + bytes;
}

uint64_t memory_arena(uint64_t *bytes)
{
    memory_enter();
    uint64_t half = (range_end - range_next) / 2;
    if (*bytes > half) {
        *bytes = half / STRETCH_BYTES * STRETCH_BYTES;
    }
    range_end -= *bytes;
    uint64_t va = range_end;
    mutex_unlock(&memory_lock);
    return va;
}

void memory_enter(void)
{
    stack_touch(MEMORY_STACK_BYTES);
    mutex_lock(&memory_lock);
}

/* A new slot, filled with memory in one piece: its address, or 0. */
static uint64_t slot_huge(void)
{
    if (range_next + STRETCH_BYTES > range_end ||
        object_huge_stretch(range_next) == 0) {
        return 0;
    }
    range_next += STRETCH_BYTES;
    return range_next - STRETCH_BYTES;
}

/* A new slot with its stretch: *stretch; its address, or 0. */
static uint64_t slot_next(cptr_t *stretch)
{
    if (range_next + STRETCH_BYTES > range_end) {
        return 0;
    }
    *stretch = object_stretch(range_next);
    if (*stretch == 0) {
        return 0;
    }
    range_next += STRETCH_BYTES;
    return range_next - STRETCH_BYTES;
}

cptr_t memory_frame(cptr_t stretch, uint64_t va, bool clear)
{
    bool dirty;
    cptr_t frame = frame_take(&dirty);
    if (frame == 0) {
        return 0;
    }
    if (frames_map(frame, stretch, va, RIGHT_READ | RIGHT_WRITE, 1) != ERR_OK) {
        frame_give(frame);
        return 0;
    }
    if (dirty && clear) {
        memset((void *)va, 0, FRAME_BYTES);
    }
    return frame;
}

static bool map_frames(cptr_t stretch, uint64_t va, uint64_t end)
{
    for (; va < end; va += FRAME_BYTES) {
        if (memory_frame(stretch, va, true) == 0) {
            return false;
        }
    }
    return true;
}

/* What is made before memory runs out is there for the next that asks. */
static bool pages_make(uint64_t n)
{
    while (spare_pages < n) {
        cptr_t frame = object_make(TYPE_FRAME, PAGE_LOG2);
        if (frame == 0) {
            return false;
        }
        spare_page[spare_pages++] = frame;
    }
    return true;
}

/* False: nothing is mapped, if these are at most SPARE_PAGES. */
static bool map_pages(cptr_t stretch, uint64_t va, uint64_t end)
{
    while (va < end) {
        uint64_t n = (end - va) / PAGE_BYTES;
        n = n < SPARE_PAGES ? n : SPARE_PAGES;
        if (!pages_make(n)) {
            return false;
        }
        for (; n > 0; n--, va += PAGE_BYTES) {
            if (frames_map(spare_page[--spare_pages], stretch, va,
                           RIGHT_READ | RIGHT_WRITE, 1) != ERR_OK) {
                return false;
            }
        }
    }
    return true;
}

/* Addresses in one slot, at most a slot's worth: 0 if there is none. */
static uint64_t map_reserve(uint64_t bytes, uint64_t align)
{
    uint64_t va = (map_next + align - 1) / align * align;
    if (map_next == 0 || va + bytes > map_end) {
        va = slot_next(&map_stretch);
        if (va == 0) {
            return 0;
        }
        map_end = va + STRETCH_BYTES;
    }
    map_next = va + bytes;
    return va;
}

/* As much as a slot holds, or more: whole slots of its own, in ascending order.
 */
static uint64_t map_large(uint64_t bytes)
{
    uint64_t first = range_next;
    for (uint64_t done = 0; done < bytes; done += STRETCH_BYTES) {
        cptr_t stretch;
        uint64_t part = bytes - done;
        if (part >= STRETCH_BYTES) {
            if (slot_huge() != 0) {
                continue;
            }
            part = STRETCH_BYTES;
        }
        uint64_t va = slot_next(&stretch);
        if (va == 0 || !map_frames(stretch, va, va + part)) {
            return 0;
        }
    }
    return first;
}

static uint64_t map_any(uint64_t bytes)
{
    if (bytes >= STRETCH_BYTES) {
        return map_large(bytes);
    }
    bool small = bytes <= SMALL_PAGES * PAGE_BYTES;
    uint64_t va = map_reserve(bytes, small ? PAGE_BYTES : FRAME_BYTES);
    if (va == 0) {
        return 0;
    }
    bool mapped = small ? map_pages(map_stretch, va, va + bytes)
                        : map_frames(map_stretch, va, va + bytes);
    /* The rest of the last frame belongs to this map. */
    map_next = small ? map_next
                     : (map_next + FRAME_BYTES - 1) / FRAME_BYTES * FRAME_BYTES;
    return mapped ? va : 0;
}

void *memory_map(size_t bytes)
{
    if (bytes == 0 || bytes > range_end) {
        return NULL;
    }
    memory_enter();
    uint64_t va = map_any((bytes + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES);
    mutex_unlock(&memory_lock);
    return (void *)va;
}

uint64_t memory_reserve(uint64_t bytes, uint64_t top_bytes, cptr_t *stretch)
{
    if (bytes > STRETCH_BYTES) {
        return 0;
    }
    memory_enter();
    uint64_t va = map_reserve(bytes, PAGE_BYTES);
    *stretch = map_stretch;
    if (va != 0 &&
        !map_pages(map_stretch, va + bytes - top_bytes, va + bytes)) {
        map_next = va; /* these addresses are the next to be handed out */
        va = 0;
    }
    mutex_unlock(&memory_lock);
    return va;
}

bool memory_pages(cptr_t stretch, uint64_t va, uint64_t end)
{
    memory_enter();
    bool mapped = map_pages(stretch, va, end);
    mutex_unlock(&memory_lock);
    return mapped;
}

/* ---- runs -------------------------------------------------------------- */

/* The record that has been idle longest; a new stretch only if all are busy. */
static struct run *run_idle(void)
{
    struct run *best = NULL, *unused = NULL;
    for (uint32_t i = 0; i < RUNS_MAX; i++) {
        struct run *r = &runs[i];
        if (r->va == 0) {
            unused = r;
        } else if (!r->busy && (best == NULL || r->given < best->given)) {
            best = r;
        }
    }
    if (best != NULL || unused == NULL) {
        return best;
    }
    unused->va = slot_next(&unused->stretch);
    return unused->va != 0 ? unused : NULL;
}

static void run_empty(struct run *r)
{
    for (uint32_t i = 0; i < RUN_FRAMES; i++) {
        if (r->frame[i] != 0) {
            (void)frames_unmap(r->frame[i], 1);
            frame_give(r->frame[i]);
            r->frame[i] = 0;
        }
    }
}

static bool run_fill(struct run *r, uint64_t bytes, bool clear)
{
    for (uint32_t i = 0; i * FRAME_BYTES < bytes; i++) {
        r->frame[i] = memory_frame(r->stretch, r->va + i * FRAME_BYTES, clear);
        if (r->frame[i] == 0) {
            return false;
        }
    }
    return true;
}

static int run_take(size_t bytes, struct memory_run *out, bool clear)
{
    if (bytes == 0 || bytes > MEMORY_RUN_MAX) {
        return EINVAL;
    }
    bytes = (bytes + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
    memory_enter();
    struct run *r = run_idle();
    bool filled = r != NULL && run_fill(r, bytes, clear);
    if (filled) {
        r->busy = true;
        *out = (struct memory_run){(void *)r->va, bytes, r->stretch};
    } else if (r != NULL) {
        run_empty(r);
    }
    mutex_unlock(&memory_lock);
    return filled ? 0 : ENOMEM;
}

int memory_run_take(size_t bytes, struct memory_run *out)
{
    return run_take(bytes, out, true);
}

int memory_run_take_uncleared(size_t bytes, struct memory_run *out)
{
    return run_take(bytes, out, false);
}

void memory_run_give(struct memory_run *run)
{
    memory_enter();
    for (uint32_t i = 0; i < RUNS_MAX; i++) {
        struct run *r = &runs[i];
        if (r->busy && r->va == (uintptr_t)run->address) {
            (void)sys_cap_revoke(r->stretch);
            run_empty(r);
            r->busy = false;
            r->given = ++give_count;
        }
    }
    mutex_unlock(&memory_lock);
}
