/* SPDX-License-Identifier: BSL-1.0
 *
 * A bitmap under the upcall mask: the search is short, and a slot is needed in
 * places that must not block.
 */
#include "slots.h"

#include "page.h"

#define SLOTS_MAX 4096u

static uint64_t unused[SLOTS_MAX / 64]; /* at first none is */

/* The bits of a word below bit n, of 0..64. */
static uint64_t below(uint32_t n)
{
    return n < 64 ? (1ull << n) - 1 : ~0ull;
}

void slots_init(uint32_t first, uint32_t end)
{
    for (uint32_t at = 0; at < end && at < SLOTS_MAX; at += 64) {
        uint32_t from = first > at ? first - at : 0;
        unused[at / 64] = below(end - at) & ~below(from);
    }
}

cptr_t slot_take(void)
{
    cptr_t slot = 0;
    upcall_mask();
    for (uint32_t i = 0; i < SLOTS_MAX / 64 && slot == 0; i++) {
        if (unused[i] != 0) {
            uint32_t bit = (uint32_t)__builtin_ctzll(unused[i]);
            unused[i] &= ~(1ull << bit);
            slot = i * 64 + bit;
        }
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
