/* SPDX-License-Identifier: BSL-1.0 */
/* The one file of core/ that is compiled with vector registers. */
#include "copy.h"

#include <stdint.h>
#include <string.h>

typedef uint64_t vector __attribute__((vector_size(16), aligned(1), may_alias));

#define TURN (16 * sizeof(vector))

static inline void copy_half(vector *t, const vector *f)
{
    vector a = f[0], b = f[1], c = f[2], d = f[3];
    vector e = f[4], g = f[5], h = f[6], i = f[7];

    t[0] = a, t[1] = b, t[2] = c, t[3] = d;
    t[4] = e, t[5] = g, t[6] = h, t[7] = i;
}

void copy_long(void *to, const void *from, size_t bytes)
{
    vector *t = to;
    const vector *f = from;

    if (bytes < COPY_LONG) {
        memcpy(to, from, bytes);
        return;
    }
    for (size_t turns = bytes / TURN; turns > 0; turns--, t += 16, f += 16) {
        copy_half(t, f);
        copy_half(t + 8, f + 8);
    }
    if (bytes % TURN != 0) {
        memcpy(t, f, bytes % TURN);
    }
}
