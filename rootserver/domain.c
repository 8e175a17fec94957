/* SPDX-License-Identifier: BSL-1.0
 *
 * Domains: made from chunks of memory of their own, so that revoking the chunks
 * takes back everything, wherever it went. The capabilities that manage a
 * domain lie in a CNode made from the same memory; only the root server has it.
 */
#include "image.h"

#include <errno.h>
#include <string.h>

#define APP_DOMAIN_LOG2 15u  /* six second-level tables */
#define RETYPE_MAX      256u /* objects that one untyped_retype makes */
#define CHILD_RANK      5u   /* of a domain's CNode */
#define EARLY           3u   /* objects: see below */

struct domain domains[DOMAINS_MAX];
static uint8_t used[DOMAINS_MAX]; /* which of them are not free */
static uint32_t used_count;

/* The watermark of one chunk, that of the domain being loaded: the kernel has
 * them all, but asking before each object costs a call each time. */
static uint32_t marked; /* 0: of none */
static uint64_t mark;

struct domain *domain_find(uint32_t id)
{
    struct domain *d = &domains[id % DOMAINS_MAX];
    return id != 0 && d->phase != DOMAIN_FREE && d->id == id ? d : NULL;
}

cptr_t domain_object(const struct domain *d, uint32_t place)
{
    return CPTR(d->objects, place);
}

/* ---- memory of a domain ------------------------------------------------ */

static int chunk_add(struct domain *d, uint32_t log2, bool optimistic)
{
    if (!broker_may_grow(d, 1ull << log2, optimistic)) {
        return ENOMEM;
    }
    uint32_t slot = chunk_take(log2);
    while (slot == 0 && !optimistic && broker_take()) {
        slot = chunk_take(log2);
    }
    if (slot == 0) {
        return ENOMEM;
    }
    struct chunk *c = chunk_of(slot);
    if (c->place == 0) { /* a chunk stays where it is */
        uint64_t info, address, word;
        (void)sys_cap_identify(slot, &info, &address, &word);
        c->place = (uint16_t)(address >> CHUNK_LOG2_MIN);
    }
    *c = (struct chunk){(uint16_t)d->newest, (uint8_t)log2, optimistic,
                        c->place};
    d->newest = marked = slot;
    mark = 0;
    d->memory_bytes += 1ull << log2;
    return 0;
}

int domain_grow(struct domain *d, uint32_t log2)
{
    if (d->memory_bytes - d->optimistic_bytes + (1ull << log2) > d->quota) {
        return ENOMEM;
    }
    broker_pressure();
    return chunk_add(d, log2, false);
}

int domain_grow_optimistic(struct domain *d, uint32_t log2)
{
    if (d->optimistic_bytes + (1ull << log2) > d->optimistic ||
        d->revoke_at != 0) {
        return ENOMEM;
    }
    int error = chunk_add(d, log2, true);
    if (error == 0) {
        d->optimistic_bytes += 1ull << log2;
    }
    return error;
}

/* The chunk to begin with for so much: of the last one, less than the smallest
 * is left over. */
static uint32_t chunk_for(uint64_t bytes)
{
    uint32_t log2 = CHUNK_LOG2_MIN;
    while (log2 < CHUNK_LOG2_MAX &&
           2ull << log2 < bytes + (1ull << CHUNK_LOG2_MIN)) {
        log2++;
    }
    return log2;
}

void domain_newest_used(struct domain *d)
{
    uint32_t slot = d->newest, second = chunk_of(slot)->next;
    if (second != 0) {
        chunk_of(slot)->next = chunk_of(second)->next;
        chunk_of(second)->next = (uint16_t)slot;
        d->newest = second;
    }
    marked = 0; /* who gave it away did not say so here */
}

static uint64_t align_up(uint64_t n, uint64_t size)
{
    return (n + size - 1) & ~(size - 1);
}

/* How many objects the newest chunk still holds. */
static uint64_t room(const struct domain *d, uint32_t log2)
{
    uint64_t info, address;
    if (d->newest == 0) {
        return 0;
    }
    if (marked != d->newest) {
        if (sys_cap_identify(d->newest, &info, &address, &mark) != ERR_OK) {
            return 0;
        }
        marked = d->newest;
    }
    uint64_t end = 1ull << chunk_of(d->newest)->log2;
    uint64_t low = align_up(mark, 1ull << log2);
    return low < end ? (end - low) >> log2 : 0;
}

/* So many objects were made from the newest chunk. */
static void made(const struct domain *d, uint64_t n, uint32_t log2)
{
    if (marked == d->newest) {
        mark = align_up(mark, 1ull << log2) + (n << log2);
    }
}

static void count_made(struct domain *d, uint64_t bytes)
{
    d->unmade -= bytes < d->unmade ? bytes : d->unmade;
}

/* Another chunk, for so much and for what will follow. */
static int grow_for(struct domain *d, uint64_t bytes)
{
    return domain_grow(d, chunk_for(bytes > d->unmade ? bytes : d->unmade));
}

/* Objects come from the newest chunk, as many in one call as fit; when it is
 * full, from another one. What fills a chunk has one of its own. */
int domain_make(struct domain *d, cptr_t dst, uint32_t type, uint32_t log2,
                uint32_t count, uint32_t rank)
{
    bool fills = log2 >= BIG_FRAME_LOG2;
    while (count > 0) {
        uint64_t n = fills ? 0 : room(d, log2);
        if (n == 0) {
            uint64_t bytes = (uint64_t)count << log2;
            int error =
                fills ? domain_grow(d, chunk_for(bytes)) : grow_for(d, bytes);
            if (error != 0) {
                return error;
            }
            n = room(d, log2);
        }
        n = n < count ? n : count;
        n = n < RETYPE_MAX ? n : RETYPE_MAX;
        if (n == 0 || sys_untyped_retype(d->newest, dst, type, log2, n, 0,
                                         rank) != ERR_OK) {
            return EIO;
        }
        made(d, n, log2);
        dst = CPTR_NEXT(dst, n);
        count -= (uint32_t)n;
        if (fills) {
            domain_newest_used(d);
        } else {
            count_made(d, n << log2);
        }
    }
    return 0;
}

int domain_stretch(struct domain *d, uint32_t place, uint64_t va)
{
    enum abi_error e = ERR_NOMEM;
    for (int tries = 0; tries < 2 && e == ERR_NOMEM; tries++) {
        e = sys_stretch_create(domain_object(d, place), d->newest, d->block, va,
                               0);
        if (e == ERR_NOMEM && grow_for(d, PAGE_BYTES) != 0) {
            return ENOMEM;
        }
    }
    if (e != ERR_OK) {
        return EIO;
    }
    made(d, 1, PAGE_LOG2);
    count_made(d, PAGE_BYTES);
    return 0;
}

/* ---- beginning --------------------------------------------------------- */

static struct domain *free_entry(void)
{
    static uint32_t last_id = 1;
    for (uint32_t n = 0; n < DOMAINS_MAX; n++) {
        uint32_t id = ++last_id;
        struct domain *d = &domains[id % DOMAINS_MAX];
        /* Place 0 is the root server's own: its child index is not used. */
        if (id % DOMAINS_MAX != 0 && d->phase == DOMAIN_FREE) {
            memset(d, 0, sizeof(*d));
            d->id = id;
            d->index = id % DOMAINS_MAX;
            return d;
        }
    }
    return NULL;
}

static uint32_t log2_up(uint32_t n)
{
    uint32_t log2 = 0;
    while (1u << log2 < n) {
        log2++;
    }
    return log2;
}

/* What a domain is besides its image, where each capability is made. The large
 * ones come first: what is smaller fits behind them without a gap, and the
 * smallest share a page. So the largest are made before the CNodes in which
 * they are to lie. */
static int make_objects(struct domain *d, uint32_t log2,
                        const struct image_size *size,
                        const uint32_t early[EARLY])
{
    const struct object {
        cptr_t dst;
        uint32_t type, log2, rank;
    } objects = {d->objects, TYPE_CNODE, log2 + SLOT_LOG2, 6},
      cnode = {d->cnode, TYPE_CNODE, CHILD_SLOTS_LOG2 + SLOT_LOG2, CHILD_RANK};
    bool small = objects.log2 < cnode.log2;
    const struct object object[] = {
        {early[0], TYPE_DOMAIN, APP_DOMAIN_LOG2, 0},
        {early[1], TYPE_DISPATCHER, DISPATCHER_LOG2, 0},
        {early[2], TYPE_UNTYPED, START_UNTYPED_LOG2, 0},
        small ? cnode : objects,
        small ? objects : cnode,
        {domain_object(d, OBJECT_SCHED), TYPE_SCHED_CONTEXT, SCHED_CONTEXT_LOG2,
         0},
        {domain_object(d, OBJECT_DOORBELL), TYPE_ENDPOINT, ENDPOINT_LOG2, 0},
    };
    const cptr_t home[EARLY] = {domain_object(d, OBJECT_DOMAIN),
                                domain_object(d, OBJECT_DISPATCHER),
                                CPTR(d->cnode, SLOT_UNTYPED)};
    uint32_t count = sizeof(object) / sizeof(object[0]) - !size->serves;
    int e = 0;
    d->unmade = size->bytes + PAGE_BYTES;
    for (uint32_t i = 0; i < count; i++) {
        d->unmade += object[i].log2 < PAGE_LOG2 ? 0 : 1ull << object[i].log2;
    }
    for (uint32_t i = 0; i < count && e == 0; i++) {
        e = domain_make(d, object[i].dst, object[i].type, object[i].log2, 1,
                        object[i].rank);
    }
    d->unmade = size->bytes;
    for (uint32_t i = 0; i < EARLY && e == 0; i++) {
        e = sys_cap_move(home[i], early[i]) == ERR_OK ? 0 : EIO;
    }
    return e;
}

static int make_space(struct domain *d, const struct image_size *size)
{
    uint32_t first = OBJECT_STRETCH + size->slots, early[EARLY];
    uint32_t log2 = log2_up(first + size->frames);
    bool slots = true;
    d->next_frame = first;
    d->frames_end = 1u << log2;
    d->slots = 1u << CHILD_SLOTS_LOG2;
    d->cnode = slot_take();
    d->objects = slot_take();
    for (uint32_t i = 0; i < EARLY; i++) {
        early[i] = slot_take();
        slots &= early[i] != 0;
    }
    int e = d->cnode == 0 || d->objects == 0 || !slots
                ? ENOMEM
                : make_objects(d, log2, size, early);
    if (e == 0 &&
        (sys_untyped_retype(d->block, CPTR(d->cnode, SLOT_RANGE), TYPE_RANGE,
                            BLOCK_LOG2, 1, 0, 0) ||
         sys_domain_set_cspace(domain_object(d, OBJECT_DOMAIN), d->cnode))) {
        e = EIO;
    }
    for (uint32_t i = 0; i < EARLY; i++) {
        if (early[i] != 0) {
            if (e != 0) {
                (void)sys_cap_delete(early[i]); /* there only if it failed */
            }
            slot_give(early[i]);
        }
    }
    return e;
}

/* The same capabilities, in the same slots, of a CNode twice as large. Nobody
 * sees one without them: the domain waits for the answer. One that cannot move
 * is being deleted, and goes with the old CNode. */
static void move_slots(struct domain *d, uint32_t larger)
{
    for (uint32_t i = 1; i < d->slots; i++) {
        (void)sys_cap_move(CPTR(larger, i), CPTR(d->cnode, i));
    }
    (void)sys_cap_delete(d->cnode);
    slot_give(d->cnode);
    (void)sys_domain_set_cspace(domain_object(d, OBJECT_DOMAIN), larger);
    d->cnode = larger;
    d->slots *= 2;
}

int domain_slots(struct domain *d, uint64_t w[8])
{
    uint32_t larger = d->slots < CHILD_SLOTS_MAX ? slot_take() : 0;
    if (larger == 0) {
        return ENOMEM;
    }
    int e = domain_make(d, larger, TYPE_CNODE,
                        log2_up(2 * d->slots) + SLOT_LOG2, 1, CHILD_RANK);
    if (e != 0) {
        slot_give(larger);
        return e;
    }
    move_slots(d, larger);
    w[1] = d->slots;
    return 0;
}

int domain_create_text(struct domain *text, uint64_t quota,
                       const struct image_size *size)
{
    uint32_t log2 = log2_up(OBJECT_STRETCH + size->slots + size->frames);
    *text = (struct domain){.manifest = -1, .quota = quota};
    text->next_frame = OBJECT_STRETCH + size->slots;
    text->frames_end = 1u << log2;
    text->unmade = size->bytes + ((uint64_t)1 << (log2 + SLOT_LOG2));
    text->block = block_take(&text->block_address);
    text->objects = slot_take();
    return text->block == 0 || text->objects == 0
               ? ENOMEM
               : domain_make(text, text->objects, TYPE_CNODE, log2 + SLOT_LOG2,
                             1, 6);
}

/* Who gives it the CPU: nobody else has, so far. */
static int set_scheduler(const struct domain *d)
{
    const struct domain *s = domain_find(d->scheduler);
    enum abi_error e =
        sys_dispatcher_set_parent(domain_object(d, OBJECT_DISPATCHER),
                                  s != NULL
                                      ? domain_object(s, OBJECT_DISPATCHER)
                                      : CPTR_SELF_DISPATCHER,
                                  d->index);
    return e == ERR_DEADLOCK ? EMLINK : e != ERR_OK ? EIO : 0;
}

static enum abi_error event_make(const struct domain *d, uint32_t place)
{
    static const uint8_t bit[] = {EVENT_CHILD, EVENT_SIGNAL, EVENT_ACCEPT,
                                  EVENT_REVOKE}; /* as enum object_place */
    return sys_event_mint(domain_object(d, place),
                          domain_object(d, OBJECT_DISPATCHER),
                          bit[place - OBJECT_EVENT_CHILD]);
}

void domain_event(const struct domain *d, uint32_t place)
{
    cptr_t event = domain_object(d, place);
    if (sys_event_signal(event) == ERR_EMPTY &&
        event_make(d, place) == ERR_OK) {
        (void)sys_event_signal(event);
    }
}

/* Most programs have no children and get no signals; who serves, has clients.
 */
static int bind_time(const struct domain *d, bool serves)
{
    if ((serves && event_make(d, OBJECT_EVENT_ACCEPT) != ERR_OK) ||
        sys_sched_bind(domain_object(d, OBJECT_SCHED),
                       domain_object(d, OBJECT_DISPATCHER)) != ERR_OK) {
        return EIO;
    }
    return set_scheduler(d);
}

int domain_create(struct domain **out, const struct load_request *r,
                  const struct image_size *size, struct image *image)
{
    struct domain *d = free_entry();
    if (d == NULL) {
        if (image != NULL) {
            image_end(image);
        }
        return EAGAIN;
    }
    d->phase = DOMAIN_LIVE;
    d->used = (uint8_t)used_count;
    used[used_count++ % DOMAINS_MAX] = (uint8_t)d->index;
    d->quota = r->quota;
    d->scheduler = r->scheduler;
    d->manifest = -1;
    (void)strlcpy(d->name, r->name, sizeof(d->name));
    d->image = image;
    if (image == NULL) {
        d->block = block_take(&d->block_address);
    } else {
        d->block = image->text.block;
        d->block_address = image->text.block_address;
    }
    int e = d->block == 0 ? ENOMEM : make_space(d, size);
    if (e == 0) {
        e = bind_time(d, size->serves);
    }
    if (e != 0) {
        domain_unload(d);
        return e;
    }
    *out = d;
    return 0;
}

/* ---- end --------------------------------------------------------------- */

/* Ticks that flowed through it. */
static uint64_t consumed(const struct domain *d)
{
    uint64_t remaining, ticks = 0;
    if (d->phase == DOMAIN_LIVE) {
        (void)sys_sched_refill(domain_object(d, OBJECT_SCHED), ~0ull,
                               &remaining, &ticks);
    }
    return ticks;
}

void domain_release(struct domain *d)
{
    if (d->drives) {
        device_unmap_range(d->block_address,
                           d->block_address + (1ull << BLOCK_LOG2));
    }
    if (d->cnode != 0) {
        (void)sys_cap_delete(d->cnode);
        slot_give(d->cnode);
    }
    if (d->objects != 0) {
        (void)sys_cap_delete(d->objects);
        slot_give(d->objects);
    }
    while (d->newest != 0) {
        uint32_t slot = d->newest;
        d->newest = chunk_of(slot)->next;
        chunk_give(slot);
    }
    if (d->image != NULL) {
        image_end(d->image);
    } else if (d->block != 0) {
        block_give(d->block, d->block_address);
    }
    d->image = NULL;
    d->cnode = d->objects = d->block = 0;
    d->memory_bytes = d->optimistic_bytes = d->revoke_at = 0;
}

/* Its scheduler is gone: it goes on as any other program. */
static void adopt(struct domain *d)
{
    d->scheduler = 0;
    (void)set_scheduler(d);
    schedule_add(d, &APP_PARAMS);
}

/* Those that it scheduled, or that are its children, have it no more. */
static void leave(const struct domain *d)
{
    for (uint32_t i = used_count; i-- > 0;) {
        struct domain *c = &domains[used[i]];
        if (c->phase == DOMAIN_LIVE && c->scheduler == d->id) {
            adopt(c);
        }
        if (c->parent == d->id) {
            c->parent = 0;
            if (c->phase == DOMAIN_ZOMBIE) {
                domain_free(c);
            }
        }
    }
}

void domain_end(struct domain *d, int status)
{
    struct domain *scheduler = domain_find(d->scheduler);
    dma_domain_ended(d);
    service_domain_ended(d);
    account_ended(d);
    if (scheduler != NULL) {
        scheduler->handed += consumed(d);
    }
    schedule_remove(d);
    domain_release(d);
    image_owner_ended(d->id);
    d->phase = DOMAIN_ZOMBIE;
    d->status = status;
    leave(d);
    struct domain *parent = domain_find(d->parent);
    if (parent != NULL && parent->phase == DOMAIN_LIVE) {
        domain_event(parent, OBJECT_EVENT_CHILD);
        return;
    }
    int32_t manifest_index = d->manifest;
    domain_free(d);
    if (manifest_index >= 0) {
        system_ended(manifest_index, status);
    }
}

void domain_unload(struct domain *d)
{
    if (d->image != NULL) {
        d->image->good = false;
    }
    domain_end(d, 0);
    domain_free(d);
}

/* The last in the list comes to its place: who frees on the way goes from the
 * end to the beginning. */
void domain_free(struct domain *d)
{
    if (d->phase != DOMAIN_FREE) {
        uint8_t last = used[--used_count % DOMAINS_MAX];
        used[d->used % DOMAINS_MAX] = last;
        domains[last].used = d->used;
        d->phase = DOMAIN_FREE;
    }
}

struct domain *domain_used(uint32_t i)
{
    return i < used_count ? &domains[used[i]] : NULL;
}

void domain_signal(struct domain *d, uint32_t signal)
{
    d->signals |= 1u << signal;
    domain_event(d, OBJECT_EVENT_SIGNAL);
}

/* What it handed on is read first: the time of the caller goes on meanwhile. */
uint64_t domain_cpu_ticks(const struct domain *d)
{
    uint64_t others = d->handed;
    for (uint32_t i = 0; i < used_count; i++) {
        const struct domain *c = &domains[used[i]];
        if (c->scheduler == d->id) {
            others += consumed(c);
        }
    }
    return consumed(d) - others;
}
