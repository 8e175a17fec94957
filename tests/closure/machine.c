/* SPDX-License-Identifier: BSL-1.0
 *
 * The smallest machine under the core: as tests/unit/kernel_host.c, but without
 * its comparisons, which would cost more than what is compared.
 */
#include "closure.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define RAM_BYTES       ((uint64_t)RAM_CELLS << CELL_LOG2)
#define DIRECTORY_BYTES (USER_SLOTS * 4u)
#define TRIES           4096u

ref_t root_cnode, root_dispatcher;
bool machine_restarts;
static uint64_t top;

/* ---- boot -------------------------------------------------------------- */

ref_t machine_take(uint32_t log2)
{
    uint64_t size = 1ull << log2, at = (top + size - 1) & ~(size - 1);
    top = at + size;
    if (top > RAM_BYTES - DIRECTORY_BYTES) {
        host_fail("the machine has not so much memory");
    }
    host.end = ref_of(top);
    return ref_of(at);
}

struct slot *machine_give(uint32_t index, uint32_t type, uint32_t obj,
                          uint32_t order)
{
    ref_t ref = root_cnode + index;
    struct slot *s = slot_at(ref);
    s->type = (uint8_t)type;
    s->obj = obj;
    s->order = (uint8_t)order;
    s->rights = RIGHTS_ALL;
    cap_insert(slot_at(kernel.head)->prev, ref);
    return s;
}

ref_t machine_make(uint32_t index, uint32_t type, uint32_t log2)
{
    ref_t obj = machine_take(log2);
    object_create(machine_give(index, type, obj, log2 - CELL_LOG2), 0);
    return obj;
}

static void boot_cnode(uint32_t slots)
{
    uint32_t order = 2;
    while (1u << order < slots) {
        order++;
    }
    root_cnode = machine_take(order + SLOT_LOG2);
    struct slot *s = machine_give(ROOT_SLOT, TYPE_CNODE, root_cnode, order);
    s->attr = (uint8_t)(RANK_MAX << ATTR_RANK_SHIFT);
    object_create(s, RANK_MAX);
    ((struct cnode *)ram_at(root_cnode))->slots = slots;
}

static void boot_domain(void)
{
    struct slot s = {.type = TYPE_DOMAIN, .order = DOMAIN_LOG2_MIN - CELL_LOG2};
    s.obj = machine_take(DOMAIN_LOG2_MIN);
    object_create(&s, 0);
    struct domain *domain = domain_at(s.obj);
    struct slot d = {.type = TYPE_DISPATCHER};
    d.obj = root_dispatcher = machine_take(DISPATCHER_LOG2);
    object_create(&d, 0);
    domain->dispatcher[0] = root_dispatcher;
    dispatcher_at(root_dispatcher)->domain = s.obj;
    object_set_cspace(s.obj, root_cnode);
}

static void boot_start(void)
{
    struct dispatcher *d = dispatcher_at(root_dispatcher);
    struct core_state *core = &kernel.core[0];
    d->context.pc = HOST_ENTRY;
    d->pages = ROOT_PAGES_VA;
    d->user.upcall.entry = HOST_ENTRY;
    d->state = IS_READY;
    core->chain[0] = (struct chain_level){d->self, 255, NO_CHILD, ~0ull};
    core->depth = 1;
    core->current = d->self;
    core->charged = host.now;
}

void machine_boot(uint32_t slots)
{
    memset(ram_host, 0, RAM_BYTES);
    kernel = (struct kernel){0};
    host = (struct host){.now = 1000, .interrupt = machine_restarts};
    memset(host.masked, true, sizeof(host.masked));
    top = PAGE_BYTES;
    kernel.directory = ref_of(RAM_BYTES - DIRECTORY_BYTES);
    kernel.head = machine_take(CELL_LOG2);
    slot_at(kernel.head)->next = slot_at(kernel.head)->prev = kernel.head;
    boot_cnode(slots);
    boot_domain();
    boot_start();
}

/* ---- traps ------------------------------------------------------------- */

static enum abi_error finish(uint32_t nr, const struct dispatcher *d,
                             uint64_t pc, uint64_t tag)
{
    bool waits =
        nr == SYS_RUN || nr == SYS_BLOCK || nr == SYS_RESUME || nr == SYS_LEAVE;
    if (waits && (d->context.x[30] != tag || d->context.pc != pc ||
                  d->state != IS_READY || d->context.x[0] >= ERR_COUNT)) {
        return ERR_SWITCHED;
    }
    return (enum abi_error)d->context.x[0];
}

/* A refused call stores its error in x0 and nothing else: put x0..x7 back, so
 * that the state can be compared as it is. */
enum abi_error machine_call(uint32_t nr, const uint64_t x[8])
{
    struct dispatcher *d = dispatcher_at(kernel.core[0].current);
    struct saved_context was = d->context;
    if (nr != SYS_LEAVE) { /* which has none, and may save the context */
        memcpy(d->context.x, x, 8 * sizeof(uint64_t));
    }
    bool ended = syscall_dispatch(d, nr);
    for (uint32_t i = 0; !ended && !machine_restarts; i++) {
        if (i == TRIES) {
            host_fail("system call %u does not end", nr);
        }
        ended = syscall_dispatch(d, nr);
    }
    if (!ended) {
        d->context = was;
        return ERR_AGAIN;
    }
    enum abi_error e = finish(nr, d, was.pc, was.x[30]);
    if (e != ERR_SWITCHED) {
        d->context = was;
    }
    return e;
}

enum outcome outcome_of(enum abi_error e)
{
    return e == ERR_OK || e == ERR_AGAIN || e == ERR_SWITCHED ? DONE : REFUSED;
}

void machine_must(uint32_t nr, const uint64_t x[8])
{
    enum abi_error e = machine_call(nr, x);
    while (e == ERR_AGAIN) { /* the objects know how far it is */
        e = machine_call(nr, x);
    }
    if (e != ERR_OK) {
        host_fail("boot: system call %u: error %u", nr, e);
    }
}

void machine_settle(void)
{
    struct core_state *core = &kernel.core[0], was = *core;
    sched_account(core, host.now);
    sched_settle(core, &host.until);
    if (!was.unsettled &&
        (core->current != was.current || core->depth != was.depth)) {
        host_fail("what runs has changed, and nobody called sched_unsettle");
    }
}

/* ---- for scopes -------------------------------------------------------- */

void normal_core(void)
{
    struct core_state *core = &kernel.core[0];
    core->charged = host.now;
    core->idle = 0;
    host.until = 0;
    host.syncs = 0;
    for (uint32_t i = core->depth; i < CHAIN_MAX; i++) {
        core->chain[i] = (struct chain_level){0};
    }
}

/* A sweep knows who was visited by its number; between sweeps it is nothing. */
void normal_sweep(ref_t first)
{
    ref_t d = kernel.domains;
    for (uint32_t i = 0; i < LIST_MAX; i++, d = domain_at(d)->all.next) {
        bool visited =
            kernel.sweep != 0 && domain_at(d)->visited == kernel.epoch;
        domain_at(d)->visited = visited ? 2 : 0;
        if (domain_at(d)->all.next == kernel.domains) {
            break;
        }
    }
    if (kernel.sweep == 0) {
        kernel.domains = first;
    }
    kernel.epoch = 2;
}

void watch_dispatcher(ref_t ref, uint32_t children, uint32_t save_slots)
{
    struct dispatcher *d = dispatcher_at(ref);
    struct upcall_page *p = &d->user.upcall;
    watch(&d->context, sizeof(d->context));
    watch(&d->state, offsetof(struct dispatcher, child) -
                         offsetof(struct dispatcher, state) +
                         children * sizeof(ref_t));
    watch(&d->identity, offsetof(struct identity_page, child) +
                            children * sizeof(struct child_entry));
    watch(p, offsetof(struct upcall_page, slots));
    watch(&p->slots[0], save_slots * sizeof(struct saved_context));
}

/* The listed slots in order; their number. */
uint32_t walk_list(ref_t list[LIST_MAX])
{
    uint32_t n = 0;
    ref_t r = slot_at(kernel.head)->next;
    for (; r != kernel.head; r = slot_at(r)->next) {
        if (n == LIST_MAX - 1) {
            host_fail("derivation list: endless");
        }
        list[n++] = r;
    }
    return n;
}

/* ---- symmetry: slots in the order of the list -------------------------- */

static ref_t renamed(ref_t r, ref_t first, uint32_t n, const ref_t *map)
{
    return r >= first && r < first + n ? map[r - first] : r;
}

void rename_slots(ref_t first, uint32_t count)
{
    ref_t list[LIST_MAX], map[ALIKE_MAX] = {0}, next = first;
    struct slot copy[ALIKE_MAX];
    uint32_t n = walk_list(list);
    for (uint32_t i = 0; i < n; i++) {
        if (list[i] >= first && list[i] < first + count) {
            map[list[i] - first] = next++;
        }
    }
    memcpy(copy, ram_at(first), count * sizeof(copy[0]));
    memset(ram_at(first), 0, count * sizeof(copy[0]));
    for (uint32_t i = 0; i < count; i++) {
        if (map[i] != 0) {
            *slot_at(map[i]) = copy[i];
        } else if (copy[i].type != TYPE_NULL) {
            host_fail("slot %x is occupied but not in the list", first + i);
        }
    }
    list[n++] = kernel.head;
    for (uint32_t i = 0; i < n; i++) {
        struct slot *s = slot_at(renamed(list[i], first, count, map));
        s->next = renamed(s->next, first, count, map);
        s->prev = renamed(s->prev, first, count, map);
    }
}

/* ---- words ------------------------------------------------------------- */

void say(char *text, size_t size, const char *format, ...)
{
    size_t used = strlen(text);
    va_list list;
    va_start(list, format);
    vsnprintf(text + used, size - used, format, list);
    va_end(list);
}

static const char *const names[SYS_COUNT] = {
#define SYSCALL(nr, name) [nr] = #name,
#include "calls.inc"
#undef SYSCALL
};

static void say_argument(char *text, size_t size, uint64_t x)
{
    uint64_t inner = x >> 32;
    if (inner > 0 && inner < 16 && (uint32_t)x < 64) {
        say(text, size, "%u/%u", (uint32_t)x, (uint32_t)inner - 1);
    } else if (x < 64) {
        say(text, size, "%u", (uint32_t)x);
    } else {
        say(text, size, "0x%llx", (unsigned long long)x);
    }
}

void say_call(char *text, size_t size, uint32_t nr, const uint64_t *x)
{
    uint32_t n = 8;
    while (n > 1 && x[n - 1] == 0) {
        n--;
    }
    say(text, size, "%s(", names[nr % SYS_COUNT]);
    for (uint32_t i = 0; i < n; i++) {
        say(text, size, "%s", i ? ", " : "");
        say_argument(text, size, x[i]);
    }
    say(text, size, ")");
}
