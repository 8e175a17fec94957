/* SPDX-License-Identifier: BSL-1.0 */
/* vesper/cpu.h: what threads had of their domain's time. Pure. */
#include <vesper/cpu.h>

/* part * of / all in 64 bits, never more than that: part <= all, of <= all. */
static uint64_t scale(uint64_t part, uint64_t of, uint64_t all)
{
    int shift = all >> 32 != 0 ? 32 - __builtin_clzll(all) : 0;

    return ((part >> shift) * (of >> shift) / (all >> shift)) << shift;
}

uint64_t cpu_threads_fit(struct cpu_thread *rows, size_t count, uint64_t ticks)
{
    uint64_t all = 0, rest = ticks;

    for (size_t i = 0; i < count; i++) {
        all += rows[i].ticks;
    }
    for (size_t i = 0; i < count; i++) {
        if (all > ticks) {
            rows[i].ticks = scale(rows[i].ticks, ticks, all);
        }
        rest -= rows[i].ticks;
    }
    return rest;
}
