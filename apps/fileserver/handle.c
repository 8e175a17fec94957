/* SPDX-License-Identifier: BSL-1.0 */
/* The table of handles; the contract is in handle.h. */
#include "handle.h"

#include <errno.h>
#include <stddef.h>
#include <vesper/system.h>

#define DOMAINS_MAX 128

struct handle {
    struct open_file *file; /* NULL: not in use */
    uint64_t number;
    struct server_client *client; /* NULL: a grant that waits */
    /* of grants: */
    uint32_t granter; /* domain id */
    uint32_t domain;  /* who may take it; 0: not known yet */
    uint32_t mark;    /* granter's children up to this id are not meant */
};

static struct handle handles[HANDLES_MAX];
static uint32_t handles_end; /* from here on, none was in use yet */
static uint64_t serial;      /* of the last handle made */
static uint32_t waiting;     /* grants that nobody took yet */

static struct sys_domain domains[DOMAINS_MAX];
static uint32_t domain_count;

/* ---- domains ---------------------------------------------------------- */

static void domains_update(void)
{
    int n = sys_domains(domains, DOMAINS_MAX);

    domain_count = n > 0 ? (uint32_t)n : 0;
}

static uint32_t domain_last(void)
{
    uint32_t last = 0;

    for (uint32_t i = 0; i < domain_count; i++) {
        last = domains[i].id > last ? domains[i].id : last;
    }
    return last;
}

static bool domain_lives(uint32_t id)
{
    for (uint32_t i = 0; i < domain_count; i++) {
        if (domains[i].id == id) {
            return domains[i].state != SYS_ZOMBIE;
        }
    }
    return false;
}

/* The first domain that this one started after the mark; 0: none yet. Zombies
 * count, or the grant would go to the one after it. */
static uint32_t child_find(uint32_t parent, uint32_t mark)
{
    uint32_t found = 0;

    for (uint32_t i = 0; i < domain_count; i++) {
        if (domains[i].parent == parent && domains[i].id > mark &&
            (found == 0 || domains[i].id < found)) {
            found = domains[i].id;
        }
    }
    return found;
}

/* ---- handles ---------------------------------------------------------- */

void handles_start(uint32_t domain)
{
    serial = (uint64_t)domain << 24;
}

static bool is_of(const struct handle *h, const struct server_client *c)
{
    return h->client == c || (h->client == NULL && h->granter == c->domain);
}

static int handle_take(const struct server_client *c, struct handle **out)
{
    struct handle *free = NULL;
    uint32_t own = 0;

    for (uint32_t i = 0; i < handles_end; i++) {
        if (handles[i].file == NULL) {
            free = &handles[i];
        } else {
            own += is_of(&handles[i], c);
        }
    }
    if (own >= HANDLES_EACH) {
        return EMFILE;
    }
    if (free == NULL && handles_end < HANDLES_MAX) {
        free = &handles[handles_end++];
    }
    if (free == NULL) {
        return ENFILE;
    }
    /* The index in the number makes finding it a look at one entry. */
    *free = (struct handle){.number = ++serial * HANDLES_MAX +
                                      (uint64_t)(free - handles)};
    *out = free;
    return 0;
}

int handle_create(struct server_client *c, struct open_file *file,
                  uint64_t *number)
{
    struct handle *h;
    int error = handle_take(c, &h);

    if (error == 0) {
        h->file = file;
        h->client = c;
        *number = h->number;
    }
    return error;
}

static struct handle *entry_find(uint64_t number)
{
    struct handle *h = &handles[number % HANDLES_MAX];

    return h->file != NULL && h->number == number ? h : NULL;
}

static bool may_take(struct handle *h, uint32_t domain)
{
    if (h->domain == 0) {
        domains_update();
        h->domain = child_find(h->granter, h->mark);
    }
    return h->domain == domain;
}

static struct handle *own_find(struct server_client *c, uint64_t number)
{
    struct handle *h = entry_find(number);

    if (h != NULL && h->client == NULL && may_take(h, c->domain)) {
        h->client = c;
        waiting--;
    }
    return h != NULL && h->client == c ? h : NULL;
}

struct open_file *handle_find(struct server_client *c, uint64_t number)
{
    struct handle *h = own_find(c, number);

    return h != NULL ? h->file : NULL;
}

static int handle_free(struct handle *h)
{
    struct open_file *file = h->file;

    waiting -= h->client == NULL;
    h->file = NULL;
    return open_release(file);
}

int handle_close(struct server_client *c, uint64_t number)
{
    struct handle *h = own_find(c, number);

    return h != NULL ? handle_free(h) : EBADF;
}

int handle_grant(struct server_client *c, uint64_t number, uint32_t domain,
                 uint64_t *granted)
{
    struct open_file *file = handle_find(c, number);
    struct handle *h;
    int error;

    if (file == NULL) {
        return EBADF;
    }
    error = handle_take(c, &h);
    if (error != 0) {
        return error;
    }
    domains_update();
    open_hold(file);
    waiting++;
    h->file = file;
    h->granter = c->domain;
    h->domain = domain;
    h->mark = domain_last();
    *granted = h->number;
    return 0;
}

void handles_granted(const struct server_client *c, uint32_t domain)
{
    for (uint32_t i = 0; i < handles_end; i++) {
        struct handle *h = &handles[i];

        if (h->file != NULL && h->client == NULL && h->granter == c->domain &&
            h->domain == 0 && domain > h->mark) {
            h->domain = domain;
        }
    }
}

int handle_ungrant(struct server_client *c, uint64_t number)
{
    struct handle *h = entry_find(number);

    if (h == NULL || h->client != NULL || h->granter != c->domain) {
        return EBADF;
    }
    return handle_free(h);
}

void handles_drop(struct server_client *c)
{
    for (uint32_t i = 0; i < handles_end; i++) {
        if (handles[i].file != NULL && handles[i].client == c) {
            (void)handle_free(&handles[i]);
        }
    }
    if (handles_waiting()) {
        handles_update();
    }
}

bool handles_waiting(void)
{
    return waiting > 0;
}

/* Can nobody take this grant any more? */
static bool is_dead(struct handle *h)
{
    if (h->domain == 0) {
        h->domain = child_find(h->granter, h->mark);
    }
    return !domain_lives(h->domain != 0 ? h->domain : h->granter);
}

void handles_update(void)
{
    domains_update();
    for (uint32_t i = 0; i < handles_end; i++) {
        struct handle *h = &handles[i];

        if (h->file != NULL && h->client == NULL && is_dead(h)) {
            (void)handle_free(h);
        }
    }
}
