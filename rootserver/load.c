/* SPDX-License-Identifier: BSL-1.0
 *
 * The loader: an ELF file becomes a domain. Each program gets addresses of its
 * own. While it is filled, the image is attached to the root server read-write;
 * then code becomes executable, the root server lets go, and the domain is
 * attached: code and constants RX, data RW (W^X for slots and for pages).
 *
 *   block:  | code slots | ... | data slot: data, bss | guard | stack | guard |
 *           stack of upcalls, start_info, strings | dispatcher pages | heap
 *           ... | rest: the domain's
 */
#include "image.h"

#include <errno.h>
#include <string.h>

#include "symbols.h"

#define RW (RIGHT_READ | RIGHT_WRITE)
#define RX (RIGHT_READ | RIGHT_EXEC)

struct loading {
    const struct load_request *r;
    struct domain *d, *text; /* whose is the code: d, or an image's */
    struct image *image;     /* NULL: the program is not kept */
    bool again;              /* the image is there already */
    struct layout at;
    struct symbols_source symbols;
    uint64_t stretches; /* a bit for each slot that has its stretch */
    uint64_t mapped;    /* of segments and symbols, ascending: up to here */
    uint64_t relocated; /* where the last word lies that was changed */
    /* Pages that are made, from next_frame on: of d, and of an image. */
    uint32_t ahead, text_ahead;
    /* Frames of each segment, and of what is behind the code. */
    struct part {
        uint32_t first, count;
    } part[ELF_SEGMENTS_MAX + 1];
};

static void complain(const struct load_request *r, const char *why,
                     uint64_t where)
{
    say("loader: %s: %s %llu", r->name, why, (unsigned long long)where);
}

/* ---- memory ------------------------------------------------------------ */

/* Whose the memory there is. */
static struct domain *home(const struct loading *l, uint64_t offset)
{
    return offset < layout_code_bound(&l->at) ? l->text : l->d;
}

static cptr_t stretch_of(const struct loading *l, uint64_t offset)
{
    return domain_object(home(l, offset),
                         OBJECT_STRETCH + (uint32_t)(offset / STRETCH_BYTES));
}

/* Make the stretch of a slot of the image, and attach it here for filling. */
static int need_stretch(struct loading *l, uint64_t offset)
{
    uint64_t va = l->at.base + offset / STRETCH_BYTES * STRETCH_BYTES;
    uint32_t slot = (uint32_t)(offset / STRETCH_BYTES);
    if (l->stretches >> slot & 1) {
        return 0;
    }
    int e = domain_stretch(home(l, offset), OBJECT_STRETCH + slot, va);
    if (e == 0 && sys_stretch_attach(stretch_of(l, offset), CPTR_SELF_DOMAIN,
                                     RW) != ERR_OK) {
        e = EIO;
    }
    l->stretches |= 1ull << slot;
    return e;
}

/* Zeroed frames of one size for [at, end) of one slot of the image. */
static int map_part(struct loading *l, uint64_t at, uint64_t end, uint32_t log2)
{
    struct domain *d = home(l, at);
    uint32_t *ahead = d == l->d ? &l->ahead : &l->text_ahead;
    uint32_t n = (uint32_t)((end - at) >> log2), f = d->next_frame;
    if (n > d->frames_end - f) {
        return ENOMEM;
    }
    int e = need_stretch(l, at);
    if (log2 == PAGE_LOG2 && n <= *ahead) {
        *ahead -= n;
    } else if (e == 0) {
        e = domain_make(d, domain_object(d, f), TYPE_FRAME, log2, n, 0);
    }
    if (e == 0) {
        d->next_frame += n;
        e = frames_map(domain_object(d, f), stretch_of(l, at), l->at.base + at,
                       RW, n) == ERR_OK
                ? 0
                : EIO;
    }
    return e;
}

/* Zeroed memory for [from, to) of the image. */
static int map(struct loading *l, uint64_t from, uint64_t to)
{
    int e = 0;
    uint64_t at = from - from % PAGE_BYTES, end = up(to, PAGE_BYTES);
    while (e == 0 && at < end) {
        uint32_t log2;
        uint64_t part = layout_part_end(at, end, &log2);
        e = map_part(l, at, part, log2);
        at = part;
    }
    return e;
}

/* The same for one segment after the other, which may share a page. */
static int map_next(struct loading *l, uint64_t from, uint64_t to,
                    struct part *part)
{
    const struct domain *d = home(l, from);
    part->first = d->next_frame;
    int e = map(l, from > l->mapped ? from : l->mapped, to);
    part->count = d->next_frame - part->first;
    l->mapped = up(to, PAGE_BYTES);
    return e;
}

/* ---- content ----------------------------------------------------------- */

static uint8_t *address(const struct loading *l, uint64_t offset)
{
    return (uint8_t *)(uintptr_t)(l->at.base + offset);
}

static uint8_t *target(void *context, uint64_t offset)
{
    struct loading *l = context;
    l->relocated = offset > l->relocated ? offset : l->relocated;
    return address(l, offset);
}

static const struct elf_segment *data_of(const struct loading *l)
{
    return &l->at.plan.segments[l->at.plan.segment_count - 1];
}

/* Symbols, and the data before the program changes it. */
static int fill_behind(struct loading *l)
{
    const struct elf_segment *data = data_of(l);
    uint64_t from = layout_fixed_end(&l->at.plan);
    int e = 0;
    if (l->at.code_end > from) {
        l->mapped = from;
        e = map_next(l, from, l->at.code_end,
                     &l->part[l->at.plan.segment_count]);
    }
    if (e == 0 && l->at.symbols_at != 0) {
        symbols_copy(&l->symbols, (void *)address(l, l->at.symbols_at));
    }
    if (e == 0 && l->at.data_at != 0) {
        memcpy(address(l, l->at.data_at), address(l, data->vaddr),
               data->file_bytes);
    }
    return e;
}

static int fill(struct loading *l)
{
    const uint8_t *file = l->r->file;
    for (uint32_t i = 0; i < l->at.plan.segment_count; i++) {
        const struct elf_segment *s = &l->at.plan.segments[i];
        int e = map_next(l, s->vaddr, s->vaddr + s->memory_bytes, &l->part[i]);
        if (e != 0) {
            return e;
        }
        memcpy(address(l, s->vaddr), file + s->file_offset, s->file_bytes);
    }
    struct elf_target to = {l->at.base, target, l};
    struct elf_fault fault;
    if (elf_relocate(file, l->r->file_bytes, &l->at.plan, &to, &fault) != 0) {
        complain(l->r, fault.reason, fault.where);
        return ENOEXEC;
    }
    return fill_behind(l);
}

/* All but the data is there already. */
static int fill_again(struct loading *l)
{
    const struct elf_segment *data = data_of(l);
    cptr_t code = stretch_of(l, l->at.data_at);
    int e = map(l, data->vaddr, data->vaddr + data->memory_bytes);
    if (e == 0 &&
        sys_stretch_attach(code, CPTR_SELF_DOMAIN, RIGHT_READ) != ERR_OK) {
        e = EIO;
    }
    if (e == 0) {
        memcpy(address(l, data->vaddr), address(l, l->at.data_at),
               data->file_bytes);
        (void)sys_stretch_detach(code, CPTR_SELF_DOMAIN);
    }
    return e;
}

static void fill_info(struct loading *l)
{
    const struct load_request *r = l->r;
    struct start_info *s = (void *)address(l, l->at.info);
    s->magic = START_MAGIC;
    s->abi_version = ABI_VERSION;
    s->id = l->d->id;
    s->parent_id = r->parent;
    s->image = l->at.base;
    s->image_bytes = l->at.plan.span_bytes;
    s->dispatcher = l->at.base + l->at.pages;
    s->range_base = l->at.base + (uint64_t)l->at.slots * STRETCH_BYTES;
    s->range_bytes =
        (1ull << BLOCK_LOG2) - (l->at.slots + 1ull) * STRETCH_BYTES;
    s->heap = l->at.base + l->at.heap;
    s->heap_end = l->at.base + l->at.data_slot + STRETCH_BYTES;
    s->stack = l->at.base + l->at.stack;
    s->stack_bytes = l->r->stack_bytes;
    s->symbols = l->at.symbols_at != 0 ? l->at.base + l->at.symbols_at : 0;
    l->d->symbols = s->symbols;
    s->wall_epoch_ns = wall_epoch_ns;
    s->stolen = stolen_lend(l->d);
    s->slot_count = l->d->slots;
    s->argc = r->argc;
    s->envc = r->envc;
    s->fd_count = r->fd_count;
    memcpy(s->fd, r->fd, sizeof(s->fd));
    s->strings = sizeof(*s);
    s->strings_bytes = r->strings_bytes;
    memcpy(s + 1, r->strings, r->strings_bytes);
    (void)strlcpy(s->name, l->d->name, sizeof(s->name));
    (void)strlcpy(s->cwd, r->cwd, sizeof(s->cwd));
}

/* ---- hand over --------------------------------------------------------- */

/* Code and constants get their rights, and what is behind them. */
static int protect(const struct loading *l)
{
    for (uint32_t i = 0; i <= l->at.plan.segment_count; i++) {
        const struct part *p = &l->part[i];
        uint32_t rights = i < l->at.plan.segment_count
                              ? l->at.plan.segments[i].rights
                              : ELF_READ;
        if (p->count > 0 && !(rights & ELF_WRITE) &&
            frames_protect(domain_object(l->text, p->first),
                           rights & ELF_EXECUTE ? RX : RIGHT_READ,
                           p->count) != ERR_OK) {
            return EIO;
        }
    }
    return 0;
}

static int attach(struct loading *l)
{
    cptr_t domain = domain_object(l->d, OBJECT_DOMAIN);
    for (uint32_t i = 0; i < l->at.slots; i++) {
        uint64_t offset = i * STRETCH_BYTES;
        bool code = offset < l->at.code_end;
        cptr_t stretch = stretch_of(l, offset);
        if (l->stretches >> i & 1) {
            (void)sys_stretch_detach(stretch, CPTR_SELF_DOMAIN);
        } else if (!code || !l->again) {
            continue;
        }
        if (sys_stretch_attach(stretch, domain, code ? RX : RW) != ERR_OK) {
            return EIO;
        }
    }
    return 0;
}

static int bind(struct loading *l)
{
    cptr_t dispatcher = domain_object(l->d, OBJECT_DISPATCHER);
    cptr_t stretch = stretch_of(l, l->at.data_slot);
    if (sys_dispatcher_bind(dispatcher, domain_object(l->d, OBJECT_DOMAIN),
                            memory_slot_cpu(), stretch,
                            l->at.base + l->at.pages) ||
        sys_cap_copy(CPTR(l->d->cnode, SLOT_DATA), stretch, RIGHTS_ALL, 0, 0) ||
        sys_cap_copy(CPTR(l->d->cnode, SLOT_ROOT), SLOT_ROOT_ENDPOINT,
                     RIGHT_CALL, l->d->id, 0)) {
        return EIO;
    }
    return 0;
}

static int start(struct loading *l)
{
    return sys_dispatcher_start(domain_object(l->d, OBJECT_DISPATCHER),
                                l->at.base + l->at.plan.entry,
                                l->at.base + l->at.stack + l->r->stack_bytes,
                                l->at.base + l->at.info) == ERR_OK
               ? 0
               : EIO;
}

/* Stack, start_info and data, or all if the code is not there yet. */
static int build_memory(struct loading *l)
{
    /* libos maps what is below */
    uint64_t top = l->at.stack + l->r->stack_bytes;
    int e = domain_make(l->d, domain_object(l->d, l->d->next_frame), TYPE_FRAME,
                        PAGE_LOG2, l->ahead, 0);
    if (e == 0 && l->text_ahead > 0) {
        e = domain_make(l->text, domain_object(l->text, l->text->next_frame),
                        TYPE_FRAME, PAGE_LOG2, l->text_ahead, 0);
    }
    if (e == 0) {
        e = map(l, top - START_STACK_BYTES, top);
    }
    if (e == 0) {
        e = map(l, l->at.info - START_UPCALL_BYTES,
                l->at.info + layout_info_bytes(l->r));
    }
    if (e == 0) {
        e = l->again ? fill_again(l) : fill(l);
    }
    return e;
}

static int build(struct loading *l)
{
    int e = build_memory(l);
    if (e != 0) {
        return e;
    }
    fill_info(l);
    e = l->again ? 0 : protect(l);
    if (e == 0 && l->r->manifest >= 0) {
        e = system_devices(l->d, l->r->manifest,
                           (void *)address(l, l->at.info));
    }
    if (e == 0) {
        e = bind(l);
    }
    if (e == 0) {
        e = attach(l);
    }
    return e == 0 ? start(l) : e;
}

static struct loading l; /* one at a time: the root server has one thread */

void load_abort(void)
{
    if (l.d != NULL) {
        struct domain *d = l.d;
        l.d = NULL;
        domain_unload(d);
    } else if (l.image != NULL) {
        l.image->good = false;
        image_end(l.image);
    }
    l.image = NULL;
}

/* Where everything goes: as it is kept, or as the file says. */
static int plan(const struct load_request *r)
{
    struct elf_fault fault;
    l.image = r->key != 0 ? image_find(r->owner, r->key) : NULL;
    if (l.image != NULL) {
        l.at = l.image->at;
        l.again = true;
    } else if (r->file == NULL) {
        return ESTALE;
    } else if (elf_plan(r->file, r->file_bytes, &l.at.plan, &fault) != 0) {
        complain(r, fault.reason, fault.where);
        return ENOEXEC;
    } else if (lay_out(&l.at, r, &l.symbols) != 0) {
        complain(r, "needs too many addresses, up to",
                 layout_data_end(&l.at.plan));
        return ENOMEM;
    } else if (l.at.data_at != 0) {
        l.image = image_make(r->owner, r->key);
    }
    return r->strings_bytes > LAYOUT_INFO_BYTES - sizeof(struct start_info)
               ? E2BIG
               : 0;
}

/* The domain, and room for all that it is to have. */
static int create(const struct load_request *r)
{
    struct layout_sizes sizes = layout_measure(&l.at, r, l.image != NULL);
    uint64_t own = sizes.own.bytes + sizes.own.whole;
    uint64_t bytes = own + sizes.text.bytes + sizes.text.whole;
    if (bytes > r->quota || (l.again ? own : bytes) > memory_free_bytes()) {
        complain(r, "asks for too much memory, in KiB:", bytes >> 10);
        return ENOMEM;
    }
    struct image *image = l.image;
    if (image != NULL && !l.again) {
        int e = domain_create_text(&image->text, r->quota, &sizes.text);
        if (e != 0) {
            return e;
        }
        l.text_ahead = sizes.text.ahead;
    }
    int e = domain_create(&l.d, r, &sizes.own, image);
    if (e != 0) {
        l.image = NULL;
        return e;
    }
    l.text = image != NULL ? &image->text : l.d;
    l.ahead = sizes.own.ahead;
    l.at.base = l.d->block_address;
    l.d->pages = (uint32_t)l.at.pages;
    schedule_add(l.d, &r->params);
    return 0;
}

/* Data that the file does not have, and relocation made, is not kept. */
static int keep(struct domain *d, struct image *image)
{
    uint64_t end = data_of(&l)->vaddr + data_of(&l)->file_bytes;
    image->good = l.again || l.relocated + sizeof(uint64_t) <= end;
    if (!l.again) {
        image->at = l.at;
    }
    d->memory_bytes += image->text.memory_bytes;
    return d->memory_bytes > d->quota ? ENOMEM : 0;
}

static int load_once(const struct load_request *r)
{
    memset(&l, 0, sizeof(l));
    l.r = r;
    int e = plan(r);
    if (e == 0) {
        e = create(r);
    }
    if (e == 0) {
        e = build(&l);
    }
    if (e == 0 && l.image != NULL) {
        e = keep(l.d, l.image);
    }
    if (e != 0) {
        load_abort();
    }
    return e;
}

int load(const struct load_request *r, struct domain **out)
{
    int e = load_once(r);
    if (e == EIO && l.again) { /* the kept one could not be used; it is gone */
        e = load_once(r);
    }
    if (e != 0) {
        return e;
    }
    l.d->unmade = 0;
    l.d->optimistic = r->optimistic;
    l.d->parent = r->parent;
    l.d->manifest = r->manifest;
    l.d->origin = r->manifest >= 0 ? r->manifest : r->origin;
    say_debug("loader: %s [%u] at 0x%llx, %llu KiB", l.d->name, l.d->id,
              (unsigned long long)l.at.base,
              (unsigned long long)l.d->memory_bytes >> 10);
    *out = l.d;
    l.d = NULL;
    l.image = NULL;
    return 0;
}
