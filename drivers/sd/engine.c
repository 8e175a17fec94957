/* SPDX-License-Identifier: BSL-1.0 */
/* See engine.h. */
#include "engine.h"

#include <stddef.h>
#include <vesper/channel.h>
#include <vesper/dma.h>

static struct channel *broker;

bool engine_ready(void)
{
    return broker != NULL ? channel_reconnect(broker) == 0
                          : channel_connect("dma", 0, &broker) == 0;
}

static int engine_move(uint32_t op, uint64_t place, uint32_t bytes)
{
    struct channel_request r = {.op = op,
                                .handle = place,
                                .arg = {bytes, DMA_SDHOST}};
    struct channel_completion answer;

    return channel_call(broker, &r, &answer);
}

int engine_read(uint64_t place, uint32_t bytes)
{
    return engine_move(DMA_IN, place, bytes);
}

int engine_write(uint64_t place, uint32_t bytes)
{
    return engine_move(DMA_OUT, place, bytes);
}
