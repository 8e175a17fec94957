/* SPDX-License-Identifier: BSL-1.0
 *
 * What a card says about itself in its CSD register (SD Physical Layer
 * Simplified Specification, section 5.3).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct csd {
    uint64_t sectors; /* of 512 bytes */
    bool read_only;   /* written to the card for good, or for the time being */
};

/* raw: the 128 bits, lowest word first. 0, or ENOTSUP: a structure not
 * known, or a size that cannot be. */
int csd_read(const uint32_t raw[4], struct csd *out);
