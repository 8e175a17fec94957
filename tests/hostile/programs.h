/* SPDX-License-Identifier: BSL-1.0
 *
 * What the programs of this test share. They have no data in common: each sees
 * the root program's text and its own stretch.
 */
#pragma once

#include <abi/abi.h>

#include "layout.h"

#define HOSTILE_VA      (DOMAIN_VA + HOSTILE * STRETCH_BYTES)
#define HOSTILE_FREE_VA (HOSTILE_VA + STRETCH_BYTES) /* to map things at */
#define STUB_CALL       64u                          /* of hostile_stubs */

/* Of a neighbour, at the start of its data. */
struct neighbour {
    uint64_t kind, work, wrong;
    uint64_t served;
    uint64_t memory[256];
};

enum neighbour_kind { IS_ALONE, IS_SERVER, IS_CLIENT };
enum neighbour_slot { SLOT_SERVER = 1, SLOT_RECEIVED }; /* in its CNode */

void hostile_start(void);
void hostile_again(void);
void hostile_child(void);
void neighbour_start(uint64_t kind);

static inline uint64_t now(void)
{
    uint64_t t;
    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(t));
    return t;
}
