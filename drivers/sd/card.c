/* SPDX-License-Identifier: BSL-1.0 */
/* Block transfer (SD Physical Layer Simplified Specification, section 4.3);
 * the contract is in card.h. Multi-block transfers end with CMD12: CMD23 is
 * optional, and QEMU 7.2's card does not know it. */
#include "card.h"

#include <errno.h>
#include <stddef.h>

#include "../pause.h"
#include "protocol.h"
#include "sdhost.h"

#define BUSY_LIMIT_US  500000u /* the specification's limit for a write */
#define BUSY_NAP_US    100u
#define RETRY_LIMIT_US 1000000u /* no new try after that */

static struct card card;

void card_start(uint64_t base)
{
    card.base = base;
}

int card_check(struct card_facts *out)
{
    uint32_t answer[4];
    int error = 0;

    if (!card.present ||
        card_send(CMD_STATUS, card.address, SDHOST_SHORT, answer) != 0 ||
        STATUS_STATE(answer[0]) != STATE_TRANSFER) {
        error = card_identify(&card);
    }
    if (error == 0) {
        *out = card.facts;
    }
    return error;
}

int card_select(uint64_t id)
{
    int error = card.present ? 0 : card_identify(&card);

    if (error == 0 && id != 0 && id != card.facts.id) {
        return ENOMEDIUM;
    }
    return error;
}

/* After a write the card is busy for a while. */
static int ready_wait(void)
{
    uint64_t start = pause_now_us();
    uint32_t out[4];

    for (;;) {
        bool late = pause_now_us() - start >= BUSY_LIMIT_US;
        int error = card_send(CMD_STATUS, card.address, SDHOST_SHORT, out);

        if (error == 0) {
            error = card_status_error(out[0]);
        }
        if (error != 0) {
            return error;
        }
        if (out[0] & STATUS_READY && STATUS_STATE(out[0]) == STATE_TRANSFER) {
            return 0;
        }
        if (late) {
            return ETIMEDOUT;
        }
        pause_us(BUSY_NAP_US);
    }
}

static uint32_t sector_address(uint64_t sector)
{
    return (uint32_t)(card.by_block ? sector : sector * SDHOST_SECTOR_BYTES);
}

static int read_once(uint64_t sector, const struct sdhost_memory *to,
                     uint32_t count)
{
    const struct sdhost_transfer t = {count > 1 ? CMD_READ_MANY : CMD_READ,
                                      sector_address(sector), count,
                                      STATUS_ERRORS};
    uint32_t out[4];
    int error = sdhost_read(&t, to), stop_error = 0;

    if (count > 1) {
        /* Reading ahead may have run over the end: that is no error. */
        stop_error = card_send(CMD_STOP, 0, SDHOST_SHORT_BUSY, out);
        if (stop_error == 0) {
            stop_error = card_status_error(out[0] & ~STATUS_RANGE);
        }
    }
    return error != 0 ? error : stop_error;
}

static int write_once(uint64_t sector, const struct sdhost_memory *from,
                      uint32_t count)
{
    const struct sdhost_transfer t = {count > 1 ? CMD_WRITE_MANY : CMD_WRITE,
                                      sector_address(sector), count,
                                      STATUS_ERRORS};
    uint32_t out[4];
    int error = sdhost_write(&t, from), stop_error = 0;

    if (count > 1) {
        stop_error = card_send(CMD_STOP, 0, SDHOST_SHORT_BUSY, out);
        if (stop_error == 0) {
            stop_error = card_status_error(out[0]);
        }
    }
    if (error == 0) {
        error = stop_error;
    }
    return error != 0 ? error : ready_wait();
}

typedef int transfer_once(uint64_t sector, const struct sdhost_memory *memory,
                          uint32_t count);

/* A card that comes back from identification as another one must not be given
 * what was meant for the first. */
static int card_recover(void)
{
    uint32_t id = card.facts.id;
    int error = card_identify(&card);

    if (error == 0 && card.facts.id != id) {
        return ENOMEDIUM;
    }
    return error;
}

static int transfer_try(transfer_once *once, uint64_t sector,
                        struct sdhost_memory memory, uint32_t count)
{
    uint64_t start = pause_now_us();
    int error = once(sector, &memory, count);

    for (uint32_t i = 1; i < CARD_TRIES && error != 0 && error != EROFS; i++) {
        int recover_error;

        if (memory.data == NULL || pause_now_us() - start >= RETRY_LIMIT_US) {
            break;
        }
        memory.place = 0;
        recover_error = card_recover();
        if (recover_error != 0) {
            return recover_error;
        }
        error = once(sector, &memory, count);
    }
    if (error != 0) {
        card.present = false; /* in an unknown state: identify anew */
    }
    return error;
}

static int transfer_all(transfer_once *once, uint64_t sector,
                        struct sdhost_memory memory, uint32_t count)
{
    int error = 0;

    while (error == 0 && count > 0) {
        uint32_t n = count < CARD_CHUNK_SECTORS ? count : CARD_CHUNK_SECTORS;

        error = transfer_try(once, sector, memory, n);
        sector += n;
        memory.data += memory.data != NULL ? n * SDHOST_SECTOR_BYTES : 0;
        memory.place = 0; /* no channel has as much */
        count -= n;
    }
    return error;
}

static int range_check(uint64_t sector, uint32_t count)
{
    if (!card.present) {
        return ENOMEDIUM;
    }
    if (count == 0 || sector >= card.facts.sectors ||
        count > card.facts.sectors - sector) {
        return EINVAL;
    }
    return 0;
}

int card_read(uint64_t sector, const struct sdhost_memory *to, uint32_t count)
{
    int error = range_check(sector, count);

    return error != 0 ? error : transfer_all(read_once, sector, *to, count);
}

int card_write(uint64_t sector, const struct sdhost_memory *from,
               uint32_t count)
{
    int error = range_check(sector, count);

    if (error == 0 && card.facts.read_only) {
        error = EROFS;
    }
    return error != 0 ? error : transfer_all(write_once, sector, *from, count);
}
