/* SPDX-License-Identifier: BSL-1.0
 *
 * Service `dma`: the only domain that has the DMA controller, which can write
 * to all memory. One thread: a transfer is over before the next is looked at.
 */
#include <errno.h>
#include <stdlib.h>
#include <vesper/authority.h>
#include <vesper/channel.h>
#include <vesper/root.h>
#include <vesper/root_call.h>
#include <vesper/start.h>

#include "broker.h"
#include "engine.h"

int broker_hold(uint32_t channel, uint32_t asker, struct broker_memory *out)
{
    uint64_t w[8] = {ROOT_DMA_BEGIN, channel, asker};
    int error = root_call(w, 0);

    if (error == 0) {
        *out = (struct broker_memory){w[1],
                                      w[2],
                                      w[3],
                                      (uint32_t)w[4],
                                      (uint32_t)(w[4] >> 32),
                                      (uint32_t)w[5],
                                      (uint32_t)w[6],
                                      (uint32_t)(w[6] >> 32)};
    }
    return error;
}

void broker_let_go(void)
{
    uint64_t w[8] = {ROOT_DMA_END};

    (void)root_call(w, 0);
}

bool broker_has_device(uint32_t domain, uint64_t device)
{
    struct sys_fact fact;
    bool its = false;

    for (uint32_t i = 0; sys_fact(i, &fact) == 0; i++) {
        if (fact.kind == FACT_DOMAIN) {
            its = fact.value == domain;
        } else if (its && fact.kind == FACT_DEVICE && fact.value == device) {
            return true;
        }
    }
    return false;
}

static int dma_connect(struct server_client *c)
{
    c->state = (void *)(uintptr_t)broker_peripherals(c->domain);
    return 0;
}

static void dma_request(struct server_client *c,
                        const struct channel_request *r, void *data)
{
    int error;

    (void)data;
    if (r->op == CHANNEL_CANCEL) {
        return; /* nothing ever waits here */
    }
    error = broker_request(c->domain, (uintptr_t)c->state, r);
    if (error == EFAULT) {
        __builtin_trap(); /* the root server stops the engine, or the machine */
    }
    server_complete(c, r->id, error, 0, 0, 0);
}

/* Where a page of ours lies, from what the root server keeps for us. */
static uint64_t physical_of(uint64_t address)
{
    struct sys_cap cap;
    uint32_t at = 0;

    while (sys_cap(start_self->id, SYS_KEPT, &at, &cap) == 0) {
        if (cap.type == TYPE_FRAME && address >= cap.word &&
            address - cap.word < 1ull << cap.size_log2) {
            return cap.address + (address - cap.word);
        }
    }
    return 0;
}

int main(void)
{
    static const struct server_ops ops = {
        .connect = dma_connect,
        .request = dma_request,
    };
    uint64_t control = physical_of(engine_control());

    if (start_self->device_count == 0 || control == 0 ||
        !engine_start(start_self->device[0].address, control)) {
        return EXIT_FAILURE;
    }
    server_run(&ops);
}
