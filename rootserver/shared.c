/* SPDX-License-Identifier: BSL-1.0 */
/* Memory of channels and links; the contract is in shared.h. */
#include "shared.h"

#include <errno.h>
#include <string.h>

#define PLACES_LOG2 7u /* slots of its CNode */
#define SHARED_VAS  256u
#define BLOCK_VAS   64u

_Static_assert(SHARED_PLACES == 1u << PLACES_LOG2, "slots of a CNode");
_Static_assert(PLACE_FRAMES + SHARED_PAGES_MAX <= SHARED_PLACES, "frames");

static uint32_t last_id; /* ever made, or made anew */
static bool va_used[SHARED_VAS];
static struct {
    uint32_t slot;
    uint64_t address;
} blocks[SHARED_VAS / BLOCK_VAS];

/* Addresses take turns, so that an old one faults for long. */
static uint64_t va_take(uint32_t *block)
{
    static uint32_t next;
    for (uint32_t n = 0; n < SHARED_VAS; n++) {
        uint32_t i = next++ % SHARED_VAS, b = i / BLOCK_VAS;
        if (blocks[b].slot == 0) {
            blocks[b].slot = block_take(&blocks[b].address);
        }
        if (blocks[b].slot != 0 && !va_used[i]) {
            va_used[i] = true;
            *block = blocks[b].slot;
            return blocks[b].address + i % BLOCK_VAS * STRETCH_BYTES;
        }
    }
    return 0;
}

static void va_give(uint64_t va)
{
    for (uint32_t b = 0; b < SHARED_VAS / BLOCK_VAS; b++) {
        uint64_t n = (va - blocks[b].address) / STRETCH_BYTES;
        if (blocks[b].slot != 0 && va >= blocks[b].address && n < BLOCK_VAS) {
            va_used[b * BLOCK_VAS + n] = false;
        }
    }
}

static int make(struct shared *m, uint32_t pages)
{
    /* The CNode and the stretch's table lie there, too. */
    uint32_t log2 = pages <= 14 ? 16 : pages <= 30 ? 17 : 18;
    m->chunk = chunk_take(log2);
    m->objects = slot_take();
    m->va = va_take(&m->block);
    if (m->chunk == 0 || m->objects == 0 || m->va == 0) {
        return ENOMEM;
    }
    cptr_t stretch = shared_slot(m, PLACE_STRETCH);
    if (sys_untyped_retype(m->chunk, m->objects, TYPE_CNODE,
                           PLACES_LOG2 + SLOT_LOG2, 1, 0, 6) ||
        sys_stretch_create(stretch, m->chunk, m->block, m->va, 0) ||
        sys_untyped_retype(m->chunk, shared_slot(m, PLACE_FRAMES), TYPE_FRAME,
                           PAGE_LOG2, pages, 0, 0)) {
        return ENOMEM;
    }
    if (frames_map(shared_slot(m, PLACE_FRAMES), stretch, m->va, RW, pages) !=
            ERR_OK ||
        shared_show(m, NULL) != 0) {
        return EIO;
    }
    m->bytes = pages * (uint32_t)PAGE_BYTES;
    return 0;
}

static void begin(struct shared *m)
{
    struct channel_page *p = (void *)(uintptr_t)m->va;
    m->id = ++last_id;
    p->id = m->id;
    p->data_offset = PAGE_BYTES;
    p->data_bytes = m->bytes - PAGE_BYTES;
    p->magic = CHANNEL_MAGIC;
}

int shared_make(struct shared *m, uint32_t pages)
{
    *m = (struct shared){0};
    int error = make(m, pages);
    if (error == 0) {
        begin(m);
    } else {
        shared_free(m);
    }
    return error;
}

void shared_free(struct shared *m)
{
    if (m->objects != 0) {
        (void)sys_cap_delete(m->objects);
        slot_give(m->objects);
    }
    if (m->chunk != 0) {
        chunk_give(m->chunk);
    }
    if (m->va != 0) {
        va_give(m->va);
    }
    *m = (struct shared){0};
}

void shared_renew(struct shared *m)
{
    memset((void *)(uintptr_t)m->va, 0, PAGE_BYTES);
    begin(m);
}

void shared_end(const struct shared *m)
{
    if (shared_show(m, NULL) == 0) {
        ((struct channel_page *)(uintptr_t)m->va)->magic = 0;
        shared_hide(m, NULL);
    }
}

static cptr_t space_of(const struct domain *d)
{
    return d != NULL ? domain_object(d, OBJECT_DOMAIN) : CPTR_SELF_DOMAIN;
}

int shared_show(const struct shared *m, const struct domain *d)
{
    return sys_stretch_attach(shared_slot(m, PLACE_STRETCH), space_of(d), RW) ==
                   ERR_OK
               ? 0
               : ENOMEM;
}

void shared_hide(const struct shared *m, const struct domain *d)
{
    (void)sys_stretch_detach(shared_slot(m, PLACE_STRETCH), space_of(d));
}
