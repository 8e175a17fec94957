/* SPDX-License-Identifier: BSL-1.0
 *
 * The server's side of one channel's rings. The client is hostile until proven
 * otherwise, and it can never be proven: every value is read once, checked, and
 * used from the copy.
 */
#include "server.h"

#include <string.h>

#include <abi/calls.h>

#include "../core/doorbell.h"

bool record_adopt(struct server_record *r, struct channel_page *page,
                  uint64_t bytes, uint32_t domain, uint32_t id)
{
    uint32_t offset = __atomic_load_n(&page->data_offset, __ATOMIC_RELAXED);
    uint32_t data_bytes = __atomic_load_n(&page->data_bytes, __ATOMIC_RELAXED);
    if (bytes < sizeof(*page) || offset < sizeof(*page) || offset > bytes ||
        data_bytes > bytes - offset) {
        return false;
    }
    memset(r, 0, sizeof(*r));
    r->client.page = page;
    r->client.bytes = (uint32_t)bytes;
    r->client.domain = domain;
    r->client.id = id;
    r->data = (uint8_t *)page + offset;
    r->data_bytes = data_bytes;
    r->request_head = __atomic_load_n(&page->requests.head, __ATOMIC_RELAXED);
    r->completion_tail =
        __atomic_load_n(&page->completions.tail, __ATOMIC_RELAXED);
    r->busy = true;
    return true;
}

static void *record_data(const struct server_record *r, uint32_t offset,
                         uint32_t bytes)
{
    if (bytes == 0 || offset > r->data_bytes ||
        bytes > r->data_bytes - offset) {
        return NULL;
    }
    return r->data + offset;
}

bool record_serve(struct server_record *r, const struct server_ops *ops)
{
    /* The id tells whether this is still the same client: a request may end
     * its connection, and the record be used for another. */
    uint32_t id = r->client.id;
    struct channel_ring *ring = &r->client.page->requests;
    /* acquire: pairs with release in client.c request_push. */
    uint32_t tail = __atomic_load_n(&ring->tail, __ATOMIC_ACQUIRE);
    if (tail - r->request_head > CHANNEL_ENTRIES) {
        r->broken = true;
        return false;
    }
    uint32_t count = tail - r->request_head;
    while (count-- > 0 && r->busy && !r->broken && r->client.id == id) {
        struct channel_request request;
        memcpy(&request,
               &r->client.page->request[r->request_head % CHANNEL_ENTRIES],
               sizeof(request));
        __asm__ volatile("" : : : "memory"); /* the copy is not read again */
        r->request_head++;
        /* release: pairs with acquire in client.c request_push. */
        __atomic_store_n(&ring->head, r->request_head, __ATOMIC_RELEASE);
        ops->request(&r->client, &request,
                     record_data(r, request.data, request.bytes));
    }
    return r->busy && !r->broken &&
           __atomic_load_n(&ring->tail, __ATOMIC_RELAXED) != r->request_head;
}

void server_complete(struct server_client *c, uint32_t id, int error,
                     uint64_t v0, uint64_t v1, uint64_t v2)
{
    struct server_record *r = (struct server_record *)c;
    if (!r->busy || r->broken) {
        return; /* nobody is left to be told */
    }
    struct channel_ring *ring = &c->page->completions;
    /* acquire: pairs with release in client.c channel_drain. A client that lets
     * its ring run full has submitted more than it may: its loss. */
    uint32_t head = __atomic_load_n(&ring->head, __ATOMIC_ACQUIRE);
    if (r->completion_tail - head >= CHANNEL_ENTRIES) {
        r->broken = true;
        return;
    }
    c->page->completion[r->completion_tail % CHANNEL_ENTRIES] =
        (struct channel_completion){id, error, {v0, v1, v2}};
    r->completion_tail++;
    /* release: pairs with acquire in client.c channel_drain. */
    __atomic_store_n(&ring->tail, r->completion_tail, __ATOMIC_RELEASE);
    if (c->id != doorbell_caller()) {
        (void)sys_event_signal(r->event);
    }
}
