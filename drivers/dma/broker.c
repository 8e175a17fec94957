/* SPDX-License-Identifier: BSL-1.0 */
/* See broker.h. */
#include "broker.h"

#include <errno.h>
#include <vesper/dma.h>

#include "../cache.h"
#include "engine.h"

#define WORD_BYTES 4u

static const struct {
    uint64_t device; /* physical */
    uint32_t fifo;   /* bus address */
    uint32_t line;   /* that paces it */
} peripherals[DMA_PERIPHERALS] = {
    [DMA_SDHOST] = {0x3f202000u, 0x7e202040u, 13},
};

uint64_t broker_peripherals(uint32_t domain)
{
    uint64_t allowed = 0;

    for (uint32_t i = 0; i < DMA_PERIPHERALS; i++) {
        allowed |= (uint64_t)broker_has_device(domain, peripherals[i].device)
                   << i;
    }
    return allowed;
}

/* What can be said without looking at a channel. */
static int request_check(uint64_t allowed, const struct channel_request *r)
{
    if (r->op != DMA_IN && r->op != DMA_OUT) {
        return ENOSYS;
    }
    if (r->arg[1] >= DMA_PERIPHERALS ||
        DMA_OFFSET_OF(r->handle) % DMA_ALIGN != 0 || r->arg[0] == 0 ||
        r->arg[0] % WORD_BYTES != 0) {
        return EINVAL;
    }
    return allowed >> r->arg[1] & 1 ? 0 : EACCES;
}

static bool inside(uint64_t offset, uint64_t bytes, uint64_t start,
                   uint64_t length)
{
    return offset >= start && offset - start <= length &&
           bytes <= length - (offset - start);
}

static int memory_check(const struct broker_memory *m, uint32_t asker,
                        uint64_t offset, uint64_t bytes)
{
    bool own = asker == m->client || asker == m->server;

    if (!own && (asker != m->borrower ||
                 !inside(offset, bytes, m->lent_offset, m->lent_bytes))) {
        return EACCES;
    }
    return inside(offset, bytes, 0, m->bytes) ? 0 : EINVAL;
}

/* Lines that are dirty must not be written back over what comes in; lines that
 * were fetched meanwhile must not hide it. */
static int move(const struct broker_memory *m, const struct channel_request *r)
{
    const uint64_t offset = DMA_OFFSET_OF(r->handle);
    const struct engine_move move = {
        .to_memory = r->op == DMA_IN,
        .fifo = peripherals[r->arg[1]].fifo,
        .line = peripherals[r->arg[1]].line,
        .memory = m->physical + offset,
        .bytes = (uint32_t)r->arg[0],
    };
    int error;

    if (!move.to_memory) {
        cache_clean(m->address + offset, move.bytes);
        return engine_run(&move);
    }
    cache_flush(m->address + offset, move.bytes);
    error = engine_run(&move);
    cache_flush(m->address + offset, move.bytes);
    return error;
}

int broker_request(uint32_t asker, uint64_t allowed,
                   const struct channel_request *r)
{
    struct broker_memory memory;
    int error = request_check(allowed, r);

    if (error == 0) {
        error = broker_hold(DMA_CHANNEL_OF(r->handle), asker, &memory);
    }
    if (error != 0) {
        return error;
    }
    error = memory_check(&memory, asker, DMA_OFFSET_OF(r->handle), r->arg[0]);
    if (error == 0) {
        error = move(&memory, r);
    }
    if (error != EFAULT) {
        broker_let_go();
    }
    return error;
}
