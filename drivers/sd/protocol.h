/* SPDX-License-Identifier: BSL-1.0
 *
 * What identifying a card and moving its blocks have in common: commands and
 * card status (SD Physical Layer Simplified Specification, sections 4.7 and
 * 4.10.1), and the card found. Private to drivers/sd.
 */
#pragma once

#include "card.h"
#include "sdhost.h"

#define CMD_RESET       0u
#define CMD_SEND_CID    2u
#define CMD_SEND_RCA    3u
#define CMD_SELECT      7u
#define CMD_VOLTAGE     8u
#define CMD_SEND_CSD    9u
#define CMD_STOP        12u
#define CMD_STATUS      13u
#define CMD_BLOCK_BYTES 16u
#define CMD_READ        17u
#define CMD_READ_MANY   18u
#define CMD_WRITE       24u
#define CMD_WRITE_MANY  25u
#define CMD_APPLICATION 55u
#define ACMD_BUS_WIDTH  6u
#define ACMD_CONDITION  41u

#define STATUS_PROTECTED     (1u << 26)
#define STATUS_ERRORS        0xfcf80008u /* not: the card is locked */
#define STATUS_RANGE         (1u << 31)
#define STATUS_READY         (1u << 8)
#define STATUS_STATE(status) ((status) >> 9 & 0xfu)
#define STATE_TRANSFER       4u

struct card {
    uint64_t base;          /* of the controller */
    bool present, by_block; /* by_block: addresses count sectors, not bytes */
    uint32_t address;       /* the card's, in bits 31-16 */
    struct card_facts facts;
};

/* Bring controller and card from any state into the transfer state, and fill in
 * what the card says. present stays false on an error; those of card.h. */
int card_identify(struct card *card);

/* 0, EROFS or EIO: what a status word of the card complains about. */
int card_status_error(uint32_t status);

static inline int card_send(uint32_t index, uint32_t argument,
                            enum sdhost_answer answer, uint32_t out[4])
{
    const struct sdhost_command command = {index, argument, answer};

    return sdhost_send(&command, out);
}
