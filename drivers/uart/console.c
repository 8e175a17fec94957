/* SPDX-License-Identifier: BSL-1.0
 *
 * Service `console`: the terminal on the PL011. One thread, no allocation:
 * reads wait in line until there is input and their domain is in the
 * foreground, writes until the transmit ring has taken them. There is one open
 * file, handle 0, which everybody has.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <vesper/channel.h>
#include <vesper/file.h>
#include <vesper/polls.h>
#include <vesper/start.h>
#include <vesper/thread.h>
#include <vesper/waiting.h>
#include <abi/calls.h>

#include "counter.h"
#include "foreground.h"
#include "tty.h"
#include "uart.h"

/* Room in the transmit ring that writes leave for echo and BEL. */
#define ECHO_RESERVE 1024u
/* How many received bytes are worked off before clients have their turn. */
#define INPUT_ROUND 512u
/* How long a sender waits for somebody to read. */
#define HOLD_NS 250000000u

static struct tty tty;
static struct waiting_list readers, writers;
static struct {
    bool full; /* the tty was, when last looked at */
    uint64_t until_ns;
} hold;

/* ---- output ----------------------------------------------------------- */

/* What has no room is lost: the terminal is slower than its own echo. */
static void echo_put(const char *bytes, uint32_t count)
{
    (void)uart_put(bytes, count);
}

/* Queue text with newlines as CR LF; returns how much of it was taken. */
static uint32_t text_put(const char *text, uint32_t bytes)
{
    uint32_t done = 0;

    while (done < bytes && uart_room() >= ECHO_RESERVE + 2) {
        if (text[done] == '\n') {
            (void)uart_put("\r", 1);
        }
        done += uart_put(&text[done], 1);
    }
    return done;
}

static void writers_serve(void)
{
    for (;;) {
        struct waiting *w = writers.first;

        if (w == NULL) {
            return;
        }
        w->done += text_put(w->data + w->done, w->bytes - w->done);
        if (w->done < w->bytes) {
            return;
        }
        waiting_answer(&writers, w, 0);
    }
}

/* Send, take more from the writers, until the ring or they are exhausted. */
static void output_serve(void)
{
    uint32_t room;

    do {
        room = uart_room();
        writers_serve();
        uart_serve();
    } while (writers.first != NULL && uart_room() > room);
}

/* ---- input ------------------------------------------------------------ */

static void signal_send(enum tty_signal signal)
{
    foreground_signal(signal == TTY_INTERRUPT ? SIGINT : SIGKILL);
}

static struct waiting *reader_find(void)
{
    for (struct waiting *w = readers.first; w != NULL; w = w->next) {
        if (foreground_contains(w->client->domain)) {
            return w;
        }
    }
    return NULL;
}

static void readers_serve(void)
{
    while (readers.first != NULL && tty_readable(&tty)) {
        struct waiting *w = reader_find();

        if (w == NULL) {
            return;
        }
        w->done = tty_read(&tty, w->data, w->bytes);
        waiting_answer(&readers, w, 0);
        hold.until_ns = time_ns() + HOLD_NS;
    }
}

/* Does the sender have to wait for a reader? Only as long as somebody reads now
 * and then: otherwise input is dropped, so that a Ctrl-C behind it gets through
 * to the program that does not read. */
static bool input_held(void)
{
    bool was_full = hold.full;

    hold.full = tty_full(&tty);
    if (hold.full && !was_full) {
        hold.until_ns = time_ns() + HOLD_NS;
    }
    return hold.full && time_ns() < hold.until_ns;
}

/* At most INPUT_ROUND bytes: then clients have their turn, or what readers
 * would take is dropped meanwhile. */
static void input_serve(void)
{
    uint8_t byte;

    for (uint32_t n = 0; n < INPUT_ROUND; n++) {
        if (tty_full(&tty)) {
            readers_serve();
        }
        if (input_held() || !uart_take(&byte)) {
            break;
        }
        tty_input(&tty, byte);
    }
    readers_serve();
}

/* Sending looks at the device, too, and may receive; what is left of that when
 * this is over has the deadline come at once. */
static void device_serve(void)
{
    output_serve();
    input_serve();
    output_serve();
}

static uint64_t console_deadline(void)
{
    uint64_t now_ns = time_ns();

    if (!uart_received()) {
        return ~UINT64_C(0);
    }
    return input_held() && hold.until_ns > now_ns
               ? counter_after_ns(hold.until_ns - now_ns)
               : 0;
}

/* ---- requests --------------------------------------------------------- */

static void answer(struct server_client *c, const struct channel_request *r,
                   int error, uint64_t value)
{
    server_complete(c, r->id, error, value, 0, 0);
}

static void request_queue(struct waiting_list *list, struct server_client *c,
                          const struct channel_request *r, void *data)
{
    int error;

    if (data == NULL) {
        answer(c, r, r->bytes == 0 ? 0 : EFAULT, 0);
        return;
    }
    error = waiting_add(list, c, r, data);
    if (error != 0) {
        answer(c, r, error, 0);
    }
}

static int stat_fill(const struct channel_request *r, void *data)
{
    struct file_stat stat = {.type = FILE_TTY, .mode = 0620, .inode = 1};

    if (data == NULL || r->bytes < sizeof stat) {
        return EFAULT;
    }
    memcpy(data, &stat, sizeof stat);
    return 0;
}

static uint32_t ready_of(struct server_client *c, uint64_t handle)
{
    bool input = tty_readable(&tty) && foreground_contains(c->domain);
    bool room = uart_room() >= ECHO_RESERVE + 2 * FILE_ROOM;

    if (handle != 0) {
        return READY_ERROR;
    }
    return (input ? READY_READ : 0u) |
           (room && writers.first == NULL ? READY_WRITE : 0u);
}

static struct polls polls = {.ready = ready_of};

/* A reader that has taken nothing is told so, as one who polls; a writer how
 * far it came. */
static void request_cancel(struct server_client *c, uint32_t id)
{
    struct waiting_list *lists[] = {&readers, &writers, &polls.waiting};

    for (uint32_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        struct waiting *w = waiting_find(lists[i], c, id);

        if (w != NULL) {
            waiting_answer(lists[i], w, w->done > 0 ? 0 : ECANCELED);
            return;
        }
    }
}

static int flags_set(uint32_t domain, uint64_t flags)
{
    if (flags & ~(uint64_t)(TTY_CANON | TTY_ECHO | TTY_SIGNALS)) {
        return EINVAL;
    }
    if (!foreground_contains(domain)) {
        return EPERM;
    }
    tty_set(&tty, (uint32_t)flags);
    readers_serve();
    device_serve(); /* echo of what had been typed ahead */
    return 0;
}

static int foreground_change(uint32_t caller, uint64_t domain)
{
    int error;

    if (domain > UINT32_MAX) {
        return ESRCH;
    }
    error = foreground_set(caller, domain ? (uint32_t)domain : caller);
    readers_serve(); /* the one in front now may have waited for this */
    return error;
}

static void quick_request(struct server_client *c,
                          const struct channel_request *r, void *data)
{
    switch (r->op) {
    case FILE_OPEN:
        answer(c, r, r->arg[0] & O_DIRECTORY ? ENOTDIR : 0, 0);
        break;
    case FILE_CLOSE:
    case FILE_SYNC:
    case FILE_GRANT: /* the handle is everybody's: nothing to count */
    case FILE_UNGRANT:
        answer(c, r, 0, 0);
        break;
    case FILE_SEEK:
        answer(c, r, ESPIPE, 0);
        break;
    case FILE_STAT:
    case FILE_FSTAT:
        answer(c, r, stat_fill(r, data), 0);
        break;
    case FILE_TRUNCATE:
        answer(c, r, EINVAL, 0);
        break;
    case FILE_READDIR:
        answer(c, r, ENOTDIR, 0);
        break;
    case FILE_POLL:
        polls_request(&polls, c, r, data);
        break;
    case TTY_GET:
        answer(c, r, 0, tty.flags);
        break;
    case TTY_SET:
        answer(c, r, flags_set(c->domain, r->arg[0]), 0);
        break;
    case TTY_FOREGROUND:
        answer(c, r, foreground_change(c->domain, r->arg[0]), 0);
        break;
    default:
        answer(c, r, ENOSYS, 0);
    }
}

static void console_request(struct server_client *c,
                            const struct channel_request *r, void *data)
{
    if (r->op == CHANNEL_CANCEL) {
        request_cancel(c, (uint32_t)r->arg[0]);
    } else if (r->handle != 0 && r->op != FILE_OPEN && r->op != FILE_STAT) {
        answer(c, r, EBADF, 0);
    } else if (r->op == FILE_READ) {
        request_queue(&readers, c, r, data);
        readers_serve();
    } else if (r->op == FILE_WRITE) {
        request_queue(&writers, c, r, data);
        device_serve();
    } else {
        quick_request(c, r, data);
    }
    polls_serve(&polls);
}

static int console_connect(struct server_client *c)
{
    return waiting_client_add(c);
}

static void console_closed(struct server_client *c)
{
    waiting_client_drop(&readers, c);
    waiting_client_drop(&writers, c);
    waiting_client_drop(&polls.waiting, c);
    waiting_client_end(c);
    device_serve();
    readers_serve(); /* the foreground may have moved on */
    polls_serve(&polls);
}

static void console_events(uint64_t bits)
{
    (void)bits;
    device_serve();
    polls_serve(&polls);
    /* Only now: the line is a level, and would come again at once. */
    (void)sys_irq_ack(SLOT_IRQ);
}

int main(void)
{
    static const struct server_ops ops = {
        .connect = console_connect,
        .closed = console_closed,
        .request = console_request,
        .events = console_events,
        .deadline = console_deadline,
    };

    if (start_self->device_count == 0) {
        return EXIT_FAILURE; /* the manifest gave no device */
    }
    tty_start(&tty, echo_put, signal_send);
    uart_start(start_self->device[0].address);
    server_run(&ops);
}
