/* SPDX-License-Identifier: BSL-1.0
 *
 * SDHOST, the BCM2837's own SD controller. Broadcom has published no manual;
 * what stands here was tried on QEMU (docs/decisions/0004-sd-controller.md),
 * and where the comment says "board" it is known from boards but not modelled
 * there. Offsets from the device's base; all registers are 32 bits wide.
 */
#pragma once

#define SDHOST_COMMAND     0x00u /* RW; writing with NEW starts a command */
#define SDHOST_ARGUMENT    0x04u /* RW */
#define SDHOST_TIMEOUT     0x08u /* RW; in card clocks */
#define SDHOST_DIVIDER     0x0cu /* RW; card clock = core clock / (n + 2) */
#define SDHOST_RESPONSE    0x10u /* RO; four words, the lowest first */
#define SDHOST_STATUS      0x20u /* W1C */
#define SDHOST_POWER       0x30u /* RW; 1: on */
#define SDHOST_DEBUG       0x34u /* RW; state machine, FIFO level, thresholds */
#define SDHOST_CONFIG      0x38u /* RW */
#define SDHOST_BLOCK_BYTES 0x3cu /* RW */
#define SDHOST_DATA        0x40u /* RW; one word of the 16-word FIFO */
#define SDHOST_BLOCKS      0x50u /* RW */

#define COMMAND_NEW         (1u << 15) /* cleared by the controller when done */
#define COMMAND_FAIL        (1u << 14) /* with STATUS saying why */
#define COMMAND_BUSY        (1u << 11) /* the card may signal busy after it */
#define COMMAND_NO_RESPONSE (1u << 10)
#define COMMAND_LONG        (1u << 9) /* a response of 136 bits */
#define COMMAND_WRITE       (1u << 7)
#define COMMAND_READ        (1u << 6)

#define STATUS_DATA            (1u << 0) /* stays set: not used */
#define STATUS_FIFO_ERROR      (1u << 3)
#define STATUS_COMMAND_CRC     (1u << 4)
#define STATUS_DATA_CRC        (1u << 5)
#define STATUS_COMMAND_TIMEOUT (1u << 6)
#define STATUS_DATA_TIMEOUT    (1u << 7)
#define STATUS_INTERRUPTS      (7u << 8) /* data, block, busy */
#define STATUS_ALL             0x7f8u
#define STATUS_DATA_ERRORS                                                     \
    (STATUS_FIFO_ERROR | STATUS_DATA_CRC | STATUS_DATA_TIMEOUT)

#define CONFIG_WIDE_INTERNAL   (1u << 1)
#define CONFIG_WIDE_CARD       (1u << 2) /* four data lines */
#define CONFIG_SLOW_CARD       (1u << 3) /* board: needed for reliable clocks */
#define CONFIG_DATA_INTERRUPT  (1u << 4)
#define CONFIG_BLOCK_INTERRUPT (1u << 8)

#define DEBUG_STATE             0xfu
#define DEBUG_STATE_IDENTIFY    0u
#define DEBUG_STATE_DATA        1u  /* idle between transfers */
#define DEBUG_STATE_READ_WAIT   4u  /* board: a read is over */
#define DEBUG_STATE_WRITE_START 10u /* board: a write is over */
#define DEBUG_LEVEL(debug)      ((debug) >> 4 & 0x1fu) /* words in the FIFO */
#define DEBUG_THRESHOLDS_MASK   (0x1fu << 14 | 0x1fu << 9)
#define DEBUG_THRESHOLDS_4      (4u << 14 | 4u << 9)
#define DEBUG_FORCE_DATA_STATE  (1u << 19) /* board */

#define FIFO_WORDS 16u

/* Core clock 250 MHz (config.txt): 122 kHz to identify, 25 MHz to transfer. */
#define DIVIDER_IDENTIFY 0x7ffu
#define DIVIDER_TRANSFER 8u
