/* SPDX-License-Identifier: BSL-1.0 */
/* The table of stamps; the contract is in stamp.h. A file that has lost its
 * place in it gets a new number, as one that was changed. */
#include "stamp.h"

#include <stddef.h>

#include "volume.h"

#define STAMPS 16u

static struct {
    uint64_t id, number; /* 0: none */
} stamps[STAMPS];
static uint64_t serial;     /* of the last one given */
static uint32_t generation; /* of the card whose files these are */

void stamps_start(uint32_t domain)
{
    serial = (uint64_t)domain << 32;
}

uint64_t stamp_of(uint64_t id)
{
    if (generation != volume_generation()) {
        stamps_forget();
        generation = volume_generation();
    }
    for (uint32_t i = 0; i < STAMPS; i++) {
        if (stamps[i].id == id && stamps[i].number != 0) {
            return stamps[i].number;
        }
    }
    uint32_t next = ++serial % STAMPS;

    stamps[next].id = id;
    stamps[next].number = serial;
    return serial;
}

void stamp_forget(uint64_t id)
{
    for (uint32_t i = 0; i < STAMPS; i++) {
        if (stamps[i].id == id) {
            stamps[i].number = 0;
        }
    }
}

void stamps_forget(void)
{
    for (uint32_t i = 0; i < STAMPS; i++) {
        stamps[i].number = 0;
    }
}
