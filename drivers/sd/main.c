/* SPDX-License-Identifier: BSL-1.0
 *
 * Service `block`: the SD card. One thread: a request is worked off before the
 * next is looked at; while the controller is busy the thread sleeps on its
 * interrupt, and while data is moved by DMA, on the broker's answer. Ranges are
 * checked before the card is touched.
 */
#include <errno.h>
#include <stdlib.h>
#include <vesper/block.h>
#include <vesper/channel.h>
#include <vesper/dma.h>
#include <vesper/start.h>

#include "card.h"
#include "engine.h"

/* What the request says of its data; `memory` has where that is here. Whole
 * sectors in one piece of memory go by the engine, if that is worth it. */
static int memory_get(const struct server_client *c,
                      const struct channel_request *r,
                      struct sdhost_memory *memory)
{
    bool lent = r->handle != 0;

    if (lent ? r->bytes != 0 || r->arg[1] > CARD_CHUNK_SECTORS
             : memory->data == NULL || r->bytes % SDHOST_SECTOR_BYTES != 0 ||
                   r->arg[1] != r->bytes / SDHOST_SECTOR_BYTES) {
        return EINVAL;
    }
    if ((lent || r->arg[1] >= ENGINE_SECTORS_MIN) && r->data % DMA_ALIGN == 0 &&
        engine_ready()) {
        memory->place = lent ? r->handle : DMA_PLACE(c->id, r->data);
    }
    return lent && memory->place == 0 ? ENOTSUP : 0;
}

static int block_transfer(const struct server_client *c,
                          const struct channel_request *r,
                          struct sdhost_memory *memory)
{
    int error = memory_get(c, r, memory);

    if (error == 0) {
        error = card_select(r->arg[2]);
    }
    if (error != 0) {
        return error;
    }
    return r->op == BLOCK_READ
               ? card_read(r->arg[0], memory, (uint32_t)r->arg[1])
               : card_write(r->arg[0], memory, (uint32_t)r->arg[1]);
}

static void block_request(struct server_client *c,
                          const struct channel_request *r, void *data)
{
    uint64_t value[3] = {0};
    struct sdhost_memory memory = {.data = data, .last = (uint8_t *)value};
    struct card_facts facts;
    int error;

    switch (r->op) {
    case BLOCK_INFO:
        error = card_check(&facts);
        if (error == 0) {
            value[0] = facts.sectors;
            value[1] = facts.read_only ? BLOCK_READ_ONLY : 0;
            value[2] = facts.id;
        }
        break;
    case BLOCK_READ:
    case BLOCK_WRITE:
        error = block_transfer(c, r, &memory);
        break;
    case BLOCK_FLUSH: /* what was completed is on the card */
        error = 0;
        break;
    case CHANNEL_CANCEL: /* nothing ever waits here */
        return;
    default:
        error = ENOSYS;
    }
    server_complete(c, r->id, error, value[0], value[1], value[2]);
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

_Static_assert(SDHOST_LAST_BYTES == BLOCK_LAST_BYTES, "of a request's end");

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
