/* SPDX-License-Identifier: BSL-1.0
 *
 * Memory of a domain beyond malloc. Sizes are rounded up to whole pages of
 * 4096 bytes. Context: any thread; never an upcall handler. New memory is zero.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <abi/abi.h>

/* Memory that lies alone in one stretch, so that the stretch's capability can
 * be sent to another domain without showing it anything else. */
struct memory_run {
    void *address;  /* start of the 2 MiB slot */
    size_t bytes;   /* rounded up; at most MEMORY_RUN_MAX */
    cptr_t stretch; /* slot of the STRETCH, all rights */
};
#define MEMORY_RUN_MAX ((size_t)0x200000)

/* 0, or a positive errno: ENOMEM; EINVAL: bytes is 0 or > MEMORY_RUN_MAX. */
int memory_run_take(size_t bytes, struct memory_run *out);

/* The same, but there may be in it what this domain had in an earlier one: for
 * who writes all of it, or shows it to nobody from whom that is to be kept. */
int memory_run_take_uncleared(size_t bytes, struct memory_run *out);

/* Unmap it, delete the stretch for everybody it was sent to, free the memory.
 */
void memory_run_give(struct memory_run *run);

/* Map zeroed memory; NULL: no memory left. Not given back before the end. */
void *memory_map(size_t bytes);
