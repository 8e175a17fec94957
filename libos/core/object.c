/* SPDX-License-Identifier: BSL-1.0
 *
 * Untyped memory is used in two sizes: pieces of 64 KiB and more for frames,
 * and one piece at a time for pages, so that a page now and then does not cost
 * the alignment of a frame: at first the small one that the domain starts with,
 * then of 64 KiB. Frames given back are kept: a domain that
 * needed the memory once will need it again, and what is over goes back when
 * the domain ends.
 */
#include "object.h"

#include <abi/calls.h>

#include <vesper/root.h>
#include <vesper/root_call.h>
#include <vesper/start.h>

#include "slots.h"

#define PIECES_MAX 64u
#define FRAMES_MAX 128u
#define PIECE_LOG2 18u /* what ROOT_MEMORY gives at most */

static cptr_t piece[PIECES_MAX];
static uint32_t pieces;
static cptr_t page_piece = SLOT_UNTYPED;
static cptr_t spare_frame[FRAMES_MAX];
static uint32_t spare_frames;

/* One more piece from the root server, twice as large as the one before if the
 * quota allows. */
static bool piece_fetch(void)
{
    static uint32_t wanted = BIG_FRAME_LOG2;
    cptr_t slot = pieces < PIECES_MAX ? slot_take() : 0;
    if (slot == 0) {
        return false;
    }
    for (uint32_t log2 = wanted; log2 >= BIG_FRAME_LOG2; log2--) {
        uint64_t w[8] = {ROOT_MEMORY, log2, slot};
        if (root_call(w, 0) == 0) {
            wanted += wanted < PIECE_LOG2;
            piece[pieces++] = slot;
            return true;
        }
    }
    slot_give(slot);
    return false;
}

/* Newest first; a piece without room for 64 KiB is never looked at again. */
static bool piece_retype(cptr_t dst, enum abi_type type, uint32_t size_log2)
{
    do {
        while (pieces > 0) {
            enum abi_error error = sys_untyped_retype(piece[pieces - 1], dst,
                                                      type, size_log2, 1, 0, 0);
            if (error != ERR_NOMEM) {
                return error == ERR_OK;
            }
            pieces--;
        }
    } while (piece_fetch());
    return false;
}

/* A fresh piece for pages. */
static bool page_piece_fetch(void)
{
    cptr_t slot = slot_take();
    if (slot == 0) {
        return false;
    }
    if (!piece_retype(slot, TYPE_UNTYPED, BIG_FRAME_LOG2)) {
        slot_give(slot);
        return false;
    }
    page_piece = slot;
    return true;
}

static bool page_retype(cptr_t dst, enum abi_type type, uint32_t size_log2)
{
    enum abi_error error;
    do {
        error = sys_untyped_retype(page_piece, dst, type, size_log2, 1, 0, 0);
    } while (error == ERR_NOMEM && page_piece_fetch());
    return error == ERR_OK;
}

cptr_t object_make(enum abi_type type, uint32_t size_log2)
{
    cptr_t slot = slot_take();
    if (slot == 0) {
        return 0;
    }
    bool made = size_log2 < BIG_FRAME_LOG2
                    ? page_retype(slot, type, size_log2)
                    : piece_retype(slot, type, size_log2);
    if (!made) {
        slot_give(slot);
        return 0;
    }
    return slot;
}

static bool stretch_make(cptr_t slot, uint64_t va)
{
    enum abi_error error = ERR_NOMEM;
    do {
        if (page_piece != 0) {
            error = sys_stretch_create(slot, page_piece, SLOT_RANGE, va, 0);
        }
    } while (error == ERR_NOMEM && page_piece_fetch());
    return error == ERR_OK;
}

cptr_t object_stretch(uint64_t va)
{
    cptr_t slot = slot_take();
    if (slot == 0) {
        return 0;
    }
    if (stretch_make(slot, va)) {
        if (sys_stretch_attach(slot, CPTR_SELF_DOMAIN,
                               RIGHT_READ | RIGHT_WRITE) == ERR_OK) {
            return slot;
        }
        (void)sys_cap_delete(slot);
    }
    slot_give(slot);
    return 0;
}

/* The memory, its frame, and the stretch that this becomes; 0 or the last. */
static cptr_t huge_make(const cptr_t slot[3], uint64_t va)
{
    uint64_t w[8] = {ROOT_MEMORY, HUGE_FRAME_LOG2, slot[0]};
    if (slot[2] == 0 || root_call(w, 0) != 0) {
        return 0;
    }
    if (sys_untyped_retype(slot[0], slot[1], TYPE_FRAME, HUGE_FRAME_LOG2, 1, 0,
                           0) == ERR_OK &&
        sys_stretch_create(slot[2], slot[1], SLOT_RANGE, va,
                           RIGHT_READ | RIGHT_WRITE) == ERR_OK &&
        sys_stretch_attach(slot[2], CPTR_SELF_DOMAIN,
                           RIGHT_READ | RIGHT_WRITE) == ERR_OK) {
        return slot[2];
    }
    (void)sys_cap_revoke(slot[0]);
    (void)sys_cap_delete(slot[0]);
    return 0;
}

cptr_t object_huge_stretch(uint64_t va)
{
    cptr_t slot[3];
    for (uint32_t i = 0; i < 3; i++) {
        slot[i] = slot_take();
    }
    cptr_t stretch = huge_make(slot, va);
    for (uint32_t i = 0; stretch == 0 && i < 3; i++) {
        if (slot[i] != 0) {
            slot_give(slot[i]);
        }
    }
    return stretch;
}

cptr_t frame_take(bool *dirty)
{
    *dirty = spare_frames > 0;
    if (*dirty) {
        return spare_frame[--spare_frames];
    }
    return object_make(TYPE_FRAME, BIG_FRAME_LOG2);
}

void frame_give(cptr_t frame)
{
    if (spare_frames < FRAMES_MAX) {
        spare_frame[spare_frames++] = frame;
        return;
    }
    (void)sys_cap_delete(frame);
    slot_give(frame);
}
