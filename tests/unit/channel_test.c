/* SPDX-License-Identifier: BSL-1.0
 *
 * Channels: both ends in one program, each against an honest and against a
 * hostile other. libos/ipc/client.c and ring.c run unchanged on host threads.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "../../libos/ipc/client.h"
#include "../../libos/ipc/server.h"
#include "channel_host.h"
#include "tap.h"

#include <abi/calls.h>
#include <vesper/thread.h>

#define THREADS 8
#define CALLS   300

/* ---- the server side against a hostile client -------------------------- */

static uint32_t requests;
static struct channel_request last;
static void *last_data;

static void keep_request(struct server_client *c,
                         const struct channel_request *r, void *data)
{
    (void)c;
    requests++;
    last = *r;
    last_data = data;
}

static const struct server_ops keep_ops = {.request = keep_request};

static void adopt_test(void)
{
    static struct server_record r;
    struct channel_page *page = host_page();
    const uint64_t bytes = HOST_PAGES * 4096;
    host_page_reset();
    CHECK(record_adopt(&r, page, bytes, 1, 2), "a sound channel is adopted");
    page->data_offset = 64;
    CHECK(!record_adopt(&r, page, bytes, 1, 2),
          "a data area over the rings is refused");
    page->data_offset = (uint32_t)bytes + 1;
    CHECK(!record_adopt(&r, page, bytes, 1, 2),
          "a data area behind the channel is refused");
    page->data_offset = 4096;
    page->data_bytes = 0xffffffff;
    CHECK(!record_adopt(&r, page, bytes, 1, 2),
          "a data area that runs out of the channel is refused");
    host_page_reset();
    CHECK(!record_adopt(&r, page, 100, 1, 2), "a tiny channel is refused");
}

static bool data_given(struct server_record *r, uint32_t offset, uint32_t bytes)
{
    struct channel_page *page = host_page();
    struct channel_request *q =
        &page->request[page->requests.tail % CHANNEL_ENTRIES];
    *q = (struct channel_request){.data = offset, .bytes = bytes};
    page->requests.tail++;
    last_data = r;
    (void)record_serve(r, &keep_ops);
    return last_data != NULL;
}

static void range_test(void)
{
    static struct server_record r;
    uint32_t all = (HOST_PAGES - 1) * 4096;
    host_page_reset();
    (void)record_adopt(&r, host_page(), HOST_PAGES * 4096, 1, 2);
    CHECK(data_given(&r, 0, all), "the whole data area is handed over");
    CHECK(last_data == (uint8_t *)host_page() + 4096, "at its place");
    CHECK(!data_given(&r, 0, all + 1), "one byte more is not");
    CHECK(!data_given(&r, all, 1), "a byte behind the end is not");
    CHECK(!data_given(&r, 0xffffff00, 0x200), "nor a range that wraps");
    CHECK(!data_given(&r, 10, 0), "nothing is NULL");
    /* The client may change the layout later: the copy counts. */
    host_page()->data_bytes = 0xffffffff;
    CHECK(!data_given(&r, all, 1), "a layout changed later has no effect");
}

static void ring_test(void)
{
    static struct server_record r;
    struct channel_page *page = host_page();
    host_page_reset();
    page->requests.head = page->requests.tail = 0xfffffff0;
    page->completions.head = page->completions.tail = 0xfffffff0;
    (void)record_adopt(&r, page, HOST_PAGES * 4096, 1, 2);
    requests = 0;
    page->requests.tail += 32;
    (void)record_serve(&r, &keep_ops);
    CHECK(requests == 32 && page->requests.head == 16,
          "indices wrap around 2^32");
    page->requests.tail += 33;
    CHECK(!record_serve(&r, &keep_ops) && r.broken && requests == 32,
          "a tail too far ahead breaks the channel");
    r.broken = false;
    for (int i = 0; i < 32; i++) {
        server_complete(&r.client, (uint32_t)i, 0, 0, 0, 0);
    }
    CHECK(!r.broken && page->completions.tail == 16, "32 completions fit");
    server_complete(&r.client, 99, 0, 0, 0, 0);
    CHECK(r.broken && page->completions.tail == 16,
          "a client that takes none loses the 33rd, and its channel");
}

/* Anything may stand in the page; ASan and UBSan are the judges. */
static void server_fuzz(void)
{
    static struct server_record r;
    struct channel_page *page = host_page();
    uint32_t served = 0;
    srand(1);
    for (int round = 0; round < 20000; round++) {
        host_page_reset();
        (void)record_adopt(&r, page, HOST_PAGES * 4096, 1, 2);
        uint32_t *words = (uint32_t *)page;
        for (size_t i = 0; i < sizeof(*page) / 4; i++) {
            words[i] = (uint32_t)rand() >> rand() % 32;
        }
        requests = 0;
        (void)record_serve(&r, &keep_ops);
        served += requests;
        server_complete(&r.client, 1, 0, 1, 2, 3);
        if (last_data != NULL && requests > 0) {
            memset(last_data, 1, last.bytes);
        }
    }
    CHECK(served > 0, "noise in the page does no harm");
}

/* ---- both sides, honest ------------------------------------------------ */

static struct channel *channel;
static volatile bool stop;
static struct server_record echo_record;

/* op 1: every byte + 1, v0 = arg0 * 2. op 2: never, until cancelled. */
static void echo_request(struct server_client *c,
                         const struct channel_request *r, void *data)
{
    if (r->op == CHANNEL_CANCEL) {
        server_complete(c, (uint32_t)r->arg[0], ECANCELED, 0, 0, 0);
    } else if (r->op != 2) {
        for (uint32_t i = 0; i < r->bytes && data != NULL; i++) {
            ((uint8_t *)data)[i]++;
        }
        server_complete(c, r->id, 0, r->arg[0] * 2, r->bytes, 7);
    }
}

static const struct server_ops echo_ops = {.request = echo_request};

static void *echo_server(void *unused)
{
    (void)unused;
    while (!stop) {
        if (!record_serve(&echo_record, &echo_ops)) {
            host_server_wait();
        }
    }
    return NULL;
}

static pthread_t server_start(void)
{
    pthread_t thread;
    host_page_reset();
    host_server_alive(true);
    stop = false;
    (void)record_adopt(&echo_record, host_page(), HOST_PAGES * 4096, 1, 2);
    echo_record.event = HOST_CLIENT;
    pthread_create(&thread, NULL, echo_server, NULL);
    return thread;
}

static void server_stop(pthread_t thread)
{
    stop = true;
    pthread_join(thread, NULL);
}

static bool echo_once(uint32_t seed)
{
    uint32_t bytes = 1 + seed % 20000;
    uint32_t at = channel_data_take(channel, bytes);
    uint8_t *data = channel_data(channel, at);
    memset(data, (int)(seed & 0x7f), bytes);
    struct channel_request r = {.op = 1, .data = at, .bytes = bytes};
    r.arg[0] = seed;
    struct channel_completion answer = {0};
    int error = channel_call(channel, &r, &answer);
    bool good = error == 0 && answer.value[0] == seed * 2ull &&
                answer.value[1] == bytes;
    for (uint32_t i = 0; i < bytes; i++) {
        good &= data[i] == (seed & 0x7f) + 1;
    }
    channel_data_give(channel, at, bytes);
    return good;
}

static void *echo_client(void *seed)
{
    uintptr_t wrong = 0;
    for (uint32_t i = 0; i < CALLS; i++) {
        wrong += !echo_once((uint32_t)(uintptr_t)seed * 1000 + i * 7);
    }
    return (void *)wrong;
}

static void honest_test(void)
{
    pthread_t server = server_start(), client[THREADS];
    CHECK(channel_connect("nobody", 65536, &channel) == ENOENT,
          "an unknown service is ENOENT");
    CHECK(channel_connect("echo", 65536, &channel) == 0, "echo connects");
    for (uintptr_t i = 0; i < THREADS; i++) {
        pthread_create(&client[i], NULL, echo_client, (void *)i);
    }
    uintptr_t wrong = 0;
    for (int i = 0; i < THREADS; i++) {
        void *result;
        pthread_join(client[i], &result);
        wrong += (uintptr_t)result;
    }
    CHECK(wrong == 0, "8 threads get each their own answers and data");

    struct channel_request r = {.op = 2};
    struct channel_completion answer;
    host_interrupt();
    CHECK(channel_call(channel, &r, &answer) == EINTR,
          "an interrupted call is cancelled: EINTR");
    CHECK(echo_once(3), "the channel goes on afterwards");
    server_stop(server);
}

/* ---- several requests under way together -------------------------------- */

static void calls_make(struct channel_call *calls, const uint32_t *ops)
{
    for (int i = 0; i < 3; i++) {
        calls[i] = (struct channel_call){.channel = channel,
                                         .epoch = channel_epoch(channel),
                                         .request = {.op = ops[i]}};
        calls[i].request.arg[0] = 21;
    }
}

static void any_test(void)
{
    pthread_t server = server_start();
    struct channel_call calls[3];
    uint64_t began = time_ns();
    CHECK(channel_connect("echo", 65536, &channel) == 0, "a channel");
    calls_make(calls, (uint32_t[]){2, 1, 2});
    CHECK(channel_call_any(calls, 3, ~0ull) == 0 && calls[1].error == 0 &&
              calls[1].answer.value[0] == 42,
          "the first that is answered ends the wait");
    CHECK(calls[0].error == ECANCELED && calls[2].error == ECANCELED,
          "the others are given up");
    calls_make(calls, (uint32_t[]){2, 2, 2});
    CHECK(channel_call_any(calls, 3, began + 30000000) == ETIMEDOUT &&
              time_ns() >= began + 30000000 && calls[2].error == ECANCELED,
          "none until the time: ETIMEDOUT");
    host_interrupt();
    CHECK(channel_call_any(calls, 3, ~0ull) == EINTR &&
              calls[0].error == ECANCELED,
          "a signal: EINTR");
    calls_make(calls, (uint32_t[]){2, 1, 2});
    calls[1].epoch--;
    CHECK(channel_call_any(calls, 3, ~0ull) == 0 && calls[1].error == EPIPE &&
              calls[1].answer.error == 0 && calls[0].error == ECANCELED,
          "one for a server that is gone ends it, too");
    CHECK(echo_once(9), "the channel goes on afterwards");
    server_stop(server);
}

/* ---- with a doorbell ---------------------------------------------------- */

/* Threads that ring find their answers, and those that wait meanwhile theirs:
 * none is left to wait for an event that does not come. */
static void doorbell_test(void)
{
    host_doorbell(true);
    host_patience(3000);
    uint32_t vain = host_vain_waits();
    honest_test();
    CHECK(host_rings() > 0, "the doorbell was rung");
    CHECK(host_vain_waits() == vain, "nobody waited in vain");
    host_patience(50);
    any_test();
    host_doorbell(false);
}

/* ---- the client side against a hostile or dead server ------------------ */

static void death_test(void)
{
    struct channel_request r = {.op = 1};
    struct channel_completion answer;
    host_server_alive(false);
    CHECK(channel_call(channel, &r, &answer) == EPIPE,
          "a server that is gone is EPIPE");
    CHECK(channel_call(channel, &r, &answer) == EPIPE, "and stays so");
    pthread_t server = server_start();
    CHECK(channel_reconnect(channel) == 0, "a new server is connected to");
    CHECK(echo_once(5), "and answers");
    uint32_t epoch = channel_epoch(channel), tail = host_page()->requests.tail;
    CHECK(channel_call_epoch(channel, epoch - 1, &r, &answer) == EPIPE &&
              host_page()->requests.tail == tail,
          "what was meant for the old server never reaches the new one");
    CHECK(channel_call_epoch(channel, epoch, &r, &answer) == 0,
          "what is meant for this one does");
    server_stop(server);
    host_page()->completions.tail += 33;
    CHECK(channel_call(channel, &r, &answer) == EPIPE,
          "a completion tail too far ahead breaks the channel");
    host_page_reset();
    (void)channel_reconnect(channel);
    host_page()->magic = 0;
    CHECK(channel_call(channel, &r, &answer) == EPIPE,
          "a channel closed by the root server is EPIPE");
}

/* Completions for others, twice, and unknown: only the right one counts. */
static void *liar(void *unused)
{
    (void)unused;
    struct channel_page *page = host_page();
    while (__atomic_load_n(&page->requests.tail, __ATOMIC_ACQUIRE) == 0) {
        host_server_wait();
    }
    uint32_t id = page->request[0].id;
    uint32_t ids[] = {id + CHANNEL_WAITS, 0, 0xffffffff, id + 1, id, id};
    for (uint32_t i = 0; i < 6; i++) {
        page->completion[i] = (struct channel_completion){ids[i], 0, {i, 0, 0}};
    }
    __atomic_store_n(&page->completions.tail, 6, __ATOMIC_RELEASE);
    (void)sys_event_signal(HOST_CLIENT);
    return NULL;
}

static void liar_test(void)
{
    struct channel_request r = {.op = 1};
    struct channel_completion answer = {0};
    pthread_t thread;
    host_page_reset();
    host_server_alive(true);
    (void)channel_reconnect(channel);
    pthread_create(&thread, NULL, liar, NULL);
    CHECK(channel_call(channel, &r, &answer) == 0 && answer.value[0] == 4,
          "only the first completion of the call's own id counts");
    pthread_join(thread, NULL);
}

int main(void)
{
    adopt_test();
    range_test();
    ring_test();
    server_fuzz();
    honest_test();
    any_test();
    doorbell_test();
    death_test();
    liar_test();
    return tap_end();
}
