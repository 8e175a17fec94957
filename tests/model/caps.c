/* SPDX-License-Identifier: BSL-1.0
 *
 * The model's capabilities: look-up, derivation, deletion; see model.h.
 */
#include "model.h"

#include <string.h>

struct model model;

static struct cap caps[MODEL_CAPS];
static struct object objects[MODEL_CAPS];
static uint8_t attachments[MODEL_CAPS][MODEL_WINDOW];
static struct cap *slots[MODEL_RAM >> SLOT_LOG2];
static uint32_t free_caps[MODEL_CAPS], free_objects[MODEL_CAPS];
static uint32_t n_free_caps, n_free_objects, caps_used;

void model_boot(void)
{
    for (uint32_t i = 0; i < caps_used; i++) {
        if (caps[i].type != TYPE_NULL) {
            slots[(caps[i].node->at >> SLOT_LOG2) + caps[i].index] = NULL;
        }
    }
    memset(caps, 0, caps_used * sizeof(caps[0]));
    memset(model.count, 0, sizeof(model.count));
    model.open = false;
    model.caps = caps_used = 0;
    n_free_caps = n_free_objects = MODEL_CAPS;
    for (uint32_t i = 0; i < MODEL_CAPS; i++) {
        free_caps[i] = free_objects[i] = MODEL_CAPS - 1 - i;
    }
    memory_boot();
}

/* ---- objects and slots ------------------------------------------------- */

struct object *model_object(uint32_t type, uint64_t at, uint32_t log2)
{
    uint32_t i = free_objects[--n_free_objects];
    objects[i] =
        (struct object){.type = (uint8_t)type, .at = at, .log2 = (uint8_t)log2};
    if (type == TYPE_DOMAIN) {
        objects[i].attached = attachments[i];
        memset(attachments[i], 0, MODEL_WINDOW);
    }
    return &objects[i];
}

uint32_t model_slots(const struct object *node)
{
    return 1u << (node->log2 - SLOT_LOG2);
}

static struct cap **slot_of(const struct object *node, uint32_t index)
{
    return &slots[(node->at >> SLOT_LOG2) + index];
}

struct cap *model_slot(const struct object *node, uint32_t index)
{
    return *slot_of(node, index);
}

struct cap *model_at(uint64_t slot)
{
    return slots[slot % MODEL_RAM >> SLOT_LOG2];
}

static void list_by_type(struct cap *c)
{
    c->rank_of_type = model.count[c->type]++;
    model.of_type[c->type][c->rank_of_type] = c;
}

static void unlist(struct cap *c)
{
    struct cap *last = model.of_type[c->type][--model.count[c->type]];
    model.of_type[c->type][c->rank_of_type] = last;
    last->rank_of_type = c->rank_of_type;
}

struct cap *cap_put(struct where at, uint32_t type, struct object *o)
{
    uint32_t i = free_caps[--n_free_caps];
    caps_used = i >= caps_used ? i + 1 : caps_used;
    caps[i] = (struct cap){.type = (uint8_t)type,
                           .rights = RIGHTS_ALL,
                           .object = o,
                           .node = at.node,
                           .index = at.index};
    o->caps++;
    model.caps++;
    *slot_of(at.node, at.index) = &caps[i];
    list_by_type(&caps[i]);
    return &caps[i];
}

void cap_set_parent(struct cap *c, struct cap *parent)
{
    c->parent = parent;
    if (parent != NULL) {
        parent->children++;
    }
}

struct cap *model_give(struct object *node, uint32_t index, struct object *o)
{
    return cap_put((struct where){node, index}, o->type, o);
}

/* ---- look-up: an index in the own CNode, and one in a CNode found there -- */

static bool inside(const struct object *node, uint32_t index)
{
    return node != NULL && index != 0 && index < model_slots(node);
}

enum abi_error cap_at(uint64_t cptr, struct where *out, struct cap **cap)
{
    uint32_t first = (uint32_t)cptr, second = (uint32_t)(cptr >> 32);
    struct object *node = model.domain->bound;
    if (second != 0 && first != (uint32_t)CPTR_SELF_CNODE) {
        REFUSE_IF(!inside(node, first), ERR_SLOT);
        const struct cap *c = model_slot(node, first);
        if (c == NULL || c->type != TYPE_CNODE) {
            return c == NULL ? ERR_EMPTY : ERR_TYPE;
        }
        node = c->object;
    }
    uint32_t index = second != 0 ? second - 1 : first;
    REFUSE_IF(!inside(node, index), ERR_SLOT);
    *out = (struct where){node, index};
    *cap = model_slot(node, index);
    return ERR_OK;
}

enum abi_error cap_find(uint64_t cptr, uint32_t type, uint64_t rights,
                        struct cap **out)
{
    struct where p;
    CHECK_BY(cap_at(cptr, &p, out));
    REFUSE_IF(*out == NULL, ERR_EMPTY);
    REFUSE_IF((*out)->type != type, ERR_TYPE);
    return (rights & ~(uint64_t)(*out)->rights) != 0 ? ERR_RIGHTS : ERR_OK;
}

enum abi_error object_find(uint64_t cptr, uint32_t type, uint64_t rights,
                           struct object **out)
{
    if (type == TYPE_DOMAIN && cptr == CPTR_SELF_DOMAIN) {
        *out = model.domain;
        return ERR_OK;
    }
    if (type == TYPE_DISPATCHER && cptr == CPTR_SELF_DISPATCHER) {
        *out = model.dispatcher;
        return ERR_OK;
    }
    struct cap *c;
    enum abi_error e = cap_find(cptr, type, rights, &c);
    *out = e == ERR_OK ? c->object : NULL;
    return e;
}

/* ---- endings ----------------------------------------------------------- */

static void cap_drop(struct cap *c);

static void object_die(struct object *o)
{
    if (o->type == TYPE_CNODE) {
        for (uint32_t i = 1; i < model_slots(o); i++) {
            if (model_slot(o, i) != NULL) {
                cap_drop(model_slot(o, i));
            }
        }
    }
    if ((o->type == TYPE_CNODE || o->type == TYPE_DOMAIN) && o->bound != NULL) {
        o->bound->bound = NULL;
    }
    if (o->type == TYPE_DOMAIN && o->dispatcher != NULL) {
        o->dispatcher->bound = NULL;
    }
    if (o->type == TYPE_DISPATCHER) {
        memory_unmap_pages(o);
        if (o->bound != NULL) {
            o->bound->dispatcher = NULL;
        }
        for (uint32_t i = 0; i < model.count[TYPE_ENDPOINT]; i++) {
            struct object *ep = model.of_type[TYPE_ENDPOINT][i]->object;
            ep->bound = ep->bound == o ? NULL : ep->bound;
        }
    }
    if (o->type == TYPE_STRETCH) {
        memory_destroy(o);
    }
    free_objects[n_free_objects++] = (uint32_t)(o - objects);
}

static void orphan(const struct cap *c)
{
    for (uint32_t i = 0; c->children != 0 && i < caps_used; i++) {
        if (caps[i].type != TYPE_NULL && caps[i].parent == c) {
            cap_set_parent(&caps[i], c->parent);
        }
    }
}

static struct cap *child_of(const struct cap *c)
{
    for (uint32_t i = 0; c->children != 0 && i < caps_used; i++) {
        if (caps[i].type != TYPE_NULL && caps[i].parent == c) {
            return &caps[i];
        }
    }
    return NULL;
}

bool is_huge(const struct cap *c)
{
    return c->type == TYPE_FRAME && c->object->log2 == HUGE_FRAME_LOG2;
}

static void cap_drop(struct cap *c)
{
    struct object *o = c->object;
    while (is_huge(c) && c->children != 0) {
        cap_drop(child_of(c));
    }
    if (c->type == TYPE_FRAME) {
        memory_unmap(c);
    }
    orphan(c);
    if (c->parent != NULL) {
        c->parent->children--;
    }
    *slot_of(c->node, c->index) = NULL;
    unlist(c);
    c->type = TYPE_NULL;
    free_caps[n_free_caps++] = (uint32_t)(c - caps);
    model.caps--;
    if (--o->caps == 0) {
        object_die(o);
    }
}

/* ---- system calls ------------------------------------------------------ */

static enum abi_error may_copy(const struct cap *c, const struct object *node,
                               uint64_t badge)
{
    REFUSE_IF(c == NULL, ERR_EMPTY);
    REFUSE_IF(c->type == TYPE_UNTYPED || c->type == TYPE_RANGE || is_huge(c),
              ERR_TYPE);
    REFUSE_IF(c->type == TYPE_CNODE && c->object->rank >= node->rank, ERR_RANK);
    REFUSE_IF(badge != 0 && (c->type != TYPE_ENDPOINT || c->word != 0),
              ERR_PERM);
    return ERR_OK;
}

/* Originals have copies, copies have copies, and those have brothers only. */
static struct cap *copy(struct cap *c, struct where to, bool sibling)
{
    bool child = c->depth == 0 || (c->depth == 1 && !sibling);
    struct cap *k = cap_put(to, c->type, c->object);
    k->rights = c->rights;
    k->depth = (uint8_t)(c->depth + child);
    k->word = c->type == TYPE_FRAME ? 0 : c->word; /* a copy is not mapped */
    cap_set_parent(k, child ? c : c->parent);
    return k;
}

static enum abi_error do_copy(const uint64_t *x)
{
    struct where to, from;
    struct cap *there, *c;
    CHECK_BY(cap_at(x[0], &to, &there));
    CHECK_BY(cap_at(x[1], &from, &c));
    REFUSE_IF(x[4] > COPY_SIBLING, ERR_RANGE);
    CHECK_BY(may_copy(c, to.node, x[3]));
    REFUSE_IF(there != NULL, ERR_FULL);
    struct cap *k = copy(c, to, x[4] == COPY_SIBLING);
    k->rights &= (uint8_t)x[2];
    k->word = x[3] != 0 ? x[3] : k->word;
    return ERR_OK;
}

static enum abi_error may_move(const struct cap *c, const struct object *node)
{
    REFUSE_IF(c == NULL, ERR_EMPTY);
    bool low = c->type == TYPE_CNODE && c->object->rank >= node->rank;
    return low ? ERR_RANK : ERR_OK;
}

static void put_down(struct cap *c, struct where to)
{
    *slot_of(to.node, to.index) = c;
    c->node = to.node;
    c->index = to.index;
}

static enum abi_error do_move(const uint64_t *x)
{
    struct where to, from;
    struct cap *there, *c;
    CHECK_BY(cap_at(x[0], &to, &there));
    CHECK_BY(cap_at(x[1], &from, &c));
    CHECK_BY(may_move(c, to.node));
    REFUSE_IF(there != NULL, ERR_FULL);
    *slot_of(from.node, from.index) = NULL;
    put_down(c, to);
    return ERR_OK;
}

/* Both are taken up, then put down. */
static enum abi_error do_rotate(const uint64_t *x)
{
    struct where to, middle, from;
    struct cap *there, *pivot, *c;
    CHECK_BY(cap_at(x[0], &to, &there));
    CHECK_BY(cap_at(x[1], &middle, &pivot));
    CHECK_BY(cap_at(x[2], &from, &c));
    CHECK_BY(may_move(pivot, to.node));
    CHECK_BY(may_move(c, middle.node));
    REFUSE_IF(there != NULL && there != c, ERR_FULL);
    REFUSE_IF(pivot == c, ERR_RANGE);
    *slot_of(from.node, from.index) = NULL;
    put_down(pivot, to);
    put_down(c, middle);
    return ERR_OK;
}

static enum abi_error do_delete(const uint64_t *x)
{
    struct where p;
    struct cap *c;
    CHECK_BY(cap_at(x[0], &p, &c));
    REFUSE_IF(c == NULL, ERR_EMPTY);
    cap_drop(c);
    return ERR_OK;
}

static enum abi_error do_revoke(const uint64_t *x)
{
    struct where p;
    struct cap *c, *k;
    CHECK_BY(cap_at(x[0], &p, &c));
    REFUSE_IF(c == NULL, ERR_EMPTY);
    while ((k = child_of(c)) != NULL) {
        cap_drop(k);
        if (c->type == TYPE_NULL) {
            model.open = true;
            return ERR_OK;
        }
    }
    if (c->type == TYPE_UNTYPED || c->type == TYPE_RANGE) {
        c->word = 0;
    }
    return ERR_OK;
}

static enum abi_error do_identify(uint64_t *x)
{
    struct where p;
    struct cap *c;
    CHECK_BY(cap_at(x[0], &p, &c));
    REFUSE_IF(c == NULL, ERR_EMPTY);
    x[1] = c->type | (uint64_t)c->rights << 8 |
           (uint64_t)c->object->log2 << 16 | (uint64_t)c->depth << 24 |
           (uint64_t)c->object->device << 32;
    x[2] = c->object->at;
    x[3] = c->word;
    return ERR_OK;
}

static enum abi_error do_event_mint(const uint64_t *x)
{
    struct where to, from;
    struct cap *there, *c;
    CHECK_BY(cap_at(x[0], &to, &there));
    CHECK_BY(cap_at(x[1], &from, &c));
    CHECK_BY(cap_find(x[1], TYPE_DISPATCHER, RIGHT_MANAGE, &c));
    REFUSE_IF(x[2] > 63, ERR_RANGE);
    REFUSE_IF(there != NULL, ERR_FULL);
    struct cap *k = copy(c, to, false);
    unlist(k);
    k->type = TYPE_EVENT;
    list_by_type(k);
    k->rights = RIGHT_SIGNAL;
    k->word = x[2];
    return ERR_OK;
}

void model_bind_cspace(struct object *domain, struct object *node)
{
    domain->bound = node;
    node->bound = domain;
}

static enum abi_error do_set_cspace(const uint64_t *x)
{
    struct object *domain, *node;
    CHECK_BY(object_find(x[0], TYPE_DOMAIN, RIGHT_MANAGE, &domain));
    CHECK_BY(object_find(x[1], TYPE_CNODE, RIGHT_MANAGE, &node));
    REFUSE_IF(domain->bound != NULL || node->bound != NULL, ERR_BUSY);
    model_bind_cspace(domain, node);
    return ERR_OK;
}

static enum abi_error do_endpoint_bind(const uint64_t *x)
{
    struct object *ep, *dispatcher;
    CHECK_BY(object_find(x[0], TYPE_ENDPOINT, RIGHT_MANAGE, &ep));
    CHECK_BY(object_find(x[1], TYPE_DISPATCHER, RIGHT_MANAGE, &dispatcher));
    REFUSE_IF(ep->bound != NULL, ERR_BUSY);
    ep->bound = dispatcher;
    return ERR_OK;
}

enum abi_error model_call(uint32_t nr, uint64_t *x)
{
    switch (nr) {
    case SYS_NULL:
        return ERR_OK;
    case SYS_CAP_COPY:
        return do_copy(x);
    case SYS_CAP_MOVE:
        return do_move(x);
    case SYS_CAP_ROTATE:
        return do_rotate(x);
    case SYS_CAP_DELETE:
        return do_delete(x);
    case SYS_CAP_REVOKE:
        return do_revoke(x);
    case SYS_CAP_IDENTIFY:
        return do_identify(x);
    case SYS_DOMAIN_SET_CSPACE:
        return do_set_cspace(x);
    case SYS_ENDPOINT_BIND:
        return do_endpoint_bind(x);
    case SYS_EVENT_MINT:
        return do_event_mint(x);
    default:
        return memory_call(nr, x);
    }
}
