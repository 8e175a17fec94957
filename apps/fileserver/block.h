/* SPDX-License-Identifier: BSL-1.0
 *
 * The client of service `block`. Transfers go to the card that block_info found
 * last; ENOMEDIUM: that one is gone, even if another one took its place.
 * Errors are positive errno values, those of the
 * service among them. When the driver was restarted, requests are repeated:
 * they are idempotent. Context: the server's only thread, which sleeps
 * meanwhile.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <vesper/channel.h>

#define BLOCK_SECTOR_BYTES 512u

struct block_facts {
    uint64_t sectors;
    bool read_only;
    uint64_t card; /* which card it is */
};

int block_info(struct block_facts *out);
int block_read(uint64_t sector, uint32_t count, void *to);
int block_write(uint64_t sector, uint32_t count, const void *from);
int block_flush(void);

/* Whose request is worked off, NULL: nobody's. What block_read and block_write
 * move from or to its data area may then go past this server. */
void block_lender(const struct server_client *c);
