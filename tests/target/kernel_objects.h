/* SPDX-License-Identifier: BSL-1.0
 *
 * One object of every type that an ordinary domain can have, in a CNode of the
 * test's own, and how the kernel tests speak of them.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <abi/abi.h>
#include <abi/calls.h>
#include <vesper/frames.h>

#define NODE_SLOTS 64u
#define NODE_RANK  3u

enum place {                /* in the node */
             P_UNTYPED = 1, /* 64 KiB, unused */
             P_FULL,        /* 4 KiB untyped, used up by a frame */
             P_FULL_FRAME,
             P_CNODE, /* 8 slots, rank 0 */
             P_FRAME, /* 4 KiB */
             P_BIG,   /* 64 KiB frame */
             P_DOMAIN,
             P_DISPATCHER,
             P_EVENT, /* bit 5 of it */
             P_ENDPOINT,
             P_SCHED,
             P_STRETCH, /* at objects_va() */
             P_RANGE,   /* 4 MiB, of which P_STRETCH is the first slot */
             P_FREE = 32,
};

extern cptr_t node;   /* the CNode */
extern cptr_t memory; /* 256 KiB untyped that everything is made of */

#define N(i) CPTR(node, (i))

/* Make them. False: says why, and nothing can be tested. */
bool objects_make(void);
/* Make them anew: the node and all in it are revoked first. */
bool objects_renew(void);
uint64_t objects_va(void);

/* Word 0 of cap_identify; 0: the slot is empty or is no slot. */
uint64_t slot_info(cptr_t slot);
static inline uint32_t slot_type(cptr_t slot)
{
    return (uint32_t)(slot_info(slot) & 0xff);
}
static inline uint32_t slot_rights(cptr_t slot)
{
    return (uint32_t)(slot_info(slot) >> 8 & 0xff);
}

/* True if the error is the one expected; else says both. */
bool error_is(uint64_t error, enum abi_error expected);
