/* SPDX-License-Identifier: BSL-1.0
 *
 * The broker of memory. A domain of the manifest has a guarantee: its quota,
 * which was admitted at the start. What of the guarantees nobody uses is lent,
 * as optimistic memory, in chunks that come back: asked for first (event
 * EVENT_REVOKE, and a time), then taken. Taking revokes the chunk as a whole:
 * what the domain made of it is gone, and a touch of it faults.
 *
 * Nobody is waited for. Early, while there is still RESERVE_BYTES beyond the
 * guarantees, the broker asks; a guarantee that meets no free memory at all
 * takes it at once.
 */
#include "root.h"

#include <errno.h>

#define RESERVE_BYTES (8ull << 20)
/* To answer when memory runs short: a card needs seconds for dirty pages, and
 * who must not wait does not. */
#define PRESSURE_NS     10000000000ull
#define DEADLINE_NS_MAX 60000000000ull

static uint64_t first_due = ~0ull; /* not after any domain's revoke_at */

/* What guarantees may still ask for. */
static uint64_t promised_bytes(void)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < DOMAINS_MAX; i++) {
        const struct domain *d = &domains[i];
        uint64_t used = d->memory_bytes - d->optimistic_bytes;
        if (d->phase == DOMAIN_LIVE && d->manifest >= 0 && used < d->quota) {
            bytes += d->quota - used;
        }
    }
    return bytes;
}

/* Is so much free beyond the reserve even if nobody has got any of what the
 * manifest guarantees? Then nobody needs to be asked what he has. */
static bool is_plenty(uint64_t bytes)
{
    uint64_t most = bytes + RESERVE_BYTES;
    for (uint32_t i = 0; i < manifest.domain_count; i++) {
        most += manifest.domains[i].memory_bytes;
    }
    return memory_free_bytes() >= most;
}

bool broker_may_grow(const struct domain *d, uint64_t bytes, bool optimistic)
{
    uint64_t free = memory_free_bytes(), keep = 0;
    if (is_plenty(bytes)) {
        return true;
    }
    if (optimistic) {
        keep = promised_bytes() + RESERVE_BYTES;
    } else if (d->manifest < 0) {
        keep = promised_bytes();
    }
    return free >= bytes && free - bytes >= keep;
}

/* ---- taking ------------------------------------------------------------ */

static bool chunk_drop(struct domain *d, uint32_t slot)
{
    struct chunk c = *chunk_of(slot);
    if (!c.optimistic) {
        return false;
    }
    if (d->newest == slot) {
        d->newest = c.next;
    } else {
        uint32_t before = d->newest;
        while (chunk_of(before)->next != slot) {
            before = chunk_of(before)->next;
        }
        chunk_of(before)->next = c.next;
    }
    d->memory_bytes -= 1ull << c.log2;
    d->optimistic_bytes -= 1ull << c.log2;
    chunk_give(slot);
    return true;
}

/* The youngest first. True: there was one. */
static bool take_one(struct domain *d)
{
    for (uint32_t s = d->newest; s != 0; s = chunk_of(s)->next) {
        if (chunk_drop(d, s)) {
            d->forced++;
            return true;
        }
    }
    return false;
}

static void settle(struct domain *d)
{
    if (d->optimistic_bytes <= d->optimistic_goal) {
        d->revoke_at = 0;
    }
}

static void force(struct domain *d)
{
    uint32_t before = d->forced;
    while (d->optimistic_bytes > d->optimistic_goal && take_one(d)) {
    }
    settle(d);
    say("broker: %s [%u] gave nothing back in time: %u chunks taken", d->name,
        d->id, d->forced - before);
    domain_event(d, OBJECT_EVENT_REVOKE);
}

/* ---- asking ------------------------------------------------------------ */

static void ask(struct domain *d, uint64_t bytes, uint64_t ns)
{
    uint64_t at = now() + schedule_ticks(ns);
    uint64_t have = d->optimistic_bytes;
    uint64_t goal = bytes < have ? have - bytes : 0;
    if (d->revoke_at == 0 || goal < d->optimistic_goal) {
        d->optimistic_goal = goal;
    }
    if (d->revoke_at == 0 || at < d->revoke_at) {
        d->revoke_at = at;
        first_due = at < first_due ? at : first_due;
    }
    settle(d);
    domain_event(d, OBJECT_EVENT_REVOKE);
    schedule_again();
}

static struct domain *richest(void)
{
    struct domain *best = NULL;
    for (uint32_t i = 0; i < DOMAINS_MAX; i++) {
        struct domain *d = &domains[i];
        if (d->phase == DOMAIN_LIVE && d->optimistic_bytes > 0 &&
            (best == NULL || d->optimistic_bytes > best->optimistic_bytes)) {
            best = d;
        }
    }
    return best;
}

void broker_pressure(void)
{
    if (is_plenty(0)) {
        return;
    }
    struct domain *d = richest();
    uint64_t free = memory_free_bytes();
    uint64_t wanted = promised_bytes() + RESERVE_BYTES;
    if (d != NULL && free < wanted) {
        ask(d, wanted - free, PRESSURE_NS);
    }
}

bool broker_take(void)
{
    struct domain *d = richest();
    return d != NULL && take_one(d);
}

uint64_t broker_run(uint64_t t)
{
    if (t < first_due) {
        return first_due;
    }
    first_due = ~0ull;
    for (uint32_t i = 0; i < DOMAINS_MAX; i++) {
        struct domain *d = &domains[i];
        if (d->phase != DOMAIN_LIVE || d->revoke_at == 0) {
            continue;
        }
        if (d->revoke_at <= t) {
            force(d);
        } else if (d->revoke_at < first_due) {
            first_due = d->revoke_at;
        }
    }
    return first_due;
}

/* ---- requests ---------------------------------------------------------- */

int broker_reclaim(uint64_t w[8])
{
    struct domain *d = w[1] <= UINT32_MAX ? domain_find((uint32_t)w[1]) : NULL;
    if (w[3] > DEADLINE_NS_MAX) {
        return EINVAL;
    }
    if (d == NULL || d->phase != DOMAIN_LIVE) {
        return ESRCH;
    }
    ask(d, w[2], w[3]);
    d->optimistic = d->optimistic_goal;
    return 0;
}

int broker_demand(const struct domain *d, uint64_t w[8])
{
    uint64_t goal = d->optimistic_goal;
    w[1] = d->revoke_at != 0 && d->optimistic_bytes > goal
               ? d->optimistic_bytes - goal
               : 0;
    w[2] = d->forced;
    w[3] = d->revoke_at;
    return 0;
}

int broker_return(struct domain *d, const uint64_t w[8])
{
    uint64_t info, address, word;
    if (w[1] > UINT32_MAX || sys_cap_identify(CPTR(d->cnode, w[1]), &info,
                                              &address, &word) != ERR_OK) {
        return EINVAL;
    }
    for (uint32_t s = d->newest; s != 0; s = chunk_of(s)->next) {
        if (chunk_of(s)->place == address >> CHUNK_LOG2_MIN &&
            chunk_drop(d, s)) {
            settle(d);
            return 0;
        }
    }
    return EINVAL;
}

int broker_contract(uint64_t w[8])
{
    const struct domain *d =
        w[1] <= UINT32_MAX ? domain_find((uint32_t)w[1]) : NULL;
    if (d == NULL || d->phase != DOMAIN_LIVE) {
        return ESRCH;
    }
    w[1] = d->manifest >= 0;
    w[2] = d->quota;
    w[3] = d->memory_bytes - d->optimistic_bytes;
    w[4] = d->optimistic;
    w[5] = d->optimistic_bytes;
    w[6] = d->forced;
    return 0;
}
