/* SPDX-License-Identifier: BSL-1.0
 *
 * getentropy: numbers that differ from run to run, made from the counter.
 *
 * NOT FOR CRYPTOGRAPHY: who knows about when the program started can guess
 * them. The BCM2837 has a hardware source; it has no driver yet.
 */
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include <vesper/start.h>
#include <vesper/thread.h>

#include "result.h"

#define ENTROPY_MAX 256 /* as POSIX */

/* Steps the state by an odd constant (2^64 / golden ratio), so it runs through
 * all values, and mixes a copy by multiplications and shifts. */
static uint64_t next(uint64_t *state)
{
    uint64_t x = *state += UINT64_C(0x9e3779b97f4a7c15);

    x = (x ^ x >> 32) * UINT64_C(0xd6e8feb86659fd93);
    x = (x ^ x >> 29) * UINT64_C(0xa0761d6478bd642f);
    return x ^ x >> 32;
}

int getentropy(void *out, size_t bytes)
{
    static uint64_t state;
    char *at = out;

    if (bytes > ENTROPY_MAX) {
        return result(EIO);
    }
    state ^= time_ns() ^ (uint64_t)start_self->id << 48 ^
             (uint64_t)(uintptr_t)&bytes;
    while (bytes > 0) {
        uint64_t word = next(&state);
        size_t now = bytes < sizeof(word) ? bytes : sizeof(word);

        memcpy(at, &word, now);
        at += now;
        bytes -= now;
    }
    return 0;
}
