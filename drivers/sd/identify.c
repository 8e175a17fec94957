/* SPDX-License-Identifier: BSL-1.0 */
/* From reset to the transfer state (SD Physical Layer Simplified Specification,
 * section 4.2); the contract is in protocol.h. */
#include <errno.h>

#include "../pause.h"
#include "csd.h"
#include "protocol.h"

#define VOLTAGE_PATTERN         0x1aau    /* 2.7-3.6 V, and a pattern to echo */
#define CONDITION_VOLTAGES      0xff8000u /* 2.7-3.6 V */
#define CONDITION_HIGH_CAPACITY (1u << 30)
#define CONDITION_READY         (1u << 31)
#define CONDITION_TRIES         200u
#define CONDITION_NAP_US        5000u

static int send_application(const struct card *card, uint32_t index,
                            uint32_t argument, uint32_t out[4])
{
    int error = card_send(CMD_APPLICATION, card->address, SDHOST_SHORT, out);

    return error != 0 ? error : card_send(index, argument, SDHOST_SHORT, out);
}

int card_status_error(uint32_t status)
{
    if (status & STATUS_PROTECTED) {
        return EROFS;
    }
    return status & STATUS_ERRORS ? EIO : 0;
}

/* Cards of version 1 do not know CMD8 and do not answer. */
static int version_find(bool *version_2)
{
    uint32_t out[4];
    int error = card_send(CMD_VOLTAGE, VOLTAGE_PATTERN, SDHOST_SHORT, out);

    *version_2 = error == 0;
    if (error == ETIMEDOUT) {
        return 0;
    }
    return error == 0 && (out[0] & 0xfff) != VOLTAGE_PATTERN ? ENOTSUP : error;
}

static int condition_wait(struct card *card, bool version_2)
{
    uint32_t argument =
        CONDITION_VOLTAGES | (version_2 ? CONDITION_HIGH_CAPACITY : 0);
    uint32_t out[4];

    for (uint32_t i = 0; i < CONDITION_TRIES; i++) {
        int error = card_send(CMD_APPLICATION, 0, SDHOST_SHORT, out);

        if (error != 0) {
            return ENOMEDIUM; /* every card answers this: there is none */
        }
        error = card_send(ACMD_CONDITION, argument, SDHOST_SHORT, out);
        /* No checksum is sent with this response, so EIO is no error. */
        if (error == ETIMEDOUT) {
            return ENOTSUP; /* an MMC */
        }
        if (error == 0 && out[0] & CONDITION_READY) {
            card->by_block = (out[0] & CONDITION_HIGH_CAPACITY) != 0;
            return 0;
        }
        pause_us(CONDITION_NAP_US);
    }
    return ETIMEDOUT;
}

/* The name of this piece of plastic: a mix of its CID. */
static uint32_t id_make(const uint32_t cid[4])
{
    uint32_t id = 2166136261u;

    for (int i = 0; i < 4; i++) {
        id = (id ^ cid[i]) * 16777619u;
    }
    return id != 0 ? id : 1;
}

static int address_get(struct card *card, struct card_facts *facts)
{
    uint32_t out[4];
    int error = card_send(CMD_SEND_CID, 0, SDHOST_LONG, out);

    if (error != 0) {
        return error;
    }
    facts->id = id_make(out);
    error = card_send(CMD_SEND_RCA, 0, SDHOST_SHORT, out);
    card->address = out[0] & 0xffff0000;
    return error;
}

static int size_get(const struct card *card, struct card_facts *facts)
{
    struct csd csd;
    uint32_t out[4];
    int error = card_send(CMD_SEND_CSD, card->address, SDHOST_LONG, out);

    if (error == 0) {
        error = csd_read(out, &csd);
    }
    if (error == 0) {
        facts->sectors = csd.sectors;
        facts->read_only = csd.read_only;
    }
    return error;
}

/* All SD cards have four data lines, but those that say no keep working. */
static int transfer_prepare(const struct card *card)
{
    uint32_t out[4];
    bool wide;
    int error = card_send(CMD_SELECT, card->address, SDHOST_SHORT_BUSY, out);

    if (error == 0 && !card->by_block) {
        error =
            card_send(CMD_BLOCK_BYTES, SDHOST_SECTOR_BYTES, SDHOST_SHORT, out);
    }
    if (error != 0) {
        return error;
    }
    wide = send_application(card, ACMD_BUS_WIDTH, 2, out) == 0 &&
           card_status_error(out[0]) == 0;
    sdhost_speed_up(wide);
    return 0;
}

int card_identify(struct card *card)
{
    struct card_facts facts;
    uint32_t out[4];
    bool version_2;
    int error;

    card->present = false;
    card->address = 0;
    sdhost_start(card->base);
    error = card_send(CMD_RESET, 0, SDHOST_NOTHING, out);
    if (error == 0) {
        error = version_find(&version_2);
    }
    if (error == 0) {
        error = condition_wait(card, version_2);
    }
    if (error == 0) {
        error = address_get(card, &facts);
    }
    if (error == 0) {
        error = size_get(card, &facts);
    }
    if (error == 0) {
        error = transfer_prepare(card);
    }
    if (error == 0) {
        card->facts = facts;
        card->present = true;
    }
    return error;
}
