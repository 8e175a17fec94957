/* SPDX-License-Identifier: BSL-1.0
 *
 * Addresses of regions. The search goes on where the last one ended, so that
 * addresses are used again as late as possible: a stale pointer then faults.
 */
#include "paging.h"

#include "../core/memory.h"
#include "../core/object.h"

#define SLOTS_MAX  64u
#define SLOT_PAGES (uint32_t)(STRETCH_BYTES / PAGE_BYTES)

static struct {
    uint64_t base;
    uint32_t pages, next;
    uint64_t used[SLOTS_MAX * SLOT_PAGES / 64];
    cptr_t stretch[SLOTS_MAX]; /* 0: none yet */
} arena;

static void arena_begin(void)
{
    uint64_t bytes = SLOTS_MAX * STRETCH_BYTES;
    if (arena.base == 0) {
        arena.base = memory_arena(&bytes);
        arena.pages = (uint32_t)(bytes / PAGE_BYTES);
    }
}

static bool is_used(uint32_t page)
{
    return arena.used[page / 64] >> page % 64 & 1;
}

static void mark(uint32_t first, uint32_t n)
{
    for (uint32_t i = first; i < first + n; i++) {
        arena.used[i / 64] ^= 1ull << i % 64;
    }
}

/* n free pages in [from, to), or `to`. */
static uint32_t run_find(uint32_t from, uint32_t to, uint32_t n)
{
    uint32_t run = 0;
    for (uint32_t i = from; i < to; i++) {
        run = is_used(i) ? 0 : run + 1;
        if (run == n) {
            return i + 1 - n;
        }
    }
    return to;
}

static bool slots_prepare(uint32_t first, uint32_t n)
{
    bool there = true;
    memory_enter();
    for (uint32_t s = first / SLOT_PAGES; s <= (first + n - 1) / SLOT_PAGES;
         s++) {
        if (arena.stretch[s] == 0) {
            arena.stretch[s] = object_stretch(arena.base + s * STRETCH_BYTES);
        }
        there = there && arena.stretch[s] != 0;
    }
    mutex_unlock(&memory_lock);
    return there;
}

uint64_t arena_take(uint32_t pages)
{
    arena_begin();
    uint32_t n = pages + 1;
    if (n > arena.pages) {
        return 0;
    }
    uint32_t first = run_find(arena.next, arena.pages, n);
    if (first == arena.pages) {
        first = run_find(0, arena.pages, n);
    }
    if (first == arena.pages || !slots_prepare(first, n)) {
        return 0;
    }
    mark(first, n);
    arena.next = first + n;
    return arena.base + first * PAGE_BYTES;
}

void arena_give(uint64_t va, uint32_t pages)
{
    mark((uint32_t)((va - arena.base) / PAGE_BYTES), pages + 1);
}

cptr_t arena_stretch(uint64_t va)
{
    return arena.stretch[(va - arena.base) / STRETCH_BYTES];
}
