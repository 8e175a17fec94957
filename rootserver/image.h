/* SPDX-License-Identifier: BSL-1.0
 *
 * Images: the code and constants of programs that were started, kept where they
 * were loaded, with the addresses. What starts there again needs no file, and
 * nothing but its own data. Whose bytes they are, who started it says by a key:
 * an image is found by its owner only. It runs in one domain at a time, whose
 * memory it is meanwhile; while it runs in none, its memory is free memory, and
 * is the first to be given away.
 */
#pragma once

#include "lay_out.h"

struct image {
    /* Not in the table, and never runs: chunks, objects and addresses. */
    struct domain text;
    struct layout at;
    uint32_t owner; /* domain id; 0: the boot archive */
    uint64_t key;   /* 0: nothing is here */
    uint64_t ended; /* how many had ended when the last user did */
    bool used;      /* by a domain that runs, or is being loaded */
    bool good;      /* all is there, and can be started */
};

/* Which of them has the objects of its code. */
static inline const struct domain *code_of(const struct domain *d)
{
    return d->image != NULL ? &d->image->text : d;
}

/* One that is good and that nobody uses, or NULL; it is the caller's now, who
 * gives it to domain_create. */
struct image *image_find(uint32_t owner, uint64_t key);
/* An empty one, likewise; another one goes for it. NULL: all are in use. */
struct image *image_make(uint32_t owner, uint64_t key);
/* Nobody runs in it any more, nor has any of its addresses. */
void image_end(struct image *image);
/* What it started is not found any more. */
void image_owner_ended(uint32_t owner);
