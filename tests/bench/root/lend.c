/* SPDX-License-Identifier: BSL-1.0
 *
 * Calls that lend: one page, 2 MiB, a list of 1,000 nodes, bulk data. The
 * reader sees nothing of it at other times.
 */
#include "tests/bench/root/bulk.h"
#include "tests/bench/root/rows.h"

#define SMALL  C_FREE /* a stretch with one page */
#define WHOLE  (C_FREE + 1)
#define FRAMES (C_FREE + 2)
#define PARTS  (STRETCH_BYTES >> BIG_FRAME_LOG2)
#define ITEMS  1000u

static uint64_t small_va, whole_va;

static void map_part(uint32_t memory, uint32_t frame, uint32_t stretch,
                     uint64_t va, uint32_t log2)
{
    expect(make_one(memory, frame, TYPE_FRAME, log2), "frame");
    expect(frames_map(frame, stretch, va, READ_WRITE, 1), "map");
}

static void stretch_make(uint32_t slot, uint64_t va)
{
    expect(sys_stretch_create(slot, C_MEMORY, C_RANGE, va, 0), "stretch");
    expect(sys_stretch_attach(slot, CPTR_SELF_DOMAIN, READ_WRITE), "attach");
}

static void lent_make(void)
{
    small_va = client_range;
    whole_va = client_range + STRETCH_BYTES;
    stretch_make(SMALL, small_va);
    stretch_make(WHOLE, whole_va);
    map_part(0, FRAMES, SMALL, small_va, PAGE_LOG2);
    for (uint32_t i = 0; i < PARTS; i++) {
        map_part(1 + i / 4, FRAMES + 1 + i, WHOLE,
                 whole_va + ((uint64_t)i << BIG_FRAME_LOG2), BIG_FRAME_LOG2);
    }
}

static void lent_end(void)
{
    for (uint32_t i = 0; i <= PARTS / 4; i++) {
        (void)sys_cap_revoke(C_MEMORY + i);
    }
}

/* Every third place of the pages, so that the links lead to and fro. */
static struct item *list_make(void)
{
    struct item *at = (struct item *)whole_va, *first = NULL;
    for (uint32_t i = 0; i < ITEMS; i++) {
        struct item *next = &at[i * 7919 % (3 * ITEMS)];
        *next = (struct item){first, i};
        first = next;
    }
    return first;
}

/* Sum of the reader, or 0: it was not asked. */
static uint64_t ask(const struct item *list, const uint64_t *words,
                    uint64_t count, uint64_t loan)
{
    uint64_t w[8] = {(uintptr_t)list, (uintptr_t)words, count};
    return call_endpoint(w, C_READER | CALL_LEND, 0, loan) == ERR_OK ? w[0] : 0;
}

static void list_row(void)
{
    const struct item *list = list_make();
    ROW("a list of 1,000 nodes, lent and walked in place", NOTHING,
        e = ask(list, NULL, 0, LOAN(whole_va, READ_ONLY)) !=
            ITEMS * (ITEMS - 1) / 2,
        NOTHING);
}

static void words_row(void)
{
    uint64_t *words = (uint64_t *)small_va;
    for (uint32_t i = 0; i < 64; i++) {
        words[i] = 1ull << i;
    }
    ROW("call with 64 words, read in place", NOTHING,
        e = ask(NULL, words, 64, LOAN(words, READ_ONLY)) != ~0ull, NOTHING);
}

static void relay(uint64_t w[8], uint64_t loan)
{
    w[0] = WAKER_RELAYS;
    w[1] = loan;
}

/* The callee calls the server, and lends on what was lent to it. */
static void relay_rows(uint64_t w[8])
{
    uint64_t loan = LOAN(small_va, READ_ONLY);
    ROW("call and reply, called on by the callee", relay(w, 0),
        e = call_endpoint(w, C_WAKER, 0, 0), NOTHING);
    ROW("call that lends, lent on by the callee", relay(w, loan),
        e = call_endpoint(w, C_WAKER | CALL_LEND, 0, loan), NOTHING);
}

/* One writes, the other reads; no word is copied. */
static void bulk_row(void)
{
    uint64_t *words = (uint64_t *)whole_va, sum = 0;
    ROW(
        "bulk data, written, lent and read in place", NOTHING,
        {
            sum = bulk_write(words, run);
            e = ask(NULL, words, BULK_WORDS, LOAN(words, READ_ONLY)) != sum;
        },
        NOTHING);
}

void lend_rows(void)
{
    lent_make();
    uint64_t w[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    ROW("call that lends 4 KiB, and reply", NOTHING,
        e = call_endpoint(w, C_ENDPOINT | CALL_LEND, 0,
                          LOAN(small_va, READ_ONLY)),
        NOTHING);
    ROW("call that lends 2 MiB, and reply", NOTHING,
        e = call_endpoint(w, C_ENDPOINT | CALL_LEND, 0,
                          LOAN(whole_va, READ_ONLY)),
        NOTHING);
    relay_rows(w);
    words_row();
    list_row();
    bulk_row();
    ROW("call that lends what one does not have, refused", NOTHING,
        e = call_endpoint(w, C_ENDPOINT | CALL_LEND, 0,
                          LOAN(whole_va + STRETCH_BYTES, READ_ONLY)) !=
            ERR_UNMAPPED,
        NOTHING);
    lent_end();
}
