/* SPDX-License-Identifier: BSL-1.0
 *
 * Self-paging: a domain resolves its own faults. A region is a piece of its
 * addresses with a driver that says what a touch of it means; Nemesis calls
 * that a stretch driver.
 *
 *   nailed    mapped at once, never faults
 *   physical  zeroed memory, mapped on touch
 *   paged     as large as one likes: `paging_limit` frames hold what is used, a
 *             file on the card the rest
 *   stack     of threads; core has it (docs/memory.md)
 *
 * <sys/mman.h> is over the same. A thread that touches what is not there waits;
 * the others run on, also while the card works. What cannot be had (a lost
 * page, a card error, no memory) is told to the handler of paging_on_fault, or
 * else is SIGBUS or SIGSEGV, which the program may handle (<vesper/fault.h>).
 * Nothing is ever read that was not written.
 *
 * Rules: what libos touches with upcalls masked must not lie in a region:
 * mutexes, conditions and the like, and stacks. Context of all: any thread,
 * unmasked. Sizes are rounded up to pages; errors are positive errno values.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <abi/abi.h>

/* New regions, zero. *out: the address. ENOMEM: no addresses or memory;
 * EINVAL: bytes is 0. */
int region_nailed(size_t bytes, void **out);
int region_physical(size_t bytes, void **out);
/* path: of a file on the card that is made, or emptied, to hold what is not in
 * memory, and is removed when the region is freed or the program ends, however
 * that ends (FILE_SCRATCH of <vesper/file.h>). Also: errors of opening it. */
int region_paged(size_t bytes, const char *path, void **out);

/* Give back addresses, memory and file. EINVAL: no region starts there. */
int region_free(void *address);

/* A lost page is as it was at first: zero, or what its file has. EINVAL: no
 * page of a region is there. */
int region_renew(void *address);

/* How many frames of 4 KiB all paged regions have together; 16..16384, at the
 * start 512. More than that is written out by the next faults. */
void paging_limit(uint32_t frames);

struct paging_counts {
    uint64_t faults;        /* that a driver answered */
    uint64_t soft;          /* of them: the page was still in memory */
    uint64_t reads, writes; /* pages from and to the card */
    uint64_t lost;          /* pages whose contents could not be kept */
    uint32_t frames, limit; /* in use by paged regions, and at most */
    uint32_t free;          /* frames that are in no region */
};
void paging_counts(struct paging_counts *out);

struct paging_fault {
    void *address;
    bool write;
    int error; /* EACCES: the region forbids it; ENXIO: behind the end of the
                  file; EIO: the page is lost, or the card fails; ENOMEM */
};

/* Called on the thread that faulted, at the instruction that did, with its
 * registers kept: a return tries again, longjmp does not. NULL: nobody. Not for
 * faults outside regions. */
void paging_on_fault(void (*handler)(const struct paging_fault *fault));

/* ---- to write a driver ------------------------------------------------- */

enum region_rights { REGION_READ = 1, REGION_WRITE = 2 };

struct frame; /* 4 KiB of memory */

struct page {
    struct frame *frame; /* that it has, mapped or not; or NULL */
    uint32_t place;      /* paged: where it is in the store */
    uint8_t rights;      /* enum region_rights */
    bool stored;         /* paged: the store has it */
    bool lost;           /* what it held is gone */
    bool hole;           /* unmapped: no part of the region any more */
};

struct region {
    const struct region_driver *driver;
    uint64_t base; /* address of the first page */
    uint32_t pages, holes;
    struct page *page;  /* one each */
    void *state;        /* of the driver */
    uint32_t next_read; /* paged: the page that a sequential reader wants */
    bool read_only;     /* no page may become writable */
    struct region *next;
};

/* One fault at a time in the whole domain; with the paging lock. */
struct region_driver {
    const char *name;
    /* A thread reads or writes page i, which its rights allow. Have it mapped,
     * or say why not. May wait for the card. */
    int (*fault)(struct region *r, uint32_t i, bool write);
    /* The same in the handler of the fault, where nothing may wait, no
     * paging_peek is, and FP registers, which libc uses, are the thread's:
     * false, it has to wait. NULL: it always has to. */
    bool (*at_once)(struct region *r, uint32_t i, bool write);
    /* Page i goes: give back its frame. NULL: nothing to do. */
    void (*drop)(struct region *r, uint32_t i);
    /* All pages are gone; let go of the state. NULL: nothing to do. */
    void (*close)(struct region *r);
};

/* A region of that driver; its pages have `rights`. ENOMEM, EINVAL. */
int region_make(const struct region_driver *driver, size_t bytes,
                uint8_t rights, void *state, struct region **out);

/* In a driver: a zeroed frame, NULL: no memory left, or none that is at hand
 * and zeroed; back with it; show it at page i with these rights, or hide it. */
struct frame *paging_take(void);
struct frame *paging_take_at_once(void);
void paging_give(struct frame *f);
int region_show(struct region *r, uint32_t i, struct frame *f, uint8_t rights);
void region_hide(struct region *r, uint32_t i);
/* Show frames of this row, n <= PAGING_ROW, to the driver alone. */
#define PAGING_ROW 8u
void *paging_peek(struct frame *const f[], uint32_t n);
/* False: a frame was taken from the domain meanwhile, and what was read and
 * written there is nothing. */
bool paging_unpeek(struct frame *const f[], uint32_t n);

/* Or keep the paging and bring another store. Bytes are whole pages, at most
 * PAGING_ROW; place: their offset in pages. */
struct paging_store {
    /* *got: how many bytes there were; 0 behind the end. */
    int (*read)(struct paging_store *s, uint32_t place, void *to, size_t bytes,
                size_t *got);
    /* NULL: what is written stays in memory. */
    int (*write)(struct paging_store *s, uint32_t place, const void *from,
                 size_t bytes);
    void (*close)(struct paging_store *s); /* frees s */
    int (*sync)(struct paging_store *s);   /* NULL: nothing to do */
    bool scratch;    /* places are given out as pages are first written */
    uint32_t placed; /* scratch: how many were */
};
int region_stored(size_t bytes, uint8_t rights, struct paging_store *store,
                  struct region **out);
