/* SPDX-License-Identifier: BSL-1.0
 *
 * The choices of choose.h. Moods of 512 operations make the number of
 * capabilities swing. One operation in ten gets an argument that makes no
 * sense; others fail by chance.
 */
#include "choose.h"

#include <string.h>

#define TRIES 5u
#define MANY  350u /* capabilities: time to delete */

static uint64_t state;
static uint32_t mood, mood_left;
static bool hopeless; /* nothing was found that could succeed */

void choose_seed(uint64_t seed)
{
    state = (seed + 1) * 0x9e3779b97f4a7c15ull;
    state ^= state >> 29;
    state += state == 0;
    mood_left = 0;
}

static uint32_t next(void) /* xorshift64* */
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (uint32_t)(state * 0x2545f4914f6cdd1dull >> 32);
}

uint32_t choose_number(uint32_t below)
{
    return (uint32_t)((uint64_t)next() * below >> 32);
}

static uint32_t pick(uint32_t n)
{
    return choose_number(n);
}

static bool chance(uint32_t n)
{
    return pick(n) == 0;
}

/* ---- slots --------------------------------------------------------------- */

/* How the caller names a slot, or 0. */
static cptr_t name_of(const struct cap *c)
{
    const struct object *own = model.domain->bound;
    if (c->node == own) {
        return chance(8) ? CPTR(CPTR_SELF_CNODE, c->index) : c->index;
    }
    for (uint32_t i = 0; i < model.count[TYPE_CNODE]; i++) {
        const struct cap *k = model.of_type[TYPE_CNODE][i];
        if (k->node == own && k->object == c->node) {
            return CPTR(k->index, c->index);
        }
    }
    return 0;
}

static cptr_t any_slot(void)
{
    const struct object *own = model.domain->bound;
    return 1 + pick(model_slots(own) - 1);
}

static struct cap *any_cap(uint32_t type)
{
    uint32_t n = model.count[type];
    return n == 0 ? NULL : model.of_type[type][pick(n)];
}

/* A name of some capability of a type, if there is one that is good for the
 * purpose and that the caller can name; it goes to *out. */
static cptr_t good_slot(uint32_t type, bool (*good)(const struct cap *c),
                        struct cap **out)
{
    for (uint32_t i = 0; i < TRIES && model.count[type] != 0; i++) {
        struct cap *c = any_cap(type);
        cptr_t name = good == NULL || good(c) ? name_of(c) : 0;
        if (name != 0) {
            *out = c;
            return name;
        }
    }
    *out = NULL;
    hopeless = true;
    return any_slot();
}

static cptr_t slot_of(uint32_t type, struct cap **out)
{
    return good_slot(type, NULL, out);
}

static cptr_t slot_with(uint32_t type)
{
    struct cap *c;
    return slot_of(type, &c);
}

static cptr_t empty_slot(void)
{
    const struct object *node = model.domain->bound;
    const struct cap *via = NULL;
    if (chance(3) && (via = any_cap(TYPE_CNODE)) != NULL && via->node == node) {
        node = via->object;
    } else {
        via = NULL;
    }
    uint32_t i = 0, n = model_slots(node);
    uint32_t low = node == machine.root_node ? PROTECTED : 1;
    for (uint32_t k = 0; k < TRIES; k++) {
        i = low + pick(n - low);
        if (model_slot(node, i) == NULL) {
            return via == NULL ? i : CPTR(via->index, i);
        }
    }
    hopeless = true;
    return via == NULL ? i : CPTR(via->index, i);
}

static uint32_t any_type(void)
{
    static const uint8_t types[] = {
        TYPE_UNTYPED, TYPE_CNODE,    TYPE_FRAME,         TYPE_FRAME,
        TYPE_STRETCH, TYPE_STRETCH,  TYPE_DOMAIN,        TYPE_DISPATCHER,
        TYPE_DOMAIN,  TYPE_ENDPOINT, TYPE_ENDPOINT,      TYPE_EVENT,
        TYPE_RANGE,   TYPE_CPU,      TYPE_SCHED_CONTEXT, TYPE_IRQ};
    return types[pick(16)];
}

static uint64_t some_rights(void)
{
    static const uint64_t good[] = {RIGHT_READ, RIGHT_READ | RIGHT_WRITE,
                                    RIGHT_READ | RIGHT_EXEC,
                                    RIGHT_READ | RIGHT_WRITE};
    return chance(24) ? pick(9) : good[pick(4)];
}

static cptr_t some_domain(struct object **out)
{
    struct cap *c;
    if (chance(3)) {
        *out = model.domain;
        return CPTR_SELF_DOMAIN;
    }
    cptr_t name = slot_of(TYPE_DOMAIN, &c);
    *out = c == NULL ? model.domain : c->object;
    return name;
}

/* ---- arguments ----------------------------------------------------------- */

static void cap_args(uint32_t nr, uint64_t *x)
{
    if (nr == SYS_CAP_COPY || nr == SYS_CAP_MOVE) {
        struct cap *c;
        x[0] = empty_slot();
        x[1] = slot_of(any_type(), &c);
        if (c != NULL && nr == SYS_CAP_COPY && !chance(8) &&
            (c->type == TYPE_UNTYPED || c->type == TYPE_RANGE)) {
            x[1] = slot_of(TYPE_FRAME, &c);
        }
        bool endpoint = c != NULL && c->type == TYPE_ENDPOINT && c->word == 0;
        x[2] = ~(chance(2) ? 0ull : 1ull << pick(10));
        x[2] = chance(32) ? next() : x[2];
        x[3] = chance(endpoint ? 2 : 32) ? pick(5) : 0;
        x[4] = chance(3) ? COPY_SIBLING : 0;
    } else {
        x[0] = slot_with(any_type());
    }
}

static void rotate_args(uint64_t *x)
{
    x[1] = slot_with(any_type());
    x[2] = slot_with(any_type());
    x[0] = chance(2) ? empty_slot() : x[2];
}

static uint64_t wanted; /* bytes */
static bool of_device;  /* that device memory may be */

static bool has_room(const struct cap *c)
{
    return c->rights != 0 && (of_device || !c->object->device) &&
           c->word + wanted <= 1ull << c->object->log2;
}

static void retype_args(uint64_t *x)
{
    static const uint8_t make[][2] = {{TYPE_UNTYPED, 12},
                                      {TYPE_UNTYPED, 14},
                                      {TYPE_UNTYPED, 16},
                                      {TYPE_CNODE, 8},
                                      {TYPE_CNODE, 9},
                                      {TYPE_CNODE, 7},
                                      {TYPE_FRAME, 12},
                                      {TYPE_FRAME, 12},
                                      {TYPE_FRAME, 12},
                                      {TYPE_ENDPOINT, 6},
                                      {TYPE_ENDPOINT, 6},
                                      {TYPE_SCHED_CONTEXT, 6},
                                      {TYPE_RANGE, 21},
                                      {TYPE_RANGE, 22},
                                      {TYPE_DISPATCHER, 14},
                                      {TYPE_DOMAIN, 14},
                                      {TYPE_DOMAIN, 15},
                                      {TYPE_FRAME, 16},
                                      {TYPE_FRAME, HUGE_FRAME_LOG2},
                                      {TYPE_CNODE, 8},
                                      {TYPE_FRAME, 12},
                                      {TYPE_ENDPOINT, 6},
                                      {TYPE_FRAME, 12},
                                      {TYPE_FRAME, HUGE_FRAME_LOG2}};
    const uint8_t *m = make[pick(sizeof(make) / 2)];
    uint64_t bytes = 1ull << m[1];
    struct cap *c;
    wanted = bytes;
    bool huge = m[1] == HUGE_FRAME_LOG2 && m[0] == TYPE_FRAME;
    of_device = huge || chance(m[0] == TYPE_FRAME ? 6 : 32);
    x[0] = good_slot(m[0] == TYPE_RANGE ? TYPE_RANGE : TYPE_UNTYPED,
                     chance(24) ? NULL : has_room, &c);
    x[1] = empty_slot();
    x[2] = chance(64) ? pick(TYPE_COUNT + 1) : m[0];
    x[3] = chance(64) ? pick(64) : m[1];
    x[4] = chance(6) ? pick(6) : 1;
    x[5] = 0;
    if (chance(6)) {
        uint64_t from = c == NULL ? 0 : (c->word + bytes - 1) & ~(bytes - 1);
        x[5] = chance(8) ? pick(1u << 18) : from + pick(3) * bytes;
    }
    x[6] = pick(chance(8) ? 9 : 5);
}

static bool is_unused(const struct cap *frame)
{
    return is_huge(frame) && frame->children == 0;
}

static void create_args(uint64_t *x)
{
    struct cap *range, *memory;
    wanted = PAGE_BYTES;
    of_device = chance(32);
    x[0] = empty_slot();
    x[1] = good_slot(TYPE_UNTYPED, chance(24) ? NULL : has_room, &memory);
    x[2] = slot_of(TYPE_RANGE, &range);
    x[3] = model_va(pick(MODEL_WINDOW));
    if (range != NULL && !chance(16)) {
        uint32_t n = 1u << (range->object->log2 - STRETCH_LOG2);
        x[3] = range->object->at + pick(n) * STRETCH_BYTES;
    }
    if (chance(3)) {
        x[1] = good_slot(TYPE_FRAME, chance(24) ? NULL : is_unused, &memory);
        x[4] = some_rights();
    }
    x[4] = chance(32) ? 1 : x[4];
}

static struct object *target; /* a domain */

static bool is_attached(const struct cap *stretch)
{
    return model_attached(target, stretch->word) != 0;
}

static void attach_args(uint32_t nr, uint64_t *x)
{
    struct cap *c;
    bool detach = nr == SYS_STRETCH_DETACH && !chance(24);
    x[1] = some_domain(&target);
    x[0] = good_slot(TYPE_STRETCH, detach ? is_attached : NULL, &c);
    x[2] = some_rights();
}

static bool is_free(const struct cap *frame)
{
    return frame->depth == 0 && frame->word == 0 && !is_huge(frame);
}

static bool is_mapped(const struct cap *frame)
{
    return frame->word != 0 && !is_huge(frame);
}

static void frame_args(uint32_t nr, uint64_t *x)
{
    struct cap *c, *stretch;
    bool map = nr == SYS_FRAME_MAP;
    uint64_t count = chance(3) ? pick(7) : 1;
    count = chance(32) ? 510 + pick(4) : count;
    x[0] = good_slot(TYPE_FRAME,
                     chance(24) ? NULL
                     : map      ? is_free
                                : is_mapped,
                     &c);
    x[1] = nr == SYS_FRAME_UNMAP ? count : some_rights();
    x[2] = count;
    if (map || nr == SYS_FRAME_REMAP) {
        bool big = c != NULL && c->object->log2 != PAGE_LOG2;
        x[1] = slot_of(TYPE_STRETCH, &stretch);
        x[2] = stretch == NULL ? model_va(pick(MODEL_WINDOW)) : stretch->word;
        uint32_t n = chance(2) ? STRETCH_PAGES : 32; /* some crowd */
        x[2] += (big ? 16 * pick(n / 16) : pick(n)) * PAGE_BYTES;
        x[3] = some_rights();
        x[4] = count;
    }
}

static bool is_unbound(const struct cap *c)
{
    return c->object->bound == NULL;
}

static void bind_args(uint32_t nr, uint64_t *x)
{
    struct cap *c;
    bool (*good)(const struct cap *c) = chance(24) ? NULL : is_unbound;
    if (nr == SYS_DOMAIN_SET_CSPACE) {
        x[0] = chance(24) ? CPTR_SELF_DOMAIN : good_slot(TYPE_DOMAIN, good, &c);
        x[1] = good_slot(TYPE_CNODE, good, &c);
    } else {
        x[0] = good_slot(TYPE_ENDPOINT, good, &c);
        x[1] = chance(4) ? CPTR_SELF_DISPATCHER : slot_with(TYPE_DISPATCHER);
    }
}

static bool is_unplaced(const struct cap *c)
{
    return !c->object->placed;
}

static bool is_vacant(const struct cap *c)
{
    return c->object->dispatcher == NULL;
}

static void place_args(uint64_t *x)
{
    struct cap *c;
    x[0] = good_slot(TYPE_DISPATCHER, chance(24) ? NULL : is_unplaced, &c);
    x[1] = good_slot(TYPE_DOMAIN, chance(24) ? NULL : is_vacant, &c);
    x[2] = slot_with(TYPE_CPU);
    x[3] = slot_of(TYPE_STRETCH, &c);
    x[4] = c == NULL ? model_va(pick(MODEL_WINDOW)) : c->word;
    x[4] += pick(chance(2) ? STRETCH_PAGES : 32) * PAGE_BYTES;
    x[4] |= chance(4) ? STRETCH_BYTES - 4 * PAGE_BYTES : 0; /* at the end */
    x[4] += chance(12) ? pick(2 * PAGE_BYTES) : 0;
}

static void arguments(uint32_t nr, uint64_t *x)
{
    switch (nr) {
    case SYS_UNTYPED_RETYPE:
        retype_args(x);
        break;
    case SYS_STRETCH_CREATE:
        create_args(x);
        break;
    case SYS_STRETCH_ATTACH:
    case SYS_STRETCH_DETACH:
        attach_args(nr, x);
        break;
    case SYS_CAP_ROTATE:
        rotate_args(x);
        break;
    case SYS_FRAME_MAP:
    case SYS_FRAME_REMAP:
    case SYS_FRAME_UNMAP:
    case SYS_FRAME_PROTECT:
        frame_args(nr, x);
        break;
    case SYS_DOMAIN_SET_CSPACE:
    case SYS_ENDPOINT_BIND:
        bind_args(nr, x);
        break;
    case SYS_DISPATCHER_BIND:
        place_args(x);
        break;
    case SYS_EVENT_MINT:
        x[0] = empty_slot();
        x[1] = slot_with(TYPE_DISPATCHER);
        x[2] = pick(chance(8) ? 100 : 64);
        break;
    default:
        cap_args(nr, x);
        break;
    }
}

/* ---- which --------------------------------------------------------------- */

enum { GROW, LIVE, SHRINK, MOODS };

static uint32_t which(void)
{
    static const struct {
        uint8_t nr, weight[MOODS];
    } table[] = {
        {SYS_CAP_ROTATE, {2, 3, 2}},        {SYS_FRAME_REMAP, {4, 5, 3}},
        {SYS_CAP_COPY, {13, 8, 5}},         {SYS_CAP_MOVE, {4, 6, 4}},
        {SYS_CAP_DELETE, {2, 10, 30}},      {SYS_CAP_REVOKE, {1, 3, 8}},
        {SYS_CAP_IDENTIFY, {4, 2, 3}},      {SYS_UNTYPED_RETYPE, {30, 16, 6}},
        {SYS_STRETCH_CREATE, {7, 4, 2}},    {SYS_STRETCH_ATTACH, {7, 8, 4}},
        {SYS_STRETCH_DETACH, {2, 4, 8}},    {SYS_FRAME_MAP, {12, 13, 6}},
        {SYS_FRAME_UNMAP, {1, 4, 8}},       {SYS_FRAME_PROTECT, {3, 6, 4}},
        {SYS_DOMAIN_SET_CSPACE, {2, 2, 2}}, {SYS_ENDPOINT_BIND, {2, 2, 2}},
        {SYS_DISPATCHER_BIND, {2, 2, 1}},   {SYS_EVENT_MINT, {1, 1, 1}}};
    static const uint16_t length[MOODS] = {256, 1024, 64};
    if (mood_left-- == 0) {
        mood = pick(MOODS);
        mood_left = length[mood];
    }
    uint32_t now = model.caps > MANY ? SHRINK : mood;
    uint32_t left = pick(100);
    for (uint32_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (left < table[i].weight[now]) {
            return table[i].nr;
        }
        left -= table[i].weight[now];
    }
    return chance(8) ? SYS_COUNT + pick(0x4000 - SYS_COUNT) : SYS_NULL;
}

static uint64_t nonsense(void)
{
    static const uint64_t odd[] = {0,
                                   ~0ull,
                                   1ull << 31,
                                   1ull << 32,
                                   1ull << 63,
                                   CPTR_SELF_CNODE,
                                   CPTR_SELF_DOMAIN,
                                   CPTR_SELF_DISPATCHER,
                                   MODEL_VA,
                                   MODEL_VA + 0x800,
                                   CPTR(CPTR_SELF_CNODE, 1ull << 30),
                                   0x3f000000};
    uint32_t i = pick(16);
    if (i < sizeof(odd) / sizeof(odd[0])) {
        return odd[i];
    }
    return i & 1 ? any_slot() : CPTR(any_slot(), pick(80));
}

/* The machine stands on some capabilities of root: they stay where they are. */
static bool is_protected(uint64_t cptr)
{
    struct where p;
    struct cap *c;
    return cap_at(cptr, &p, &c) == ERR_OK && p.node == machine.root_node &&
           p.index < PROTECTED;
}

void choose(struct operation *op)
{
    *op = (struct operation){.patience = ~0u};
    for (uint32_t i = 0; i < 3; i++) {
        op->who = chance(6) ? 1 + pick(DOMAINS - 1) : 0;
        machine_become(op->who);
        hopeless = false;
        op->nr = which();
        arguments(op->nr, op->x);
        if (!hopeless || chance(8)) {
            break;
        }
        bool memory = op->nr == SYS_UNTYPED_RETYPE;
        if (memory && chance(12)) {
            op->nr = SYS_CAP_REVOKE; /* take back what is scattered */
            op->x[0] =
                slot_with(op->x[2] == TYPE_RANGE ? TYPE_RANGE : TYPE_UNTYPED);
            break;
        }
    }
    if (chance(10)) {
        op->x[pick(5)] = nonsense();
    }
    bool moves = op->nr == SYS_CAP_MOVE || op->nr == SYS_CAP_ROTATE;
    if ((op->nr == SYS_CAP_DELETE && is_protected(op->x[0])) ||
        (moves && is_protected(op->x[1])) ||
        (op->nr == SYS_CAP_ROTATE && is_protected(op->x[2]))) {
        op->nr = SYS_CAP_IDENTIFY;
    }
    machine.interrupts = 0;
    if (op->nr == SYS_UNTYPED_RETYPE && chance(8)) {
        machine.interrupts = next();
        op->patience = chance(2) ? pick(4) : ~0u;
    } else if (is_row(op->nr) && chance(8)) {
        machine.interrupts = next();
    }
}
