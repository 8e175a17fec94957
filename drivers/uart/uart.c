/* SPDX-License-Identifier: BSL-1.0 */
/* The PL011 and its two rings; the contract is in uart.h. */
#include "uart.h"

#include "../mmio.h"
#include "regs.h"

_Static_assert((UART_RX_BYTES & (UART_RX_BYTES - 1)) == 0, "power of two");
_Static_assert((UART_TX_BYTES & (UART_TX_BYTES - 1)) == 0, "power of two");

/* Bytes between head and tail are in the ring; both only grow. */
static struct {
    uint64_t base;
    uint32_t rx_head, rx_tail, tx_head, tx_tail;
    uint32_t interrupts; /* what UART_IMSC holds */
    struct uart_counts counts;
    uint8_t rx[UART_RX_BYTES], tx[UART_TX_BYTES];
} uart;

static uint32_t reg_read(uint32_t offset)
{
    return mmio_read32(uart.base + offset);
}

static void reg_write(uint32_t offset, uint32_t value)
{
    mmio_write32(uart.base + offset, value);
}

static void interrupts_set(uint32_t mask)
{
    if (mask != uart.interrupts) {
        uart.interrupts = mask;
        reg_write(UART_IMSC, mask);
    }
}

/* LCRH may change only while the UART is off, and turning it off damages
 * what it is sending: so only if the root server has not already set it like
 * this. */
static void line_configure(void)
{
    const uint32_t line = UART_LCRH_FIFO | UART_LCRH_8_BITS;
    const uint32_t control = UART_CR_ENABLE | UART_CR_TX | UART_CR_RX;

    if (reg_read(UART_LCRH) != line) {
        reg_write(UART_CR, 0);
        reg_write(UART_LCRH, line);
    }
    if ((reg_read(UART_CR) & control) != control) {
        reg_write(UART_CR, control);
    }
}

void uart_start(uint64_t base)
{
    uart.base = base;
    mmio_barrier();
    reg_write(UART_IMSC, 0);
    line_configure();
    reg_write(UART_IFLS, UART_IFLS_RX_4_TX_2);
    reg_write(UART_ICR, UART_INT_ALL);
    interrupts_set(UART_INT_RX | UART_INT_RX_TIMEOUT);
    mmio_barrier();
}

static void byte_receive(uint32_t data)
{
    uart.counts.overruns += (data & UART_DR_OVERRUN) != 0;
    if (data & UART_DR_BREAK) {
        uart.counts.breaks++;
    } else if (data & (UART_DR_FRAMING | UART_DR_PARITY)) {
        uart.counts.damaged++;
    } else {
        uart.rx[uart.rx_tail++ % UART_RX_BYTES] = (uint8_t)data;
    }
}

static bool rx_full(void)
{
    return uart.rx_tail - uart.rx_head == UART_RX_BYTES;
}

/* A sender without end can hold us here only until the ring is full. */
static void rx_drain(void)
{
    while (!rx_full() && !(reg_read(UART_FR) & UART_FR_RX_EMPTY)) {
        byte_receive(reg_read(UART_DR));
    }
}

/* How many bytes the device takes now: a look at it for every byte would cost
 * more than the byte. */
static uint32_t tx_room(void)
{
    uint32_t flags = reg_read(UART_FR);

    if (flags & UART_FR_TX_EMPTY) {
        return UART_FIFO_BYTES;
    }
    return flags & UART_FR_TX_FULL ? 0 : 1;
}

static void tx_fill(void)
{
    while (uart.tx_head != uart.tx_tail) {
        uint32_t room = tx_room();

        if (room == 0) {
            return;
        }
        for (; room > 0 && uart.tx_head != uart.tx_tail; room--) {
            reg_write(UART_DR, uart.tx[uart.tx_head++ % UART_TX_BYTES]);
        }
    }
}

/* The transmit interrupt comes when the FIFO falls through its trigger level,
 * not while it is below: it is wanted only if more is left than the FIFO took.
 * The receive interrupt, a level, would not go away while the ring is full. */
static void interrupts_choose(void)
{
    interrupts_set((uart.tx_head != uart.tx_tail ? UART_INT_TX : 0) |
                   (rx_full() ? 0 : UART_INT_RX | UART_INT_RX_TIMEOUT));
}

void uart_serve(void)
{
    mmio_barrier();
    /* Clear before looking: what comes after our last look raises it again. */
    reg_write(UART_ICR, UART_INT_RX | UART_INT_RX_TIMEOUT | UART_INT_TX);
    rx_drain();
    tx_fill();
    interrupts_choose();
    mmio_barrier();
}

bool uart_received(void)
{
    return uart.rx_head != uart.rx_tail;
}

bool uart_take(uint8_t *byte)
{
    if (uart.rx_head == uart.rx_tail) {
        return false;
    }
    *byte = uart.rx[uart.rx_head++ % UART_RX_BYTES];
    return true;
}

uint32_t uart_room(void)
{
    return UART_TX_BYTES - (uart.tx_tail - uart.tx_head);
}

uint32_t uart_put(const void *bytes, uint32_t count)
{
    const uint8_t *from = bytes;
    uint32_t n = count < uart_room() ? count : uart_room();

    for (uint32_t i = 0; i < n; i++) {
        uart.tx[uart.tx_tail++ % UART_TX_BYTES] = from[i];
    }
    return n;
}

const struct uart_counts *uart_get_counts(void)
{
    return &uart.counts;
}
