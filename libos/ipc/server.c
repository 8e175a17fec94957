/* SPDX-License-Identifier: BSL-1.0
 *
 * A server's loop: clients come and go, requests are handed out fairly, other
 * events passed on.
 */
#include "server.h"

#include <errno.h>
#include <stddef.h>

#include <abi/calls.h>
#include <vesper/root.h>
#include <vesper/root_call.h>
#include <vesper/start.h>
#include <vesper/thread.h>

#include "../core/counter.h"
#include "../core/doorbell.h"
#include "../core/event.h"
#include "../core/slots.h"

/* Interrupts of devices 0..3. */
#define EVENTS_IRQ (0xfull << EVENT_IRQ)
#define EVENTS_SERVER                                                          \
    (1ull << EVENT_ACCEPT | 1ull << EVENT_WORK | 1ull << EVENT_RUNG)

static struct server_record records[SERVER_CLIENTS];

/* A client is gone; its channel is unmapped already. */
static void client_drop(struct server_record *r, const struct server_ops *ops)
{
    r->busy = false;
    r->client.page = NULL;
    if (ops->closed != NULL) {
        ops->closed(&r->client);
    }
    (void)sys_cap_delete(r->event);
    slot_give(r->event);
}

static void clients_close(const struct server_ops *ops)
{
    uint64_t w[8] = {ROOT_CLOSED};
    while (root_call(w, 0) == 0 && w[1] != 0) {
        for (uint32_t i = 0; i < SERVER_CLIENTS; i++) {
            if (records[i].busy && records[i].client.id == (uint32_t)w[1]) {
                client_drop(&records[i], ops);
            }
        }
        w[0] = ROOT_CLOSED;
    }
}

static struct server_record *record_free(void)
{
    for (uint32_t i = 0; i < SERVER_CLIENTS; i++) {
        if (!records[i].busy) {
            return &records[i];
        }
    }
    return NULL;
}

/* False: there are no more. A client that is refused is marked broken: its page
 * lost its magic, so its calls answer EPIPE. */
static bool client_accept(struct server_record *r, const struct server_ops *ops)
{
    cptr_t event = slot_take();
    if (event == 0) {
        return false;
    }
    uint64_t w[8] = {ROOT_ACCEPT, event};
    if (root_call(w, 0) != 0 || w[1] == 0) {
        slot_give(event);
        return false;
    }
    struct channel_page *page = (struct channel_page *)w[1];
    bool sane = record_adopt(r, page, w[2], (uint32_t)w[3], (uint32_t)w[4]);
    if (!sane || (ops->connect != NULL && ops->connect(&r->client) != 0)) {
        r->busy = false;
        __atomic_store_n(&page->magic, 0, __ATOMIC_RELEASE);
        (void)sys_event_signal(event);
        (void)sys_cap_delete(event);
        slot_give(event);
        return true;
    }
    r->event = event;
    return true;
}

static void clients_accept(const struct server_ops *ops)
{
    struct server_record *r;
    do {
        r = record_free();
    } while (r != NULL && client_accept(r, ops));
}

/* One round over all clients. True: somebody has more. */
static bool clients_serve(const struct server_ops *ops)
{
    bool more = false;
    for (uint32_t i = 0; i < SERVER_CLIENTS; i++) {
        if (records[i].busy && !records[i].broken) {
            more |= record_serve(&records[i], ops);
        }
    }
    return more;
}

static struct server_record *record_of(uint64_t id)
{
    for (uint32_t i = 0; i < SERVER_CLIENTS; i++) {
        struct server_record *r = &records[i];
        if (r->busy && !r->broken && r->client.id == id) {
            return r;
        }
    }
    return NULL;
}

/* Who rang the doorbell, and did not wait until it was answered. Masked. */
static void client_unheard(uint64_t id)
{
    const struct server_record *r = record_of(id);
    if (r != NULL) {
        (void)sys_event_signal(r->event);
    }
}

/* Whoever rang is served alone if nothing else is to be done: it is its time.
 */
static bool round_serve(uint64_t bits, bool more, const struct server_ops *ops)
{
    struct server_record *r = NULL;
    if (bits == 1ull << EVENT_RUNG && !more) {
        r = record_of(doorbell_caller());
    }
    return r != NULL ? record_serve(r, ops) : clients_serve(ops);
}

static void server_round(const struct server_ops *ops, bool *more)
{
    uint64_t deadline = ops->deadline != NULL ? ops->deadline() : ~0ull;
    uint64_t bits =
        event_await(EVENTS_SERVER | EVENTS_IRQ, *more ? 0 : deadline, NULL);
    if (bits & 1ull << EVENT_ACCEPT) {
        clients_close(ops);
        clients_accept(ops);
    }
    if (ops->events != NULL &&
        ((bits & EVENTS_IRQ) || counter_now() >= deadline)) {
        ops->events(bits & EVENTS_IRQ);
    }
    /* Without a bit as well: work left over from the round before. */
    *more = round_serve(bits, *more, ops);
}

_Noreturn void server_run(const struct server_ops *ops)
{
    doorbell_open(client_unheard);
    clients_accept(ops);
    bool more = false;
    for (;;) {
        server_round(ops, &more);
    }
}
