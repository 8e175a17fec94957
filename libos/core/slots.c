/* SPDX-License-Identifier: BSL-1.0
 *
 * A bitmap under the upcall mask: the search is short, and a slot is needed in
 * places that must not block. A call to the root server, for more, does not.
 */
#include "slots.h"

#include <stdbool.h>

#include <vesper/root.h>
#include <vesper/root_call.h>

#include "page.h"

#define SLOTS_MAX 4096u

static uint64_t unused[SLOTS_MAX / 64]; /* at first none is */
static uint32_t slots;                  /* of the CNode */

/* The bits of a word below bit n, of 0..64. */
static uint64_t below(uint32_t n)
{
    return n < 64 ? (1ull << n) - 1 : ~0ull;
}

void slots_add(uint32_t first, uint32_t end)
{
    for (uint32_t at = 0; at < end && at < SLOTS_MAX; at += 64) {
        uint32_t from = first > at ? first - at : 0;
        unused[at / 64] |= below(end - at) & ~below(from);
    }
    slots = end;
}

/* Masked. */
static cptr_t unused_take(void)
{
    for (uint32_t i = 0; i < SLOTS_MAX / 64; i++) {
        if (unused[i] != 0) {
            uint32_t bit = (uint32_t)__builtin_ctzll(unused[i]);
            unused[i] &= ~(1ull << bit);
            return i * 64 + bit;
        }
    }
    return 0;
}

/* Masked: two threads that find none do not both ask. */
static bool slots_more(void)
{
    uint64_t w[8] = {ROOT_SLOTS};
    if (root_call(w, 0) != 0) {
        return false;
    }
    slots_add(slots, (uint32_t)w[1]);
    return true;
}

cptr_t slot_take(void)
{
    upcall_mask();
    cptr_t slot = unused_take();
    if (slot == 0 && slots_more()) {
        slot = unused_take();
    }
    upcall_unmask();
    return slot;
}

void slot_give(cptr_t slot)
{
    upcall_mask();
    unused[slot / 64] |= 1ull << slot % 64;
    upcall_unmask();
}
