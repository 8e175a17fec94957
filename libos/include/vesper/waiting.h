/* SPDX-License-Identifier: BSL-1.0
 *
 * Requests that a server answers later: queues in order of arrival over one
 * fixed pool. A client can have no more than WAITING_EACH in it, so that no
 * client can shut out the others. Optional: for servers that make clients wait.
 * Context: the server's only thread.
 */
#pragma once

#include <stdint.h>
#include <vesper/channel.h>

#define WAITING_CLIENTS 64u
#define WAITING_EACH    16u

struct waiting {
    struct waiting *next;
    struct server_client *client;
    char *data;
    uint32_t id, bytes, done;
};

struct waiting_list {
    struct waiting *first, *last;
};

/* A client came: 0, or ENFILE: WAITING_CLIENTS are there. Uses c->state. */
int waiting_client_add(struct server_client *c);
/* It goes: first drop what waits in each list, without answer, then end. */
void waiting_client_drop(struct waiting_list *list, struct server_client *c);
void waiting_client_end(struct server_client *c);

/* Put r at the end. 0, or EAGAIN: the client has WAITING_EACH already. */
int waiting_add(struct waiting_list *list, struct server_client *c,
                const struct channel_request *r, char *data);

/* The client's waiting request of this id, or NULL. */
struct waiting *waiting_find(const struct waiting_list *list,
                             const struct server_client *c, uint32_t id);

/* Take w out of the list and complete it with error and the bytes done. */
void waiting_answer(struct waiting_list *list, struct waiting *w, int error);
