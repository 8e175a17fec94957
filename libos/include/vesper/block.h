/* SPDX-License-Identifier: BSL-1.0
 *
 * The protocol of a block device: service `block`. Sectors of 512 bytes. Reads
 * and writes are idempotent: a client may repeat them after the driver
 * restarts.
 */
#pragma once

/* Data of a READ or WRITE is count * 512 bytes of the request's data area. Or,
 * handle != 0, it is where DMA_PLACE() says, which was lent to this service
 * (vesper/dma.h; ROOT_DMA_LEND). Then there is one try, so that after an error
 * it is for the caller to do it the other way; ENOTSUP: there is no DMA. */
enum block_op {
    BLOCK_INFO = 1, /* -> v0 sectors, v1 BLOCK_x flags, v2 card id;
                       ENOMEDIUM: none */
    BLOCK_READ,     /* arg0 first sector, arg1 count, arg2 card id (0: any).
                       ENOMEDIUM: not that card. With a handle -> the last
                       BLOCK_LAST_BYTES, which are not yet in place, from v0
                       on */
    BLOCK_WRITE,    /* likewise; completed: on the card */
    BLOCK_FLUSH,
};

#define BLOCK_LAST_BYTES 12u

enum block_flag { BLOCK_READ_ONLY = 1 };
