/* SPDX-License-Identifier: BSL-1.0
 *
 * The client's side of channels. All of a client's servers wake it by the same
 * event. Of the threads that wait for completions, of whichever of its
 * channels, one, the pump, waits for that event; the others wait for the pump.
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

#include "../core/doorbell.h"
#include "../core/event.h"
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
/* That were ever connected: the first so many. Written with channels_lock, read
 * without. */
static uint32_t channels_count;

static struct client together, pager;

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
        pages,        (uint64_t)c->client->bit, c->server,
        c->bell};
    int error = root_call(w, 0);
    return error != 0 ? error : channel_adopt(c, w[1], w[2]);
}

static bool client_has_bit(struct client *k)
{
    if (!k->has_bit) {
        k->bit = event_take();
        k->has_bit = k->bit >= 0;
    }
    return k->has_bit;
}

static void slots_give(const struct channel *c)
{
    if (c->server != 0) {
        slot_give(c->server);
    }
    if (c->bell != 0) {
        slot_give(c->bell);
    }
}

static int channel_open(struct channel *c, const char *service,
                        uint32_t data_bytes)
{
    strncpy(c->service, service, sizeof(c->service) - 1);
    c->wanted_bytes = data_bytes;
    c->server = client_has_bit(c->client) ? slot_take() : 0;
    c->bell = c->server != 0 ? slot_take() : 0;
    int error = c->bell != 0 ? channel_dial(c) : ENOMEM;
    if (error != 0) {
        slots_give(c);
    }
    return error;
}

static int client_connect(struct client *k, const char *service,
                          uint32_t data_bytes, struct channel **out)
{
    if (strnlen(service, 17) > 16) {
        return ENOENT;
    }
    int error = ENOMEM;
    mutex_lock(&channels_lock);
    if (channels_count < CHANNELS_MAX) {
        struct channel *c = &channels[channels_count];
        *c = (struct channel){.client = k};
        error = channel_open(c, service, data_bytes);
        *out = error == 0 ? c : NULL;
        /* release: pairs with acquire in channels_drain. */
        __atomic_store_n(&channels_count, channels_count + (error == 0),
                         __ATOMIC_RELEASE);
    }
    mutex_unlock(&channels_lock);
    return error;
}

int channel_connect(const char *service, uint32_t data_bytes,
                    struct channel **out)
{
    return client_connect(&together, service, data_bytes, out);
}

int channel_connect_pager(const char *service, uint32_t data_bytes,
                          struct channel **out)
{
    return client_connect(&pager, service, data_bytes, out);
}

int channel_reconnect(struct channel *c)
{
    int error = 0;
    mutex_lock(&c->client->lock);
    if (c->dead) {
        (void)sys_cap_delete(c->server);
        (void)sys_cap_delete(c->bell);
        error = channel_dial(c);
    }
    mutex_unlock(&c->client->lock);
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
        run = c->unit_used[i / 32] >> i % 32 & 1 ? 0 : run + 1;
        if (run == units) {
            return (int)(i + 1 - units);
        }
    }
    return -1;
}

static void units_flip(struct channel *c, uint32_t first, uint32_t units)
{
    for (uint32_t i = first; i < first + units; i++) {
        c->unit_used[i / 32] ^= 1u << i % 32;
    }
}

uint32_t channel_data_take(struct channel *c, uint32_t bytes)
{
    uint32_t units = bytes != 0 ? units_of(bytes) : 1;
    if (units > c->data_bytes / CHANNEL_UNIT_BYTES) {
        __builtin_trap(); /* would wait for ever */
    }
    mutex_lock(&c->client->lock);
    int first;
    while ((first = units_find(c, units)) < 0) {
        (void)condition_wait(&c->room, &c->client->lock, ~0ull);
    }
    units_flip(c, (uint32_t)first, units);
    mutex_unlock(&c->client->lock);
    return (uint32_t)first * CHANNEL_UNIT_BYTES;
}

void channel_data_give(struct channel *c, uint32_t offset, uint32_t bytes)
{
    uint32_t units = bytes != 0 ? units_of(bytes) : 1;
    mutex_lock(&c->client->lock);
    units_flip(c, offset / CHANNEL_UNIT_BYTES, units);
    condition_broadcast(&c->room);
    mutex_unlock(&c->client->lock);
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
    condition_broadcast(&c->client->changed);
}

/* Wake the server; its event capability vanishes with it. */
static void server_signal(struct channel *c)
{
    if (sys_event_signal(c->server) != ERR_OK) {
        channel_die(c);
    }
}

/* Hand each completion to who waits for it. An id that nobody waits for is
 * dropped: the server may say what it likes. */
static void channel_drain(struct channel *c)
{
    struct channel_ring *ring = &c->page->completions;
    /* acquire: pairs with release in ring.c server_complete. */
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
}

/* Let the server work off what was asked of it on our time; if it cannot now,
 * it will on its own. What it did without an event is seen here, by the thread
 * that waits for one, too. */
static void server_ring(struct channel *c)
{
    if (!doorbell_ring(c->bell)) {
        server_signal(c);
        return;
    }
    channel_drain(c);
    if (c->client->pumping) {
        event_post(c->client->bit);
    }
}

/* With the lock, which is let go while the ring is full. Pushes nothing if the
 * server is gone then, or is another one. */
static void request_push(struct channel *c, const struct channel_request *r)
{
    struct channel_ring *ring = &c->page->requests;
    uint32_t epoch = c->epoch;
    /* acquire: pairs with release in ring.c record_serve: the server has
     * copied the entry that this one overwrites. */
    while (c->request_tail - __atomic_load_n(&ring->head, __ATOMIC_ACQUIRE) >=
           CHANNEL_ENTRIES) {
        server_signal(c);
        if (c->dead) {
            return;
        }
        mutex_unlock(&c->client->lock);
        thread_sleep_until(time_ns() + FULL_NS);
        mutex_lock(&c->client->lock);
        if (c->dead || c->epoch != epoch) {
            return;
        }
    }
    c->page->request[c->request_tail % CHANNEL_ENTRIES] = *r;
    c->request_tail++;
    /* release: pairs with acquire in ring.c record_serve. */
    __atomic_store_n(&ring->tail, c->request_tail, __ATOMIC_RELEASE);
    server_ring(c);
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
        (void)condition_wait(&c->room, &c->client->lock, ~0ull);
    }
}

static void wait_give(struct channel *c, struct channel_wait *wait)
{
    wait->busy = false;
    condition_broadcast(&c->room);
}

static void channels_drain(struct client *k)
{
    uint32_t count = __atomic_load_n(&channels_count, __ATOMIC_ACQUIRE);
    for (uint32_t i = 0; i < count; i++) {
        if (channels[i].client == k && !channels[i].dead) {
            channel_drain(&channels[i]);
        }
    }
    condition_broadcast(&k->changed); /* one of the others pumps on */
}

/* ---- calls ------------------------------------------------------------- */

static bool call_over(const struct channel_call *call)
{
    const struct channel *c = call->channel;
    return call->wait->done || c->dead || c->epoch != call->epoch;
}

static uint32_t calls_over(const struct channel_call *calls, uint32_t count)
{
    uint32_t over = 0;
    for (uint32_t i = 0; i < count; i++) {
        over += call_over(&calls[i]);
    }
    return over;
}

/* With the lock: one round of waiting for anything to happen. Nothing for long:
 * do the servers still exist? */
static void calls_pump(struct channel_call *calls, uint32_t count,
                       uint64_t until_ns, bool *interrupted)
{
    struct client *k = calls->channel->client;
    if (k->pumping) {
        (void)condition_wait_signal(&k->changed, &k->lock, until_ns,
                                    interrupted);
        return;
    }
    uint64_t look_ns = time_ns() + ALIVE_NS;
    k->pumping = true;
    mutex_unlock(&k->lock);
    uint64_t bits =
        event_wait(1ull << k->bit, until_ns < look_ns ? until_ns : look_ns,
                   interrupted);
    mutex_lock(&k->lock);
    k->pumping = false;
    if (bits == 0 && !(interrupted != NULL && *interrupted)) {
        for (uint32_t i = 0; i < count; i++) {
            server_signal(calls[i].channel);
        }
    }
    channels_drain(k);
}

static void call_submit(struct channel_call *call)
{
    struct channel *c = call->channel;
    call->answer.error = 0;
    call->wait = wait_take(c);
    call->request.id = call->wait->id;
    if (!c->dead && c->epoch == call->epoch) {
        request_push(c, &call->request);
    }
}

/* With the lock. The request stays submitted until the server answers it: only
 * then is its data area free again. */
static void call_cancel(struct channel_call *call)
{
    struct channel_request r = {.op = CHANNEL_CANCEL, .id = CHANNEL_CANCEL};
    r.arg[0] = call->wait->id;
    if (!call_over(call)) {
        request_push(call->channel, &r);
    }
}

static void call_finish(struct channel_call *call)
{
    call->error = EPIPE;
    if (call->wait->done) {
        call->answer = call->wait->answer;
        call->error = call->answer.error;
    }
    wait_give(call->channel, call->wait);
}

/* Until one is over. */
static int calls_await(struct channel_call *calls, uint32_t count,
                       uint64_t until_ns)
{
    bool interrupted = false;
    while (calls_over(calls, count) == 0) {
        if (interrupted) {
            return EINTR;
        }
        if (until_ns != ~0ull && time_ns() >= until_ns) {
            return ETIMEDOUT;
        }
        calls_pump(calls, count, until_ns, &interrupted);
    }
    return 0;
}

/* Inline: most calls are one alone, and have no loops then. */
static inline __attribute__((always_inline)) int calls_run(
    struct channel_call *calls, uint32_t count, uint64_t until_ns)
{
    struct client *k = calls->channel->client;
    mutex_lock(&k->lock);
    for (uint32_t i = 0; i < count; i++) {
        call_submit(&calls[i]);
    }
    int error = calls_await(calls, count, until_ns);
    for (uint32_t i = 0; i < count; i++) {
        call_cancel(&calls[i]);
    }
    while (calls_over(calls, count) < count) {
        calls_pump(calls, count, ~0ull, NULL);
    }
    for (uint32_t i = 0; i < count; i++) {
        call_finish(&calls[i]);
    }
    mutex_unlock(&k->lock);
    return error;
}

int channel_call_any(struct channel_call *calls, uint32_t count,
                     uint64_t until_ns)
{
    return calls_run(calls, count, until_ns);
}

uint32_t channel_epoch(struct channel *c)
{
    return __atomic_load_n(&c->epoch, __ATOMIC_RELAXED);
}

int channel_call_epoch(struct channel *c, uint32_t epoch,
                       struct channel_request *r,
                       struct channel_completion *answer)
{
    struct channel_call call; /* not cleared: calls_run fills in the rest */
    call.channel = c;
    call.epoch = epoch;
    call.request = *r;
    bool given_up = calls_run(&call, 1, ~0ull) == EINTR;
    if (call.error != EPIPE || call.answer.error == EPIPE) {
        *answer = call.answer;
    }
    return given_up && call.error == ECANCELED ? EINTR : call.error;
}

int channel_call(struct channel *c, struct channel_request *r,
                 struct channel_completion *answer)
{
    return channel_call_epoch(c, channel_epoch(c), r, answer);
}
