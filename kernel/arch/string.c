/* SPDX-License-Identifier: BSL-1.0
 *
 * The functions that the compiler assumes for structure copies. Sizes and
 * addresses are multiples of 8 here (contexts, slots).
 */
#include <stddef.h>
#include <stdint.h>

/* Or the compiler would make a call of memcpy of it. */
#define KEEP_LOOP() __asm__ volatile("" : : : "memory")

/* Bytes a turn: a context, which is copied on every upcall, takes three. */
#define BLOCK 96u

__attribute__((used)) void *memcpy(void *to, const void *from, size_t n);
void *memcpy(void *to, const void *from, size_t n)
{
    uint64_t *d = to;
    const uint64_t *s = from;
    for (; n >= BLOCK; n -= BLOCK) {
        uint64_t a = s[0], b = s[1], c = s[2], e = s[3];
        uint64_t f = s[4], g = s[5], h = s[6], i = s[7];
        uint64_t j = s[8], k = s[9], l = s[10], m = s[11];
        d[0] = a, d[1] = b, d[2] = c, d[3] = e;
        d[4] = f, d[5] = g, d[6] = h, d[7] = i;
        d[8] = j, d[9] = k, d[10] = l, d[11] = m;
        d += 12, s += 12;
        KEEP_LOOP();
    }
    for (; n >= 8; n -= 8) {
        *d++ = *s++;
        KEEP_LOOP();
    }
    for (size_t i = 0; i < n; i++) {
        ((char *)d)[i] = ((const char *)s)[i];
        KEEP_LOOP();
    }
    return to;
}

__attribute__((used)) void *memset(void *to, int c, size_t n);
void *memset(void *to, int c, size_t n)
{
    uint64_t *d = to;
    uint64_t v = (uint8_t)c * 0x0101010101010101ull;
    for (; n >= BLOCK; n -= BLOCK) {
        d[0] = v, d[1] = v, d[2] = v, d[3] = v;
        d[4] = v, d[5] = v, d[6] = v, d[7] = v;
        d[8] = v, d[9] = v, d[10] = v, d[11] = v;
        d += 12;
        KEEP_LOOP();
    }
    for (; n >= 8; n -= 8) {
        *d++ = v;
        KEEP_LOOP();
    }
    for (size_t i = 0; i < n; i++) {
        ((char *)d)[i] = (char)c;
        KEEP_LOOP();
    }
    return to;
}
