/* SPDX-License-Identifier: BSL-1.0
 *
 * PL011 UART registers (ARM DDI 0183, chapter 3) as the BCM2837 has them: 16
 * entries in each FIFO. Offsets from the device's base; all 32 bits wide.
 */
#pragma once

#define UART_DR   0x00u /* RW; reading takes a byte and its errors */
#define UART_FR   0x18u /* RO */
#define UART_IBRD 0x24u /* RW; set by the root server */
#define UART_FBRD 0x28u /* RW; likewise */
#define UART_LCRH 0x2cu /* RW */
#define UART_CR   0x30u /* RW */
#define UART_IFLS 0x34u /* RW; reset 0x12 */
#define UART_IMSC 0x38u /* RW; reset 0 */
#define UART_RIS  0x3cu /* RO */
#define UART_ICR  0x44u /* W1C */

#define UART_DR_FRAMING (1u << 8)
#define UART_DR_PARITY  (1u << 9)
#define UART_DR_BREAK   (1u << 10)
#define UART_DR_OVERRUN (1u << 11)

#define UART_FR_RX_EMPTY (1u << 4)
#define UART_FR_TX_EMPTY (1u << 7)
#define UART_FR_TX_FULL  (1u << 5)

#define UART_FIFO_BYTES 16u

#define UART_LCRH_FIFO   (1u << 4)
#define UART_LCRH_8_BITS (3u << 5)

#define UART_CR_ENABLE (1u << 0)
#define UART_CR_TX     (1u << 8)
#define UART_CR_RX     (1u << 9)

/* Interrupt when the receive FIFO is 1/4 full, the transmit FIFO 1/8. */
#define UART_IFLS_RX_4_TX_2 (1u << 3 | 0u)

#define UART_INT_RX         (1u << 4)
#define UART_INT_TX         (1u << 5)
#define UART_INT_RX_TIMEOUT (1u << 6)
#define UART_INT_ALL        0x7ffu
