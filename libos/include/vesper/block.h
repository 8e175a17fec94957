/* SPDX-License-Identifier: BSL-1.0
 *
 * The protocol of a block device: service `block`. Sectors of 512 bytes. Reads
 * and writes are idempotent: a client may repeat them after the driver
 * restarts.
 */
#pragma once

enum block_op {
    BLOCK_INFO = 1, /* -> v0 sectors, v1 BLOCK_x flags, v2 card id;
                       ENOMEDIUM: none */
    BLOCK_READ,     /* arg0 first sector, arg1 count, arg2 card id (0: any);
                       data: count * 512 bytes. ENOMEDIUM: not that card */
    BLOCK_WRITE,    /* likewise; completed: on the card */
    BLOCK_FLUSH,
};

enum block_flag { BLOCK_READ_ONLY = 1 };
