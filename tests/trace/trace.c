/* SPDX-License-Identifier: BSL-1.0
 *
 * Follows random users of the kernel (tests/unit/kernel_random.h) and prints
 * hashes of what happened: the same for every compiler and processor, or one of
 * them, or the core, relies on what C leaves open.
 *   trace STEPS [SEED [FROM TO]]   FROM..TO: each of these calls on its own
 */
#include <inttypes.h>
#include <stdlib.h>

#include "kernel_host.h"
#include "kernel_random.h"

#define BLOCK 65536u /* calls to a line */

static uint64_t state, hash = 0xcbf29ce484222325ull;
static uint64_t calls, refused, machines, from = 1, to;

static uint32_t next(void) /* xorshift64* */
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (uint32_t)(state * 0x2545f4914f6cdd1dull >> 32);
}

static bool more(void)
{
    return true;
}

static void add(uint64_t word)
{
    hash = (hash ^ word) * 0x9e3779b97f4a7c15ull;
    hash ^= hash >> 32;
}

static void add_core(const struct core_state *c)
{
    add(c->current);
    add(c->depth);
    for (uint32_t i = 0; i < CHAIN_MAX; i++) {
        add(c->chain[i].dispatcher);
        add(c->chain[i].urgency);
        add(c->chain[i].until);
    }
    add(c->fp_owner);
    add(c->charged);
    add(c->idle);
}

/* All there is: RAM with every object, and the kernel's own structure, field by
 * field since what lies between fields is nobody's. */
static void add_state(void)
{
    const uint64_t *ram = ram_at(0);
    for (uint64_t i = 0; i < ((uint64_t)RAM_CELLS << CELL_LOG2) / 8; i++) {
        if (ram[i] != 0) {
            add(i);
            add(ram[i]);
        }
    }
    add(kernel.head);
    add(kernel.domains);
    add(kernel.epoch);
    add(kernel.sweep);
    add_core(&kernel.core[0]);
    for (uint32_t i = 0; i < IRQ_COUNT; i++) {
        const struct irq_line *line = &kernel.irq[i];
        add(line->dispatcher);
        add((uint64_t)line->bit << 16 | line->bound << 8 | line->waiting);
        add(host.masked[i]);
    }
}

static void did(uint32_t nr, bool ended, const struct dispatcher *d)
{
    if (nr == RANDOM_END) {
        machines++;
        add_state();
        return;
    }
    calls++;
    add(nr);
    add(ended);
    for (uint32_t i = 0; i < 10; i++) {
        add(d->context.x[i]);
    }
    add(d->context.pc);
    add(d->state);
    add(host.tlb_pages);
    add(host.tlb_domains);
    add(host.publishes);
    uint64_t e = ended ? host_result[0] : 0;
    refused += e != 0 && e < ERR_COUNT;
    if (calls >= from && calls <= to) {
        printf("call %" PRIu64 ": %u by %x: %s, x0 %" PRIx64
               ", hash %016" PRIx64 "\n",
               calls, nr, d->self, ended ? "ended" : "goes on", d->context.x[0],
               hash);
    } else if (calls % BLOCK == 0) {
        printf("calls %" PRIu64 ": hash %016" PRIx64 "\n", calls, hash);
    }
}

int main(int argc, char **argv)
{
    uint32_t steps = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 0) : 100000;
    state = argc > 2 ? strtoull(argv[2], NULL, 0) : 0x7e57;
    if (argc > 4) {
        from = strtoull(argv[3], NULL, 0);
        to = strtoull(argv[4], NULL, 0);
    }
    random_run(&(struct random_source){next, more, did, false, false}, steps);
    add_state();
    printf("total: %" PRIu64 " calls, %" PRIu64 " refused, %" PRIu64
           " machines\n",
           calls, refused, machines);
    printf("hash of everything: %016" PRIx64 "\n", hash);
    return 0;
}
