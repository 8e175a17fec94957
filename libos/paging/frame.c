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
#include <vesper/memory.h>
#include <vesper/root.h>
#include <vesper/root_call.h>

#include "../core/slots.h"

#define BANK_LOG2   18u
#define BANK_FRAMES 63u

struct bank {
    cptr_t memory, cnode;
    bool lent;
    struct bank *next;
    struct frame frame[BANK_FRAMES];
};

/* With the paging lock. */
static struct frame *spare[2]; /* [1]: lent */
static uint32_t spares;
static struct bank *lent_banks;

static bool bank_fill(struct bank *b)
{
    uint64_t w[8] = {ROOT_MEMORY, BANK_LOG2, b->memory, b->lent};
    if (b->memory == 0 || b->cnode == 0 || root_call(w, 0) != 0) {
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

static void bank_free(struct bank *b)
{
    if (b->memory != 0) {
        slot_give(b->memory);
    }
    if (b->cnode != 0) {
        slot_give(b->cnode);
    }
    free(b);
}

static void spare_add(struct frame *f)
{
    struct frame **list = &spare[f->bank->lent];
    f->next = *list;
    *list = f;
    spares++;
}

static void bank_add(struct bank *b)
{
    for (uint32_t i = 0; i < BANK_FRAMES; i++) {
        b->frame[i].bank = b;
        b->frame[i].slot = (uint8_t)(i + 1);
        spare_add(&b->frame[i]);
    }
    if (b->lent) {
        b->next = lent_banks;
        lent_banks = b;
    }
}

static bool bank_fetch(bool lent)
{
    struct bank *b = calloc(1, sizeof(*b));
    if (b == NULL || (lent && !broker_listen())) {
        free(b);
        return false;
    }
    b->lent = lent;
    b->memory = slot_take();
    b->cnode = slot_take();
    if (!bank_fill(b)) {
        bank_free(b);
        return false;
    }
    bank_add(b);
    return true;
}

cptr_t frame_slot(const struct frame *f)
{
    return CPTR(f->bank->cnode, f->slot);
}

struct frame *paging_take_any(bool lent)
{
    if (spare[lent] == NULL && !bank_fetch(lent)) {
        return lent ? paging_take_any(false) : NULL;
    }
    struct frame *f = spare[lent];
    spare[lent] = f->next;
    spares--;
    return f;
}

struct frame *paging_take(void)
{
    struct frame *f = paging_take_any(false);
    if (f != NULL && f->used) {
        memset(paging_peek(&f, 1), 0, PAGE_BYTES);
        (void)paging_unpeek(&f, 1);
    }
    return f;
}

struct frame *paging_take_at_once(void)
{
    const struct frame *f = spare[false];
    return f != NULL && !f->used ? paging_take_any(false) : NULL;
}

void paging_give(struct frame *f)
{
    f->used = true;
    f->mapped = f->dirty = false;
    f->region = NULL;
    spare_add(f);
}

void *paging_buffer(void)
{
    static void *buffer;
    if (buffer == NULL) {
        buffer = memory_map(PAGING_ROW * PAGE_BYTES);
    }
    return buffer;
}

/* ---- the window -------------------------------------------------------- */

/* Lent frames may go at any time, also while we are at them: then a sink takes
 * their place in the window, and paging_unpeek says so. */
static struct {
    uint64_t va;
    struct frame *sink[PAGING_ROW];
    uint32_t sunk; /* a bit for each page that shows its sink; masked */
} window;

static bool window_make(void)
{
    for (uint32_t i = 0; i < PAGING_ROW; i++) {
        if (window.sink[i] == NULL) {
            window.sink[i] = paging_take_any(false);
        }
        if (window.sink[i] == NULL) {
            return false;
        }
    }
    window.va = arena_take(PAGING_ROW);
    return window.va != 0;
}

static bool window_map(const struct frame *f, uint32_t i)
{
    uint64_t va = window.va + i * PAGE_BYTES;
    return frames_map(frame_slot(f), arena_stretch(va), va,
                      RIGHT_READ | RIGHT_WRITE, 1) == ERR_OK;
}

bool window_fault(uint64_t address)
{
    uint32_t i = (uint32_t)((address - window.va) / PAGE_BYTES);
    if (window.va == 0 || address < window.va || i >= PAGING_ROW ||
        !window_map(window.sink[i], i)) {
        return false;
    }
    window.sunk |= 1u << i;
    return true;
}

void *paging_peek(struct frame *const f[], uint32_t n)
{
    if (window.va == 0 && !window_make()) {
        return NULL;
    }
    for (uint32_t i = 0; i < n; i++) {
        /* One that is gone is missed at the first touch. */
        (void)window_map(f[i], i);
    }
    return (void *)window.va;
}

bool paging_unpeek(struct frame *const f[], uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        (void)frames_unmap(frame_slot(f[i]), 1);
        if (window.sunk >> i & 1) {
            (void)frames_unmap(frame_slot(window.sink[i]), 1);
        }
    }
    bool whole = window.sunk == 0;
    window.sunk = 0;
    return whole;
}

uint32_t frames_free(void)
{
    return spares;
}

bool frame_is_lent(const struct frame *f)
{
    return f->bank->lent;
}

/* ---- giving back ------------------------------------------------------- */

static bool bank_is_gone(const struct bank *b)
{
    uint64_t info, address, word;
    return sys_cap_identify(b->memory, &info, &address, &word) != ERR_OK;
}

bool frame_is_gone(const struct frame *f)
{
    return f->bank->lent && bank_is_gone(f->bank);
}

static uint32_t bank_dirty(const struct bank *b)
{
    uint32_t dirty = 0;
    for (uint32_t i = 0; i < BANK_FRAMES; i++) {
        dirty += b->frame[i].list != NULL && b->frame[i].dirty;
    }
    return dirty;
}

/* No frame of it holds a page any more, and none is spare. */
static void bank_empty(struct bank *b)
{
    struct frame **link = &spare[1];
    for (uint32_t i = 0; i < BANK_FRAMES; i++) {
        if (b->frame[i].list != NULL) {
            resident_evict(&b->frame[i]);
        }
    }
    while (*link != NULL) {
        if ((*link)->bank == b) {
            *link = (*link)->next;
            spares--;
        } else {
            link = &(*link)->next;
        }
    }
}

static void bank_drop(struct bank *b)
{
    struct bank **link = &lent_banks;
    bank_empty(b);
    while (*link != b) {
        link = &(*link)->next;
    }
    *link = b->next;
    uint64_t w[8] = {ROOT_RETURN, b->memory};
    (void)root_call(w, 0); /* refused if it is gone already */
    bank_free(b);
}

void banks_sweep(void)
{
    struct bank *next;
    for (struct bank *b = lent_banks; b != NULL; b = next) {
        next = b->next;
        if (bank_is_gone(b)) {
            bank_drop(b);
        }
    }
}

bool banks_give(void)
{
    struct bank *best = lent_banks;
    uint32_t least = ~0u;
    for (struct bank *b = lent_banks; b != NULL; b = b->next) {
        uint32_t dirty = bank_dirty(b);
        if (dirty < least) {
            best = b;
            least = dirty;
        }
    }
    if (best != NULL) {
        bank_drop(best);
    }
    return best != NULL;
}
