/* SPDX-License-Identifier: BSL-1.0
 *
 * Marked regions: what tests/bench/plugin.c counts. A marker is a hint that no
 * CPU knows, so it does nothing. Regions may begin in one domain and end in
 * another; they do not nest.
 *
 * A row is a region that was passed RUNS times; row_end() then prints
 * `row RUNS NAME`, by which scripts/bench knows what it counted. The first run
 * is the first call, the others are warm.
 */
#pragma once

#define RUNS 8u

/* Nothing is ready in registers when a region begins: who wants arguments in
 * them must put them there inside. */
static inline void mark_begin(void)
{
    __asm__ volatile("hint #0x70"
                     :
                     :
                     : "memory", "cc", "x0", "x1", "x2", "x3", "x4", "x5", "x6",
                       "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14",
                       "x15", "x16", "x17");
}

/* From the next interrupt on: its vector's first instruction counts. */
static inline void mark_begin_at_interrupt(void)
{
    __asm__ volatile("hint #0x72" : : : "memory");
}

static inline void mark_end(void)
{
    __asm__ volatile("hint #0x71" : : : "memory");
}

/* Of the image: prints the line; and ends the benchmark if something failed. */
void row_end(const char *name);
void expect(unsigned long error, const char *what);

/* `before` and `after` are not counted; e, of the body, must be 0. */
#define ROW(name, before, body, after)                                         \
    do {                                                                       \
        for (unsigned run = 0; run < RUNS; run++) {                            \
            unsigned long e = 0;                                               \
            before;                                                            \
            mark_begin();                                                      \
            body;                                                              \
            mark_end();                                                        \
            expect(e, name);                                                   \
            after;                                                             \
        }                                                                      \
        row_end(name);                                                         \
    } while (0)

#define NOTHING (void)0
