/* SPDX-License-Identifier: BSL-1.0
 *
 * malloc and its family, in place of picolibc's, whose time grows with the
 * number of free blocks. All of the family is here: with a member missing, the
 * linker would take picolibc's as well.
 *
 * What is freed twice, or was never allocated, ends the program with a line
 * that says so: a heap that is wrong only gets worse.
 */
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <vesper/thread.h>

#include "bins.h"
#include "log.h"
#include "signal_frame.h"

#define GROW_BYTES  65536u
#define FIRST_BYTES 4096u /* without a system call; many need no more */

static struct mutex heap_lock; /* guards bins.c */

/* A report on a buffer has this name for what lies in it. */
static _Alignas(16) char malloc_first[FIRST_BYTES];

/* No signal handler runs on this thread while it holds the lock, so that it may
 * use malloc. */
static void heap_enter(void)
{
    signals_hold();
    mutex_lock(&heap_lock);
}

static void heap_leave(void)
{
    mutex_unlock(&heap_lock);
    signals_allow();
}

static _Noreturn void heap_broken(const char *what)
{
    log_write(what, strlen(what));
    __builtin_trap(); /* the crash report says who called */
}

/* With the lock. A pointer that the caller gives back. */
static struct block *block_check(void *p)
{
    struct block *b = block_of(p);
    if ((uintptr_t)p % 16 != 0) {
        heap_broken("libos: free or realloc of what malloc never gave\n");
    }
    if (block_is_free(b)) {
        heap_broken("libos: free or realloc of memory that is free already\n");
    }
    return b;
}

/* With the lock. */
static bool heap_begin(size_t bytes)
{
    static bool begun;
    bool enough = !begun && bytes + 64 <= sizeof(malloc_first);
    if (!begun) {
        begun = true;
        bins_add(malloc_first, sizeof(malloc_first));
    }
    return enough;
}

/* With the lock. */
static bool heap_grow(size_t bytes)
{
    if (heap_begin(bytes)) {
        return true;
    }
    size_t need = (bytes + 64 + GROW_BYTES - 1) / GROW_BYTES * GROW_BYTES;
    void *start = sbrk((ptrdiff_t)need);
    if (start == (void *)-1) {
        return false;
    }
    bins_add(start, need);
    return true;
}

/* With the lock. NULL and ENOMEM. */
static struct block *block_take(size_t wanted)
{
    size_t bytes = block_round(wanted);
    struct block *b = bytes != 0 ? bins_take(bytes) : NULL;
    if (b == NULL && bytes != 0 && heap_grow(bytes)) {
        b = bins_take(bytes);
    }
    if (b == NULL) {
        errno = ENOMEM;
    }
    return b;
}

void *malloc(size_t bytes)
{
    heap_enter();
    struct block *b = block_take(bytes);
    void *p = b != NULL ? block_payload(b) : NULL;
    heap_leave();
    return p;
}

void free(void *p)
{
    if (p != NULL) {
        heap_enter();
        bins_give(block_check(p));
        heap_leave();
    }
}

void cfree(void *p); /* not every C library's header has it */

void cfree(void *p)
{
    free(p);
}

void *calloc(size_t count, size_t bytes)
{
    size_t all;
    if (__builtin_mul_overflow(count, bytes, &all)) {
        errno = ENOMEM;
        return NULL;
    }
    void *p = malloc(all);
    if (p != NULL) {
        memset(p, 0, all);
    }
    return p;
}

/* With the lock: without moving it, or false. */
static bool block_resize(struct block *b, size_t bytes)
{
    if (bytes <= block_bytes(b)) {
        block_trim(b, bytes);
        return true;
    }
    return block_extend(b, bytes);
}

void *realloc(void *p, size_t bytes)
{
    if (p == NULL) {
        return malloc(bytes);
    }
    size_t rounded = block_round(bytes);
    heap_enter();
    struct block *b = block_check(p);
    size_t have = block_bytes(b);
    bool resized = rounded != 0 && block_resize(b, rounded);
    heap_leave();
    if (resized) {
        return p;
    }
    void *moved = malloc(bytes);
    if (moved != NULL) {
        memcpy(moved, p, have < bytes ? have : bytes);
        free(p);
    }
    return moved;
}

void *memalign(size_t align, size_t bytes)
{
    size_t wanted;
    if (align <= 16) {
        return malloc(bytes);
    }
    if ((align & (align - 1)) != 0 || bytes > BLOCK_BYTES_MAX ||
        __builtin_add_overflow(bytes, align + 32, &wanted)) {
        errno = (align & (align - 1)) != 0 ? EINVAL : ENOMEM;
        return NULL;
    }
    heap_enter();
    struct block *b = block_take(wanted);
    if (b != NULL) {
        uintptr_t p = (uintptr_t)block_payload(b);
        if (p % align != 0) {
            size_t gap = (p + 32 + align - 1) / align * align - p;
            b = block_skip(b, gap);
        }
        block_trim(b, block_round(bytes));
    }
    heap_leave();
    return b != NULL ? block_payload(b) : NULL;
}

void *aligned_alloc(size_t align, size_t bytes)
{
    return memalign(align, bytes);
}

int posix_memalign(void **out, size_t align, size_t bytes)
{
    if (align % sizeof(void *) != 0 || (align & (align - 1)) != 0 ||
        align == 0) {
        return EINVAL;
    }
    int saved = errno;
    void *p = memalign(align, bytes);
    errno = saved;
    if (p == NULL) {
        return ENOMEM;
    }
    *out = p;
    return 0;
}

size_t malloc_usable_size(void *p)
{
    return p != NULL ? block_bytes(block_of(p)) : 0;
}
