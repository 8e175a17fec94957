/* SPDX-License-Identifier: BSL-1.0
 *
 * The model's memory: intervals of untyped memory, stretches, attachments,
 * mappings; see model.h.
 */
#include "model.h"

#include <string.h>

static struct stretch {
    struct object *object; /* NULL: no stretch in this slot */
    struct page page[STRETCH_PAGES];
} window[MODEL_WINDOW];

void memory_boot(void)
{
    memset(window, 0, sizeof(window));
}

uint64_t model_va(uint32_t slot)
{
    return MODEL_VA + ((uint64_t)(slot / MODEL_EACH) << 30) +
           slot % MODEL_EACH * STRETCH_BYTES;
}

/* The slot of the window that holds an address that a stretch can have. */
static uint32_t slot_of_va(uint64_t va)
{
    uint64_t gib = (va - MODEL_VA) >> 30, i = (va >> STRETCH_LOG2) & 511;
    return (uint32_t)(gib * MODEL_EACH + i) % MODEL_WINDOW;
}

static struct stretch *stretch_at(uint64_t va)
{
    return &window[slot_of_va(va)];
}

static struct page *page_at(uint64_t va)
{
    return &stretch_at(va)->page[va / PAGE_BYTES % STRETCH_PAGES];
}

/* ---- retype ------------------------------------------------------------ */

static bool size_is_right(uint64_t type, uint64_t log2)
{
    switch (type) {
    case TYPE_UNTYPED:
        return log2 >= PAGE_LOG2 && log2 <= 30;
    case TYPE_CNODE:
        return log2 >= SLOT_LOG2 + 2 && log2 <= 24;
    case TYPE_FRAME:
        return log2 == PAGE_LOG2 || log2 == BIG_FRAME_LOG2 ||
               log2 == HUGE_FRAME_LOG2;
    case TYPE_DOMAIN:
        return log2 >= DOMAIN_LOG2_MIN && log2 <= DOMAIN_LOG2_MAX;
    case TYPE_DISPATCHER:
        return log2 == DISPATCHER_LOG2;
    case TYPE_ENDPOINT:
        return log2 == ENDPOINT_LOG2;
    case TYPE_SCHED_CONTEXT:
        return log2 == SCHED_CONTEXT_LOG2;
    default: /* TYPE_RANGE */
        return log2 >= STRETCH_LOG2;
    }
}

static bool can_be_made(const struct object *from, uint64_t type)
{
    static const uint32_t from_memory =
        1u << TYPE_UNTYPED | 1u << TYPE_CNODE | 1u << TYPE_FRAME |
        1u << TYPE_DOMAIN | 1u << TYPE_DISPATCHER | 1u << TYPE_ENDPOINT |
        1u << TYPE_SCHED_CONTEXT;
    return from->type == TYPE_RANGE ? type == TYPE_RANGE
                                    : (from_memory >> type & 1) != 0;
}

/* What is made: x[2] the type, x[3] log2 of the size, x[4] how many, x[5] from
 * where, x[6] the rank. */
static enum abi_error check_kind(const struct object *from, const uint64_t *x)
{
    uint64_t unit = from->type == TYPE_RANGE ? PAGE_LOG2 : SLOT_LOG2;
    bool device_ok = x[2] == TYPE_UNTYPED || x[2] == TYPE_FRAME;
    bool range = x[2] == TYPE_RANGE, known = x[2] < TYPE_COUNT;
    REFUSE_IF(!known || range != (from->type == TYPE_RANGE), ERR_TYPE);
    REFUSE_IF(x[3] < unit || x[3] > USER_VA_LOG2 || x[4] == 0 || x[4] > 256,
              ERR_RANGE);
    REFUSE_IF(from->device && !device_ok, ERR_DEVICE);
    REFUSE_IF(!can_be_made(from, x[2]), ERR_TYPE);
    REFUSE_IF(!size_is_right(x[2], x[3]), ERR_RANGE);
    REFUSE_IF(x[2] == TYPE_CNODE && x[6] > 6, ERR_RANK);
    return x[5] % (1ull << x[3]) != 0 ? ERR_ALIGN : ERR_OK;
}

static enum abi_error check_places(const uint64_t *x, struct where *first)
{
    for (uint64_t i = 0; i < x[4]; i++) {
        struct where p;
        struct cap *there;
        bool in_other = x[1] >> 32 != 0;
        enum abi_error e = cap_at(x[1] + (in_other ? i << 32 : i), &p, &there);
        if (e != ERR_OK || there != NULL) {
            return e != ERR_OK ? e : ERR_FULL;
        }
        if (i == 0) {
            *first = p;
        }
    }
    bool fits = x[2] != TYPE_CNODE || x[6] < first->node->rank;
    return fits ? ERR_OK : ERR_RANK;
}

static enum abi_error find_room(const struct cap *c, const uint64_t *x,
                                uint64_t *start)
{
    uint64_t bytes = 1ull << x[3], whole = 1ull << c->object->log2;
    uint64_t used = c->children == 0 ? 0 : c->word;
    uint64_t low = (used + bytes - 1) / bytes * bytes;
    *start = x[5] == 0 ? low : x[5];
    REFUSE_IF(*start < low, ERR_RANGE);
    bool fits = *start <= whole && bytes * x[4] <= whole - *start;
    return fits ? ERR_OK : ERR_NOMEM;
}

static void make(struct cap *source, const uint64_t *x, struct where to,
                 uint64_t start)
{
    for (uint64_t i = 0; i < x[4]; i++, to.index++) {
        struct object *o =
            model_object((uint32_t)x[2], source->object->at + start,
                         (uint32_t)x[3]);
        o->device = source->object->device;
        o->rank = x[2] == TYPE_CNODE ? (uint8_t)x[6] : 0;
        cap_set_parent(cap_put(to, o->type, o), source);
        start += 1ull << x[3];
    }
    source->word = start;
}

static enum abi_error find_source(uint64_t cptr, struct cap **out)
{
    struct where p;
    CHECK_BY(cap_at(cptr, &p, out));
    REFUSE_IF(*out == NULL, ERR_EMPTY);
    REFUSE_IF((*out)->type != TYPE_UNTYPED && (*out)->type != TYPE_RANGE,
              ERR_TYPE);
    return (*out)->rights & RIGHT_MANAGE ? ERR_OK : ERR_RIGHTS;
}

static enum abi_error do_retype(const uint64_t *x)
{
    struct cap *source;
    struct where to = {0};
    uint64_t start;
    CHECK_BY(find_source(x[0], &source));
    CHECK_BY(check_kind(source->object, x));
    CHECK_BY(check_places(x, &to));
    CHECK_BY(find_room(source, x, &start));
    make(source, x, to, start);
    return ERR_OK;
}

void model_retype_nothing(const uint64_t *x)
{
    struct cap *source;
    if (find_source(x[0], &source) == ERR_OK && source->children == 0) {
        source->word = 0;
    }
}

/* ---- stretches --------------------------------------------------------- */

static enum abi_error check_rights(uint64_t r)
{
    REFUSE_IF(r == (RIGHT_READ | RIGHT_WRITE | RIGHT_EXEC), ERR_WX);
    bool good = r == RIGHT_READ || r == (RIGHT_READ | RIGHT_WRITE) ||
                r == (RIGHT_READ | RIGHT_EXEC);
    return good ? ERR_OK : ERR_RANGE;
}

/* Memory for a table, or a huge frame that gets these rights. */
static enum abi_error check_source(uint64_t rights, const struct cap *c)
{
    REFUSE_IF(c == NULL, ERR_EMPTY);
    if (!is_huge(c)) {
        REFUSE_IF(c->type != TYPE_UNTYPED, ERR_TYPE);
        REFUSE_IF(!(c->rights & RIGHT_MANAGE), ERR_RIGHTS);
        REFUSE_IF(c->object->device, ERR_DEVICE);
        return rights != 0 ? ERR_RANGE : ERR_OK;
    }
    CHECK_BY(check_rights(rights));
    REFUSE_IF((rights & ~(uint64_t)c->rights) != 0, ERR_RIGHTS);
    REFUSE_IF(rights & RIGHT_EXEC, ERR_RANGE);
    return c->children != 0 ? ERR_STATE : ERR_OK;
}

static enum abi_error check_address(uint64_t va, const struct object *range)
{
    REFUSE_IF(va % STRETCH_BYTES != 0, ERR_ALIGN);
    REFUSE_IF(va < range->at || va >= range->at + (1ull << range->log2),
              ERR_RANGE);
    return stretch_at(va)->object != NULL ? ERR_BUSY : ERR_OK;
}

static enum abi_error do_create(const uint64_t *x)
{
    struct where to, from;
    struct cap *there, *source, *range;
    uint64_t start = 0, table[8] = {x[1], x[0], TYPE_FRAME, PAGE_LOG2, 1};
    CHECK_BY(cap_at(x[0], &to, &there));
    CHECK_BY(cap_at(x[1], &from, &source));
    CHECK_BY(check_source(x[4], source));
    CHECK_BY(cap_find(x[2], TYPE_RANGE, RIGHT_MANAGE, &range));
    REFUSE_IF(there != NULL, ERR_FULL);
    CHECK_BY(check_address(x[3], range->object));
    bool huge = is_huge(source);
    if (!huge) {
        CHECK_BY(find_room(source, table, &start));
    }
    table[2] = TYPE_STRETCH;
    table[3] = huge ? HUGE_FRAME_LOG2 : PAGE_LOG2;
    make(source, table, to, start);
    struct cap *c = model_slot(to.node, to.index);
    if (huge) {
        source->word = x[3];
        c->rights = (uint8_t)x[4] | RIGHT_ATTACH;
    }
    c->object->huge = huge;
    c->word = x[3];
    stretch_at(x[3])->object = c->object;
    return ERR_OK;
}

void memory_destroy(struct object *stretch)
{
    for (uint32_t i = 0; i < MODEL_WINDOW; i++) {
        if (window[i].object != stretch) {
            continue;
        }
        for (uint32_t k = 0; k < model.count[TYPE_DOMAIN]; k++) {
            model.of_type[TYPE_DOMAIN][k]->object->attached[i] = 0;
        }
        window[i] = (struct stretch){0};
    }
}

/* A domain has room for attachments in so many different GiB. */
static bool has_table(const struct object *domain, uint32_t slot)
{
    uint32_t used = 0, most = (1u << (domain->log2 - PAGE_LOG2)) - 2;
    for (uint32_t gib = 0; gib < MODEL_GIBS; gib++) {
        static const uint8_t none[MODEL_EACH];
        const uint8_t *a = domain->attached + gib * MODEL_EACH;
        bool some = memcmp(a, none, MODEL_EACH) != 0;
        if (some && gib == slot / MODEL_EACH) {
            return true;
        }
        used += some;
    }
    return used < most;
}

static enum abi_error do_attach(const uint64_t *x)
{
    struct cap *c;
    struct object *domain;
    CHECK_BY(check_rights(x[2]));
    CHECK_BY(cap_find(x[0], TYPE_STRETCH, RIGHT_ATTACH | x[2], &c));
    CHECK_BY(object_find(x[1], TYPE_DOMAIN, RIGHT_ATTACH, &domain));
    REFUSE_IF(!has_table(domain, slot_of_va(c->word)), ERR_NOTABLE);
    domain->attached[slot_of_va(c->word)] = (uint8_t)x[2];
    return ERR_OK;
}

static enum abi_error do_detach(const uint64_t *x)
{
    struct cap *c;
    struct object *domain;
    CHECK_BY(cap_find(x[0], TYPE_STRETCH, RIGHT_ATTACH, &c));
    CHECK_BY(object_find(x[1], TYPE_DOMAIN, RIGHT_ATTACH, &domain));
    REFUSE_IF(domain->attached[slot_of_va(c->word)] == 0, ERR_UNMAPPED);
    domain->attached[slot_of_va(c->word)] = 0;
    return ERR_OK;
}

/* ---- frames ------------------------------------------------------------ */

static bool is_mapped(const struct cap *frame)
{
    return frame->word != 0 && page_at(frame->word)->frame == frame;
}

static void set_pages(const struct cap *frame, uint64_t rights)
{
    uint32_t n = 1u << (frame->object->log2 - PAGE_LOG2);
    for (uint32_t i = 0; i < n; i++) {
        *page_at(frame->word + i * PAGE_BYTES) =
            rights != 0
                ? (struct page){frame, NULL, (uint8_t)rights, (uint8_t)i}
                : (struct page){0};
    }
}

void memory_unmap(struct cap *frame)
{
    if (is_mapped(frame)) {
        set_pages(frame, 0);
    }
    frame->word = 0;
}

/* What is asked for each of a row of frames. */
struct request {
    const struct cap *stretch; /* where it goes; NULL: it stays */
    uint64_t va, rights;       /* rights 0: unmap */
    bool mapped;               /* what it must be before */
};

static bool is_free(const struct cap *stretch, uint64_t va)
{
    return !stretch->object->huge && page_at(va)->rights == 0;
}

static enum abi_error check_place(const struct request *r,
                                  const struct cap *frame)
{
    uint64_t bytes = 1ull << frame->object->log2, low = r->stretch->word;
    REFUSE_IF(r->va % bytes != 0, ERR_ALIGN);
    REFUSE_IF(r->va < low || r->va >= low + STRETCH_BYTES, ERR_RANGE);
    for (uint64_t va = r->va; va < r->va + bytes; va += PAGE_BYTES) {
        bool own = r->mapped && page_at(va)->frame == frame;
        REFUSE_IF(!own && !is_free(r->stretch, va), ERR_BUSY);
    }
    return ERR_OK;
}

static enum abi_error check_frame(const struct request *r,
                                  const struct cap *frame)
{
    REFUSE_IF(frame == NULL, ERR_EMPTY);
    REFUSE_IF(frame->type != TYPE_FRAME, ERR_TYPE);
    REFUSE_IF((r->rights & ~(uint64_t)frame->rights) != 0, ERR_RIGHTS);
    REFUSE_IF(is_huge(frame), ERR_TYPE);
    REFUSE_IF(frame->object->device && (r->rights & RIGHT_EXEC), ERR_DEVICE);
    REFUSE_IF(is_mapped(frame) && !r->mapped, ERR_STATE);
    REFUSE_IF(!is_mapped(frame) && r->mapped, ERR_UNMAPPED);
    REFUSE_IF(r->stretch != NULL && frame->depth != 0, ERR_PERM);
    return r->stretch != NULL ? check_place(r, frame) : ERR_OK;
}

static void change(const struct request *r, struct cap *frame)
{
    if (r->stretch != NULL || r->rights == 0) {
        memory_unmap(frame); /* what was mapped earlier is gone */
    }
    if (r->stretch != NULL) {
        frame->word = r->va;
    }
    if (r->rights != 0) {
        set_pages(frame, r->rights);
    }
}

/* Frames in a row of slots, until one is refused: the first says why, of the
 * others only the number is told. */
static enum abi_error each(struct request r, uint64_t count, uint64_t *x)
{
    struct where p;
    struct cap *frame;
    uint64_t done = 0;
    REFUSE_IF(count == 0 || count > FRAME_RANGE_MAX, ERR_RANGE);
    CHECK_BY(cap_at(x[0], &p, &frame));
    for (; done < count && done < model.most; done++) {
        if (p.index == model_slots(p.node)) {
            break;
        }
        frame = model_slot(p.node, p.index++);
        enum abi_error e = check_frame(&r, frame);
        REFUSE_IF(e != ERR_OK && done == 0, e);
        if (e != ERR_OK) {
            break;
        }
        change(&r, frame);
        r.va += 1ull << frame->object->log2;
    }
    x[1] = done;
    x[2] = r.stretch != NULL ? r.va : x[2];
    return ERR_OK;
}

static enum abi_error do_place(uint64_t *x, bool mapped)
{
    struct cap *stretch;
    CHECK_BY(check_rights(x[3]));
    CHECK_BY(cap_find(x[1], TYPE_STRETCH, x[3], &stretch));
    return each((struct request){stretch, x[2], x[3], mapped}, x[4], x);
}

static enum abi_error do_unmap(uint64_t *x)
{
    return each((struct request){.mapped = true}, x[1], x);
}

static enum abi_error do_protect(uint64_t *x)
{
    CHECK_BY(check_rights(x[1]));
    return each((struct request){.rights = x[1], .mapped = true}, x[2], x);
}

/* ---- the pages of a dispatcher: one read-only, two read-write ------------ */

void memory_unmap_pages(const struct object *dispatcher)
{
    for (uint32_t i = 0; dispatcher->pages != 0 && i < 3; i++) {
        struct page *p = page_at(dispatcher->pages + i * PAGE_BYTES);
        if (p->dispatcher == dispatcher) {
            *p = (struct page){0};
        }
    }
}

void model_place(struct object *dispatcher, struct object *domain)
{
    dispatcher->placed = true;
    dispatcher->bound = domain;
    domain->dispatcher = dispatcher;
}

static enum abi_error do_bind(const uint64_t *x)
{
    struct object *dispatcher, *domain;
    struct cap *cpu, *s;
    CHECK_BY(object_find(x[0], TYPE_DISPATCHER, RIGHT_MANAGE, &dispatcher));
    CHECK_BY(object_find(x[1], TYPE_DOMAIN, RIGHT_MANAGE, &domain));
    CHECK_BY(cap_find(x[2], TYPE_CPU, 0, &cpu));
    CHECK_BY(cap_find(x[3], TYPE_STRETCH, RIGHT_READ | RIGHT_WRITE, &s));
    REFUSE_IF(cpu->object->at != 0, ERR_STATE); /* the others are parked */
    REFUSE_IF(dispatcher->placed, ERR_STATE);
    REFUSE_IF(domain->dispatcher != NULL, ERR_BUSY);
    REFUSE_IF(x[4] % PAGE_BYTES != 0, ERR_ALIGN);
    REFUSE_IF(x[4] < s->word || x[4] > s->word + STRETCH_BYTES - 3 * PAGE_BYTES,
              ERR_RANGE);
    for (uint32_t i = 0; i < 3; i++) {
        REFUSE_IF(!is_free(s, x[4] + i * PAGE_BYTES), ERR_BUSY);
    }
    for (uint8_t i = 0; i < 3; i++) {
        uint8_t rights = i == 0 ? RIGHT_READ : RIGHT_READ | RIGHT_WRITE;
        *page_at(x[4] + i * PAGE_BYTES) =
            (struct page){NULL, dispatcher, rights, (uint8_t)(i + 1)};
    }
    dispatcher->pages = x[4];
    model_place(dispatcher, domain);
    return ERR_OK;
}

uint8_t model_attached(const struct object *domain, uint64_t va)
{
    return domain->attached[slot_of_va(va)];
}

struct access model_access(const struct object *domain, uint64_t va)
{
    const struct object *s = stretch_at(va)->object;
    const struct page *p = page_at(va);
    uint8_t attached = domain->attached[slot_of_va(va)];
    if (s != NULL && s->huge && attached != 0) {
        return (struct access){s->at + va % STRETCH_BYTES, attached, s->device};
    }
    uint8_t both = p->rights & attached;
    if (both == 0) {
        return (struct access){0};
    }
    const struct object *o =
        p->frame != NULL ? p->frame->object : p->dispatcher;
    return (struct access){o->at + p->part * PAGE_BYTES, both, o->device};
}

enum abi_error memory_call(uint32_t nr, uint64_t *x)
{
    switch (nr) {
    case SYS_UNTYPED_RETYPE:
        return do_retype(x);
    case SYS_STRETCH_CREATE:
        return do_create(x);
    case SYS_STRETCH_ATTACH:
        return do_attach(x);
    case SYS_STRETCH_DETACH:
        return do_detach(x);
    case SYS_DISPATCHER_BIND:
        return do_bind(x);
    case SYS_FRAME_MAP:
        return do_place(x, false);
    case SYS_FRAME_REMAP:
        return do_place(x, true);
    case SYS_FRAME_UNMAP:
        return do_unmap(x);
    case SYS_FRAME_PROTECT:
        return do_protect(x);
    default:
        return ERR_NOSYS;
    }
}
