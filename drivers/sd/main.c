/* SPDX-License-Identifier: BSL-1.0
 *
 * Service `block`: the SD card. One thread: a request is worked off before the
 * next is looked at; while the controller is busy the thread sleeps on its
 * interrupt. Ranges are checked before the card is touched.
 */
#include <errno.h>
#include <stdlib.h>
#include <vesper/block.h>
#include <vesper/channel.h>
#include <vesper/start.h>
#include <vesper/thread.h>
#include <abi/calls.h>

#include "card.h"
#include "pause.h"
#include "sdhost.h"

#define NS_PER_US 1000u

uint64_t pause_now_us(void)
{
    return time_ns() / NS_PER_US;
}

void pause_us(uint32_t us)
{
    thread_sleep_until(time_ns() + (uint64_t)us * NS_PER_US);
}

void pause_interrupt(uint32_t us)
{
    uint64_t until = time_ns() + (uint64_t)us * NS_PER_US;

    /* The line was quenched at the device since it came last. */
    (void)sys_irq_ack(SLOT_IRQ);
    (void)event_wait(1ull << EVENT_IRQ, until, NULL);
}

/* How many sectors, if the request's data area holds exactly that many. */
static int count_get(const struct channel_request *r, const void *data,
                     uint32_t *count)
{
    if (data == NULL || r->bytes % SDHOST_SECTOR_BYTES != 0 ||
        r->arg[1] != r->bytes / SDHOST_SECTOR_BYTES) {
        return EINVAL;
    }
    *count = (uint32_t)r->arg[1];
    return 0;
}

static int block_transfer(const struct channel_request *r, void *data)
{
    uint32_t count;
    int error = count_get(r, data, &count);

    if (error == 0) {
        error = card_select(r->arg[2]);
    }
    if (error != 0) {
        return error;
    }
    return r->op == BLOCK_READ ? card_read(r->arg[0], data, count)
                               : card_write(r->arg[0], data, count);
}

static void block_request(struct server_client *c,
                          const struct channel_request *r, void *data)
{
    struct card_facts facts = {0};
    int error;

    switch (r->op) {
    case BLOCK_INFO:
        error = card_check(&facts);
        break;
    case BLOCK_READ:
    case BLOCK_WRITE:
        error = block_transfer(r, data);
        break;
    case BLOCK_FLUSH: /* what was completed is on the card */
        error = 0;
        break;
    case CHANNEL_CANCEL: /* nothing ever waits here */
        return;
    default:
        error = ENOSYS;
    }
    server_complete(c, r->id, error, facts.sectors,
                    facts.read_only ? BLOCK_READ_ONLY : 0, facts.id);
}

static int block_connect(struct server_client *c)
{
    (void)c;
    return 0;
}

static void block_closed(struct server_client *c)
{
    (void)c;
}

int main(void)
{
    static const struct server_ops ops = {
        .connect = block_connect,
        .closed = block_closed,
        .request = block_request,
    };

    if (start_self->device_count == 0) {
        return EXIT_FAILURE; /* the manifest gave no device */
    }
    card_start(start_self->device[0].address);
    server_run(&ops);
}
