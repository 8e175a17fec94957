/* SPDX-License-Identifier: BSL-1.0
 *
 * What the root program of a test asks of the checker in the kernel: svc
 * #KCHECK with an operation in x0. A kernel without the checker answers NOSYS.
 */
#pragma once

#include "layout.h"

enum kcheck_op {
    KCHECK_BEGIN,  /* x1: seed, x2: slot of the untyped that all is made of */
    KCHECK_WATCH,  /* x1: slot of the dispatcher whose calls count, 0: none,
                    * ~0: of all, each with all invariants behind it */
    KCHECK_CALLS,  /* x0: how many so far */
    KCHECK_LEDGER, /* the same capabilities as at the first time, or it fails */
    KCHECK_FAIL,   /* x1: enum kcheck_wrong, x2: more about it */
    KCHECK_END,    /* x1, x2: lives of the hostile domain, neighbours' work */
};

enum kcheck_wrong {
    WRONG_SETUP, /* a call of the root program failed; x2: error << 32 | line */
    WRONG_NEIGHBOUR, /* found its memory, registers or an answer changed */
    WRONG_PROGRESS,  /* a neighbour did nothing; x2: which */
};
