/* SPDX-License-Identifier: BSL-1.0 */
/*
 * alias.c - the 8.3 name that every file needs
 *
 * A name that is 8.3 already keeps it; if only its case is lost it gets long
 * slots too. All others get BASE~N.EXT, N = 1..4, and when those are taken
 * two characters and a hash of the name, XXHHHH~N: few probes even among
 * thousands of like names. One pass over the directory finds all taken N.
 */
#include "private.h"

#define HASH_ROUNDS 64u

/* The character as a short name stores it; 0 = it cannot. */
static uint8_t short_char(uint16_t c)
{
    if (c >= 'a' && c <= 'z') {
        return (uint8_t)(c - 32);
    }
    if ((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
        (c > 0x20 && c < 0x7f && strchr("$%'-_@~`!(){}^#&", c))) {
        return (uint8_t)c;
    }
    return 0;
}

static int last_dot(const struct fat_name *name)
{
    for (int i = name->len - 1; i > 0; i--) {
        if (name->unit[i] == '.') {
            return i;
        }
    }
    return -1;
}

/* Copy units [from, to) to at most max bytes; true if nothing was lost. */
static bool short_part(const struct fat_name *name, int from, int to,
                       uint8_t *out, int max)
{
    bool exact = true;
    int n = 0;

    for (int i = from; i < to; i++) {
        uint16_t c = name->unit[i];
        uint8_t s = short_char(c);

        if (n == max) {
            return false;
        }
        exact = exact && s;
        if (s || (c != ' ' && c != '.')) {
            out[n++] = s ? s : '_';
        }
    }
    return exact;
}

/* Fill sfn without a number; true if it says the name but for its case. */
static bool short_basis(const struct fat_name *name, uint8_t *sfn)
{
    int dot = last_dot(name);
    int end = dot < 0 ? name->len : dot;
    int start = 0;
    bool exact;

    memset(sfn, ' ', SHORT_BYTES);
    while (start < end &&
           (name->unit[start] == '.' || name->unit[start] == ' ')) {
        start++;
    }
    exact = short_part(name, start, end, sfn, 8) && start == 0;
    if (dot >= 0) {
        exact = short_part(name, dot + 1, name->len, sfn + 8, 3) && exact;
    }
    if (sfn[0] == ' ') {
        sfn[0] = '_';
        exact = false;
    }
    return exact;
}

static bool has_lower(const struct fat_name *name)
{
    for (unsigned i = 0; i < name->len; i++) {
        if (name->unit[i] >= 'a' && name->unit[i] <= 'z') {
            return true;
        }
    }
    return false;
}

static unsigned short_len(const uint8_t *sfn)
{
    unsigned n = 0;

    while (n < 8 && sfn[n] != ' ') {
        n++;
    }
    return n;
}

/* Which of stem~1 .. stem~9 exist, as bits 1..9. */
static int tails_used(struct fat_volume *vol, uint32_t dir, const uint8_t *sfn,
                      unsigned stem, unsigned *used)
{
    struct fat_walk walk;
    uint32_t slot;

    *used = 0;
    fat_walk_start(&walk, vol, dir);
    for (slot = 0;; slot++) {
        uint64_t lba;
        uint8_t *p;
        int rc = fat_walk_slot(&walk, slot, &lba, &p);

        if (rc <= 0 || p[0] == SLOT_END) {
            return rc < 0 ? rc : 0;
        }
        if (memcmp(p, sfn, stem + 1) == 0 && p[stem + 1] >= '1' &&
            p[stem + 1] <= '9' && short_len(p) == stem + 2 &&
            memcmp(p + 8, sfn + 8, 3) == 0) {
            *used |= 1u << (p[stem + 1] - '0');
        }
    }
}

/* Cut the stem, append '~' and the lowest free digit up to `most`. */
static int tail_add(struct fat_volume *vol, uint32_t dir, uint8_t *sfn,
                    unsigned stem, unsigned most)
{
    unsigned used;
    int rc;

    memset(sfn + stem, ' ', 8 - stem);
    sfn[stem] = '~';
    rc = tails_used(vol, dir, sfn, stem, &used);
    for (unsigned n = 1; rc == 0 && n <= most; n++) {
        if (!(used & 1u << n)) {
            sfn[stem + 1] = (uint8_t)('0' + n);
            return 1;
        }
    }
    return rc;
}

/* FNV-1a over the name, folded to 16 bits. */
static unsigned name_hash(const struct fat_name *name, unsigned round)
{
    uint32_t h = 2166136261u + round;

    for (unsigned i = 0; i < name->len; i++) {
        h = (h ^ name->unit[i]) * 16777619u;
    }
    return (h >> 16 ^ h) & 0xffffu;
}

static void hash_put(uint8_t *out, unsigned hash)
{
    for (unsigned i = 0; i < 4; i++) {
        out[i] = (uint8_t) "0123456789ABCDEF"[hash >> (12 - 4 * i) & 15];
    }
}

int fat_alias_pick(struct fat_volume *vol, uint32_t dir,
                   const struct fat_name *name, uint8_t *sfn, bool *is_long)
{
    unsigned stem;
    int rc;

    *is_long = true;
    if (short_basis(name, sfn)) {
        *is_long = has_lower(name);
        return 0; /* the lookup before found it free */
    }
    stem = short_len(sfn);
    rc = tail_add(vol, dir, sfn, stem < 6 ? stem : 6, 4);
    for (unsigned round = 0; rc == 0 && round < HASH_ROUNDS; round++) {
        unsigned keep = stem < 2 ? stem : 2;

        hash_put(sfn + keep, name_hash(name, round));
        rc = tail_add(vol, dir, sfn, keep + 4, 9);
    }
    return rc < 0 ? rc : rc ? 0 : -ENOSPC;
}
