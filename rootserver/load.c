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
#include "root.h"

#include <errno.h>
#include <string.h>

#include "symbols.h"

#define INFO_BYTES (16ull << 10) /* start_info and its strings */
#define SLOTS_MAX  30u           /* of 2 MiB: 60 MiB of image */
#define BIG_BYTES  (1ull << BIG_FRAME_LOG2)
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
    uint32_t slots;     /* 2 MiB slots of the image */
    uint64_t stretches; /* a bit for each slot that has its stretch */
    uint64_t mapped;    /* of segments and symbols, ascending: up to here */
    uint32_t ahead;     /* pages that are made, from next_frame on */
    uint32_t first[ELF_SEGMENTS_MAX + 2]; /* frame of each, and the end */
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

/* Of the room for start_info and its strings: what is mapped. */
static uint64_t info_bytes(const struct load_request *r)
{
    return up(sizeof(struct start_info) + r->strings_bytes, PAGE_BYTES);
}

/* Data that ends in the last quarter of a frame of 64 KiB has all of it: the
 * frame costs less than the pages. */
static void fill_up(struct elf_plan *p)
{
    struct elf_segment *s = &p->segments[p->segment_count - 1];
    uint64_t end = s->vaddr + s->memory_bytes, frame = up(end, BIG_BYTES);
    if (s->rights & ELF_WRITE && s->vaddr <= frame - BIG_BYTES &&
        frame - end <= BIG_BYTES / 4) {
        s->memory_bytes += frame - end;
    }
}

/* Offsets relative to the image. */
static int lay_out(struct loading *l)
{
    fill_up(&l->plan);
    uint64_t symbols =
        symbols_measure(l->r->file, l->r->file_bytes, &l->symbols);
    uint64_t fixed = fixed_end(&l->plan), data = writable_end(&l->plan);
    uint64_t room = up(fixed, STRETCH_BYTES) - fixed;
    l->symbols_at = symbols != 0 && symbols <= room ? fixed : 0;
    l->code_end = fixed + (l->symbols_at != 0 ? up(symbols, PAGE_BYTES) : 0);
    if (data < fixed) {
        data = up(fixed, STRETCH_BYTES);
    }
    uint64_t need = 2 * PAGE_BYTES + l->r->stack_bytes + START_UPCALL_BYTES +
                    INFO_BYTES + 3 * PAGE_BYTES;
    data = up(data, PAGE_BYTES);
    if (data % STRETCH_BYTES + need > STRETCH_BYTES) {
        data = up(data, STRETCH_BYTES);
    }
    l->stack = data + PAGE_BYTES;
    l->info = l->stack + l->r->stack_bytes + PAGE_BYTES + START_UPCALL_BYTES;
    l->pages = l->info + INFO_BYTES;
    l->heap = l->pages + 3 * PAGE_BYTES;
    l->data_slot = l->heap - 1 - (l->heap - 1) % STRETCH_BYTES;
    l->slots = (uint32_t)(l->data_slot / STRETCH_BYTES) + 1;
    return l->slots <= SLOTS_MAX ? 0 : ENOMEM;
}

/* How far frames of one size go from `at`: of 64 KiB where they fit. */
static uint64_t part_end(uint64_t at, uint64_t end, uint32_t *log2)
{
    uint64_t slot_end = up(at + 1, STRETCH_BYTES);
    uint64_t big = up(at, BIG_BYTES);
    end = end < slot_end ? end : slot_end;
    *log2 = PAGE_LOG2;
    if (big + BIG_BYTES > end) {
        return end;
    }
    if (big > at) {
        return big;
    }
    *log2 = BIG_FRAME_LOG2;
    return end - end % BIG_BYTES;
}

/* What map() takes for [from, to). */
static void measure(uint64_t from, uint64_t to, struct image_size *size)
{
    uint64_t at = from - from % PAGE_BYTES, end = up(to, PAGE_BYTES);
    while (at < end) {
        uint32_t log2;
        uint64_t part = part_end(at, end, &log2);
        uint32_t n = (uint32_t)((part - at) >> log2);
        size->frames += n;
        size->ahead += log2 == PAGE_LOG2 && size->whole == 0 ? n : 0;
        *(log2 == PAGE_LOG2 ? &size->bytes : &size->whole) += part - at;
        at = part;
    }
}

static struct image_size size_of(const struct loading *l)
{
    struct image_size size = {.slots = l->slots,
                              .bytes = l->slots * PAGE_BYTES,
                              .serves = l->r->manifest >= 0};
    measure(0, START_STACK_BYTES, &size);
    measure(0, START_UPCALL_BYTES + info_bytes(l->r), &size);
    uint64_t mapped = 0;
    for (uint32_t i = 0; i < l->plan.segment_count; i++) {
        const struct elf_segment *s = &l->plan.segments[i];
        measure(s->vaddr > mapped ? s->vaddr : mapped,
                s->vaddr + s->memory_bytes, &size);
        mapped = up(s->vaddr + s->memory_bytes, PAGE_BYTES);
    }
    measure(l->symbols_at, l->symbols_at == 0 ? 0 : l->code_end, &size);
    return size;
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
    uint32_t slot = (uint32_t)(offset / STRETCH_BYTES);
    if (l->stretches >> slot & 1) {
        return 0;
    }
    int e = domain_stretch(l->d, OBJECT_STRETCH + slot, va);
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
    uint32_t n = (uint32_t)((end - at) >> log2), f = l->d->next_frame;
    if (n > l->d->frames_end - f) {
        return ENOMEM;
    }
    int e = need_stretch(l, at);
    if (log2 == PAGE_LOG2 && n <= l->ahead) {
        l->ahead -= n;
    } else if (e == 0) {
        e = domain_make(l->d, domain_object(l->d, f), TYPE_FRAME, log2, n, 0);
    }
    if (e == 0) {
        l->d->next_frame += n;
        e = frames_map(domain_object(l->d, f), stretch_of(l, at), l->base + at,
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
        uint64_t part = part_end(at, end, &log2);
        e = map_part(l, at, part, log2);
        at = part;
    }
    return e;
}

/* The same for one segment after the other, which may share a page. */
static int map_next(struct loading *l, uint64_t from, uint64_t to)
{
    int e = map(l, from > l->mapped ? from : l->mapped, to);
    l->mapped = up(to, PAGE_BYTES);
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
    uint32_t n = l->plan.segment_count;
    for (uint32_t i = 0; i < n; i++) {
        const struct elf_segment *s = &l->plan.segments[i];
        l->first[i] = l->d->next_frame;
        int e = map_next(l, s->vaddr, s->vaddr + s->memory_bytes);
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
    l->first[n] = l->d->next_frame;
    if (l->symbols_at != 0) {
        int e = map(l, l->symbols_at, l->code_end);
        if (e != 0) {
            return e;
        }
        symbols_copy(&l->symbols, (void *)target(l, l->symbols_at));
    }
    l->first[n + 1] = l->d->next_frame;
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

/* Code and constants get their rights; the symbols are what comes last. */
static int protect(const struct loading *l)
{
    for (uint32_t i = 0; i <= l->plan.segment_count; i++) {
        uint32_t rights =
            i < l->plan.segment_count ? l->plan.segments[i].rights : ELF_READ;
        if (!(rights & ELF_WRITE) &&
            frames_protect(domain_object(l->d, l->first[i]),
                           rights & ELF_EXECUTE ? RX : RIGHT_READ,
                           l->first[i + 1] - l->first[i]) != ERR_OK) {
            return EIO;
        }
    }
    return 0;
}

static int attach(struct loading *l)
{
    cptr_t domain = domain_object(l->d, OBJECT_DOMAIN);
    for (uint32_t i = 0; i < l->slots; i++) {
        cptr_t stretch = domain_object(l->d, OBJECT_STRETCH + i);
        if (!(l->stretches >> i & 1)) {
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
    int e = domain_make(l->d, domain_object(l->d, l->d->next_frame), TYPE_FRAME,
                        PAGE_LOG2, l->ahead, 0);
    if (e == 0) {
        e = map(l, top - START_STACK_BYTES, top);
    }
    if (e == 0) {
        e = map(l, l->info - START_UPCALL_BYTES, l->info + info_bytes(l->r));
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
    if (r->strings_bytes > INFO_BYTES - sizeof(struct start_info)) {
        return E2BIG;
    }
    if (lay_out(&l) != 0) {
        complain(r, "needs too many addresses, up to", writable_end(&l.plan));
        return ENOMEM;
    }
    struct image_size size = size_of(&l);
    uint64_t bytes = size.bytes + size.whole;
    if (bytes > r->quota || bytes > memory_free_bytes()) {
        complain(r, "asks for too much memory, in KiB:", bytes >> 10);
        return ENOMEM;
    }
    int e = domain_create(&l.d, r, &size);
    if (e != 0) {
        return e;
    }
    l.ahead = size.ahead;
    l.base = l.d->block_address;
    l.d->pages = (uint32_t)l.pages;
    schedule_add(l.d, &r->params);
    e = build(&l);
    if (e != 0) {
        load_abort();
        return e;
    }
    l.d->unmade = 0;
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
