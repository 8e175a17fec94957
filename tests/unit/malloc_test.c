/* SPDX-License-Identifier: BSL-1.0
 *
 * libos' malloc (compiled here as own_malloc and so on) against a shadow: every
 * block keeps its bytes, none overlaps another, alignment is kept, and all that
 * is freed comes together again.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../libos/core/bins.h"
#include "tap.h"

#define HEAP_BYTES (16u << 20)
#define BLOCKS     2000
#define ROUNDS     200000

void *own_malloc(size_t bytes);
void *own_calloc(size_t count, size_t bytes);
void *own_realloc(void *p, size_t bytes);
void own_free(void *p);
void *own_memalign(size_t align, size_t bytes);
size_t own_malloc_usable_size(void *p);

/* ---- what malloc.c rests on -------------------------------------------- */

static _Alignas(65536) uint8_t heap[HEAP_BYTES];
static size_t heap_used;

void *own_sbrk(intptr_t bytes);
void mutex_lock(void *m);
void mutex_unlock(void *m);
void signals_hold(void);
void signals_allow(void);
void log_write(const char *text, size_t bytes);

static int locked;
static volatile size_t huge = SIZE_MAX; /* the compiler must not know */

void *own_sbrk(intptr_t bytes)
{
    if (bytes < 0 || (size_t)bytes > HEAP_BYTES - heap_used) {
        return (void *)-1;
    }
    heap_used += (size_t)bytes;
    return heap + heap_used - bytes;
}

void mutex_lock(void *m)
{
    (void)m;
    locked += 1;
}

void mutex_unlock(void *m)
{
    (void)m;
    locked -= 1;
}

void signals_hold(void)
{
}

void signals_allow(void)
{
}

void log_write(const char *text, size_t bytes)
{
    fwrite(text, 1, bytes, stdout);
}

/* ---- the shadow -------------------------------------------------------- */

static struct {
    uint8_t *p;
    size_t bytes;
    uint8_t fill;
} shadow[BLOCKS];
static uint32_t wrong;

static size_t size_draw(void)
{
    return (size_t)rand() % ((size_t)16 << rand() % 12);
}

static void check(int i)
{
    for (size_t k = 0; k < shadow[i].bytes; k++) {
        wrong += shadow[i].p[k] != shadow[i].fill;
    }
    wrong += shadow[i].p != NULL && (uintptr_t)shadow[i].p % 16 != 0;
}

static void fill(int i, void *p, size_t bytes)
{
    shadow[i].p = p;
    shadow[i].bytes = p != NULL ? bytes : 0;
    shadow[i].fill = (uint8_t)rand();
    if (p != NULL) {
        wrong += own_malloc_usable_size(p) < bytes;
        memset(p, shadow[i].fill, bytes);
    }
}

static void make(int i)
{
    size_t bytes = size_draw(), align = (size_t)16 << rand() % 8;
    void *p;
    switch (rand() % 3) {
    case 0:
        p = own_memalign(align, bytes);
        wrong += (uintptr_t)p % align != 0;
        break;
    case 1:
        p = own_calloc(1, bytes);
        for (size_t k = 0; p != NULL && k < bytes; k++) {
            wrong += ((uint8_t *)p)[k] != 0;
        }
        break;
    default:
        p = own_malloc(bytes);
        break;
    }
    fill(i, p, bytes);
}

static void resize(int i)
{
    size_t bytes = size_draw();
    uint8_t *p = own_realloc(shadow[i].p, bytes);
    if (p == NULL) {
        return;
    }
    size_t kept = bytes < shadow[i].bytes ? bytes : shadow[i].bytes;
    for (size_t k = 0; k < kept; k++) {
        wrong += p[k] != shadow[i].fill;
    }
    fill(i, p, bytes);
}

static void drop(int i)
{
    own_free(shadow[i].p);
    shadow[i].p = NULL;
    shadow[i].bytes = 0;
}

static void random_test(void)
{
    srand(7);
    for (int round = 0; round < ROUNDS; round++) {
        int i = rand() % BLOCKS;
        check(i);
        if (shadow[i].p == NULL) {
            make(i);
        } else if (rand() % 3 == 0) {
            resize(i);
        } else {
            drop(i);
        }
    }
    for (int i = 0; i < BLOCKS; i++) {
        check(i);
        drop(i);
    }
    CHECK(wrong == 0, "blocks keep their bytes, place and alignment");
    CHECK(locked == 0, "the lock is given back on every way");
    size_t used = heap_used;
    void *p = own_malloc(used - 100);
    CHECK(p != NULL && heap_used == used,
          "all that is freed comes together again in one block");
    own_free(p);
    printf("# heap %zu KiB\n", heap_used / 1024);
}

static void first_test(void)
{
    void *p = own_malloc(2000), *q = own_malloc(1000);
    CHECK(p != NULL && q != NULL && heap_used == 0,
          "what a small program allocates, it has already");
    own_free(p);
    own_free(q);
}

static void limits_test(void)
{
    errno = 0;
    CHECK(own_malloc(HEAP_BYTES) == NULL && errno == ENOMEM,
          "too much is ENOMEM");
    CHECK(own_malloc(huge) == NULL && own_malloc(huge - 40) == NULL,
          "as are sizes that would wrap");
    CHECK(own_calloc(huge / 2, 3) == NULL, "also by multiplication");
    CHECK(own_memalign(48, 100) == NULL && errno == EINVAL,
          "an alignment that is no power of two is EINVAL");
    CHECK(own_memalign(4096, huge - 4096) == NULL,
          "an aligned size that would wrap is refused");
    void *a = own_malloc(0), *b = own_malloc(0);
    CHECK(a != NULL && b != NULL && a != b,
          "nothing has an address of its own");
    own_free(a);
    own_free(b);
    own_free(NULL);
    a = own_malloc(100);
    b = own_realloc(a, 3000);
    CHECK(a == b, "a block grows in place where it can");
    CHECK(own_realloc(b, huge) == NULL && own_malloc_usable_size(b) >= 3000,
          "a realloc that fails leaves the block");
    own_free(b);
}

/* As picolibc's would be: quadratic. Here 100,000 take no time. */
static void many_test(void)
{
    static void *p[100000];
    for (int i = 0; i < 100000; i++) {
        p[i] = own_malloc(40);
    }
    for (int i = 0; i < 100000; i += 2) {
        own_free(p[i]);
    }
    for (int i = 0; i < 100000; i += 2) {
        p[i] = own_malloc(24);
    }
    for (int i = 0; i < 100000; i++) {
        own_free(p[i]);
    }
    CHECK(heap_used <= HEAP_BYTES, "100,000 blocks come and go");
}

int main(void)
{
    first_test();
    random_test();
    limits_test();
    many_test();
    return tap_end();
}
