/* SPDX-License-Identifier: BSL-1.0
 *
 * The DMA controller (BCM2835 ARM Peripherals, chapter 4). Offsets from a
 * channel's registers, which begin every 0x100 bytes; 32 bits wide.
 */
#pragma once

#define DMA_STRIDE  0x100u
#define DMA_STATUS  0x00u  /* CS */
#define DMA_CONTROL 0x04u  /* CONBLK_AD: bus address of the control block */
#define DMA_LEFT    0x14u  /* TXFR_LEN: bytes to go */
#define DMA_ENABLE  0xff0u /* a bit a channel */

#define STATUS_RESET    (1u << 31)
#define STATUS_ORDERLY  (1u << 28) /* ends after its last write has arrived */
#define STATUS_ERROR    (1u << 8)
#define STATUS_WRITING  (1u << 6)
#define STATUS_INT      (1u << 2) /* W1C */
#define STATUS_END      (1u << 1) /* W1C */
#define STATUS_ACTIVE   (1u << 0) /* writing 0 stops it between accesses */
#define STATUS_PRIORITY (8u << 16)

#define INFO_INTERRUPT    (1u << 0)
#define INFO_WAIT         (1u << 3) /* each write for its response */
#define INFO_TARGET_NEXT  (1u << 4) /* count the address up */
#define INFO_TARGET_PACED (1u << 6) /* by the peripheral's request line */
#define INFO_SOURCE_NEXT  (1u << 8)
#define INFO_SOURCE_PACED (1u << 10)
#define INFO_LINE(line)   ((line) << 16)

/* As the controller reads it; 32 bytes, at a multiple of them. */
struct dma_control {
    uint32_t info, source, target, bytes, stride, next, unused[2];
};

/* RAM as the controller sees it, past the VideoCore's cache. */
#define DMA_BUS(physical) ((uint32_t)(physical) | 0xc0000000u)

/* A channel with all abilities that neither the firmware nor the VideoCore
 * uses; its interrupt is 16 + 4. */
#define DMA_CHANNEL 4u
