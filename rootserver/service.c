/* SPDX-License-Identifier: BSL-1.0
 *
 * Names of services, and channels between a client and a server. A channel has
 * memory of its own, so that it outlives a client until the server has been
 * told: no server faults because a client died. A server that dies leaves a
 * channel without magic, and its client is woken.
 */
#include "shared.h"

#include <errno.h>
#include <string.h>

#define CLIENT_CHANNELS_MAX 16u

struct channel {
    struct shared memory;  /* its id is the channel's; 0: none is here */
    bool accepted, closed; /* closed: the client is gone */
    uint32_t client, server, client_bit;
    const char *service; /* its name */
};

struct service {
    char name[START_SERVICE_BYTES];
    uint32_t server; /* 0: not running */
};

static struct channel channels[CHANNELS_MAX];
static uint32_t channels_end; /* from here on, none was in use yet */
static struct service services[SERVICES_MAX];

/* What clients ring to have the server work on their time: it was made with the
 * domain. Without one they wake it by events. */
static void bind_doorbell(const struct domain *server)
{
    (void)sys_endpoint_bind(domain_object(server, OBJECT_DOORBELL),
                            domain_object(server, OBJECT_DISPATCHER));
}

void service_provide(struct domain *server, const char *name)
{
    bind_doorbell(server);
    for (uint32_t i = 0; i < SERVICES_MAX; i++) {
        struct service *s = &services[i];
        if (s->name[0] == 0 || strncmp(s->name, name, sizeof(s->name)) == 0) {
            strncpy(s->name, name, sizeof(s->name));
            s->server = server->id;
            return;
        }
    }
}

static struct service *service_find(const char name[START_SERVICE_BYTES])
{
    for (uint32_t i = 0; i < SERVICES_MAX; i++) {
        if (services[i].name[0] != 0 &&
            memcmp(services[i].name, name, START_SERVICE_BYTES) == 0) {
            return &services[i];
        }
    }
    return NULL;
}

/* ---- making ------------------------------------------------------------ */

/* While a DMA engine works in it, it only loses both ends. */
static void free_channel(struct channel *c)
{
    if (dma_holds(c->memory.id)) {
        const struct domain *server = domain_find(c->server);
        if (server != NULL) {
            shared_hide(&c->memory, server);
        }
        c->client = c->server = 0;
        c->closed = false;
        return;
    }
    shared_free(&c->memory);
    memset(c, 0, sizeof(*c));
}

/* The root server sees it. */
static struct channel *new_channel(const struct domain *client, uint32_t pages,
                                   int *error)
{
    uint32_t own = 0;
    struct channel *c = NULL;
    for (uint32_t i = 0; i < channels_end; i++) {
        if (channels[i].memory.id == 0) {
            c = &channels[i];
        } else if (client != NULL && channels[i].client == client->id) {
            own++;
        }
    }
    if (c == NULL && channels_end < CHANNELS_MAX) {
        c = &channels[channels_end];
    }
    if (c == NULL || own >= CLIENT_CHANNELS_MAX) {
        *error = EMFILE;
        return NULL;
    }
    channels_end += c == &channels[channels_end];
    *error = shared_make(&c->memory, pages);
    return *error == 0 ? c : NULL;
}

/* ---- operations -------------------------------------------------------- */

/* The two capabilities by which the client wakes the server. */
static int give_wakers(const struct channel *c, const struct domain *client,
                       const struct domain *server, const uint64_t w[8])
{
    cptr_t event = CPTR(client->cnode, w[5]), bell = CPTR(client->cnode, w[6]);
    if (sys_event_mint(event, domain_object(server, OBJECT_DISPATCHER),
                       EVENT_WORK)) {
        return EINVAL;
    }
    enum abi_error e =
        w[6] == 0 ? ERR_EMPTY
                  : sys_cap_copy(bell, domain_object(server, OBJECT_DOORBELL),
                                 RIGHT_CALL, c->memory.id, 0);
    if (e != ERR_OK && e != ERR_EMPTY) { /* EMPTY: the server has none */
        (void)sys_cap_delete(event);
        return EINVAL;
    }
    return 0;
}

static int connect_to(struct channel *c, struct domain *client,
                      struct domain *server, const uint64_t w[8])
{
    shared_hide(&c->memory, NULL);
    c->client = client->id;
    c->server = server->id;
    c->client_bit = (uint32_t)w[4];
    if (shared_show(&c->memory, client) != 0 ||
        sys_event_mint(shared_slot(&c->memory, PLACE_WAKE_CLIENT),
                       domain_object(client, OBJECT_DISPATCHER), w[4])) {
        return ENOMEM;
    }
    return give_wakers(c, client, server, w);
}

/* The channel that the client makes anew: same bit, same size. */
static struct channel *dead_channel(const struct domain *client,
                                    const uint64_t w[8])
{
    for (uint32_t i = 0; i < channels_end; i++) {
        struct channel *c = &channels[i];
        if (c->memory.id != 0 && c->client == client->id && c->server == 0 &&
            c->client_bit == w[4] && c->memory.bytes == w[3] * PAGE_BYTES) {
            return c;
        }
    }
    return NULL;
}

/* Memory, address and the client's own rights stay, and what the data area
 * holds: other threads of the client may still be reading the answers of the
 * old server. Nothing is allocated, so that a client can always get back to a
 * server that was started again. */
static int revive(struct channel *c, struct domain *client,
                  struct domain *server, const uint64_t w[8])
{
    if (shared_show(&c->memory, NULL) != 0) {
        return EIO;
    }
    shared_renew(&c->memory);
    int error = give_wakers(c, client, server, w);
    if (error == 0) {
        c->server = server->id;
        c->accepted = false;
        shared_hide(&c->memory, NULL);
    } else {
        shared_end(&c->memory);
    }
    return error;
}

static int connect_anew(struct domain *client, const struct service *s,
                        const uint64_t w[8], struct channel **out)
{
    struct domain *server = domain_find(s->server);
    int error;
    struct channel *c = new_channel(client, (uint32_t)w[3], &error);
    if (c == NULL) {
        return error;
    }
    c->service = s->name;
    error = connect_to(c, client, server, w);
    if (error != 0) {
        free_channel(c);
    }
    *out = c;
    return error;
}

int service_connect(struct domain *client, uint64_t w[8])
{
    char name[START_SERVICE_BYTES + 1] = {0};
    memcpy(name, &w[1], START_SERVICE_BYTES);
    struct service *s = service_find(name);
    struct domain *server = s != NULL ? domain_find(s->server) : NULL;
    if (w[3] < 2 || w[3] > SHARED_PAGES_MAX || w[4] > 63 || w[5] > UINT32_MAX ||
        w[6] > UINT32_MAX) {
        return EINVAL;
    }
    if (s == NULL) {
        return ENOENT;
    }
    if (!system_may_connect(client, name)) {
        return EACCES;
    }
    if (server == NULL || server->phase != DOMAIN_LIVE) {
        return ENOENT;
    }
    struct channel *c = dead_channel(client, w);
    if (dma_delays(c != NULL ? c->memory.id : 0, server)) {
        return EBUSY;
    }
    int error = c != NULL ? revive(c, client, server, w)
                          : connect_anew(client, s, w, &c);
    if (error != 0 || c == NULL) {
        return error;
    }
    w[1] = c->memory.va;
    w[2] = c->memory.bytes;
    (void)sys_event_signal(domain_object(server, OBJECT_EVENT_ACCEPT));
    return 0;
}

int service_accept(struct domain *server, uint64_t w[8])
{
    uint64_t slot = w[1];
    w[1] = 0;
    for (uint32_t i = 0; i < channels_end; i++) {
        struct channel *c = &channels[i];
        if (c->memory.id == 0 || c->server != server->id || c->accepted) {
            continue;
        }
        const struct domain *client = domain_find(c->client);
        enum abi_error e = ERR_OK;
        if (client != NULL) {
            e = sys_event_mint(CPTR(server->cnode, slot),
                               domain_object(client, OBJECT_DISPATCHER),
                               c->client_bit);
        }
        if (e != ERR_OK || slot > UINT32_MAX) {
            return EINVAL;
        }
        if (shared_show(&c->memory, server) != 0) {
            return ENOMEM;
        }
        c->accepted = true;
        w[1] = c->memory.va;
        w[2] = c->memory.bytes;
        w[3] = c->client;
        w[4] = c->memory.id;
        return 0;
    }
    return 0;
}

int service_closed(struct domain *server, uint64_t w[8])
{
    w[1] = 0;
    for (uint32_t i = 0; i < channels_end; i++) {
        struct channel *c = &channels[i];
        if (c->memory.id != 0 && c->server == server->id && c->closed) {
            w[1] = c->memory.id;
            free_channel(c);
            return 0;
        }
    }
    return 0;
}

/* ---- a look ------------------------------------------------------------ */

/* Or how many there are is taken from n. */
static const struct channel *nth_channel(uint64_t *n)
{
    for (uint32_t i = 0; i < channels_end; i++) {
        if (channels[i].memory.id != 0 && (*n)-- == 0) {
            return &channels[i];
        }
    }
    return NULL;
}

const struct shared *service_memory(uint64_t n)
{
    const struct channel *c = nth_channel(&n);
    return c != NULL ? &c->memory : link_memory(n);
}

int service_channels(uint64_t w[8])
{
    uint64_t n = w[1];
    const struct channel *c = nth_channel(&n);
    if (c == NULL) {
        return link_row(n, w);
    }
    shared_row(&c->memory, c->client, c->server | (uint64_t)c->client_bit << 32,
               w);
    memcpy(&w[5], c->service, START_SERVICE_BYTES);
    return 0;
}

int service_list(uint64_t w[8])
{
    if (w[1] >= SERVICES_MAX || services[w[1]].name[0] == 0) {
        return ENOENT;
    }
    const struct service *s = &services[w[1]];
    w[1] = s->server;
    memcpy(&w[2], s->name, START_SERVICE_BYTES);
    return 0;
}

/* ---- for dma.c --------------------------------------------------------- */

/* A transfer asks three times for one. */
static struct channel *channel_find(uint32_t id)
{
    static uint32_t latest;
    for (uint32_t n = 0; n < channels_end; n++) {
        uint32_t i = (latest + n) % channels_end;
        if (channels[i].memory.id == id) {
            latest = i;
            return &channels[i];
        }
    }
    return NULL;
}

/* Never one of the broker's own: what it has of those would get less. */
int service_show(uint32_t id, const struct domain *broker,
                 struct channel_data *out)
{
    const struct channel *c = channel_find(id);
    uint64_t info, word;
    if (c == NULL) {
        return ESRCH;
    }
    if (c->client == broker->id || c->server == broker->id) {
        return EACCES;
    }
    *out =
        (struct channel_data){.address = c->memory.va + PAGE_BYTES,
                              .bytes = c->memory.bytes - (uint32_t)PAGE_BYTES,
                              .client = c->client,
                              .server = c->server};
    return sys_cap_identify(shared_slot(&c->memory, PLACE_FRAMES + 1), &info,
                            &out->physical, &word) == ERR_OK &&
                   sys_stretch_attach(shared_slot(&c->memory, PLACE_STRETCH),
                                      domain_object(broker, OBJECT_DOMAIN),
                                      RIGHT_READ) == ERR_OK
               ? 0
               : EIO;
}

void service_let_go(uint32_t id)
{
    struct channel *c = channel_find(id);
    if (c != NULL && c->client == 0 && c->server == 0) {
        free_channel(c);
    }
}

uint32_t service_client(uint64_t id, const struct domain *server)
{
    const struct channel *c =
        id != 0 && id <= UINT32_MAX ? channel_find((uint32_t)id) : NULL;
    return c != NULL && c->server == server->id && c->accepted ? c->client : 0;
}

const char *service_of(const struct domain *server)
{
    for (uint32_t i = 0; i < SERVICES_MAX; i++) {
        if (services[i].server == server->id) {
            return services[i].name;
        }
    }
    return NULL;
}

int service_provider(const struct domain *client, const uint64_t name[2],
                     uint32_t *server)
{
    char text[START_SERVICE_BYTES + 1] = {0};
    memcpy(text, name, START_SERVICE_BYTES);
    const struct service *s = service_find(text);
    if (s == NULL || s->server == 0) {
        return ENOENT;
    }
    *server = s->server;
    return system_may_connect(client, text) ? 0 : EACCES;
}

/* ---- endings ----------------------------------------------------------- */

static void client_gone(struct channel *c)
{
    const struct domain *server = domain_find(c->server);
    if (server == NULL || server->phase != DOMAIN_LIVE || !c->accepted) {
        free_channel(c);
        return;
    }
    c->closed = true;
    (void)sys_event_signal(domain_object(server, OBJECT_EVENT_ACCEPT));
}

static void server_gone(struct channel *c)
{
    if (c->closed || c->client == 0) {
        free_channel(c);
        return;
    }
    c->server = 0;
    shared_end(&c->memory);
    (void)sys_event_signal(shared_slot(&c->memory, PLACE_WAKE_CLIENT));
}

void service_domain_ended(struct domain *d)
{
    for (uint32_t i = 0; i < SERVICES_MAX; i++) {
        if (services[i].server == d->id) {
            services[i].server = 0;
            if (strcmp(services[i].name, "console") == 0) {
                log_acquire();
            }
        }
    }
    link_domain_ended(d);
    for (uint32_t i = 0; i < channels_end; i++) {
        struct channel *c = &channels[i];
        if (c->memory.id != 0 && c->server == d->id) {
            server_gone(c);
        } else if (c->memory.id != 0 && c->client == d->id) {
            client_gone(c);
        }
    }
}

struct channel_page *service_console(cptr_t *event)
{
    static const char name[START_SERVICE_BYTES] = "console";
    const struct service *s = service_find(name);
    struct domain *server = s != NULL ? domain_find(s->server) : NULL;
    int error;
    struct channel *c =
        server != NULL ? new_channel(NULL, SHARED_PAGES_MAX / 4, &error) : NULL;
    if (c == NULL) {
        return NULL;
    }
    c->server = server->id;
    c->service = s->name;
    *event = shared_slot(&c->memory, PLACE_WAKE_SERVER);
    if (sys_event_mint(*event, domain_object(server, OBJECT_DISPATCHER),
                       EVENT_WORK)) {
        free_channel(c);
        return NULL;
    }
    (void)sys_event_signal(domain_object(server, OBJECT_EVENT_ACCEPT));
    return (void *)(uintptr_t)c->memory.va;
}
