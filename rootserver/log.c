/* SPDX-License-Identifier: BSL-1.0
 *
 * What the root server says: straight to the UART as long as no driver has it,
 * later as one more client of the console, without ever waiting for it.
 */
#include "root.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <vesper/file.h>

#define UART         0x3f201000ull
#define UART_DR      0
#define UART_FR      6 /* in words */
#define UART_FR_TXFF 0x20u
#define PART_BYTES   256u

static volatile uint32_t *uart;
static struct channel_page *console;
static cptr_t console_event;
static uint32_t submitted; /* requests so far; each uses part `id % ENTRIES` */
static uint32_t part_bytes[CHANNEL_ENTRIES];
static uint32_t
    lost; /* texts that found the ring full; said when it has room */

static void uart_text(const char *text, size_t n)
{
    for (size_t i = 0; uart != NULL && i < n; i++) {
        if (text[i] == '\n') {
            while (uart[UART_FR] & UART_FR_TXFF) {
            }
            uart[UART_DR] = '\r';
        }
        while (uart[UART_FR] & UART_FR_TXFF) {
        }
        uart[UART_DR] = (uint8_t)text[i];
    }
}

/* One request of at most PART_BYTES; false: the ring is full. */
static bool console_part(const char *text, uint32_t n)
{
    struct channel_ring *r = &console->requests, *c = &console->completions;
    uint32_t done = __atomic_load_n(&c->tail, __ATOMIC_ACQUIRE);
    __atomic_store_n(&c->head, done, __ATOMIC_RELEASE);
    if (submitted - done >= CHANNEL_ENTRIES) {
        return false;
    }
    uint32_t i = submitted % CHANNEL_ENTRIES;
    char *data = (char *)console + console->data_offset + i * PART_BYTES;
    memcpy(data, text, n);
    part_bytes[i] = n;
    console->request[i] = (struct channel_request){
        .op = FILE_WRITE,
        .id = submitted,
        .arg = {~0ull},
        .data = i * PART_BYTES,
        .bytes = n,
    };
    submitted++;
    /* release: pairs with the server's acquire of the tail */
    __atomic_store_n(&r->tail, submitted, __ATOMIC_RELEASE);
    return true;
}

void log_text(const char *text, size_t n)
{
    if (console == NULL) {
        uart_text(text, n);
        return;
    }
    if (lost > 0) {
        char gap[48];
        int bytes = snprintf(gap, sizeof(gap), "[%u texts lost here]\n", lost);
        lost = console_part(gap, (uint32_t)bytes) ? 0 : lost;
    }
    while (n > 0) {
        uint32_t part = n < PART_BYTES ? (uint32_t)n : PART_BYTES;
        if (!console_part(text, part)) {
            lost++;
            break;
        }
        text += part;
        n -= part;
    }
    (void)sys_event_signal(console_event);
}

void say(const char *format, ...)
{
    char line[240];
    va_list list;
    va_start(list, format);
    int n = vsnprintf(line, sizeof(line) - 1, format, list);
    va_end(list);
    size_t length = n < 0 ? 0 : (size_t)n;
    length = length > sizeof(line) - 2 ? sizeof(line) - 2 : length;
    line[length++] = '\n';
    log_text(line, length);
}

/* What the driver had not printed yet when it ended; often its own epitaph. */
static void print_rest(void)
{
    uint32_t from =
        __atomic_load_n(&console->completions.tail, __ATOMIC_ACQUIRE);
    for (; submitted - from <= CHANNEL_ENTRIES && from != submitted; from++) {
        uint32_t i = from % CHANNEL_ENTRIES, n = part_bytes[i];
        uart_text((char *)console + console->data_offset + i * PART_BYTES, n);
    }
}

void log_acquire(void)
{
    device_unmap(UART); /* from the driver that had it */
    uart = device_map(UART, ROOT_PAGES_VA + 0x20000);
    if (console != NULL) {
        print_rest();
        console = NULL;
    }
}

void log_device_given(uint64_t address)
{
    uart = address == UART ? NULL : uart;
}

void log_release(void)
{
    submitted = 0;
    console = service_console(&console_event);
}
