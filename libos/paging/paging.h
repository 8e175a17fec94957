/* SPDX-License-Identifier: BSL-1.0
 *
 * Paging as its own files see it; the public half is <vesper/paging.h>.
 *
 *   arena.c     addresses: a part of the Range, page by page
 *   region.c    regions in them, and what one does with them
 *   fault.c     from the upcall to the driver and back
 *   frame.c     memory: banks of 63 frames
 *   broker.c    what the root server wants back
 *   resident.c  which pages of paged regions are in memory
 *   physical.c, paged.c   the drivers
 *   card.c      files for paged regions
 */
#pragma once

#include <vesper/paging.h>
#include <vesper/thread.h>

extern struct mutex paging_lock; /* guards all of it */

/* ---- arena.c ----------------------------------------------------------- */

/* Addresses for `pages`, with one page behind that stays unmapped. 0: none. */
uint64_t arena_take(uint32_t pages);
void arena_give(uint64_t va, uint32_t pages);
cptr_t arena_stretch(uint64_t va); /* of a page that arena_take gave out */

/* ---- region.c ---------------------------------------------------------- */

/* With the lock, or masked. The region of an address, or NULL. */
struct region *region_find(uint64_t address);
/* With the lock. Unmap page i, for good. The region goes with its last page:
 * false. */
bool region_cut(struct region *r, uint32_t i);

/* ---- frame.c ----------------------------------------------------------- */

struct frame {
    struct bank *bank;
    uint8_t slot;          /* in the bank's CNode */
    bool used;             /* holds old contents */
    bool mapped;           /* at its page, not only kept */
    bool dirty;            /* mapped to be written to, or written */
    struct region *region; /* and page: whose it is, if it is in a list */
    uint32_t page;
    struct frame_list *list; /* of resident.c, or NULL */
    struct frame *next, *previous;
};

cptr_t frame_slot(const struct frame *f);
/* The same, with old contents; lent: of optimistic memory, if there is some,
 * which goes away when the root server wants it. */
struct frame *paging_take_any(bool lent);
/* Is it of a bank that was taken from us? */
bool frame_is_gone(const struct frame *f);
bool frame_is_lent(const struct frame *f);
uint32_t frames_free(void);
/* In the upcall handler, of a thread with the lock: is the fault in the window?
 * Then it is mended. */
bool window_fault(uint64_t address);
/* PAGING_ROW pages that stores read and write; NULL: no memory. */
void *paging_buffer(void);

/* Those that were taken from us: what was in them is read again, or lost. */
void banks_sweep(void);
/* Give back the lent bank with the fewest dirty pages; false: there is none. */
bool banks_give(void);

/* ---- broker.c ---------------------------------------------------------- */

/* Hear of the root server's wishes from now on; false: no memory. */
bool broker_listen(void);

/* ---- resident.c -------------------------------------------------------- */

extern struct paging_counts counts;

/* A frame with old contents for a page of a paged region; another page may go
 * for it. NULL: none to be had. */
struct frame *resident_take(void);
void resident_give(struct frame *f);
/* The same for one that holds no page yet. */
void resident_return(struct frame *f);
/* It holds page i of r now, mapped or about to be. */
void resident_enter(struct frame *f, struct region *r, uint32_t i);
/* It was touched. */
void resident_touch(struct frame *f);
/* It cannot be written out: it is no page of ours any more. */
void resident_nail(struct frame *f);
/* The page goes, its frame stays taken; contents that cannot be kept are lost.
 */
void resident_evict(struct frame *f);
/* Hide the pages that are longest there, as many as there should be hidden. */
void resident_balance(void);

/* ---- paged.c ----------------------------------------------------------- */

extern const struct region_driver paged_driver;
/* Write out page i, which is hidden, and its dirty hidden neighbours in
 * [i, end). */
int paged_clean(struct region *r, uint32_t i, uint32_t end);
/* All dirty pages in [i, end) are in the store, and that is on the card, when
 * it returns; nothing to do for what is written to nowhere. */
int paged_sync(struct region *r, uint32_t i, uint32_t end);

extern const struct region_driver physical_driver; /* physical.c */

/* ---- card.c ------------------------------------------------------------ */

/* A store that is the file at path, made new; or an open file of the service
 * `files`, by a number that was granted to this domain, from offset on:
 * without `shared`, nothing is written to it. */
int card_scratch(const char *path, struct paging_store **out);
int card_open_file(uint64_t granted, uint64_t offset, bool shared,
                   struct paging_store **out);
