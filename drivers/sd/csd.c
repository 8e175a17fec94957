/* SPDX-License-Identifier: BSL-1.0 */
/* The CSD register; the contract is in csd.h. */
#include "csd.h"

#include <errno.h>

/* Bits high..low of the register, at most 32 of them. */
static uint32_t csd_field(const uint32_t raw[4], uint32_t high, uint32_t low)
{
    uint32_t word = low / 32;
    uint64_t pair = raw[word];

    if (word < 3) {
        pair |= (uint64_t)raw[word + 1] << 32;
    }
    return (uint32_t)(pair >> low % 32 & ((1ull << (high - low + 1)) - 1));
}

/* Structure 1: up to 2 GiB, in blocks of 2^READ_BL_LEN bytes. */
static uint64_t sectors_standard(const uint32_t raw[4])
{
    uint32_t block_log2 = csd_field(raw, 83, 80);
    uint32_t size = csd_field(raw, 73, 62);
    uint32_t size_log2 = csd_field(raw, 49, 47) + 2;

    if (block_log2 < 9 || block_log2 > 11) {
        return 0;
    }
    return (uint64_t)(size + 1) << (size_log2 + block_log2 - 9);
}

int csd_read(const uint32_t raw[4], struct csd *out)
{
    uint32_t structure = csd_field(raw, 127, 126);
    uint64_t sectors;

    if (structure == 0) {
        sectors = sectors_standard(raw);
    } else if (structure == 1) {
        sectors = ((uint64_t)csd_field(raw, 69, 48) + 1) * 1024;
    } else {
        return ENOTSUP;
    }
    if (sectors == 0) {
        return ENOTSUP;
    }
    out->sectors = sectors;
    out->read_only = csd_field(raw, 13, 12) != 0;
    return 0;
}
