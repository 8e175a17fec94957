/* SPDX-License-Identifier: BSL-1.0
 *
 * The client's side of channels. Of the threads that wait for completions one,
 * the pump, waits for the event; the others wait for the pump.
 *
 * The server is not trusted: what this side produced it keeps a copy of and
 * never reads back; what the server produced is copied out once, then looked
 * at.
 */
#include "client.h"

#include <errno.h>
#include <string.h>

#include <abi/calls.h>
#include <vesper/root.h>
#include <vesper/root_call.h>

#include "../core/slots.h"
#include "../core/sync.h"

/* How often to see if the server still exists, and how long to wait for room in
 * the ring. */
#define ALIVE_NS 5000000000ull
#define FULL_NS  1000000ull

/* What ROOT_CONNECT allows. */
#define PAGES_MIN 2u
#define PAGES_MAX 56u

static struct channel channels[CHANNELS_MAX];
static struct mutex channels_lock;

/* ---- connecting -------------------------------------------------------- */

static uint64_t name_word(const char *name, size_t from)
{
    uint64_t word = 0;
    size_t length = strnlen(name, 16);
    for (size_t i = from; i < from + 8 && i < length; i++) {
        word |= (uint64_t)(uint8_t)name[i] << (i - from) * 8;
    }
    return word;
}

/* What the root server wrote must make sense before anything rests on it. After
 * a server's death the page is where it was; only if the server lives, and has
 * refused us or broke the ring, is it another one: the old one stays mapped,
 * since other threads may still have pointers into it. */
static int channel_adopt(struct channel *c, uint64_t address, uint64_t bytes)
{
    struct channel_page *page = (struct channel_page *)address;
    if (address == 0 || bytes < sizeof(*page) || page->magic != CHANNEL_MAGIC ||
        page->data_offset < sizeof(*page) || page->data_offset > bytes ||
        page->data_bytes > bytes - page->data_offset) {
        return EIO;
    }
    c->page = page;
    c->data = (uint8_t *)page + page->data_offset;
    c->data_bytes = page->data_bytes;
    if (c->data_bytes > CHANNEL_UNITS * CHANNEL_UNIT_BYTES) {
        c->data_bytes = CHANNEL_UNITS * CHANNEL_UNIT_BYTES;
    }
    c->request_tail = page->requests.tail;
    c->completion_head = page->completions.head;
    c->dead = false;
    c->epoch++;
    return 0;
}

/* event and slot are already the channel's. */
static int channel_dial(struct channel *c)
{
    uint64_t data_pages = (c->wanted_bytes + PAGE_BYTES - 1) / PAGE_BYTES;
    uint64_t pages = data_pages + 1;
    pages = pages < PAGES_MIN   ? PAGES_MIN
            : pages > PAGES_MAX ? PAGES_MAX
                                : pages;
    uint64_t w[8] = {
        ROOT_CONNECT, name_word(c->service, 0), name_word(c->service, 8),
        pages,        (uint64_t)c->bit,         c->server};
    int error = root_call(w, 0);
    return error != 0 ? error : channel_adopt(c, w[1], w[2]);
}

static int channel_open(struct channel *c, const char *service,
                        uint32_t data_bytes)
{
    memset(c, 0, sizeof(*c));
    strncpy(c->service, service, sizeof(c->service) - 1);
    c->wanted_bytes = data_bytes;
    c->bit = event_take();
    if (c->bit < 0) {
        return ENOMEM;
    }
    c->server = slot_take();
    int error = c->server != 0 ? channel_dial(c) : ENOMEM;
    if (error != 0) {
        if (c->server != 0) {
            slot_give(c->server);
        }
        event_give(c->bit);
    }
    return error;
}

int channel_connect(const char *service, uint32_t data_bytes,
                    struct channel **out)
{
    if (strnlen(service, 17) > 16) {
        return ENOENT;
    }
    int error = ENOMEM;
    mutex_lock(&channels_lock);
    for (uint32_t i = 0; i < CHANNELS_MAX && error == ENOMEM; i++) {
        struct channel *c = &channels[i];
        if (c->page == NULL) {
            error = channel_open(c, service, data_bytes);
            if (error == 0) {
                *out = c;
            }
            break;
        }
    }
    mutex_unlock(&channels_lock);
    return error;
}

int channel_reconnect(struct channel *c)
{
    int error = 0;
    mutex_lock(&c->lock);
    if (c->dead) {
        (void)sys_cap_delete(c->server);
        error = channel_dial(c);
    }
    mutex_unlock(&c->lock);
    return error;
}

/* ---- the data area ----------------------------------------------------- */

static uint32_t units_of(uint32_t bytes)
{
    return (bytes + CHANNEL_UNIT_BYTES - 1) / CHANNEL_UNIT_BYTES;
}

/* First run of free units that is long enough, or -1. */
static int units_find(const struct channel *c, uint32_t units)
{
    uint32_t run = 0;
    for (uint32_t i = 0; i < c->data_bytes / CHANNEL_UNIT_BYTES; i++) {
        run = c->unit_used[i] ? 0 : run + 1;
        if (run == units) {
            return (int)(i + 1 - units);
        }
    }
    return -1;
}

uint32_t channel_data_take(struct channel *c, uint32_t bytes)
{
    uint32_t units = bytes != 0 ? units_of(bytes) : 1;
    if (units > c->data_bytes / CHANNEL_UNIT_BYTES) {
        __builtin_trap(); /* would wait for ever */
    }
    mutex_lock(&c->lock);
    int first;
    while ((first = units_find(c, units)) < 0) {
        (void)condition_wait(&c->room, &c->lock, ~0ull);
    }
    memset(&c->unit_used[first], 1, units);
    mutex_unlock(&c->lock);
    return (uint32_t)first * CHANNEL_UNIT_BYTES;
}

void channel_data_give(struct channel *c, uint32_t offset, uint32_t bytes)
{
    uint32_t units = bytes != 0 ? units_of(bytes) : 1;
    mutex_lock(&c->lock);
    memset(&c->unit_used[offset / CHANNEL_UNIT_BYTES], 0, units);
    condition_broadcast(&c->room);
    mutex_unlock(&c->lock);
}

void *channel_data(struct channel *c, uint32_t offset)
{
    return c->data + offset;
}

uint32_t channel_data_bytes(const struct channel *c)
{
    return c->data_bytes / CHANNEL_UNIT_BYTES * CHANNEL_UNIT_BYTES;
}

/* ---- requests ---------------------------------------------------------- */

static void channel_die(struct channel *c)
{
    c->dead = true;
    condition_broadcast(&c->changed);
}

/* Wake the server; its event capability vanishes with it. */
static void server_signal(struct channel *c)
{
    if (sys_event_signal(c->server) != ERR_OK) {
        channel_die(c);
    }
}

/* With the lock, which is let go while the ring is full. Pushes nothing if the
 * server is gone then, or is another one. */
static void request_push(struct channel *c, const struct channel_request *r)
{
    struct channel_ring *ring = &c->page->requests;
    uint32_t epoch = c->epoch;
    /* acquire: pairs with release in server.c client_serve: the server has
     * copied the entry that this one overwrites. */
    while (c->request_tail - __atomic_load_n(&ring->head, __ATOMIC_ACQUIRE) >=
           CHANNEL_ENTRIES) {
        server_signal(c);
        if (c->dead) {
            return;
        }
        mutex_unlock(&c->lock);
        thread_sleep_until(time_ns() + FULL_NS);
        mutex_lock(&c->lock);
        if (c->dead || c->epoch != epoch) {
            return;
        }
    }
    c->page->request[c->request_tail % CHANNEL_ENTRIES] = *r;
    c->request_tail++;
    /* release: pairs with acquire in server.c client_serve. */
    __atomic_store_n(&ring->tail, c->request_tail, __ATOMIC_RELEASE);
    server_signal(c);
}

/* A place to wait in; with the lock. */
static struct channel_wait *wait_take(struct channel *c)
{
    for (;;) {
        for (uint32_t i = 0; i < CHANNEL_WAITS; i++) {
            struct channel_wait *wait = &c->wait[i];
            if (!wait->busy) {
                c->generation++;
                wait->busy = true;
                wait->done = false;
                wait->id = c->generation * CHANNEL_WAITS + i;
                return wait;
            }
        }
        (void)condition_wait(&c->room, &c->lock, ~0ull);
    }
}

static void wait_give(struct channel *c, struct channel_wait *wait)
{
    wait->busy = false;
    condition_broadcast(&c->room);
}

/* Hand each completion to who waits for it. An id that nobody waits for is
 * dropped: the server may say what it likes. */
void channel_drain(struct channel *c)
{
    struct channel_ring *ring = &c->page->completions;
    /* acquire: pairs with release in server.c server_complete. */
    uint32_t tail = __atomic_load_n(&ring->tail, __ATOMIC_ACQUIRE);
    if (tail - c->completion_head > CHANNEL_ENTRIES ||
        __atomic_load_n(&c->page->magic, __ATOMIC_RELAXED) != CHANNEL_MAGIC) {
        channel_die(c);
        return;
    }
    for (; c->completion_head != tail; c->completion_head++) {
        struct channel_completion answer;
        memcpy(&answer,
               &c->page->completion[c->completion_head % CHANNEL_ENTRIES],
               sizeof(answer));
        __asm__ volatile("" : : : "memory"); /* the copy is not read again */
        struct channel_wait *wait = &c->wait[answer.id % CHANNEL_WAITS];
        if (wait->busy && !wait->done && wait->id == answer.id) {
            wait->answer = answer;
            wait->done = true;
        }
    }
    /* release: pairs with acquire in server.c server_complete. */
    __atomic_store_n(&ring->head, c->completion_head, __ATOMIC_RELEASE);
    condition_broadcast(&c->changed);
}

/* With the lock: one round of waiting for anything to happen. */
static void channel_pump(struct channel *c, bool *interrupted)
{
    if (c->pumping) {
        (void)condition_wait_signal(&c->changed, &c->lock, ~0ull, interrupted);
        return;
    }
    c->pumping = true;
    mutex_unlock(&c->lock);
    uint64_t bits =
        event_wait(1ull << c->bit, time_ns() + ALIVE_NS, interrupted);
    mutex_lock(&c->lock);
    c->pumping = false;
    if (bits == 0 && !(interrupted != NULL && *interrupted)) {
        server_signal(c);
    }
    channel_drain(c); /* wakes the others: one of them pumps on */
}

/* With the lock. The request stays submitted until the server answers it: only
 * then is its data area free again. */
static void channel_cancel(struct channel *c, uint32_t id)
{
    struct channel_request r = {.op = CHANNEL_CANCEL, .id = CHANNEL_CANCEL};
    r.arg[0] = id;
    request_push(c, &r);
}

static void channel_await(struct channel *c, uint32_t epoch,
                          struct channel_wait *wait)
{
    bool interrupted = false, cancelled = false;
    while (!wait->done && !c->dead && c->epoch == epoch) {
        channel_pump(c, cancelled ? NULL : &interrupted);
        if (interrupted && !cancelled && !wait->done && c->epoch == epoch) {
            cancelled = true;
            channel_cancel(c, wait->id);
        }
    }
    if (cancelled && wait->done && wait->answer.error == ECANCELED) {
        wait->answer.error = EINTR;
    }
}

uint32_t channel_epoch(struct channel *c)
{
    mutex_lock(&c->lock);
    uint32_t epoch = c->epoch;
    mutex_unlock(&c->lock);
    return epoch;
}

int channel_call_epoch(struct channel *c, uint32_t epoch,
                       struct channel_request *r,
                       struct channel_completion *answer)
{
    int error = EPIPE;
    mutex_lock(&c->lock);
    struct channel_wait *wait = wait_take(c);
    r->id = wait->id;
    if (!c->dead && c->epoch == epoch) {
        request_push(c, r);
    }
    channel_await(c, epoch, wait);
    if (wait->done) {
        *answer = wait->answer;
        error = wait->answer.error;
    }
    wait_give(c, wait);
    mutex_unlock(&c->lock);
    return error;
}

int channel_call(struct channel *c, struct channel_request *r,
                 struct channel_completion *answer)
{
    return channel_call_epoch(c, channel_epoch(c), r, answer);
}
