/* SPDX-License-Identifier: BSL-1.0
 *
 * A family, for the scopes whose subject is dispatchers: root, and kids that it
 * schedules, each with a domain and a CNode of its own.
 */
#pragma once

#include "closure.h"

enum {
    KIDS_MAX = 3,
    PEOPLE_MAX,
    KID_LOG2 = 8, /* of a kid's CNode */
    DIRT = 0xa5,  /* memory that nobody owns */
};
enum { /* root's slots */
       KID = ROOT_SLOT + 1,
       DOMAIN = KID + KIDS_MAX,
       NODE = DOMAIN + KIDS_MAX,
       ROOT_DOMAIN = NODE + KIDS_MAX,
       ROOT,
       FAMILY_SLOTS, /* from here on: the scope's */
};

extern uint32_t kids, people; /* how many there are; the last one is root */
extern ref_t person[PEOPLE_MAX], kid_domain[KIDS_MAX], kid_node[KIDS_MAX];

/* A machine with n kids; raise() finishes each, which is not started. */
void family_boot(uint32_t slots, uint32_t n,
                 void (*raise)(struct dispatcher *));
void family_watch(uint32_t slots, uint32_t root_saves, uint32_t kid_saves);
/* In person[]; `people`: nobody. */
uint32_t index_of(ref_t d);
/* Person k is dead: its memory is nobody's. */
void bury(uint32_t k);
const char *say_state(const struct dispatcher *d);
