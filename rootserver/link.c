/* SPDX-License-Identifier: BSL-1.0
 *
 * Links: memory that two clients of a server share with each other and with it,
 * and events by which they wake each other without it (for pipes, see
 * docs/decisions/0022-links.md). The server makes them and says who may have
 * which end; a domain opens its end itself, with slots and an event of its own.
 * A link whose server is gone stays where it is until its ends are: nobody
 * faults.
 */
#include "shared.h"

#include <errno.h>
#include <string.h>

#define LINKS_MAX 32u

struct end {
    uint32_t allowed; /* the domain that may open it; 0: none */
    uint32_t domain;  /* that has; 0: none */
    uint64_t slot;    /* of its CSpace, for the event of the other end */
    uint64_t bit;     /* its own event */
};

static struct link {
    struct shared memory; /* id 0: none is here */
    uint32_t server;      /* 0: it is gone */
    const char *service;
    struct end end[2];
} links[LINKS_MAX];
static uint32_t links_end; /* from here on, none was in use yet */

static struct link *find(uint64_t id)
{
    for (uint32_t i = 0; i < links_end; i++) {
        if (id != 0 && links[i].memory.id == id) {
            return &links[i];
        }
    }
    return NULL;
}

static struct link *find_own(uint64_t id, const struct domain *server)
{
    struct link *l = find(id);
    return l != NULL && l->server == server->id ? l : NULL;
}

static void wake(const struct link *l, uint32_t e)
{
    if (l->end[e].domain != 0) {
        (void)sys_event_signal(shared_slot(&l->memory, PLACE_WAKE_CLIENT + e));
    }
}

/* ---- the server -------------------------------------------------------- */

int link_make(const struct domain *server, uint64_t w[8])
{
    const char *service = service_of(server);
    if (service == NULL) {
        return EACCES;
    }
    if (w[1] < 2 || w[1] > SHARED_PAGES_MAX) {
        return EINVAL;
    }
    for (uint32_t i = 0; i < LINKS_MAX; i++) {
        struct link *l = &links[i];
        if (l->memory.id != 0) {
            continue;
        }
        int error = shared_make(&l->memory, (uint32_t)w[1]);
        if (error == 0) {
            shared_hide(&l->memory, NULL);
            error = shared_show(&l->memory, server);
        }
        if (error != 0) {
            shared_free(&l->memory);
            return error;
        }
        links_end = i < links_end ? links_end : i + 1;
        l->server = server->id;
        l->service = service;
        w[1] = l->memory.va;
        w[2] = l->memory.bytes;
        w[3] = l->memory.id;
        return 0;
    }
    return ENFILE;
}

static void forget(struct link *l)
{
    shared_free(&l->memory);
    memset(l, 0, sizeof(*l));
}

int link_free(const struct domain *server, const uint64_t w[8])
{
    struct link *l = find_own(w[1], server);
    if (l == NULL) {
        return ESRCH;
    }
    forget(l);
    return 0;
}

/* Its tables are there. */
static const struct domain *living(uint32_t id)
{
    const struct domain *d = domain_find(id);
    return d != NULL && d->cnode != 0 && d->objects != 0 ? d : NULL;
}

/* The slot is the domain's own, and may hold something else by now, which may
 * be dear to it, or long to delete. */
static void take_waker(const struct domain *d, uint64_t slot)
{
    uint64_t info, dispatcher, bit;
    if (sys_cap_identify(CPTR(d->cnode, slot), &info, &dispatcher, &bit) ==
            ERR_OK &&
        (info & 0xff) == TYPE_EVENT) {
        (void)sys_cap_delete(CPTR(d->cnode, slot));
    }
}

/* The end is nobody's: who had it sees the memory no more, and cannot wake
 * the other end, which is told to look. */
static void end_leave(struct link *l, uint32_t e)
{
    struct end *other = &l->end[!e];
    const struct domain *d = living(l->end[e].domain);
    const struct domain *peer = living(other->domain);
    if (l->end[e].domain != 0) {
        (void)sys_cap_delete(shared_slot(&l->memory, PLACE_WAKE_CLIENT + e));
        if (peer != NULL) {
            take_waker(peer, other->slot);
        }
        if (d != NULL && d != peer) {
            shared_hide(&l->memory, d);
        }
    }
    l->end[e] = (struct end){0};
    wake(l, !e);
}

int link_allow(const struct domain *server, const uint64_t w[8])
{
    struct link *l = find_own(w[1], server);
    uint32_t client = service_client(w[3], server);
    if (l == NULL || (w[3] != 0 && client == 0)) {
        return ESRCH;
    }
    if (w[2] > 1) {
        return EINVAL;
    }
    end_leave(l, (uint32_t)w[2]);
    l->end[w[2]].allowed = client;
    return 0;
}

/* ---- its clients ------------------------------------------------------- */

/* The event by which the domain in end e wakes the other one. */
static enum abi_error give_waker(const struct link *l, uint32_t e)
{
    const struct domain *d = living(l->end[e].domain);
    const struct domain *peer = living(l->end[!e].domain);
    if (d == NULL || peer == NULL) {
        return ERR_OK;
    }
    return sys_event_mint(CPTR(d->cnode, l->end[e].slot),
                          domain_object(peer, OBJECT_DISPATCHER),
                          l->end[!e].bit);
}

int link_open(const struct domain *d, uint64_t w[8])
{
    struct link *l = find(w[1]);
    if (w[2] > 1 || w[3] > UINT32_MAX || w[4] > 63) {
        return EINVAL;
    }
    uint32_t e = (uint32_t)w[2];
    if (l == NULL || l->server == 0 || l->end[e].allowed != d->id) {
        return EACCES;
    }
    if (l->end[e].domain != 0) {
        return EBUSY;
    }
    if (shared_show(&l->memory, d) != 0) {
        return ENOMEM;
    }
    l->end[e].domain = d->id;
    l->end[e].slot = w[3];
    l->end[e].bit = w[4];
    if (sys_event_mint(shared_slot(&l->memory, PLACE_WAKE_CLIENT + e),
                       domain_object(d, OBJECT_DISPATCHER), w[4]) ||
        give_waker(l, e)) {
        end_leave(l, e);
        return EINVAL;
    }
    (void)give_waker(l, !e); /* a peer that used its slot cannot wake us */
    w[1] = l->memory.va;
    w[2] = l->memory.bytes;
    return 0;
}

/* ---- endings ----------------------------------------------------------- */

static void forget_if_left(struct link *l)
{
    if (l->server == 0 && l->end[0].domain == 0 && l->end[1].domain == 0) {
        forget(l);
    }
}

int link_leave(const struct domain *d, const uint64_t w[8])
{
    struct link *l = find(w[1]);
    if (w[2] > 1) {
        return EINVAL;
    }
    if (l == NULL || l->end[w[2]].domain != d->id) {
        return ESRCH;
    }
    end_leave(l, (uint32_t)w[2]);
    forget_if_left(l);
    return 0;
}

static void server_gone(struct link *l)
{
    l->server = 0;
    shared_end(&l->memory);
    wake(l, 0);
    wake(l, 1);
}

void link_domain_ended(const struct domain *d)
{
    for (uint32_t i = 0; i < links_end; i++) {
        struct link *l = &links[i];
        for (uint32_t e = 0; l->memory.id != 0 && e < 2; e++) {
            if (l->end[e].domain == d->id || l->end[e].allowed == d->id) {
                end_leave(l, e);
            }
        }
        if (l->memory.id != 0 && l->server == d->id) {
            server_gone(l);
        }
        if (l->memory.id != 0) {
            forget_if_left(l);
        }
    }
}

/* ---- a look ------------------------------------------------------------ */

static const struct link *nth(uint64_t n)
{
    for (uint32_t i = 0; i < links_end; i++) {
        if (links[i].memory.id != 0 && n-- == 0) {
            return &links[i];
        }
    }
    return NULL;
}

const struct shared *link_memory(uint64_t n)
{
    const struct link *l = nth(n);
    return l != NULL ? &l->memory : NULL;
}

/* As a channel between the two that have its ends. */
int link_row(uint64_t n, uint64_t w[8])
{
    const struct link *l = nth(n);
    if (l == NULL) {
        return ENOENT;
    }
    shared_row(&l->memory, l->end[1].domain, l->end[0].domain, w);
    memcpy(&w[5], l->service, START_SERVICE_BYTES);
    return 0;
}
