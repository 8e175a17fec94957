/* SPDX-License-Identifier: BSL-1.0
 *
 * The loader: an ELF file becomes a domain. Each program gets addresses of its
 * own. While it is filled, the image is attached to the root server read-write;
 * then code becomes executable, the root server lets go, and the domain is
 * attached: code and constants RX, data RW (W^X for slots and for pages).
 *
 *   block:  | code slots | ... | data slot: data, bss | guard | stack | guard |
 *           start_info, strings | dispatcher pages | heap ... | rest: the
 * domain's
 */
#include "root.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "symbols.h"

#define INFO_BYTES (16ull << 10) /* start_info and its strings */
#define RW         (RIGHT_READ | RIGHT_WRITE)
#define RX         (RIGHT_READ | RIGHT_EXEC)

struct loading {
    const struct load_request *r;
    struct domain *d;
    struct elf_plan plan;
    struct symbols_source symbols;
    uint64_t base;     /* where the image goes */
    uint64_t code_end; /* of code, constants and symbols */
    uint64_t symbols_at;
    uint64_t data_slot; /* address of the last slot with data */
    uint64_t stack, info, pages, heap;
    uint32_t slots;    /* 2 MiB slots of the image */
    uint64_t attached; /* root server: slots that it is attached to */
};

static uint64_t up(uint64_t v, uint64_t to)
{
    return (v + to - 1) & ~(to - 1);
}

static void complain(const struct load_request *r, const char *why,
                     uint64_t where)
{
    say("loader: %s: %s %llu", r->name, why, (unsigned long long)where);
}

/* ---- the layout -------------------------------------------------------- */

static uint64_t writable_end(const struct elf_plan *p)
{
    uint64_t end = 0;
    for (uint32_t i = 0; i < p->segment_count; i++) {
        const struct elf_segment *s = &p->segments[i];
        if (s->rights & ELF_WRITE && s->vaddr + s->memory_bytes > end) {
            end = s->vaddr + s->memory_bytes;
        }
    }
    return end;
}

static uint64_t fixed_end(const struct elf_plan *p)
{
    uint64_t end = 0;
    for (uint32_t i = 0; i < p->segment_count; i++) {
        const struct elf_segment *s = &p->segments[i];
        if (!(s->rights & ELF_WRITE) && s->vaddr + s->memory_bytes > end) {
            end = s->vaddr + s->memory_bytes;
        }
    }
    return up(end, PAGE_BYTES);
}

/* Offsets relative to the image; place() adds the base. */
static int lay_out(struct loading *l)
{
    uint64_t symbols =
        symbols_measure(l->r->file, l->r->file_bytes, &l->symbols);
    uint64_t fixed = fixed_end(&l->plan), data = writable_end(&l->plan);
    uint64_t room = up(fixed, STRETCH_BYTES) - fixed;
    l->symbols_at = symbols != 0 && symbols <= room ? fixed : 0;
    l->code_end = fixed + (l->symbols_at != 0 ? up(symbols, PAGE_BYTES) : 0);
    if (data == 0) {
        data = up(fixed, STRETCH_BYTES);
    }
    uint64_t need =
        2 * PAGE_BYTES + l->r->stack_bytes + INFO_BYTES + 3 * PAGE_BYTES;
    data = up(data, PAGE_BYTES);
    if (data % STRETCH_BYTES + need > STRETCH_BYTES) {
        data = up(data, STRETCH_BYTES);
    }
    l->stack = data + PAGE_BYTES;
    l->info = l->stack + l->r->stack_bytes + PAGE_BYTES;
    l->pages = l->info + INFO_BYTES;
    l->heap = l->pages + 3 * PAGE_BYTES;
    l->data_slot = l->heap - 1 - (l->heap - 1) % STRETCH_BYTES;
    l->slots = (uint32_t)(l->data_slot / STRETCH_BYTES) + 1;
    return l->slots < OBJECT_STRETCHES / 2 ? 0 : ENOMEM;
}

static uint64_t pages_of(const struct loading *l)
{
    uint64_t bytes = START_STACK_BYTES + INFO_BYTES + l->code_end;
    for (uint32_t i = 0; i < l->plan.segment_count; i++) {
        bytes += up(l->plan.segments[i].memory_bytes, PAGE_BYTES) + PAGE_BYTES;
    }
    return bytes / PAGE_BYTES;
}

/* ---- memory ------------------------------------------------------------ */

static cptr_t stretch_of(const struct loading *l, uint64_t offset)
{
    return domain_object(l->d,
                         OBJECT_STRETCH + (uint32_t)(offset / STRETCH_BYTES));
}

/* Make the stretch of a slot of the image, and attach it here for filling. */
static int need_stretch(struct loading *l, uint64_t offset)
{
    uint64_t va = l->base + offset / STRETCH_BYTES * STRETCH_BYTES;
    cptr_t stretch = stretch_of(l, offset);
    uint64_t info, address, word;
    if (sys_cap_identify(stretch, &info, &address, &word) == ERR_OK) {
        return 0;
    }
    int e =
        domain_stretch(l->d,
                       OBJECT_STRETCH + (uint32_t)(offset / STRETCH_BYTES), va);
    if (e == 0 && sys_stretch_attach(stretch, CPTR_SELF_DOMAIN, RW) != ERR_OK) {
        e = EIO;
    }
    return e;
}

/* Zeroed pages for [at, end) of one slot of the image. */
static int map_part(struct loading *l, uint64_t at, uint64_t end)
{
    uint32_t n = (uint32_t)((end - at) / PAGE_BYTES);
    uint32_t *f = &l->d->next_frame, made = *f + n;
    if (n > l->d->frames_end - *f) {
        return ENOMEM;
    }
    int e = need_stretch(l, at);
    if (e == 0) {
        e = domain_make(l->d, domain_object(l->d, *f), TYPE_FRAME, PAGE_LOG2, n,
                        0);
    }
    while (e == 0 && at < end) {
        uint64_t done, next;
        enum abi_error k = sys_frame_map(domain_object(l->d, *f),
                                         stretch_of(l, at), l->base + at, RW,
                                         (end - at) / PAGE_BYTES, &done, &next);
        if (k == ERR_OK) {
            *f += (uint32_t)done;
            at = next - l->base;
        } else if (k == ERR_BUSY) { /* the page belongs to two segments */
            at += PAGE_BYTES;
        } else {
            return EIO;
        }
    }
    while (e == 0 && *f < made) {
        e = sys_cap_delete(domain_object(l->d, --made)) == ERR_OK ? 0 : EIO;
    }
    return e;
}

/* Zeroed pages for [from, to) of the image. */
static int map(struct loading *l, uint64_t from, uint64_t to)
{
    int e = 0;
    uint64_t at = from - from % PAGE_BYTES, end = up(to, PAGE_BYTES);
    while (e == 0 && at < end) {
        uint64_t slot_end = up(at + 1, STRETCH_BYTES);
        uint64_t part_end = slot_end < end ? slot_end : end;
        e = map_part(l, at, part_end);
        at = part_end;
    }
    return e;
}

/* ---- content ----------------------------------------------------------- */

static uint8_t *target(void *context, uint64_t offset)
{
    const struct loading *l = context;
    return (uint8_t *)(uintptr_t)(l->base + offset);
}

static int fill(struct loading *l)
{
    const uint8_t *file = l->r->file;
    for (uint32_t i = 0; i < l->plan.segment_count; i++) {
        const struct elf_segment *s = &l->plan.segments[i];
        int e = map(l, s->vaddr, s->vaddr + s->memory_bytes);
        if (e != 0) {
            return e;
        }
        memcpy(target(l, s->vaddr), file + s->file_offset, s->file_bytes);
    }
    struct elf_target to = {l->base, target, l};
    struct elf_fault fault;
    if (elf_relocate(file, l->r->file_bytes, &l->plan, &to, &fault) != 0) {
        complain(l->r, fault.reason, fault.where);
        return ENOEXEC;
    }
    if (l->symbols_at != 0) {
        int e = map(l, l->symbols_at, l->code_end);
        if (e != 0) {
            return e;
        }
        symbols_copy(&l->symbols, (void *)target(l, l->symbols_at));
    }
    return 0;
}

static void fill_info(struct loading *l)
{
    const struct load_request *r = l->r;
    struct start_info *s = (void *)target(l, l->info);
    s->magic = START_MAGIC;
    s->abi_version = ABI_VERSION;
    s->id = l->d->id;
    s->parent_id = r->parent;
    s->image = l->base;
    s->image_bytes = l->plan.span_bytes;
    s->dispatcher = l->base + l->pages;
    s->range_base = l->base + (uint64_t)l->slots * STRETCH_BYTES;
    s->range_bytes = (1ull << BLOCK_LOG2) - (l->slots + 1ull) * STRETCH_BYTES;
    s->heap = l->base + l->heap;
    s->heap_end = l->base + l->data_slot + STRETCH_BYTES;
    s->stack = l->base + l->stack;
    s->stack_bytes = l->r->stack_bytes;
    s->symbols = l->symbols_at != 0 ? l->base + l->symbols_at : 0;
    l->d->symbols = s->symbols;
    s->wall_epoch_ns = wall_epoch_ns;
    s->stolen = stolen_lend(l->d);
    s->slot_count = 1u << CHILD_SLOTS_LOG2;
    s->argc = r->argc;
    s->envc = r->envc;
    s->fd_count = r->fd_count;
    memcpy(s->fd, r->fd, sizeof(s->fd));
    s->strings = sizeof(*s);
    s->strings_bytes = r->strings_bytes;
    memcpy(s + 1, r->strings, r->strings_bytes);
    (void)snprintf(s->name, sizeof(s->name), "%s", l->d->name);
    (void)snprintf(s->cwd, sizeof(s->cwd), "%s", r->cwd);
}

/* ---- hand over --------------------------------------------------------- */

/* What a page of the image may do in the end; 0: it stays read-write. */
static uint64_t rights_at(const struct loading *l, uint64_t offset)
{
    if (offset >= l->code_end) {
        return 0;
    }
    for (uint32_t i = 0; i < l->plan.segment_count; i++) {
        const struct elf_segment *s = &l->plan.segments[i];
        uint64_t start = s->vaddr - s->vaddr % PAGE_BYTES;
        if (offset >= start && offset < s->vaddr + s->memory_bytes &&
            s->rights & ELF_EXECUTE) {
            return RX;
        }
    }
    return RIGHT_READ;
}

/* Code and constants: frames that follow each other get their rights at once.
 */
static int protect(struct loading *l)
{
    uint32_t first = OBJECT_FRAMES;
    uint64_t run = 0;
    for (uint32_t f = first; f <= l->d->next_frame; f++) {
        uint64_t info, address, va, rights = 0;
        if (f < l->d->next_frame &&
            sys_cap_identify(domain_object(l->d, f), &info, &address, &va) ==
                ERR_OK) {
            rights = rights_at(l, va - l->base);
        }
        if (rights == run) {
            continue;
        }
        if (run != 0 && frames_protect(domain_object(l->d, first), run,
                                       f - first) != ERR_OK) {
            return EIO;
        }
        first = f;
        run = rights;
    }
    return 0;
}

static int attach(struct loading *l)
{
    cptr_t domain = domain_object(l->d, OBJECT_DOMAIN);
    for (uint32_t i = 0; i < l->slots; i++) {
        cptr_t stretch = domain_object(l->d, OBJECT_STRETCH + i);
        uint64_t info, address, word;
        if (sys_cap_identify(stretch, &info, &address, &word) != ERR_OK) {
            continue;
        }
        bool code = i * STRETCH_BYTES < l->code_end;
        (void)sys_stretch_detach(stretch, CPTR_SELF_DOMAIN);
        if (sys_stretch_attach(stretch, domain, code ? RX : RW) != ERR_OK) {
            return EIO;
        }
    }
    return 0;
}

static int bind(struct loading *l)
{
    cptr_t dispatcher = domain_object(l->d, OBJECT_DISPATCHER);
    cptr_t stretch = stretch_of(l, l->data_slot);
    if (sys_dispatcher_bind(dispatcher, domain_object(l->d, OBJECT_DOMAIN),
                            memory_slot_cpu(), stretch, l->base + l->pages) ||
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
                                l->base + l->plan.entry,
                                l->base + l->stack + l->r->stack_bytes,
                                l->base + l->info) == ERR_OK
               ? 0
               : EIO;
}

static int build(struct loading *l)
{
    uint64_t top = l->stack + l->r->stack_bytes; /* libos maps what is below */
    int e = map(l, top - START_STACK_BYTES, top);
    if (e == 0) {
        e = map(l, l->info, l->info + INFO_BYTES);
    }
    if (e == 0) {
        e = fill(l);
    }
    if (e != 0) {
        return e;
    }
    fill_info(l);
    e = protect(l);
    if (e == 0 && l->r->manifest >= 0) {
        e = system_devices(l->d, l->r->manifest, (void *)target(l, l->info));
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
        domain_end(d, 0);
        domain_free(d);
    }
}

int load(const struct load_request *r, struct domain **out)
{
    struct elf_fault fault;
    memset(&l, 0, sizeof(l));
    l.r = r;
    if (elf_plan(r->file, r->file_bytes, &l.plan, &fault) != 0) {
        complain(r, fault.reason, fault.where);
        return ENOEXEC;
    }
    if (lay_out(&l) != 0 || pages_of(&l) * PAGE_BYTES > r->quota ||
        pages_of(&l) * PAGE_BYTES > memory_free_bytes()) {
        complain(r, "asks for too much memory, in KiB:", pages_of(&l) * 4);
        return ENOMEM;
    }
    if (r->strings_bytes > INFO_BYTES - sizeof(struct start_info)) {
        return E2BIG;
    }
    int e = domain_create(&l.d, r, (uint32_t)pages_of(&l) + 16);
    if (e != 0) {
        return e;
    }
    l.base = l.d->block_address;
    l.d->pages = (uint32_t)l.pages;
    schedule_add(l.d, &r->params);
    e = build(&l);
    if (e != 0) {
        load_abort();
        return e;
    }
    l.d->optimistic = r->optimistic;
    l.d->parent = r->parent;
    l.d->manifest = r->manifest;
    l.d->origin = r->manifest >= 0 ? r->manifest : r->origin;
    say_debug("loader: %s [%u] at 0x%llx, %llu KiB", l.d->name, l.d->id,
              (unsigned long long)l.base,
              (unsigned long long)l.d->memory_bytes >> 10);
    *out = l.d;
    l.d = NULL;
    return 0;
}
