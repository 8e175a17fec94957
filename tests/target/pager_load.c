/* SPDX-License-Identifier: BSL-1.0
 *
 * Load for the experiment of self-paging: pager-load [NAME] pages through a
 * region far larger than its frames for ever, and after each ROUND faults
 * prints its name, if it has one, how many faults there were, and the counter
 * of the board.
 * The store is calculated, not read from the card: the card would be shared by
 * rules of its own, and this is about the CPU that a domain's pager has.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <vesper/paging.h>
#include <vesper/thread.h>

#define PAGE  4096u
#define PAGES 1024u
#define ROUND 500u

static int pattern_read(struct paging_store *s, uint32_t place, void *to,
                        size_t bytes, size_t *got)
{
    (void)s;
    for (size_t i = 0; i < bytes / 8; i++) {
        ((uint64_t *)to)[i] = place * 512u + i;
    }
    *got = bytes;
    return 0;
}

static int pattern_write(struct paging_store *s, uint32_t place,
                         const void *from, size_t bytes)
{
    (void)s;
    (void)place;
    (void)from;
    (void)bytes;
    return 0;
}

static void pattern_close(struct paging_store *s)
{
    (void)s;
}

int main(int argc, char **argv)
{
    struct paging_store store = {.read = pattern_read,
                                 .write = pattern_write,
                                 .close = pattern_close};
    struct region *r;
    paging_limit(64);
    if (region_stored(PAGES * PAGE, REGION_READ | REGION_WRITE, &store, &r) !=
        0) {
        return 1;
    }
    volatile uint64_t *words = (uint64_t *)r->base;
    uint64_t at = 0, done = 0;
    for (;;) {
        for (uint32_t i = 0; i < ROUND; i++) {
            at = (at + 389) % PAGES; /* never in a row */
            if (words[at * 512] != at * 512) {
                return 2;
            }
            words[at * 512] = at * 512; /* and dirty, as Nemesis has it */
        }
        done += ROUND;
        if (argc > 1) {
            printf("%s %llu %llu\n", argv[1], (unsigned long long)done,
                   (unsigned long long)(time_ns() / 1000000));
        }
        (void)fflush(stdout);
    }
}
