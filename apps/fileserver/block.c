/* SPDX-License-Identifier: BSL-1.0 */
/* Requests to the block service; the contract is in block.h. */
#include "block.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <vesper/block.h>
#include <vesper/channel.h>
#include <vesper/dma.h>
#include <vesper/root.h>
#include <vesper/root_call.h>
#include <vesper/thread.h>

#define DATA_BYTES 65536u
#define TRIES      40u /* for a driver to come back: 2 s */
#define TRY_NAP_NS 50000000u
#define DEATHS     3u /* of the driver, by one request */

#define DIRECT_SECTORS_MIN 32u /* fewer cost less by way of this server */
#define DIRECT_PASS        64u

/* Connected once; the whole data area is ours, used from its start. */
static struct channel *channel;
static uint32_t data_offset, data_bytes;

/* The card that block_info spoke of last; transfers are meant for no other. */
static uint64_t card;

static int connect_once(void)
{
    int error;

    if (channel != NULL) {
        return 0;
    }
    error = channel_connect("block", DATA_BYTES, &channel);
    if (error != 0) {
        channel = NULL;
        return error;
    }
    data_bytes = channel_data_bytes(channel);
    data_offset = channel_data_take(channel, data_bytes);
    return 0;
}

/* The driver died: wait for the root server to start it again. Once it has not
 * come, later requests only look, so that pipes do not suffer. */
static int driver_await(void)
{
    static bool lost;

    for (uint32_t i = lost ? TRIES - 1 : 0; i < TRIES; i++) {
        if (channel_reconnect(channel) == 0) {
            lost = false;
            return 0;
        }
        thread_sleep_until(time_ns() + TRY_NAP_NS);
    }
    lost = true;
    return EIO;
}

/* One request; `from`, if not NULL, is what its data area must hold. When the
 * driver was restarted the area is another, so it is filled for every try. */
static int request(struct channel_request *r, const void *from,
                   struct channel_completion *answer)
{
    int error = connect_once();

    for (uint32_t i = 0; error == 0 && i < DEATHS; i++) {
        r->data = r->bytes != 0 ? data_offset : 0;
        if (from != NULL) {
            memcpy(channel_data(channel, data_offset), from, r->bytes);
        }
        error = channel_call(channel, r, answer);
        if (error != EPIPE) {
            return error;
        }
        error = driver_await();
    }
    return error == 0 ? EIO : error == ENOENT ? ENODEV : error;
}

int block_info(struct block_facts *out)
{
    struct channel_request r = {.op = BLOCK_INFO};
    struct channel_completion answer;
    int error = request(&r, NULL, &answer);

    if (error == 0) {
        out->sectors = answer.value[0];
        out->read_only = (answer.value[1] & BLOCK_READ_ONLY) != 0;
        out->card = card = answer.value[2];
    }
    return error;
}

/* ---- past this server, by DMA ----------------------------------------- */

static const struct server_client *lender;

void block_lender(const struct server_client *c)
{
    lender = c;
}

/* The driver may have one transfer done there; bytes 0: none any more. */
static int data_lend(uint64_t offset, uint64_t bytes)
{
    uint64_t w[8] = {ROOT_DMA_LEND, lender->id, 0, 0, offset, bytes};

    memcpy(&w[2], "block", sizeof("block"));
    return root_call(w, 0);
}

static int lent_request(struct channel_request *r, uint64_t offset,
                        uint64_t bytes, struct channel_completion *answer)
{
    int error = data_lend(offset, bytes);

    if (error == 0) {
        error = channel_call(channel, r, answer);
        if (error != 0) {
            (void)data_lend(0, 0); /* it may not have been used */
        }
    }
    return error;
}

/* Between the card and the lender's data area, if `at` lies there and it is
 * worth it. False: not done, for whatever reason; the other way tells. */
static bool direct(uint32_t op, uint64_t sector, uint32_t count, uint8_t *at)
{
    static uint32_t pass; /* so many times, because nobody does DMA */
    const uint64_t bytes = (uint64_t)count * BLOCK_SECTOR_BYTES;
    uint64_t offset;
    struct channel_completion answer;
    int error;

    if (lender == NULL || count < DIRECT_SECTORS_MIN || pass > 0) {
        pass -= pass > 0;
        return false;
    }
    offset = (uintptr_t)at - ((uintptr_t)lender->page + PAGE_BYTES);
    if (offset >= lender->bytes || offset % DMA_ALIGN != 0) {
        return false; /* not in the data area, or not so that it can be lent */
    }
    struct channel_request r = {.op = op,
                                .handle = DMA_PLACE(lender->id, offset),
                                .arg = {sector, count, card}};
    error = lent_request(&r, offset, bytes, &answer);
    if (error == 0 && op == BLOCK_READ) {
        memcpy(at + bytes - BLOCK_LAST_BYTES, answer.value, BLOCK_LAST_BYTES);
    }
    pass = error == ENOTSUP ? DIRECT_PASS : 0;
    return error == 0;
}

/* ---- through the driver's channel ------------------------------------- */

/* The next part of a transfer that fits the data area. */
static int part_request(uint32_t op, uint64_t sector, uint32_t count,
                        const void *from)
{
    struct channel_request r = {.op = op,
                                .arg = {sector, count, card},
                                .bytes = count * BLOCK_SECTOR_BYTES};
    struct channel_completion answer;

    return request(&r, from, &answer);
}

static uint32_t part_count(uint32_t count)
{
    uint32_t most = data_bytes / BLOCK_SECTOR_BYTES;

    return count < most ? count : most;
}

int block_read(uint64_t sector, uint32_t count, void *to)
{
    uint8_t *at = to;
    int error = connect_once();

    if (error == 0 && direct(BLOCK_READ, sector, count, at)) {
        return 0;
    }
    while (error == 0 && count > 0) {
        uint32_t n = part_count(count);

        error = part_request(BLOCK_READ, sector, n, NULL);
        if (error == 0) {
            memcpy(at, channel_data(channel, data_offset),
                   n * BLOCK_SECTOR_BYTES);
        }
        sector += n;
        count -= n;
        at += n * BLOCK_SECTOR_BYTES;
    }
    return error;
}

int block_write(uint64_t sector, uint32_t count, const void *from)
{
    const uint8_t *at = from;
    int error = connect_once();

    if (error == 0 && direct(BLOCK_WRITE, sector, count, (uint8_t *)at)) {
        return 0;
    }
    while (error == 0 && count > 0) {
        uint32_t n = part_count(count);

        error = part_request(BLOCK_WRITE, sector, n, at);
        sector += n;
        count -= n;
        at += n * BLOCK_SECTOR_BYTES;
    }
    return error;
}

int block_flush(void)
{
    struct channel_request r = {.op = BLOCK_FLUSH};
    struct channel_completion answer;

    return request(&r, NULL, &answer);
}
