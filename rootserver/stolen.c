/* SPDX-License-Identifier: BSL-1.0
 *
 * For how long each domain was ready and others had the CPU, in a page that
 * every domain can read (start.h): its libos takes it off the time of its
 * threads. It is written as a domain gets the CPU back, so it is right whenever
 * that domain looks.
 *
 * What a more urgent domain took by itself (RUN_DIRECT) is not seen here.
 */
#include "root.h"

struct stolen {
    uint64_t ticks;
    uint64_t since; /* when it last had to give the CPU back */
};
_Static_assert(DOMAINS_MAX * sizeof(struct stolen) <= PAGE_BYTES, "a page");

static uint32_t frame, stretch;
static struct stolen *stolen; /* NULL: there is no page */

void stolen_init(void)
{
    uint64_t va;
    uint32_t block = block_take(&va);
    stretch = slot_take();
    frame = slot_take();
    if (sys_untyped_retype(slot_chunk, frame, TYPE_FRAME, PAGE_LOG2, 1, 0, 0) ||
        sys_stretch_create(stretch, slot_chunk, block, va, 0) ||
        frames_map(frame, stretch, va, RIGHT_READ | RIGHT_WRITE, 1) ||
        sys_stretch_attach(stretch, CPTR_SELF_DOMAIN,
                           RIGHT_READ | RIGHT_WRITE)) {
        say("root: cannot tell domains what others had");
        return;
    }
    stolen = (struct stolen *)(uintptr_t)va;
}

uint64_t stolen_lend(const struct domain *d)
{
    bool lent = stolen != NULL &&
                sys_stretch_attach(stretch, domain_object(d, OBJECT_DOMAIN),
                                   RIGHT_READ) == ERR_OK;
    return lent ? (uintptr_t)&stolen[d->index].ticks : 0;
}

void stolen_slots(uint32_t slots[2])
{
    slots[0] = frame;
    slots[1] = stretch;
}

void stolen_from(uint32_t child, uint64_t when)
{
    if (stolen != NULL && child < DOMAINS_MAX) {
        stolen[child].since = when;
    }
}

/* Since when somebody else has the CPU. */
static uint64_t since(uint32_t child, uint64_t woken)
{
    return stolen[child].since > woken ? stolen[child].since : woken;
}

void stolen_until(uint32_t child, uint64_t woken, uint64_t when)
{
    if (stolen != NULL) {
        stolen[child].ticks += when - since(child, woken);
    }
}

uint64_t stolen_clock(uint32_t child, uint64_t woken, uint64_t when)
{
    if (stolen == NULL) {
        return when;
    }
    uint64_t end = since(child, woken);
    return (end < when ? end : when) - stolen[child].ticks;
}
