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
