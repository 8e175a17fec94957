/* SPDX-License-Identifier: BSL-1.0
 *
 * An SD card behind the controller: finds it (SDSC and SDHC/SDXC), reads and
 * writes sectors of 512 bytes, and tries again where that may help. Errors are
 * positive errno values:
 *   ENOMEDIUM  no card, or not the one that was there
 *   ENOTSUP    a card, but none this driver understands
 *   EROFS      the card is write-protected
 *   EINVAL     sectors that the card does not have; the card was not touched
 *   EIO, ETIMEDOUT  after CARD_TRIES tries, at most about two seconds later
 * Context: one thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sdhost.h"

#define CARD_TRIES         3u
#define CARD_CHUNK_SECTORS 2048u /* in one transfer */

struct card_facts {
    uint64_t sectors;
    bool read_only;
    uint32_t id; /* of this piece of plastic; never 0 */
};

/* Where the controller is mapped. Once, first. */
void card_start(uint64_t base);

/* Is the card still there; if not, is there one now? Fills out on success. */
int card_check(struct card_facts *out);

/* Make sure that there is a card, and that it is the one of this id; 0: any. To
 * be called before each of the following. */
int card_select(uint64_t id);

/* count >= 1. Where the engine fails, it is tried again without; if only the
 * engine reaches the data, that is left to the caller: then any errno, and
 * count <= CARD_CHUNK_SECTORS. */
int card_read(uint64_t sector, const struct sdhost_memory *to, uint32_t count);
/* On success the data is on the card: it is not busy with it any more. */
int card_write(uint64_t sector, const struct sdhost_memory *from,
               uint32_t count);
