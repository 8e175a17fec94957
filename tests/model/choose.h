/* SPDX-License-Identifier: BSL-1.0
 *
 * Which system call comes next: random, mostly such that it can succeed, by
 * what the model knows.
 */
#pragma once

#include "machine.h"

struct operation {
    uint32_t nr, who; /* who: index of machine.domain */
    uint32_t patience;
    uint64_t x[8];
};

void choose_seed(uint64_t seed);
void choose(struct operation *op);
uint32_t choose_number(uint32_t below);

/* Is it a call on a row of frames, which may do only some of them? */
static inline bool is_row(uint32_t nr)
{
    return (nr >= SYS_FRAME_MAP && nr <= SYS_FRAME_PROTECT) ||
           nr == SYS_FRAME_REMAP;
}
