/* SPDX-License-Identifier: BSL-1.0
 *
 * Bulk data as a program writes and reads it: with vector registers, as the
 * copies of the C libraries of others do. The traps for them count.
 */
#include "tests/bench/root/bulk.h"

#define LANES 2u
#define TURN  16u /* vectors */

typedef uint64_t vector __attribute__((vector_size(8 * LANES)));

uint64_t bulk_write(uint64_t *words, uint64_t from)
{
    vector value = {from, ~from}, sum = {0, 0};
    vector *v = (vector *)words, *end = v + BULK_WORDS / LANES;
    for (; v < end; v += TURN) {
        v[0] = value, v[1] = value, v[2] = value, v[3] = value;
        v[4] = value, v[5] = value, v[6] = value, v[7] = value;
        v[8] = value, v[9] = value, v[10] = value, v[11] = value;
        v[12] = value, v[13] = value, v[14] = value, v[15] = value;
        sum += value;
        value += (vector){1, 3};
    }
    return (sum[0] + sum[1]) * TURN;
}

uint64_t bulk_sum(const uint64_t *words)
{
    vector even = {0, 0}, odd = {0, 0};
    const vector *v = (const vector *)words, *end = v + BULK_WORDS / LANES;
    for (; v < end; v += TURN) {
        vector a = v[0], b = v[1], c = v[2], d = v[3];
        vector e = v[4], f = v[5], g = v[6], h = v[7];
        vector i = v[8], j = v[9], k = v[10], l = v[11];
        vector m = v[12], n = v[13], o = v[14], p = v[15];
        even += a, odd += b, even += c, odd += d;
        even += e, odd += f, even += g, odd += h;
        even += i, odd += j, even += k, odd += l;
        even += m, odd += n, even += o, odd += p;
    }
    even += odd;
    return even[0] + even[1];
}
