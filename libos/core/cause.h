/* SPDX-License-Identifier: BSL-1.0
 *
 * What an exception syndrome means, in words. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct cause {
    const char *text; /* "cannot write", "undefined instruction" ... */
    int signal;       /* as if killed by it */
    bool address;     /* FAR says where */
    const char *why;  /* with address: what is wrong there */
};

/* esr: ESR_EL1 of an exception from EL0 (Arm ARM DDI 0487, D17.2.37). */
struct cause cause_of(uint64_t esr);
