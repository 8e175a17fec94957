/* SPDX-License-Identifier: BSL-1.0 */
/* Programs that are kept (rootserver/image.c) and the memory that they are kept
 * in (rootserver/memory.c): who finds which, and that a chunk can always be had
 * as long as one is kept. The kernel is here: four chunks of 256 KiB. */
#include <string.h>

#include "rootserver/image.h"
#include "tests/unit/tap.h"

#define CHUNKS 4u
#define BOOT   2u
#define CHUNK  (1ull << CHUNK_LOG2_MAX)
#define IMAGES 8u
#define OWNER  9u

static uint32_t cut_chunks, revoked;

enum abi_error sys_untyped_retype(uint64_t from, uint64_t to, uint64_t type,
                                  uint64_t log2, uint64_t count, uint64_t at,
                                  uint64_t rank)
{
    bool fits = from == BOOT && type == TYPE_UNTYPED &&
                log2 == CHUNK_LOG2_MAX && cut_chunks < CHUNKS;
    (void)to, (void)count, (void)at, (void)rank;
    cut_chunks += fits;
    return fits ? ERR_OK : ERR_NOMEM;
}

enum abi_error sys_cap_revoke(uint64_t slot)
{
    (void)slot;
    revoked++;
    return ERR_OK;
}

enum abi_error sys_cap_identify(uint64_t slot, uint64_t *info,
                                uint64_t *address, uint64_t *word)
{
    (void)slot, (void)info, (void)address;
    *word = 0;
    return ERR_OK;
}

enum abi_error sys_frame_unmap(uint64_t slot, uint64_t count, uint64_t *done)
{
    (void)slot, (void)count, (void)done;
    return ERR_EMPTY;
}

void domain_release(struct domain *d)
{
    if (d->newest != 0) {
        chunk_give(d->newest);
    }
    *d = (struct domain){0};
}

/* A program that ran, and has ended; of one chunk, or none can be had. */
static struct image *keep(uint32_t owner, uint64_t key)
{
    struct image *m = image_make(owner, key);

    if (m == NULL) {
        return NULL;
    }
    m->text.newest = chunk_take(CHUNK_LOG2_MAX);
    m->text.memory_bytes = m->text.newest != 0 ? CHUNK : 0;
    m->good = m->text.newest != 0;
    return m;
}

static void find_test(void)
{
    struct image *m = keep(OWNER, 1);

    CHECK(m != NULL && m->good && image_find(OWNER, 1) == NULL,
          "one that is used is not found");
    image_end(m);
    CHECK(memory_kept_bytes == CHUNK && memory_free_bytes() == CHUNKS * CHUNK,
          "kept, it is free memory");
    CHECK(image_find(OWNER + 1, 1) == NULL && image_find(OWNER, 2) == NULL &&
              image_find(0, 0) == NULL,
          "found by its owner and key only");
    revoked = 0;
    CHECK(image_find(OWNER, 1) == m && memory_kept_bytes == 0 &&
              memory_free_bytes() == (CHUNKS - 1) * CHUNK &&
              image_find(OWNER, 1) == NULL,
          "found, it is its user's, and nobody else's");
    image_end(m);
    CHECK(revoked == 1, "its addresses come back when it ends");
    m = image_find(OWNER, 1);
    m->good = false;
    image_end(m);
    CHECK(image_find(OWNER, 1) == NULL && memory_kept_bytes == 0 &&
              memory_free_bytes() == CHUNKS * CHUNK,
          "one that could not be used is not kept");
}

static void owner_test(void)
{
    struct image *used = keep(OWNER, 1), *idle = keep(OWNER, 2);
    struct image *other = keep(OWNER + 1, 1);

    image_end(idle);
    image_end(other);
    image_owner_ended(OWNER);
    CHECK(image_find(OWNER, 2) == NULL && memory_kept_bytes == CHUNK,
          "with its owner it goes");
    image_end(used);
    CHECK(image_find(OWNER, 1) == NULL && memory_kept_bytes == CHUNK,
          "... at once, or when its user ends");
    CHECK(image_find(OWNER + 1, 1) == other, "others stay");
    other->good = false;
    image_end(other);
}

static void short_test(void)
{
    struct image *m[CHUNKS];
    uint32_t taken[CHUNKS];

    for (uint32_t i = 0; i < CHUNKS; i++) {
        m[i] = keep(OWNER, 1 + i);
    }
    CHECK(chunk_take(CHUNK_LOG2_MAX) == 0, "no memory is left");
    for (uint32_t i = 0; i < CHUNKS; i++) {
        image_end(m[i]);
    }
    m[0] = image_find(OWNER, 1);
    image_end(m[0]); /* the youngest now */
    taken[0] = chunk_take(CHUNK_LOG2_MAX);
    CHECK(taken[0] != 0 && image_find(OWNER, 2) == NULL,
          "what is kept is given, the oldest first");
    taken[1] = chunk_take(CHUNK_LOG2_MAX);
    taken[2] = chunk_take(CHUNK_LOG2_MAX);
    CHECK(taken[1] != 0 && taken[2] != 0 &&
              memory_free_bytes() == memory_kept_bytes &&
              memory_kept_bytes == CHUNK && image_find(OWNER, 1) == m[0],
          "... and only as much as is wanted");
    CHECK(chunk_take(CHUNK_LOG2_MAX) == 0, "never what is used");
    image_end(m[0]);
    taken[3] = chunk_take(CHUNK_LOG2_MAX);
    CHECK(taken[3] != 0 && memory_free_bytes() == 0, "... down to the last");
    for (uint32_t i = 0; i < CHUNKS; i++) {
        chunk_give(taken[i]);
    }
}

static void many_test(void)
{
    struct image *m[IMAGES];
    bool good = true;

    for (uint32_t i = 0; i < IMAGES; i++) {
        m[i] = image_make(OWNER, 1 + i);
        good &= m[i] != NULL;
    }
    CHECK(good && image_make(OWNER, 99) == NULL,
          "as many as there is room for");
    for (uint32_t i = 0; i < IMAGES; i++) {
        m[i]->good = true;
        image_end(m[i]);
    }
    CHECK(image_make(OWNER, 99) != NULL && image_find(OWNER, 1) == NULL &&
              image_find(OWNER, 2) == m[1],
          "another one takes the place of the oldest");
}

int main(void)
{
    static struct boot_info boot = {.slot_free = 3, .slot_count = 64};

    boot.untyped[0].slot = BOOT;
    boot.untyped[0].size_log2 = 20;
    boot.untyped_count = 1;
    memory_init(&boot);
    find_test();
    owner_test();
    short_test();
    many_test();
    return tap_end();
}
