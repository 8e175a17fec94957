/* SPDX-License-Identifier: BSL-1.0 */
/* Programs that are kept; the contract is in image.h. */
#include "image.h"

#include <string.h>

#define IMAGES 8u
/* Owner of what goes when it is not used any more. */
#define NOBODY UINT32_MAX

static struct image images[IMAGES];
static uint64_t ends;

static bool is_idle(const struct image *i)
{
    return i->key != 0 && !i->used;
}

static void drop(struct image *i)
{
    domain_release(&i->text);
    *i = (struct image){0};
}

static void take(struct image *i)
{
    memory_kept_bytes -= i->text.memory_bytes;
    i->used = true;
}

struct image *image_find(uint32_t owner, uint64_t key)
{
    for (uint32_t i = 0; i < IMAGES; i++) {
        struct image *m = &images[i];
        if (is_idle(m) && m->key == key && m->owner == owner) {
            take(m);
            return m;
        }
    }
    return NULL;
}

/* That has not been used for longest, if any is idle. */
static struct image *oldest(void)
{
    struct image *best = NULL;
    for (uint32_t i = 0; i < IMAGES; i++) {
        struct image *m = &images[i];
        if (is_idle(m) && (best == NULL || m->ended < best->ended)) {
            best = m;
        }
    }
    return best;
}

bool memory_give_back(void)
{
    struct image *m = oldest();
    if (m != NULL) {
        take(m);
        drop(m);
    }
    return m != NULL;
}

static struct image *unused(void)
{
    for (uint32_t i = 0; i < IMAGES; i++) {
        if (images[i].key == 0) {
            return &images[i];
        }
    }
    return NULL;
}

struct image *image_make(uint32_t owner, uint64_t key)
{
    struct image *m = unused();
    if (m == NULL && memory_give_back()) {
        m = unused();
    }
    if (m != NULL) {
        m->owner = owner;
        m->key = key;
        m->used = true;
    }
    return m;
}

/* The addresses that the domain was given to use as it likes come back. */
void image_end(struct image *m)
{
    if (!m->good || m->owner == NOBODY) {
        drop(m);
        return;
    }
    (void)sys_cap_revoke(m->text.block);
    m->used = false;
    m->ended = ++ends;
    memory_kept_bytes += m->text.memory_bytes;
}

void image_owner_ended(uint32_t owner)
{
    for (uint32_t i = 0; i < IMAGES; i++) {
        struct image *m = &images[i];
        if (m->key == 0 || m->owner != owner) {
            continue;
        }
        m->owner = NOBODY;
        if (is_idle(m)) {
            take(m);
            drop(m);
        }
    }
}
