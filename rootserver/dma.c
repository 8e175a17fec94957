/* SPDX-License-Identifier: BSL-1.0
 *
 * What the DMA broker (drivers/dma) is told of channels, and what keeps memory
 * safe from its engine, which goes on whoever dies. From ROOT_DMA_BEGIN to
 * ROOT_DMA_END a channel is held: its memory is not given away (service.c,
 * free_channel), and neither it nor a successor of the driver that asked is
 * connected to, so that no late word lands in an answer of somebody else. When
 * the broker itself ends, the engine is stopped before anything is given back.
 */
#include "root.h"

#include <errno.h>

#define DMA          0x3f007000ull
#define DMA_CHANNELS 15u
#define DMA_ARM      0x7f35u      /* of them; the others are the VideoCore's */
#define DMA_WORDS    (0x100u / 4) /* registers of a channel */
#define DMA_RESET    (1u << 31)   /* of the first, CS */
#define DMA_WRITING  (1u << 6)
#define DMA_ACTIVE   1u
#define STOP_LOOKS   100000u

/* At most one at a time: the broker works off one request after another. */
static struct {
    uint32_t channel, asker; /* 0: nothing is held */
    int32_t manifest;        /* of the asker */
} held;

/* Part of a channel's data area that its server lent for one transfer. */
static struct {
    uint32_t channel, server, borrower, offset, bytes;
} loan;

static bool is_broker(const struct domain *d)
{
    return system_has_device(d, DMA);
}

bool dma_holds(uint32_t channel)
{
    return channel != 0 && channel == held.channel;
}

bool dma_delays(uint32_t channel, const struct domain *server)
{
    return dma_holds(channel) ||
           (held.channel != 0 && server->id != held.asker &&
            server->manifest == held.manifest);
}

int dma_begin(const struct domain *broker, uint64_t w[8])
{
    const struct domain *asker =
        w[2] <= UINT32_MAX ? domain_find((uint32_t)w[2]) : NULL;
    struct channel_data data;
    if (!is_broker(broker)) {
        return EPERM;
    }
    if (held.channel != 0) {
        return EBUSY;
    }
    if (asker == NULL || asker->phase != DOMAIN_LIVE || w[1] > UINT32_MAX) {
        return ESRCH;
    }
    int e = service_show((uint32_t)w[1], broker, &data);
    if (e != 0) {
        return e;
    }
    held.channel = (uint32_t)w[1];
    held.asker = asker->id;
    held.manifest = asker->manifest;
    bool lent = loan.channel == held.channel && loan.server == data.server;
    w[1] = data.physical;
    w[2] = data.address;
    w[3] = data.bytes;
    w[4] = data.client | (uint64_t)data.server << 32;
    w[5] = lent ? loan.borrower : 0;
    w[6] = lent ? loan.offset | (uint64_t)loan.bytes << 32 : 0;
    return 0;
}

static void let_go(void)
{
    uint32_t channel = held.channel;
    held.channel = 0;
    if (loan.channel == channel) {
        loan.channel = 0;
    }
    service_let_go(channel);
}

int dma_end(const struct domain *broker)
{
    if (!is_broker(broker)) {
        return EPERM;
    }
    let_go();
    return 0;
}

int dma_lend(const struct domain *server, const uint64_t w[8])
{
    uint32_t borrower = 0;
    int e = service_provider(server, &w[2], &borrower);
    if (e != 0) {
        return e;
    }
    if (w[1] > UINT32_MAX || w[4] > UINT32_MAX || w[5] > UINT32_MAX ||
        service_client(w[1], server) == 0) {
        return EINVAL;
    }
    loan.channel = w[5] != 0 ? (uint32_t)w[1] : 0;
    loan.server = server->id;
    loan.borrower = borrower;
    loan.offset = (uint32_t)w[4];
    loan.bytes = (uint32_t)w[5];
    return 0;
}

static bool settles(const volatile uint32_t *status, uint32_t bits)
{
    for (uint32_t i = 0; i < STOP_LOOKS; i++) {
        if ((*status & bits) == 0) {
            return true;
        }
    }
    return false;
}

/* Stop it between two accesses, let what it wrote arrive, forget the rest. */
static bool channel_stop(volatile uint32_t *status)
{
    *status = 0;
    bool good = settles(status, DMA_WRITING);
    *status = DMA_RESET;
    return good && settles(status, DMA_RESET | DMA_ACTIVE);
}

/* One that does not stop may write anywhere. */
static void engine_stop(void)
{
    device_unmap(DMA); /* of the broker */
    volatile uint32_t *dma = device_map(DMA, ROOT_PAGES_VA + 0x50000);
    for (uint32_t i = 0; dma != NULL && i < DMA_CHANNELS; i++) {
        if ((DMA_ARM >> i & 1) != 0 && !channel_stop(dma + i * DMA_WORDS)) {
            say("system: the DMA engine does not stop: rebooting");
            system_power(true);
        }
    }
    device_unmap(DMA);
}

void dma_domain_ended(const struct domain *d)
{
    if (is_broker(d)) {
        engine_stop();
        let_go();
    }
}
