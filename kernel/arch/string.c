/* SPDX-License-Identifier: BSL-1.0
 *
 * The functions that the compiler assumes for structure copies. Sizes and
 * addresses are multiples of 8 here (contexts, slots).
 */
#include <stddef.h>
#include <stdint.h>

/* Or the compiler would make a call of memcpy of it. */
#define KEEP_LOOP() __asm__ volatile("" : : : "memory")

void *memcpy(void *to, const void *from, size_t n);
void *memcpy(void *to, const void *from, size_t n)
{
    uint64_t *d = to;
    const uint64_t *s = from;
    for (size_t i = 0; i < n / 8; i++) {
        d[i] = s[i];
        KEEP_LOOP();
    }
    for (size_t i = n & ~(size_t)7; i < n; i++) {
        ((char *)to)[i] = ((const char *)from)[i];
        KEEP_LOOP();
    }
    return to;
}

void *memset(void *to, int c, size_t n);
void *memset(void *to, int c, size_t n)
{
    uint64_t *d = to;
    uint64_t v = (uint8_t)c * 0x0101010101010101ull;
    for (size_t i = 0; i < n / 8; i++) {
        d[i] = v;
        KEEP_LOOP();
    }
    for (size_t i = n & ~(size_t)7; i < n; i++) {
        ((char *)to)[i] = (char)c;
        KEEP_LOOP();
    }
    return to;
}
