/* SPDX-License-Identifier: BSL-1.0
 *
 * PL011 UART, interrupt-driven both ways: two rings between the device's
 * 16-byte FIFOs and the console. Baud rate and pins were set by the root
 * server. Context: the driver's only thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define UART_RX_BYTES 8192u /* 0.7 s at 115,200 baud */
#define UART_TX_BYTES 16384u

struct uart_counts {
    uint64_t overruns; /* bytes were lost in the device: nobody came in time */
    uint64_t damaged;  /* bytes with a framing or parity error, thrown away */
    uint64_t breaks;
};

/* Enable FIFOs and interrupts of the device mapped at base. */
void uart_start(uint64_t base);

/* Serve the device: empty its receive FIFO, fill its transmit FIFO. Then the
 * interrupt may be acknowledged. Also harmless without an interrupt. */
void uart_serve(void);

/* Has uart_take something to give? */
bool uart_received(void);

/* Take the oldest received byte; false: there is none. */
bool uart_take(uint8_t *byte);

/* Bytes for which uart_put has room. */
uint32_t uart_room(void);

/* Queue bytes for sending; returns how many found room. Sending starts with
 * uart_serve. */
uint32_t uart_put(const void *bytes, uint32_t count);

const struct uart_counts *uart_get_counts(void);
