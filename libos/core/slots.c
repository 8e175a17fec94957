/* SPDX-License-Identifier: BSL-1.0
 *
 * A bitmap under the upcall mask: the search is short, and a slot is needed in
 * places that must not block.
 */
#include "slots.h"

#include "page.h"

#define SLOTS_MAX 4096u

static uint64_t used[SLOTS_MAX / 64];

void slots_init(uint32_t first, uint32_t end)
{
    for (uint32_t i = 0; i < SLOTS_MAX; i++) {
        if (i < first || i >= end) {
            used[i / 64] |= 1ull << i % 64;
        }
    }
}

cptr_t slot_take(void)
{
    cptr_t slot = 0;
    upcall_mask();
    for (uint32_t i = 0; i < SLOTS_MAX / 64 && slot == 0; i++) {
        if (~used[i] != 0) {
            uint32_t bit = (uint32_t)__builtin_ctzll(~used[i]);
            used[i] |= 1ull << bit;
            slot = i * 64 + bit;
        }
    }
    upcall_unmask();
    return slot;
}

void slot_give(cptr_t slot)
{
    upcall_mask();
    used[slot / 64] &= ~(1ull << slot % 64);
    upcall_unmask();
}
