/* SPDX-License-Identifier: BSL-1.0 */
/*
 * vesper/polls.h - FILE_POLL (vesper/file.h) for servers: requests that wait
 * until one of several handles is ready. Uses vesper/waiting.h, whose limits of
 * each client hold. Context: the server's only thread.
 */
#pragma once

#include <stdint.h>
#include <vesper/channel.h>
#include <vesper/waiting.h>

struct polls {
    /* READY_x that hold for the client's handle. */
    uint32_t (*ready)(struct server_client *c, uint64_t handle);
    struct waiting_list waiting;
};

/* Answer the FILE_POLL now or later. data: as server_ops.request has it.
 * EINVAL: no entries, too many, or not aligned; EAGAIN: the client has
 * WAITING_EACH. */
void polls_request(struct polls *p, struct server_client *c,
                   const struct channel_request *r, void *data);

/* Something may have become ready: answer whom that concerns. Costs a look at
 * each entry that waits, nothing if none does. */
void polls_serve(struct polls *p);
