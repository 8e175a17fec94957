/* SPDX-License-Identifier: BSL-1.0
 *
 * The protocol of the DMA broker, service `dma`: it moves data between the FIFO
 * of a peripheral and the data area of any channel, without either's ends
 * touching it, and keeps caches and memory alike. Requests are worked off one
 * after another; when one is answered, nothing moves any more.
 *
 * The channel has to be one of the caller's own, as its client or its server;
 * or its server has lent that part of the data area, for one transfer, to the
 * caller (ROOT_DMA_LEND, vesper/root.h). The peripheral has to be one whose
 * registers the manifest gives to the caller.
 *
 *   EINVAL     no such peripheral; an offset that is not a multiple of
 *              DMA_ALIGN, bytes that are not one of 4, or 0; a range that is
 *              not in the data area
 *   EACCES     the peripheral or the channel is not the caller's
 *   ESRCH      no such channel
 *   EIO, ETIMEDOUT  the transfer stopped: some of it was done
 */
#pragma once

#include <stdint.h>

enum dma_op {
    DMA_IN = 1, /* handle: DMA_PLACE(), arg0 bytes, arg1 peripheral: from its
                   FIFO. Nobody else may write meanwhile to the lines of
                   DMA_ALIGN bytes that are touched, or what is there is lost */
    DMA_OUT,    /* likewise: to its FIFO */
};

#define DMA_ALIGN 64u /* a cache line */

/* What the card controller's driver names: id of a channel, offset in its data
 * area. */
#define DMA_PLACE(channel, offset) ((channel) | (uint64_t)(offset) << 32)
#define DMA_CHANNEL_OF(place)      ((uint32_t)(place))
#define DMA_OFFSET_OF(place)       ((uint32_t)((place) >> 32))

enum dma_peripheral {
    DMA_SDHOST, /* device 0x3f202000 */
    DMA_PERIPHERALS,
};
