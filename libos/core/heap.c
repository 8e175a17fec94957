/* SPDX-License-Identifier: BSL-1.0
 *
 * sbrk for picolibc's malloc: one contiguous reserve of addresses, mapped in
 * frames of 64 KiB as it grows. It never shrinks: malloc does not ask.
 */
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <unistd.h>

#include <abi/abi.h>
#include <vesper/thread.h>

#include "memory.h"
#include "object.h"

#define FRAME_BYTES (1ull << BIG_FRAME_LOG2)

/* Guarded by memory_lock. */
static struct {
    uint64_t base, brk, mapped, end;
    uint64_t stretch_end; /* where the latest slot with a stretch ends */
    cptr_t stretch;       /* its stretch */
} heap;

void heap_init(uint64_t base, uint64_t end)
{
    heap.base = heap.brk = heap.mapped = base;
    heap.stretch_end = base;
    heap.end = end;
}

static bool heap_grow(void)
{
    if (heap.stretch_end == heap.mapped) {
        cptr_t stretch = object_stretch(heap.mapped);
        if (stretch == 0) {
            return false;
        }
        heap.stretch = stretch;
        heap.stretch_end += STRETCH_BYTES;
    }
    if (memory_frame(heap.stretch, heap.mapped, true) == 0) {
        return false;
    }
    heap.mapped += FRAME_BYTES;
    return true;
}

static bool heap_reach(uint64_t end)
{
    if (end < heap.base || end > heap.end) {
        return false;
    }
    while (heap.mapped < end) {
        if (!heap_grow()) {
            return false;
        }
    }
    return true;
}

void *sbrk(ptrdiff_t increment)
{
    memory_enter();
    uint64_t old = heap.brk;
    void *result = (void *)old;
    if (heap_reach(old + (uint64_t)increment)) {
        heap.brk = old + (uint64_t)increment;
    } else {
        errno = ENOMEM;
        result = (void *)-1;
    }
    mutex_unlock(&memory_lock);
    return result;
}
