/* SPDX-License-Identifier: BSL-1.0
 *
 * The SDHOST controller: sends commands and moves data through its FIFO, or has
 * it moved. Knows nothing about cards. Every wait has a limit; none spins
 * longer than SPIN_US. Errors are positive errno values: ETIMEDOUT (no answer),
 * EIO (damaged on the way). After an error of a transfer: sdhost_start again.
 * Context: one thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define SDHOST_SECTOR_BYTES 512u

/* What the card answers. */
enum sdhost_answer {
    SDHOST_NOTHING,
    SDHOST_SHORT,      /* 48 bits: one word */
    SDHOST_SHORT_BUSY, /* likewise, and the card may be busy afterwards */
    SDHOST_LONG,       /* 136 bits: four words, the lowest first */
};

struct sdhost_command {
    uint32_t index, argument;
    enum sdhost_answer answer;
};

/* Controller to its first state: slow clock, one data line. */
void sdhost_start(uint64_t base);

/* For identified cards: full clock, and four data lines if wide. */
void sdhost_speed_up(bool wide);

/* Send a command and wait for the response; out is filled on success. */
int sdhost_send(const struct sdhost_command *command, uint32_t out[4]);

/* A reading or writing command with its data: count blocks of 512 bytes. The
 * end of a multi-block command (CMD12) is the caller's. */
struct sdhost_transfer {
    uint32_t index, argument, count;
    uint32_t refusal; /* bits of the response that mean: no data will move */
};

/* Where the data lies. */
struct sdhost_memory {
    uint8_t *data;  /* of any alignment; NULL: only the DMA engine reaches it */
    uint64_t place; /* the same for the engine (engine.h); 0: without it */
    uint8_t *last;  /* without data: SDHOST_LAST_BYTES that are for its end */
};

/* Of what is read, the engine leaves so much to the CPU: on boards the
 * controller asks for no less than its threshold of four words. */
#define SDHOST_LAST_BYTES 12u

/* EIO also if the card refused; of the engine also what engine.h says. */
int sdhost_read(const struct sdhost_transfer *transfer,
                const struct sdhost_memory *memory);
int sdhost_write(const struct sdhost_transfer *transfer,
                 const struct sdhost_memory *memory);
