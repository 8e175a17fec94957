/* SPDX-License-Identifier: BSL-1.0 */
/* Waiting requests; the contract is in <vesper/waiting.h>. */
#include <vesper/waiting.h>

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

/* What a client's state points to: its own part of the pool. */
struct waiting_client {
    bool used;
    struct waiting *free;
    struct waiting pool[WAITING_EACH];
};

static struct waiting_client clients[WAITING_CLIENTS];

int waiting_client_add(struct server_client *c)
{
    for (uint32_t i = 0; i < WAITING_CLIENTS; i++) {
        struct waiting_client *own = &clients[i];

        if (own->used) {
            continue;
        }
        own->used = true;
        own->free = NULL;
        for (uint32_t k = 0; k < WAITING_EACH; k++) {
            own->pool[k].next = own->free;
            own->free = &own->pool[k];
        }
        c->state = own;
        return 0;
    }
    return ENFILE;
}

void waiting_client_end(struct server_client *c)
{
    struct waiting_client *own = c->state;

    own->used = false;
}

static void entry_remove(struct waiting_list *list, struct waiting *w)
{
    struct waiting_client *own = w->client->state;
    struct waiting *before = NULL;

    for (struct waiting *i = list->first; i != w; i = i->next) {
        before = i;
    }
    if (before == NULL) {
        list->first = w->next;
    } else {
        before->next = w->next;
    }
    if (list->last == w) {
        list->last = before;
    }
    w->next = own->free;
    own->free = w;
}

void waiting_client_drop(struct waiting_list *list, struct server_client *c)
{
    struct waiting *next;

    for (struct waiting *w = list->first; w != NULL; w = next) {
        next = w->next;
        if (w->client == c) {
            entry_remove(list, w);
        }
    }
}

int waiting_add(struct waiting_list *list, struct server_client *c,
                const struct channel_request *r, char *data)
{
    struct waiting_client *own = c->state;
    struct waiting *w = own->free;

    if (w == NULL) {
        return EAGAIN;
    }
    own->free = w->next;
    *w = (struct waiting){.client = c,
                          .data = data,
                          .id = r->id,
                          .bytes = r->bytes};
    if (list->last == NULL) {
        list->first = w;
    } else {
        list->last->next = w;
    }
    list->last = w;
    return 0;
}

struct waiting *waiting_find(const struct waiting_list *list,
                             const struct server_client *c, uint32_t id)
{
    for (struct waiting *w = list->first; w != NULL; w = w->next) {
        if (w->client == c && w->id == id) {
            return w;
        }
    }
    return NULL;
}

void waiting_answer(struct waiting_list *list, struct waiting *w, int error)
{
    struct server_client *c = w->client;
    uint32_t id = w->id, done = w->done;

    entry_remove(list, w);
    server_complete(c, id, error, done, 0, 0);
}
