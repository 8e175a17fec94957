/* SPDX-License-Identifier: BSL-1.0 */
/*
 * name.c - file names: UTF-8 outside, UTF-16 in long names, code page 437 in
 * short ones
 *
 * Case is folded for the scripts whose rule is regular (Latin, Greek,
 * Cyrillic); elsewhere names differ if any unit differs. Units are compared,
 * not characters: a surrogate pair has no case here.
 */
#include "private.h"

/* Characters 128..255 of code page 437, the usual one of short names. */
static const uint16_t page437[128] = {
    0x00c7, 0x00fc, 0x00e9, 0x00e2, 0x00e4, 0x00e0, 0x00e5, 0x00e7, 0x00ea,
    0x00eb, 0x00e8, 0x00ef, 0x00ee, 0x00ec, 0x00c4, 0x00c5, 0x00c9, 0x00e6,
    0x00c6, 0x00f4, 0x00f6, 0x00f2, 0x00fb, 0x00f9, 0x00ff, 0x00d6, 0x00dc,
    0x00a2, 0x00a3, 0x00a5, 0x20a7, 0x0192, 0x00e1, 0x00ed, 0x00f3, 0x00fa,
    0x00f1, 0x00d1, 0x00aa, 0x00ba, 0x00bf, 0x2310, 0x00ac, 0x00bd, 0x00bc,
    0x00a1, 0x00ab, 0x00bb, 0x2591, 0x2592, 0x2593, 0x2502, 0x2524, 0x2561,
    0x2562, 0x2556, 0x2555, 0x2563, 0x2551, 0x2557, 0x255d, 0x255c, 0x255b,
    0x2510, 0x2514, 0x2534, 0x252c, 0x251c, 0x2500, 0x253c, 0x255e, 0x255f,
    0x255a, 0x2554, 0x2569, 0x2566, 0x2560, 0x2550, 0x256c, 0x2567, 0x2568,
    0x2564, 0x2565, 0x2559, 0x2558, 0x2552, 0x2553, 0x256b, 0x256a, 0x2518,
    0x250c, 0x2588, 0x2584, 0x258c, 0x2590, 0x2580, 0x03b1, 0x00df, 0x0393,
    0x03c0, 0x03a3, 0x03c3, 0x00b5, 0x03c4, 0x03a6, 0x0398, 0x03a9, 0x03b4,
    0x221e, 0x03c6, 0x03b5, 0x2229, 0x2261, 0x00b1, 0x2265, 0x2264, 0x2320,
    0x2321, 0x00f7, 0x2248, 0x00b0, 0x2219, 0x00b7, 0x221a, 0x207f, 0x00b2,
    0x25a0, 0x00a0,
};

static bool unit_allowed(uint32_t c)
{
    switch (c) { /* every name of a directory comes by here */
    case '"':
    case '*':
    case '/':
    case ':':
    case '<':
    case '>':
    case '?':
    case '\\':
    case '|':
        return false;
    default:
        return c >= 0x20 && c <= 0xffff;
    }
}

/* Decode one character; bytes used, 0 = not UTF-8. */
static size_t utf8_get(const uint8_t *s, size_t len, uint32_t *c)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t n = s[0] < 0x80       ? 1
               : s[0] >> 5 == 6  ? 2
               : s[0] >> 4 == 14 ? 3
               : s[0] >> 3 == 30 ? 4
                                 : 0;

    if (n == 0 || n > len) {
        return 0;
    }
    *c = n == 1 ? s[0] : s[0] & (0x7fu >> n);
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80) {
            return 0;
        }
        *c = *c << 6 | (s[i] & 0x3fu);
    }
    if (*c < least[n] || *c > 0x10ffff || (*c >= 0xd800 && *c < 0xe000)) {
        return 0;
    }
    return n;
}

static size_t utf8_put(uint32_t c, char *out)
{
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

    if (n == 1) {
        out[0] = (char)c;
        return 1;
    }
    for (size_t i = n - 1; i > 0; i--) {
        out[i] = (char)(0x80 | (c & 0x3f));
        c >>= 6;
    }
    out[0] = (char)((0xf00u >> n & 0xf0) | c);
    return n;
}

int fat_name_parse(const char *text, size_t len, struct fat_name *name)
{
    const uint8_t *s = (const uint8_t *)text;

    name->len = 0;
    while (len > 0) {
        uint32_t c = 0;
        size_t n = utf8_get(s, len, &c);
        unsigned units = c > 0xffff ? 2 : 1;

        if (n == 0 || (units == 1 && !unit_allowed(c))) {
            return -EINVAL;
        }
        if (name->len + units > FAT_NAME_UNITS) {
            return -ENAMETOOLONG;
        }
        if (units == 2) {
            name->unit[name->len++] = (uint16_t)(0xd7c0 + (c >> 10));
            c = 0xdc00 + (c & 0x3ff);
        }
        name->unit[name->len++] = (uint16_t)c;
        s += n;
        len -= n;
    }
    return 0;
}

bool fat_name_creatable(const struct fat_name *name)
{
    uint16_t last = name->len ? name->unit[name->len - 1] : '.';

    return last != '.' && last != ' ';
}

bool fat_name_allowed(const struct fat_name *name)
{
    for (unsigned i = 0; i < name->len; i++) {
        uint16_t c = name->unit[i];

        if (!unit_allowed(c) || (c >= 0xdc00 && c < 0xe000)) {
            return false;
        }
        if (c >= 0xd800 && c < 0xdc00) { /* must have its second half */
            i++;
            if (i == name->len || name->unit[i] >> 10 != 0x37) {
                return false;
            }
        }
    }
    return name->len > 0;
}

bool fat_name_text(const struct fat_name *name, char *text)
{
    size_t n = 0;

    if (!fat_name_allowed(name)) {
        return false;
    }
    for (unsigned i = 0; i < name->len; i++) {
        uint32_t c = name->unit[i];

        if (c >= 0xd800 && c < 0xdc00) {
            i++;
            c = 0x10000 + ((c & 0x3ff) << 10) + (name->unit[i] & 0x3ffu);
        }
        n += utf8_put(c, text + n);
    }
    text[n] = 0;
    return true;
}

static uint16_t unit_fold(uint16_t c)
{
    if (c < 0x80) {
        return c >= 'a' && c <= 'z' ? (uint16_t)(c - 32) : c;
    }
    if ((c >= 0xe0 && c <= 0xfe && c != 0xf7) ||    /* Latin-1 */
        (c >= 0x3b1 && c <= 0x3cb && c != 0x3c2) || /* Greek */
        (c >= 0x430 && c <= 0x44f)) {               /* Cyrillic */
        return (uint16_t)(c - 32);
    }
    if (c >= 0x450 && c <= 0x45f) {
        return (uint16_t)(c - 80);
    }
    if ((c >= 0x100 && c <= 0x12f) || (c >= 0x132 && c <= 0x137) ||
        (c >= 0x14a && c <= 0x177)) {
        return (uint16_t)(c & ~1u); /* pairs, capital letter even */
    }
    if ((c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17e)) {
        return (uint16_t)(c - !(c & 1u)); /* pairs, capital letter odd */
    }
    return c;
}

bool fat_name_same(const struct fat_name *a, const struct fat_name *b)
{
    if (a->len != b->len) {
        return false;
    }
    for (unsigned i = 0; i < a->len; i++) {
        if (unit_fold(a->unit[i]) != unit_fold(b->unit[i])) {
            return false;
        }
    }
    return true;
}

bool fat_name_identical(const struct fat_name *a, const struct fat_name *b)
{
    return a->len == b->len &&
           memcmp(a->unit, b->unit, a->len * sizeof a->unit[0]) == 0;
}

/* Append up to n padded bytes; false on a character that cannot be. */
static bool short_append(const uint8_t *s, unsigned n, bool lower,
                         struct fat_name *name)
{
    while (n > 0 && s[n - 1] == ' ') {
        n--;
    }
    for (unsigned i = 0; i < n; i++) {
        uint16_t c = s[i] < 0x80 ? s[i] : page437[s[i] - 0x80];

        if (!unit_allowed(c) || c == '.') {
            return false;
        }
        name->unit[name->len++] =
            lower && c >= 'A' && c <= 'Z' ? (uint16_t)(c + 32) : c;
    }
    return true;
}

bool fat_short_name(const uint8_t *slot, struct fat_name *name)
{
    uint8_t sfn[SHORT_BYTES];

    memcpy(sfn, slot, SHORT_BYTES);
    if (sfn[0] == 0x05) {
        sfn[0] = SLOT_DELETED; /* 05 stands for it in the first byte */
    }
    name->len = 0;
    /* Bits 3 and 4: base or extension is meant in lower case (Windows NT). */
    if (sfn[0] == ' ' || !short_append(sfn, 8, slot[SLOT_CASE] & 0x08, name)) {
        return false;
    }
    if (sfn[8] == ' ' && sfn[9] == ' ' && sfn[10] == ' ') {
        return true;
    }
    name->unit[name->len++] = '.';
    return short_append(sfn + 8, 3, slot[SLOT_CASE] & 0x10, name);
}

uint8_t fat_short_sum(const uint8_t *sfn)
{
    uint8_t sum = 0;

    for (unsigned i = 0; i < SHORT_BYTES; i++) {
        sum = (uint8_t)((uint8_t)(sum << 7 | sum >> 1) + sfn[i]);
    }
    return sum;
}
