/* SPDX-License-Identifier: BSL-1.0
 *
 * A server's clients, for server.c and its tests.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <abi/abi.h>

#include <vesper/channel.h>

#define SERVER_CLIENTS 64u

/* Everything that the client could change under us is copied here when it
 * connects. */
struct server_record {
    struct server_client client; /* first: what the server's code sees */
    bool busy;
    bool broken;  /* its ring made no sense: ignored for ever */
    cptr_t event; /* wakes the client */
    uint8_t *data;
    uint32_t data_bytes;
    uint32_t request_head, completion_tail; /* own; never read back */
};

/* Take over a connected channel: checks the page, fills in everything but
 * `event`. False: the page makes no sense. */
bool record_adopt(struct server_record *r, struct channel_page *page,
                  uint64_t bytes, uint32_t domain, uint32_t id);

/* Hand out up to CHANNEL_ENTRIES requests. True if there may be more. */
bool record_serve(struct server_record *r, const struct server_ops *ops);
