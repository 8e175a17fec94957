/* SPDX-License-Identifier: BSL-1.0
 *
 * The machine of kernel_host.h. The layout of RAM: page 0 is nobody's, then
 * what the boot makes, then the arena; the directory is the last MiB, so that
 * all that a system call normally touches is compact.
 */
#include "kernel_host.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "kernel_abi.h"
#include "kernel_check.h"

#define DIRECTORY_BYTES (USER_SLOTS * 4u)
#define RAM_BYTES       ((uint64_t)RAM_CELLS << CELL_LOG2)
#define TRIES           1000000u

static unsigned char before_ram[RAM_BYTES] __attribute__((aligned(4096)));
static struct kernel before_kernel;
static uint64_t top;
static ref_t root_dispatcher;

uint64_t host_result[8];
uint32_t host_refusals;

void host_fail(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    printf("not ok - ");
    vprintf(format, list);
    printf("\n");
    va_end(list);
    fflush(stdout);
    abort();
}

/* ---- boot -------------------------------------------------------------- */

static ref_t take(uint64_t bytes, uint64_t align)
{
    uint64_t at = (top + align - 1) & ~(align - 1);
    top = at + bytes;
    return ref_of(at);
}

static struct slot *give(uint32_t index, ref_t cnode, uint32_t type,
                         uint32_t obj, uint32_t order)
{
    ref_t ref = cnode + index;
    struct slot *s = slot_at(ref);
    s->type = (uint8_t)type;
    s->obj = obj;
    s->order = (uint8_t)order;
    s->rights = RIGHTS_ALL;
    cap_insert(slot_at(kernel.head)->prev, ref);
    return s;
}

static ref_t boot_cnode(void)
{
    ref_t cnode = take(HOST_SLOTS * 32, HOST_SLOTS * 32);
    struct slot *s = give(HOST_CNODE, cnode, TYPE_CNODE, cnode, 10);
    s->attr = RANK_MAX << ATTR_RANK_SHIFT;
    object_create(s, RANK_MAX);
    return cnode;
}

static void boot_domain(ref_t cnode)
{
    ref_t domain = take(1 << DOMAIN_LOG2_MIN, 1 << DOMAIN_LOG2_MIN);
    ref_t disp = take(1 << DISPATCHER_LOG2, 1 << DISPATCHER_LOG2);
    object_create(give(HOST_DOMAIN, cnode, TYPE_DOMAIN, domain,
                       DOMAIN_LOG2_MIN - CELL_LOG2),
                  0);
    object_create(give(HOST_DISPATCHER, cnode, TYPE_DISPATCHER, disp,
                       DISPATCHER_LOG2 - CELL_LOG2),
                  0);
    domain_at(domain)->dispatcher[0] = disp;
    dispatcher_at(disp)->domain = domain;
    object_set_cspace(domain, cnode);
    root_dispatcher = disp;
}

static void boot_pages(ref_t cnode)
{
    struct dispatcher *d = host_root_at();
    ref_t table = take(PAGE_BYTES, PAGE_BYTES);
    struct slot *s = give(HOST_PAGES, cnode, TYPE_STRETCH, table, 0);
    space_boot_stretch(s, table, ROOT_PAGES_VA);
    space_attach(d->domain, s, RIGHT_READ | RIGHT_WRITE);
    d->pages = ROOT_PAGES_VA;
    d->pages_entry = s->aux;
    frame_map_pages(d->pages, s->aux, d->self + (PAGE_BYTES >> CELL_LOG2));
}

static void boot_rest(ref_t cnode, uint32_t arena_log2)
{
    give(HOST_CPU, cnode, TYPE_CPU, 0, 0);
    give(HOST_CPU1, cnode, TYPE_CPU, 1, 0);
    for (uint32_t i = 0; i < HOST_IRQS; i++) {
        give(HOST_IRQ + i, cnode, TYPE_IRQ, i, 0);
    }
    give(HOST_RANGE, cnode, TYPE_RANGE, (uint32_t)(ROOT_RANGE_VA >> PAGE_LOG2),
         USER_VA_LOG2 - 1 - PAGE_LOG2);
    ref_t arena = take(1ull << arena_log2, 1ull << arena_log2);
    give(HOST_UNTYPED, cnode, TYPE_UNTYPED, arena, arena_log2 - CELL_LOG2);
    memset(ram_at(arena), 0xa5, 1ull << arena_log2); /* memory is dirty */
    give(HOST_DEVICE, cnode, TYPE_UNTYPED, ref_of(HOST_DEVICE_ADDRESS), 17)
        ->attr = ATTR_DEVICE;
}

static void boot_start(void)
{
    struct dispatcher *d = host_root_at();
    struct core_state *core = &kernel.core[0];
    d->context.pc = 0x40000000;
    d->user.upcall.entry = HOST_ENTRY;
    d->user.upcall.double_entry = HOST_DOUBLE_ENTRY;
    d->state = IS_READY;
    core->chain[0] = (struct chain_level){d->self, 255, NO_CHILD, ~0ull};
    core->depth = 1;
    core->current = d->self;
    core->charged = arch_now();
}

void host_boot(uint32_t arena_log2)
{
    memset(ram_host, 0, RAM_BYTES);
    kernel = (struct kernel){0};
    host = (struct host){.now = 1000, .follow = host.follow};
    memset(host.masked, true, sizeof(host.masked));
    top = PAGE_BYTES;
    kernel.directory = ref_of(RAM_BYTES - DIRECTORY_BYTES);
    kernel.head = take(32, 32);
    slot_at(kernel.head)->next = slot_at(kernel.head)->prev = kernel.head;
    ref_t cnode = boot_cnode();
    boot_domain(cnode);
    boot_pages(cnode);
    boot_rest(cnode, arena_log2);
    host.end = ref_of(top);
    if (top > RAM_BYTES - DIRECTORY_BYTES) {
        host_fail("the arena is too large for this machine");
    }
    boot_start();
    host_remember();
    host_settle();
    if (CALL(STRETCH_CREATE, HOST_ATTIC, HOST_UNTYPED, HOST_RANGE,
             HOST_ATTIC_VA) != ERR_OK) {
        host_fail("no stretch for dispatchers");
    }
}

/* ---- comparing --------------------------------------------------------- */

/* The part of the directory that is compared, as bytes of RAM. */
static uint64_t directory_part(uint64_t *bytes)
{
    uint64_t first = host.quick ? HOST_RANGE_VA >> STRETCH_LOG2 : 0;
    *bytes = host.quick ? 4096 : DIRECTORY_BYTES;
    return RAM_BYTES - DIRECTORY_BYTES + first * 4;
}

void host_remember(void)
{
    uint64_t bytes, at = directory_part(&bytes);
    memcpy(before_ram, ram_host, ref_address(host.end));
    memcpy(before_ram + at, ram_host + at, bytes);
    before_kernel = kernel;
}

bool host_changed(struct dispatcher *but)
{
    struct dispatcher *old = NULL;
    struct dispatcher saved;
    if (but != NULL) {
        old = (void *)(before_ram + ((unsigned char *)but - ram_host));
        saved = *old;
        old->context = but->context;
        old->call_flags = but->call_flags; /* arguments, as they came in */
        old->call_cap = but->call_cap;
        old->call_receive = but->call_receive;
        old->call_lend = but->call_lend;
        old->badge = but->badge;
    }
    uint64_t bytes, at = directory_part(&bytes);
    bool changed = memcmp(before_ram, ram_host, ref_address(host.end)) != 0 ||
                   memcmp(before_ram + at, ram_host + at, bytes) != 0 ||
                   memcmp(&before_kernel, &kernel, sizeof(kernel)) != 0;
    if (old != NULL) {
        *old = saved;
    }
    return changed;
}

/* ---- a machine again --------------------------------------------------- */

/* Of the directory: what the boot makes, and what tests use. */
static const uint64_t part_va[] = {ROOT_PAGES_VA, HOST_RANGE_VA};

static unsigned char saved_ram[RAM_BYTES], saved_part[2][4096];
static struct kernel saved_kernel;
static struct host saved_host;

static unsigned char *part_at(uint32_t i)
{
    return ram_host + RAM_BYTES - DIRECTORY_BYTES +
           (part_va[i] >> STRETCH_LOG2) * 4;
}

void host_save(void)
{
    memcpy(saved_ram, ram_host, ref_address(host.end));
    for (uint32_t i = 0; i < 2; i++) {
        memcpy(saved_part[i], part_at(i), sizeof(saved_part[i]));
    }
    saved_kernel = kernel;
    saved_host = host;
}

void host_restore(void)
{
    memcpy(ram_host, saved_ram, ref_address(saved_host.end));
    for (uint32_t i = 0; i < 2; i++) {
        memcpy(part_at(i), saved_part[i], sizeof(saved_part[i]));
    }
    kernel = saved_kernel;
    host = saved_host;
}

/* ---- traps ------------------------------------------------------------- */

struct dispatcher *host_current(void)
{
    if (kernel.core[0].current == 0) {
        host_fail("nobody runs");
    }
    return dispatcher_at(kernel.core[0].current);
}

struct dispatcher *host_root_at(void)
{
    return dispatcher_at(root_dispatcher);
}

struct slot *host_slot(cptr_t cptr)
{
    struct place p;
    if (cap_place(cptr, &p) != ERR_OK) {
        host_fail("no slot %llx", (unsigned long long)cptr);
    }
    return slot_at(p.ref);
}

void host_settle(void)
{
    struct core_state *core = &kernel.core[0], was = *core;
    uint64_t until = host.until;
    sched_account(core, host.now);
    sched_settle(core, &host.until);
    if (!was.unsettled && host.now < until &&
        (core->current != was.current || core->depth != was.depth ||
         host.until != until)) {
        host_fail("what runs has changed, and nobody called sched_unsettle");
    }
}

/* The error of a call that came back, or ERR_SWITCHED. */
static enum abi_error error_of(uint32_t nr, const struct dispatcher *d,
                               const struct saved_context *was)
{
    if (nr == SVC_CALL || nr == SVC_REPLY) {
        bool here = memcmp(d->context.x, was->x, 8 * sizeof(uint64_t)) == 0 &&
                    d->state == IS_READY && d->context.pc == was->pc &&
                    d->context.x[8] != 0 && d->context.x[8] < ERR_COUNT;
        return here ? (enum abi_error)d->context.x[8] : ERR_SWITCHED;
    }
    bool waits = nr == SYS_RUN || nr == SYS_BLOCK || nr == SYS_RESUME;
    if (waits && (d->context.x[0] == was->x[0] || d->state != IS_READY ||
                  d->context.pc != was->pc || d->context.x[0] >= ERR_COUNT)) {
        return ERR_SWITCHED;
    }
    if (nr == SYS_LEAVE && d->context.pc != was->pc) {
        return ERR_SWITCHED; /* an upcall came */
    }
    return (enum abi_error)d->context.x[0];
}

bool host_try(uint32_t nr, const uint64_t x[8])
{
    struct dispatcher *d = host_current();
    if (!host.follow) {
        host_remember();
    }
    memcpy(d->context.x, x, 8 * sizeof(uint64_t));
    struct saved_context was = d->context;
    host.calls++;
    if (!syscall_dispatch(d, nr)) {
        return false;
    }
    enum abi_error e = error_of(nr, d, &was);
    abi_note(nr, e);
    memcpy(host_result, d->context.x, sizeof(host_result));
    host_result[0] = e;
    if (e != ERR_OK && e != ERR_SWITCHED) {
        host_refusals++;
        if (host.follow) {
            return true; /* nothing was remembered */
        }
        INV(C9);
        if (host_changed(d)) {
            host_fail("system call %u failed with %u and changed the state", nr,
                      e);
        }
    }
    return true;
}

static void check(void)
{
    if (!host.follow) {
        check_all();
    }
}

enum abi_error host_call(uint32_t nr, const uint64_t x[8])
{
    uint64_t args[8];
    memcpy(args, x, sizeof(args));
    for (uint32_t i = 0; i < TRIES; i++) {
        struct dispatcher *d = host_current();
        if (host_try(nr, args)) {
            host_settle();
            check();
            return (enum abi_error)host_result[0];
        }
        memcpy(args, d->context.x, sizeof(args));
        check();
        host_settle();
        if (kernel.core[0].current != d->self) {
            host_fail("system call %u was interrupted", nr);
        }
    }
    host_fail("system call %u does not end", nr);
}

void host_invoke(uint64_t slot_flags, uint64_t cap, uint64_t receive)
{
    struct dispatcher *d = host_current();
    d->context.x[8] = slot_flags;
    d->context.x[9] = cap;
    d->context.x[10] = receive;
    host_call(SVC_CALL, (uint64_t[8]){10, 11, 12, 13, 14, 15, 16, 17});
}

void host_lend(uint64_t slot_flags, uint64_t loan)
{
    host_current()->context.x[11] = loan;
    host_invoke(slot_flags | CALL_LEND, 0, 0);
}

void host_reply(uint64_t flags, uint64_t cap)
{
    struct dispatcher *d = host_current();
    d->context.x[8] = flags;
    d->context.x[9] = cap;
    host_call(SVC_REPLY, (uint64_t[8]){20, 21, 22, 23, 24, 25, 26, 27});
}

/* ---- domains of tests -------------------------------------------------- */

static void must(enum abi_error e, const char *what)
{
    if (e != ERR_OK) {
        host_fail("%s: error %u", what, e);
    }
}

cptr_t host_kid_slot(uint32_t i, uint32_t which)
{
    return HOST_KID + i * HOST_KID_SLOTS + which;
}

struct dispatcher *host_kid_at(uint32_t i)
{
    return dispatcher_at(host_root_at()->child[i]);
}

static void make_kid(uint32_t i)
{
    cptr_t s = host_kid_slot(i, 0);
    must(CALL(UNTYPED_RETYPE, HOST_UNTYPED, s + KID_CNODE, TYPE_CNODE,
              HOST_KID_LOG2, 1, 0, 3),
         "CNode");
    must(CALL(UNTYPED_RETYPE, HOST_UNTYPED, s + KID_DOMAIN, TYPE_DOMAIN,
              DOMAIN_LOG2_MIN, 1),
         "domain");
    must(CALL(UNTYPED_RETYPE, HOST_UNTYPED, s + KID_DISPATCHER, TYPE_DISPATCHER,
              DISPATCHER_LOG2, 1),
         "dispatcher");
    must(CALL(DOMAIN_SET_CSPACE, s + KID_DOMAIN, s + KID_CNODE), "CSpace");
    must(CALL(DISPATCHER_BIND, s + KID_DISPATCHER, s + KID_DOMAIN, HOST_CPU,
              HOST_ATTIC, HOST_ATTIC_VA + i * 4 * PAGE_BYTES),
         "bind");
}

void host_kid(uint32_t i)
{
    make_kid(i);
    must(CALL(DISPATCHER_SET_PARENT, host_kid_slot(i, KID_DISPATCHER),
              HOST_DISPATCHER, i),
         "parent");
}

void host_kid_under(uint32_t i, cptr_t parent)
{
    make_kid(i);
    must(CALL(DISPATCHER_SET_PARENT, host_kid_slot(i, KID_DISPATCHER), parent,
              0),
         "parent");
}

void host_kid_start(uint32_t i)
{
    must(CALL(DISPATCHER_START, host_kid_slot(i, KID_DISPATCHER), 0x100,
              0x8000),
         "start");
    struct upcall_page *p = upcall_page(host_kid_at(i));
    p->entry = HOST_ENTRY;
    p->double_entry = HOST_DOUBLE_ENTRY;
    host_unmask(host_kid_at(i));
}

void host_unmask(struct dispatcher *d)
{
    upcall_page(d)->mask = MASK_OFF;
    upcall_page(d)->pending = 0;
}

void host_run(uint32_t i)
{
    host_unmask(host_current());
    CALL(RUN, i, ~0ull, 0);
    if (kernel.core[0].current != host_kid_at(i)->self) {
        host_fail("child %u does not run", i);
    }
}

void host_root(void)
{
    upcall_post(host_root_at(), REASON_TICK);
    host_settle();
    check_all();
    if (host_current() != host_root_at()) {
        host_fail("root does not run");
    }
    host_unmask(host_root_at());
}

void host_ring(uint32_t n)
{
    host_boot(20);
    for (uint32_t i = 0; i < n; i++) {
        host_kid(i);
        cptr_t ep = host_kid_slot(i, KID_ENDPOINT);
        must(CALL(UNTYPED_RETYPE, HOST_UNTYPED, ep, TYPE_ENDPOINT,
                  ENDPOINT_LOG2, 1),
             "endpoint");
        must(CALL(ENDPOINT_BIND, ep, host_kid_slot(i, KID_DISPATCHER)),
             "its dispatcher");
    }
    for (uint32_t i = 0; i < n; i++) {
        must(CALL(CAP_COPY, CPTR(host_kid_slot(i, KID_CNODE), HOST_GATE),
                  host_kid_slot((i + 1) % n, KID_ENDPOINT), ~0ull, 100 + i),
             "gate");
        host_kid_start(i);
    }
}

void host_serve(uint32_t i, cptr_t receive)
{
    host_run(i);
    must(CALL(CALL_ACCEPT, HOST_CALL_ENTRY, 0x9000, receive), "accept");
    host_unmask(host_current());
    CALL(BLOCK, ~0ull);
    host_unmask(host_root_at());
}
