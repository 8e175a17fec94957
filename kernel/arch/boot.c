/* SPDX-License-Identifier: BSL-1.0
 *
 * The only place where the kernel takes memory: once, before the first user
 * instruction. It makes the root server from the image behind the kernel, puts
 * all remaining memory into Untyped capabilities, and hands over.
 */
#include "../plat/plat.h"
#include "arch.h"
#include "asm.h"
#include "sysreg.h"

/* What assembly knows, each by the name that it has in asm.h. */
#define AT(type, member, offset)                                               \
    _Static_assert(offsetof(struct type, member) == (offset), "asm.h")
AT(saved_context, sp, CONTEXT_SP);
AT(saved_context, pc, CONTEXT_PC);
AT(saved_context, nzcv, CONTEXT_NZCV);
AT(saved_context, tpidr, CONTEXT_TPIDR);
AT(dispatcher, state, DISPATCHER_STATE);
AT(dispatcher, children, DISPATCHER_STATE + 2);
AT(dispatcher, caller, DISPATCHER_CALLER);
AT(dispatcher, self, DISPATCHER_SELF);
AT(dispatcher, domain, DISPATCHER_SELF + 4);
AT(dispatcher, told, DISPATCHER_TOLD);
AT(dispatcher, ready, DISPATCHER_TOLD + 4);
AT(dispatcher, until, DISPATCHER_UNTIL);
AT(dispatcher, lent, DISPATCHER_LENT);
AT(dispatcher, entry, DISPATCHER_ENTRY);
AT(dispatcher, sp, DISPATCHER_ENTRY + 8);
AT(dispatcher, ttbr0, DISPATCHER_TTBR0);
AT(dispatcher, cpacr, DISPATCHER_CPACR);
AT(dispatcher, cntv_ctl, DISPATCHER_CNTV);
AT(dispatcher, cntv_cval, DISPATCHER_CNTV + 8);
AT(dispatcher, parent, DISPATCHER_PARENT);
AT(dispatcher, index, DISPATCHER_INDEX);
AT(dispatcher, callee, DISPATCHER_CALLEE);
AT(dispatcher, badge, DISPATCHER_BADGE);
AT(dispatcher, call_receive, DISPATCHER_RECEIVE);
AT(dispatcher, pages, DISPATCHER_PAGES);
AT(dispatcher, esr, DISPATCHER_ESR);
AT(dispatcher, far, DISPATCHER_ESR + 8);
AT(dispatcher, fp, DISPATCHER_FP);
AT(fp_state, fpcr, FP_CONTROL);
AT(fp_state, fpsr, FP_CONTROL + 8);
AT(dispatcher, identity, IDENTITY);
AT(dispatcher, user, UPCALL);
AT(identity_page, now, IDENTITY_NOW);
AT(identity_page, until, IDENTITY_NOW + 8);
AT(identity_page, child, IDENTITY_CHILD);
AT(child_entry, until, 0);
AT(child_entry, state, 8);
AT(upcall_page, mask, UPCALL_MASK);
AT(upcall_page, pending, UPCALL_MASK + 4);
AT(upcall_page, save_slot, UPCALL_SAVE);
AT(upcall_page, saved_slot, UPCALL_SAVE + 4);
AT(upcall_page, entry, UPCALL_ENTRY);
AT(upcall_page, sp, UPCALL_ENTRY + 8);
AT(upcall_page, events, UPCALL_EVENTS);
AT(upcall_page, fault, UPCALL_FAULT);
AT(upcall_fault, pc, 16);
AT(upcall_fault, slot, 24);
AT(upcall_page, child_changed, UPCALL_CHANGED);
AT(upcall_page, slots, UPCALL_SLOTS);
_Static_assert(DISPATCHER_CALLER == DISPATCHER_STATE + 4 &&
                   DISPATCHER_CPACR == DISPATCHER_TTBR0 + 8,
               "vectors.S loads them as one");
AT(dispatcher, cnode, DISPATCHER_CNODE);
AT(dispatcher, slots, DISPATCHER_CNODE + 4);
AT(slot, word, SLOT_WORD);
AT(slot, obj, SLOT_WORD + 8);
AT(slot, type, SLOT_WORD + 8 + SLOT_TYPE / 8);
AT(slot, rights, SLOT_WORD + 8 + SLOT_CALL / 8);
AT(endpoint, dispatcher, 0);
AT(kernel, core[0].current, CORE_CURRENT);
AT(kernel, core[0].depth, CORE_DEPTH);
AT(kernel, core[0].unsettled, CORE_UNSETTLED);
AT(kernel, core[0].fp_owner, CORE_FP_OWNER);
AT(kernel, core[0].chain[0].dispatcher, CORE_CHAIN);
AT(kernel, core[0].loaded, CORE_LOADED);
AT(kernel, core[0].loaded_domain, CORE_LOADED + 4);
AT(kernel, core[0].chain[0].until, CORE_CHAIN + 8);
_Static_assert(RIGHT_CALL == 1 << SLOT_CALL % 8 && TYPE_ENDPOINT == ENDPOINT &&
                   RIGHT_SIGNAL == 1 << SLOT_SIGNAL % 8 &&
                   TYPE_EVENT == EVENT && REASON_EVENT == SIGNALLED &&
                   sizeof(struct chain_level) == 16 && RAM_BASE == RAM_WINDOW,
               "asm.h");
_Static_assert(IS_READY == READY && IS_BLOCKED == BLOCKED &&
                   IS_CALLING == CALLING && (READY | 1) == BLOCKED &&
                   CHILD_CALLING == SEEN_CALLING &&
                   sizeof(struct child_entry) == 16,
               "asm.h");
_Static_assert(MASK_ON == MASKED && REASON_FAULT == FAULT &&
                   REASON_EXCEPTION == EXCEPTION && IDENTITY == PAGE_BYTES &&
                   SAVE_SLOTS == SLOTS && SAVE_DOUBLE == SLOTS - 1 &&
                   sizeof(struct saved_context) == CONTEXT_BYTES &&
                   CONTEXT_BYTES == 9 * 2 * 16,
               "asm.h");
_Static_assert(SYS_NULL == IMM_NULL && ERR_OK == 0 && MASK_OFF == 0,
               "vectors.S");
_Static_assert(CNT_KEPT == (CNT_ENABLE | CNT_IMASK), "asm.h");
_Static_assert(SYS_COUNT == SYSCALLS, "asm.h");
_Static_assert(SVC_CALL == IMM_CALL && SVC_REPLY == IMM_REPLY &&
                   SYS_RESUME == IMM_RESUME && SYS_LEAVE == IMM_LEAVE &&
                   SYS_EVENT_SIGNAL == IMM_EVENT_SIGNAL &&
                   __builtin_ctzll(CALL_NOWAIT) == NOWAIT &&
                   __builtin_ctzll(CALL_LEND) == LEND,
               "asm.h");
_Static_assert(ERR_AGAIN == (1 << (NO_RESULT + 1)) - 1 &&
                   ERR_SWITCHED == ERR_AGAIN - 1 && ERR_COUNT <= 1 << NO_RESULT,
               "asm.h");
_Static_assert(SYS_RUN == IMM_RUN && SYS_BLOCK == IMM_BLOCK, "asm.h");
_Static_assert(WHOLE_CONTEXT == (1u << SYS_DISPATCHER_INSPECT |
                                 1u << SYS_LEAVE | 1u << SYS_RESUME),
               "asm.h");

#define ROOT_SLOTS_LOG2  13u
#define ROOT_DOMAIN_LOG2 DOMAIN_LOG2_MAX
#define STRETCH_PAGES    (STRETCH_BYTES / PAGE_BYTES)
#define BOOT_ORDER_MAX   25u /* 1 GiB in cells */

extern char __image_start[], __image_end[];

static uint64_t top; /* physical: memory below is used */
static uint64_t gap; /* but for that from here to the root server's objects */
static ref_t cnode;  /* the root server's */
static uint32_t next_slot = 1;
static struct boot_info *info;

static uint64_t take(uint64_t bytes, uint64_t align)
{
    uint64_t at = (top + align - 1) & ~(align - 1);
    top = at + bytes;
    if (top > RAM_END) {
        panic("not enough memory to boot");
    }
    arch_zero(ref_of(at), bytes);
    return at;
}

/* RAM in [from, to) is taken, for what `kind` says. */
static void region(uint32_t kind, uint64_t from, uint64_t to)
{
    if (info->region_count == BOOT_REGIONS_MAX) {
        panic("memory map does not fit the boot information");
    }
    info->region[info->region_count++] =
        (struct boot_region){from, to - from, kind, 0};
}

/* All that was taken since the last region. */
static void region_taken(uint32_t kind)
{
    const struct boot_region *last = &info->region[info->region_count - 1];
    region(kind, last->address + last->bytes, top);
}

/* Put an original capability into the next slot of the root server's CNode. */
static struct slot *give(uint32_t type, uint32_t obj, uint32_t order,
                         uint8_t attr)
{
    ref_t ref = cnode + next_slot++;
    struct slot *s = slot_at(ref);
    s->type = (uint8_t)type;
    s->obj = obj;
    s->order = (uint8_t)order;
    s->attr = attr;
    s->rights = RIGHTS_ALL;
    cap_insert(slot_at(kernel.head)->prev, ref);
    return s;
}

/* CRC-32 (ISO-HDLC), by the CPU's instructions. */
static uint32_t crc32(const uint64_t *p, uint64_t bytes)
{
    uint32_t crc = ~0u;
    for (uint64_t i = 0; i < bytes / 8; i++) {
        __asm__(".arch_extension crc\n\tcrc32x %w0, %w0, %1"
                : "+r"(crc)
                : "r"(p[i]));
    }
    return ~crc;
}

static const struct root_image *root_image(void)
{
    uint64_t at = ((uint64_t)__image_end - IMAGE_WINDOW);
    const struct root_image *r = ram_at(ref_of(at));
    if (r->magic != ROOT_IMAGE_MAGIC) {
        panic("no root server behind the kernel image");
    }
    uint64_t pages = (uint64_t)r->text_pages + r->data_pages + r->archive_pages;
    if (r->bytes != pages * PAGE_BYTES || r->bytes > RAM_END / 2 ||
        r->text_pages > STRETCH_PAGES || r->data_pages > STRETCH_PAGES ||
        r->entry >= r->text_pages * PAGE_BYTES ||
        r->archive_bytes > r->archive_pages * PAGE_BYTES) {
        panic("the root server's image header is damaged");
    }
    top = at + PAGE_BYTES + r->bytes;
    if (crc32((const void *)((const char *)r + PAGE_BYTES), r->bytes) !=
        r->crc) {
        panic("the kernel image is damaged or truncated (CRC)");
    }
    return r;
}

/* What lay there before the kernel took anything, and the page of `info`. */
static void image_regions(const struct root_image *r)
{
    uint64_t start = (uint64_t)__image_start - IMAGE_WINDOW;
    uint64_t end = (uint64_t)__image_end - IMAGE_WINDOW;
    uint64_t archive =
        end + PAGE_BYTES + (r->text_pages + r->data_pages) * PAGE_BYTES;
    region(BOOT_SPIN_TABLE, 0, PAGE_BYTES);
    region(BOOT_KERNEL, start, end);
    region(BOOT_ROOT_IMAGE, end, archive);
    region(BOOT_ARCHIVE, archive, archive + r->archive_pages * PAGE_BYTES);
    region_taken(BOOT_INFO);
}

static void make_tables(void)
{
    uint64_t before = top;
    kernel.directory = ref_of(take(USER_SLOTS * 4ull, PAGE_BYTES));
    kernel.head = ref_of(take(32, 32));
    slot_at(kernel.head)->next = slot_at(kernel.head)->prev = kernel.head;
    (void)take(0, PAGE_BYTES);
    /* Page 0 holds the firmware's spin table. */
    info->kernel_bytes =
        PAGE_BYTES + (top - before) + (uint64_t)(__image_end - __image_start);
    region_taken(BOOT_DIRECTORY);
}

static void make_objects(void)
{
    gap = top;
    cnode = ref_of(take(32ull << ROOT_SLOTS_LOG2, 32ull << ROOT_SLOTS_LOG2));
    struct slot *s =
        give(TYPE_CNODE, cnode, ROOT_SLOTS_LOG2, RANK_MAX << ATTR_RANK_SHIFT);
    object_create(s, RANK_MAX);
    ref_t domain =
        ref_of(take(1ull << ROOT_DOMAIN_LOG2, 1ull << ROOT_DOMAIN_LOG2));
    info->slot_domain = next_slot;
    s = give(TYPE_DOMAIN, domain, ROOT_DOMAIN_LOG2 - CELL_LOG2, 0);
    object_create(s, 0);
    ref_t disp = ref_of(take(1ull << DISPATCHER_LOG2, 1ull << DISPATCHER_LOG2));
    info->slot_dispatcher = next_slot;
    s = give(TYPE_DISPATCHER, disp, DISPATCHER_LOG2 - CELL_LOG2, 0);
    object_create(s, 0);
    domain_at(domain)->dispatcher[0] = disp;
    dispatcher_at(disp)->domain = domain;
    object_set_cspace(domain, cnode);
    info->slot_cpu = next_slot;
    give(TYPE_CPU, 0, 0, 0);
    info->slot_irq = next_slot;
    for (uint32_t i = 0; i < IRQ_COUNT; i++) {
        give(TYPE_IRQ, i, 0, 0);
    }
    info->slot_range = next_slot;
    info->range_base = ROOT_RANGE_VA;
    info->range_bytes = USER_VA_END - ROOT_RANGE_VA;
    give(TYPE_RANGE, (uint32_t)(ROOT_RANGE_VA >> PAGE_LOG2),
         USER_VA_LOG2 - 1 - PAGE_LOG2, 0);
    region(BOOT_ROOT_OBJECTS, ref_address(cnode), top);
}

/* A stretch of the root server, attached to it, with pages mapped. */
static const struct slot *root_stretch(uint64_t va, uint64_t rights)
{
    ref_t table = ref_of(take(PAGE_BYTES, PAGE_BYTES));
    struct slot *s = give(TYPE_STRETCH, table, 0, 0);
    space_boot_stretch(s, table, va);
    ref_t domain = slot_at(cnode + info->slot_domain)->obj;
    if (space_attach(domain, s, rights) != ERR_OK) {
        panic("no table for the root server");
    }
    return s;
}

static void map_image(const struct root_image *r)
{
    uint64_t at = (uint64_t)__image_end - IMAGE_WINDOW + PAGE_BYTES;
    uint64_t rx = RIGHT_READ | RIGHT_EXEC, rw = RIGHT_READ | RIGHT_WRITE;
    info->slot_text = next_slot;
    space_boot_map(root_stretch(ROOT_TEXT_VA, rx), ROOT_TEXT_VA, at,
                   r->text_pages, rx);
    arch_sync_code(ref_of(at), r->text_pages * PAGE_BYTES);
    at += r->text_pages * PAGE_BYTES;
    info->slot_data = next_slot;
    space_boot_map(root_stretch(ROOT_DATA_VA, rw), ROOT_DATA_VA, at,
                   r->data_pages, rw);
    at += r->data_pages * PAGE_BYTES;
    info->archive = ROOT_ARCHIVE_VA;
    info->archive_bytes = r->archive_bytes;
    uint64_t left = r->archive_pages;
    for (uint64_t va = ROOT_ARCHIVE_VA; left > 0; va += STRETCH_BYTES) {
        uint64_t n = left < STRETCH_PAGES ? left : STRETCH_PAGES;
        space_boot_map(root_stretch(va, RIGHT_READ), va, at, n, RIGHT_READ);
        at += n * PAGE_BYTES;
        left -= n;
    }
}

static void map_pages(void)
{
    struct dispatcher *d =
        dispatcher_at(slot_at(cnode + info->slot_dispatcher)->obj);
    info->slot_pages = next_slot;
    const struct slot *s =
        root_stretch(ROOT_PAGES_VA, RIGHT_READ | RIGHT_WRITE);
    d->pages = ROOT_PAGES_VA;
    d->pages_entry = s->aux;
    frame_map_pages(d->pages, s->aux, d->self + (PAGE_BYTES >> CELL_LOG2));
    uint64_t page = ((uint64_t)info - RAM_BASE);
    space_boot_map(s, ROOT_BOOT_INFO_VA, page, 1, RIGHT_READ);
}

/* Untyped capabilities over [from, to): the largest aligned pieces. */
static void give_untyped(uint64_t from, uint64_t to, uint8_t attr)
{
    while (from < to) {
        uint32_t order = (uint32_t)__builtin_ctzll(from | 1ull << 30);
        while (from + (1ull << order) > to) {
            order--;
        }
        if (order < PAGE_LOG2 || info->untyped_count == BOOT_UNTYPED_MAX) {
            panic("memory map does not fit the boot information");
        }
        info->untyped[info->untyped_count++] = (struct boot_untyped){
            from, next_slot, (uint8_t)order, attr != 0, {0, 0}};
        give(TYPE_UNTYPED, ref_of(from), order - CELL_LOG2, attr);
        from += 1ull << order;
    }
}

static void give_memory(void)
{
    uint64_t used = take(0, PAGE_BYTES);
    uint64_t image = (uint64_t)__image_start - IMAGE_WINDOW;
    uint64_t gap_end = ref_address(cnode);
    region_taken(BOOT_ROOT_TABLES);
    region(BOOT_VIDEOCORE, RAM_END, DEVICE_START);
    region(BOOT_PERIPHERALS, DEVICE_START, BOARD_RAM);
    info->board_bytes = BOARD_RAM;
    info->ram_bytes = RAM_END;
    info->root_bytes =
        used - image + PAGE_BYTES - info->kernel_bytes - (gap_end - gap);
    give_untyped(PAGE_BYTES, image, 0);
    give_untyped(gap, gap_end, 0);
    give_untyped(used, RAM_END, 0);
    give_untyped(DEVICE_START, INTC_PAGE, ATTR_DEVICE);
    give_untyped(INTC_PAGE + PAGE_BYTES, DEVICE_END, ATTR_DEVICE);
}

static struct dispatcher *start_root(const struct root_image *r)
{
    struct dispatcher *d =
        dispatcher_at(slot_at(cnode + info->slot_dispatcher)->obj);
    struct core_state *core = &kernel.core[0];
    d->context.pc = ROOT_TEXT_VA + r->entry;
    d->context.x[0] = ROOT_BOOT_INFO_VA;
    d->identity.frequency = READ_SYSREG(cntfrq_el0);
    core->chain[0] = (struct chain_level){d->self, 255, NO_CHILD, ~0ull};
    core->depth = 1;
    core->current = d->self;
    core->charged = arch_now();
    sched_set_state(d, IS_READY);
    info->slot_count = 1u << ROOT_SLOTS_LOG2;
    info->slot_free = next_slot;
    return trap_next();
}

struct dispatcher *boot(uint64_t first_ticks);
struct dispatcher *boot(uint64_t first_ticks)
{
    mmu_no_user();
    plat_irq_init();
    WRITE_SYSREG(pmuserenr_el0, 0);
    WRITE_SYSREG(mdscr_el1, 0);
    WRITE_SYSREG(cntkctl_el1, CNTKCTL_EL0VCTEN | CNTKCTL_EL0VTEN);
    const struct root_image *r = root_image();
    info = ram_at(ref_of(take(PAGE_BYTES, PAGE_BYTES)));
    info->magic = BOOT_MAGIC;
    info->abi_version = ABI_VERSION;
    info->first_text_ticks = first_ticks;
    image_regions(r);
    make_tables();
    make_objects();
    map_image(r);
    map_pages();
    give_memory();
    return start_root(r);
}
