/* SPDX-License-Identifier: BSL-1.0
 *
 * Memory for regions. A bank is 256 KiB from the root server: a CNode, and the
 * 63 frames that lie in it. So thousands of frames need two slots of the
 * domain's own CNode for each bank, and a bank goes back as a whole.
 */
#include "paging.h"

#include <stdlib.h>
#include <string.h>

#include <abi/calls.h>
#include <vesper/frames.h>
#include <vesper/root.h>
#include <vesper/root_call.h>

#include "../core/slots.h"

#define BANK_LOG2   18u
#define BANK_FRAMES 63u

struct bank {
    cptr_t memory, cnode;
    struct frame frame[BANK_FRAMES];
};

/* With the paging lock. */
static struct frame *spare;
static uint32_t spares;
static uint64_t window; /* where paging_peek shows them */

static bool bank_fill(struct bank *b)
{
    uint64_t w[8] = {ROOT_MEMORY, BANK_LOG2, b->memory};
    if (root_call(w, 0) != 0) {
        return false;
    }
    if (sys_untyped_retype(b->memory, b->cnode, TYPE_CNODE, PAGE_LOG2, 1, 0,
                           0) == ERR_OK &&
        sys_untyped_retype(b->memory, CPTR(b->cnode, 1), TYPE_FRAME, PAGE_LOG2,
                           BANK_FRAMES, 0, 0) == ERR_OK) {
        return true;
    }
    (void)sys_cap_revoke(b->memory);
    (void)sys_cap_delete(b->memory);
    return false;
}

static bool bank_fetch(void)
{
    struct bank *b = calloc(1, sizeof(*b));
    if (b == NULL) {
        return false;
    }
    b->memory = slot_take();
    b->cnode = slot_take();
    if (b->memory == 0 || b->cnode == 0 || !bank_fill(b)) {
        if (b->memory != 0) {
            slot_give(b->memory);
        }
        if (b->cnode != 0) {
            slot_give(b->cnode);
        }
        free(b);
        return false;
    }
    for (uint32_t i = 0; i < BANK_FRAMES; i++) {
        struct frame *f = &b->frame[i];
        f->bank = b;
        f->slot = (uint8_t)(i + 1);
        f->next = spare;
        spare = f;
    }
    spares += BANK_FRAMES;
    return true;
}

cptr_t frame_slot(const struct frame *f)
{
    return CPTR(f->bank->cnode, f->slot);
}

struct frame *paging_take_any(void)
{
    if (spare == NULL && !bank_fetch()) {
        return NULL;
    }
    struct frame *f = spare;
    spare = f->next;
    spares--;
    return f;
}

struct frame *paging_take(void)
{
    struct frame *f = paging_take_any();
    if (f != NULL && f->used) {
        memset(paging_peek(&f, 1), 0, PAGE_BYTES);
        paging_unpeek(&f, 1);
    }
    return f;
}

void paging_give(struct frame *f)
{
    f->used = true;
    f->mapped = f->dirty = false;
    f->region = NULL;
    f->next = spare;
    spare = f;
    spares++;
}

static uint64_t window_address(void)
{
    if (window == 0) {
        window = arena_take(PAGING_ROW);
    }
    return window;
}

void *paging_peek(struct frame *const f[], uint32_t n)
{
    uint64_t va = window_address();
    for (uint32_t i = 0; i < n && va != 0; i++) {
        uint64_t at = va + i * PAGE_BYTES;
        if (frames_map(frame_slot(f[i]), arena_stretch(at), at,
                       RIGHT_READ | RIGHT_WRITE, 1) != ERR_OK) {
            paging_unpeek(f, i);
            va = 0;
        }
    }
    return (void *)va;
}

void paging_unpeek(struct frame *const f[], uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        (void)frames_unmap(frame_slot(f[i]), 1);
    }
}

uint32_t frames_free(void)
{
    return spares;
}
