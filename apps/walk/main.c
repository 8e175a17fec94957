/* SPDX-License-Identifier: BSL-1.0
 *
 * A table larger than memory: walk [KIB [FRAME_KIB [STEPS]]] fills a paged
 * region of that many KiB, walks through it from word to word at random and
 * changes each, undoes the walk, and looks that every word is what it was. The
 * hash of what it found on the way can be calculated without the table.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vesper/paging.h>

#define SWAP_FILE     "/walk.tmp"
#define WORDS_PER_KIB 128
#define FRAME_KIB     4

/* A bijection of 64 bits (the end of SplitMix64). */
static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

/* Complement `steps` words here and there; returns a hash of what was found. */
static uint64_t walk(uint64_t *table, uint64_t words, uint64_t steps)
{
    uint64_t at = 0, path = 0;

    for (uint64_t i = 0; i < steps; i++) {
        at = mix(at ^ (i * UINT64_C(0x9e3779b97f4a7c15))) % words;
        path = mix(path ^ table[at]);
        table[at] = ~table[at];
    }
    return path;
}

static uint64_t wrong_words(const uint64_t *table, uint64_t words)
{
    uint64_t wrong = 0;

    for (uint64_t i = 0; i < words; i++) {
        wrong += table[i] != mix(i);
    }
    return wrong;
}

static int run(uint64_t *table, uint64_t words, uint64_t steps)
{
    uint64_t there, wrong;

    for (uint64_t i = 0; i < words; i++) {
        table[i] = mix(i);
    }
    there = walk(table, words, steps);
    (void)walk(table, words, steps); /* each word is complemented back */
    wrong = wrong_words(table, words);
    printf("path %016llx, %llu of %llu words are wrong\n",
           (unsigned long long)there, (unsigned long long)wrong,
           (unsigned long long)words);
    return wrong == 0 ? 0 : 1;
}

/* Argument i, from `least` to 2^32; 0 if it is anything else. */
static uint64_t number(int argc, char **argv, int i, uint64_t otherwise,
                       uint64_t least)
{
    char *end;
    uint64_t n;

    if (i >= argc) {
        return otherwise;
    }
    n = strtoull(argv[i], &end, 10);
    return *end == '\0' && n >= least && n <= UINT32_MAX ? n : 0;
}

int main(int argc, char **argv)
{
    uint64_t words = number(argc, argv, 1, 65536, 1) * WORDS_PER_KIB;
    uint64_t frames = number(argc, argv, 2, 8192, FRAME_KIB) / FRAME_KIB;
    uint64_t steps = number(argc, argv, 3, 1000, 1);
    struct paging_counts c;
    void *table;
    int error, status;

    if (argc > 4 || words == 0 || frames == 0 || steps == 0) {
        (void)fprintf(stderr,
                      "usage: walk [KIB [FRAME_KIB (from 4) [STEPS]]]\n");
        return 2;
    }
    paging_limit((uint32_t)frames);
    error = region_paged(words * 8, SWAP_FILE, &table);
    if (error != 0) {
        (void)fprintf(stderr, "walk: %s\n", strerror(error));
        return 1;
    }
    status = run(table, words, steps);
    paging_counts(&c);
    printf("%llu faults, %llu without the card; %llu pages in, %llu out; "
           "%u frames\n",
           (unsigned long long)c.faults, (unsigned long long)c.soft,
           (unsigned long long)c.reads, (unsigned long long)c.writes, c.frames);
    (void)region_free(table);
    return status;
}
