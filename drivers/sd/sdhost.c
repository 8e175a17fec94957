/* SPDX-License-Identifier: BSL-1.0 */
/* The SDHOST controller, by programmed input and output or by DMA; see
 * sdhost.h. */
#include "sdhost.h"

#include <errno.h>
#include <string.h>

#include "../mmio.h"
#include "../pause.h"
#include "engine.h"
#include "regs.h"

#define WORD             4u /* bytes */
#define SPIN_US          10u
#define NAP_US           50u /* between two looks at what has no interrupt */
#define COMMAND_LIMIT_US 100000u
#define DATA_LIMIT_US    500000u /* without a single word of progress */

static struct {
    uint64_t base;
    uint32_t config;
} host;

static uint32_t reg_read(uint32_t offset)
{
    return mmio_read32(host.base + offset);
}

static void reg_write(uint32_t offset, uint32_t value)
{
    mmio_write32(host.base + offset, value);
}

static void config_set(uint32_t config)
{
    host.config = config;
    reg_write(SDHOST_CONFIG, config);
}

void sdhost_start(uint64_t base)
{
    static const uint32_t zeroed[] = {
        SDHOST_POWER,  SDHOST_COMMAND,     SDHOST_ARGUMENT, SDHOST_DIVIDER,
        SDHOST_CONFIG, SDHOST_BLOCK_BYTES, SDHOST_BLOCKS,
    };

    host.base = base;
    mmio_barrier();
    for (uint32_t i = 0; i < sizeof zeroed / sizeof zeroed[0]; i++) {
        reg_write(zeroed[i], 0);
    }
    reg_write(SDHOST_STATUS, STATUS_ALL);
    reg_write(SDHOST_TIMEOUT, 0xf00000);
    reg_write(SDHOST_DEBUG, (reg_read(SDHOST_DEBUG) & ~DEBUG_THRESHOLDS_MASK) |
                                DEBUG_THRESHOLDS_4);
    pause_us(1000); /* the card's supply falls and rises */
    reg_write(SDHOST_POWER, 1);
    pause_us(1000);
    config_set(CONFIG_WIDE_INTERNAL | CONFIG_SLOW_CARD);
    reg_write(SDHOST_DIVIDER, DIVIDER_IDENTIFY);
    mmio_barrier();
}

void sdhost_speed_up(bool wide)
{
    mmio_barrier();
    config_set(host.config | (wide ? CONFIG_WIDE_CARD : 0));
    reg_write(SDHOST_DIVIDER, DIVIDER_TRANSFER);
    mmio_barrier();
}

/* ---- commands --------------------------------------------------------- */

static uint32_t answer_bits(enum sdhost_answer answer)
{
    switch (answer) {
    case SDHOST_NOTHING:
        return COMMAND_NO_RESPONSE;
    case SDHOST_LONG:
        return COMMAND_LONG;
    case SDHOST_SHORT_BUSY:
        return COMMAND_BUSY;
    case SDHOST_SHORT:
        break;
    }
    return 0;
}

/* Commands have no interrupt. At full speed one takes 4 us, so look for a
 * moment first; when identifying it takes half a millisecond. */
static int command_wait(void)
{
    uint64_t start = pause_now_us();
    uint64_t waited = 0;

    while (reg_read(SDHOST_COMMAND) & COMMAND_NEW) {
        if (waited >= COMMAND_LIMIT_US) {
            return ETIMEDOUT;
        }
        if (waited >= SPIN_US) {
            pause_us(NAP_US);
        }
        waited = pause_now_us() - start;
    }
    return 0;
}

static int command_run(uint32_t word, uint32_t argument)
{
    uint32_t status;
    int error = command_wait();

    if (error != 0) {
        return error;
    }
    reg_write(SDHOST_STATUS, STATUS_ALL);
    reg_write(SDHOST_ARGUMENT, argument);
    reg_write(SDHOST_COMMAND, COMMAND_NEW | word);
    error = command_wait();
    if (error != 0 || !(reg_read(SDHOST_COMMAND) & COMMAND_FAIL)) {
        return error;
    }
    status = reg_read(SDHOST_STATUS);
    reg_write(SDHOST_STATUS, STATUS_ALL);
    return status & STATUS_COMMAND_CRC ? EIO : ETIMEDOUT;
}

int sdhost_send(const struct sdhost_command *command, uint32_t out[4])
{
    int error;

    mmio_barrier();
    error = command_run(command->index | answer_bits(command->answer),
                        command->argument);
    for (uint32_t i = 0; error == 0 && i < 4; i++) {
        out[i] = reg_read(SDHOST_RESPONSE + 4 * i);
    }
    mmio_barrier();
    return error;
}

/* ---- data ------------------------------------------------------------- */

/* Sleep until the FIFO wants something. The interrupt is enabled for the sleep
 * only, and its status cleared after it: then the line is down again. */
static void fifo_sleep(uint32_t us)
{
    reg_write(SDHOST_CONFIG,
              host.config | CONFIG_DATA_INTERRUPT | CONFIG_BLOCK_INTERRUPT);
    mmio_barrier();
    pause_interrupt(us);
    mmio_barrier();
    reg_write(SDHOST_CONFIG, host.config);
    reg_write(SDHOST_STATUS, STATUS_INTERRUPTS);
}

static uint32_t words_ready(bool writing)
{
    uint32_t level = DEBUG_LEVEL(reg_read(SDHOST_DEBUG));

    if (level > FIFO_WORDS) {
        return 0; /* no such level: the device is not there */
    }
    return writing ? FIFO_WORDS - level : level;
}

/* Sleeps until words can be moved: how many; 0: an error, in *error. A card
 * that has gone, or was asked for what it does not have, just never answers:
 * hence the limit. */
static uint32_t words_wait(bool writing, int *error)
{
    uint64_t start = pause_now_us();

    for (;;) {
        uint32_t words = words_ready(writing);
        uint64_t waited = pause_now_us() - start;

        if (reg_read(SDHOST_STATUS) & STATUS_DATA_ERRORS) {
            *error = EIO;
            return 0;
        }
        if (words > 0) {
            return words;
        }
        if (waited >= DATA_LIMIT_US) {
            *error = ETIMEDOUT;
            return 0;
        }
        if (waited >= SPIN_US) {
            fifo_sleep(DATA_LIMIT_US - (uint32_t)waited);
        }
    }
}

/* Wait until the controller is through with the last block. On boards it
 * ends in a state of its own after multi-block transfers and must be called
 * back. */
static int transfer_end(bool writing)
{
    const uint32_t over =
        writing ? DEBUG_STATE_WRITE_START : DEBUG_STATE_READ_WAIT;
    uint64_t start = pause_now_us();

    for (;;) {
        uint32_t debug = reg_read(SDHOST_DEBUG);
        uint32_t state = debug & DEBUG_STATE;
        uint64_t waited = pause_now_us() - start;

        if (state == DEBUG_STATE_IDENTIFY || state == DEBUG_STATE_DATA) {
            break;
        }
        if (state == over) {
            reg_write(SDHOST_DEBUG, debug | DEBUG_FORCE_DATA_STATE);
            break;
        }
        if (waited >= DATA_LIMIT_US) {
            return ETIMEDOUT;
        }
        if (waited >= SPIN_US) {
            fifo_sleep(NAP_US);
        }
    }
    return reg_read(SDHOST_STATUS) & STATUS_DATA_ERRORS ? EIO : 0;
}

/* What a transfer that failed has left would be the first words of this one. */
static void fifo_empty(void)
{
    for (uint32_t i = 0; i < FIFO_WORDS && words_ready(false) > 0; i++) {
        (void)reg_read(SDHOST_DATA);
    }
}

static int transfer_start(const struct sdhost_transfer *t, uint32_t direction)
{
    int error;

    fifo_empty();
    /* The controller counts from these, so they must be there first. */
    reg_write(SDHOST_BLOCK_BYTES, SDHOST_SECTOR_BYTES);
    reg_write(SDHOST_BLOCKS, t->count);
    error = command_run(t->index | direction, t->argument);
    if (error == 0 && reg_read(SDHOST_RESPONSE) & t->refusal) {
        error = EIO;
    }
    return error;
}

/* Every word of a card passes through these. In the two bursts, whole FIFOs as
 * long as there are some, two words are one instruction where they can be. */
static uint32_t burst_read(uint8_t *to, uint32_t words)
{
    const uint64_t fifo = host.base + SDHOST_DATA;
    uint32_t left = words;

    for (; left >= FIFO_WORDS && words_ready(false) == FIFO_WORDS;
         left -= FIFO_WORDS, to += FIFO_WORDS * WORD) {
#pragma GCC unroll 8
        for (uint32_t i = 0; i < FIFO_WORDS; i += 2) {
            uint32_t first = mmio_read32(fifo), second = mmio_read32(fifo);

            memcpy(to + i * WORD, &first, WORD);
            memcpy(to + i * WORD + WORD, &second, WORD);
        }
    }
    return words - left;
}

static uint32_t burst_write(const uint8_t *from, uint32_t words)
{
    const uint64_t fifo = host.base + SDHOST_DATA;
    uint32_t left = words;

    for (; left >= FIFO_WORDS && words_ready(true) == FIFO_WORDS;
         left -= FIFO_WORDS, from += FIFO_WORDS * WORD) {
#pragma GCC unroll 8
        for (uint32_t i = 0; i < FIFO_WORDS; i += 2) {
            uint32_t first, second;

            memcpy(&first, from + i * WORD, WORD);
            memcpy(&second, from + i * WORD + WORD, WORD);
            mmio_write32(fifo, first);
            mmio_write32(fifo, second);
        }
    }
    return words - left;
}

static void words_read(uint8_t *to, uint32_t words)
{
    uint32_t word;

    for (; words > 0; words--, to += WORD) {
        word = reg_read(SDHOST_DATA);
        memcpy(to, &word, WORD);
    }
}

static void words_write(const uint8_t *from, uint32_t words)
{
    uint32_t word;

    for (; words > 0; words--, from += WORD) {
        memcpy(&word, from, WORD);
        reg_write(SDHOST_DATA, word);
    }
}

int sdhost_read(const struct sdhost_transfer *transfer,
                const struct sdhost_memory *memory)
{
    uint8_t *to = memory->data;
    uint32_t left = transfer->count * (SDHOST_SECTOR_BYTES / WORD);
    int error;

    mmio_barrier();
    error = transfer_start(transfer, COMMAND_READ);
    if (error == 0 && memory->place != 0) {
        uint32_t bytes = left * WORD - SDHOST_LAST_BYTES;

        error = engine_read(memory->place, bytes);
        to = to != NULL ? to + bytes : memory->last;
        left = SDHOST_LAST_BYTES / WORD;
    }
    while (error == 0 && left > 0) {
        uint32_t words = burst_read(to, left);

        if (words == 0) {
            words = words_wait(false, &error);
            words = words < left ? words : left;
            words_read(to, words);
        }
        to += (size_t)words * WORD;
        left -= words;
    }
    if (error == 0) {
        error = transfer_end(false);
    }
    mmio_barrier();
    return error;
}

int sdhost_write(const struct sdhost_transfer *transfer,
                 const struct sdhost_memory *memory)
{
    const uint8_t *from = memory->data;
    uint32_t left = transfer->count * (SDHOST_SECTOR_BYTES / WORD);
    int error;

    mmio_barrier();
    error = transfer_start(transfer, COMMAND_WRITE);
    if (error == 0 && memory->place != 0) {
        error = engine_write(memory->place, left * WORD);
        left = 0;
    }
    while (error == 0 && left > 0) {
        uint32_t words = burst_write(from, left);

        if (words == 0) {
            words = words_wait(true, &error);
            words = words < left ? words : left;
            words_write(from, words);
        }
        from += (size_t)words * WORD;
        left -= words;
    }
    if (error == 0) {
        error = transfer_end(true);
    }
    mmio_barrier();
    return error;
}
