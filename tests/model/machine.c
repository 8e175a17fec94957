/* SPDX-License-Identifier: BSL-1.0
 *
 * The machine of machine.h. RAM: page 0 is nobody's, then what the boot makes,
 * then two arenas; the directory is at the end.
 */
#include "machine.h"

#include <string.h>

#define RAM_BYTES       ((uint64_t)RAM_CELLS << CELL_LOG2)
#define DIRECTORY_BYTES (USER_SLOTS * 4u)
#define DEVICES         0x3f000000ull
#define GENERATION      (1u << 19) /* in an entry of the directory */
#define TRIES           100000u

unsigned char ram_host[RAM_BYTES] __attribute__((aligned(4096)));
struct machine machine;
static uint64_t top;

static struct tlb_entry {
    uint32_t domain; /* reference; 0: free */
    uint64_t va;
    struct access access;
} tlb[TLB_ENTRIES];

/* ---- what the core asks of the machine ---------------------------------- */

_Noreturn void arch_fatal(const char *why)
{
    diverge("kernel: %s", why);
}

uint64_t arch_now(void)
{
    return 0;
}

void arch_tlb_page(uint64_t va)
{
    machine.asked++;
    for (uint32_t i = 0; i < TLB_ENTRIES; i++) {
        tlb[i].domain = tlb[i].va == va ? 0 : tlb[i].domain;
    }
}

void arch_tlb_domain(uint32_t asid)
{
    machine.asked++;
    for (uint32_t i = 0; i < TLB_ENTRIES; i++) {
        bool same = domain_asid(tlb[i].domain) == asid;
        tlb[i].domain = same ? 0 : tlb[i].domain;
    }
}

void arch_publish(void)
{
    machine.asked++;
}

void arch_sync_code(ref_t ref, uint64_t bytes)
{
    machine.asked += ref != 0 && bytes != 0;
}

void arch_zero(ref_t ref, uint64_t bytes)
{
    machine.asked++;
    if (ref_address(ref) + bytes > machine.end) {
        diverge("memory outside the arenas is zeroed");
    }
    memset(ram_at(ref), 0, bytes);
}

void arch_irq_mask(uint32_t irq)
{
    machine.asked += irq < IRQ_COUNT;
}

void arch_irq_unmask(uint32_t irq)
{
    machine.asked += irq < IRQ_COUNT;
}

void arch_forget(ref_t dispatcher)
{
    machine.asked += dispatcher != 0;
}

bool arch_interrupt_pending(void)
{
    bool yes = machine.interrupts & 1;
    machine.interrupts >>= 1;
    return yes;
}

/* ---- boot: the same things for the core and for the model ---------------- */

static uint64_t take(uint32_t log2)
{
    uint64_t bytes = 1ull << log2;
    uint64_t at = (top + bytes - 1) & ~(bytes - 1);
    top = at + bytes;
    return at;
}

static uint32_t unit_of(uint32_t type)
{
    return type == TYPE_RANGE ? PAGE_LOG2 : CELL_LOG2;
}

static struct slot *put(uint32_t index, uint32_t type, struct object *o,
                        uint32_t rights)
{
    ref_t ref = ref_of(machine.root_node->at) + index;
    struct slot *s = slot_at(ref);
    bool number = type == TYPE_CPU || type == TYPE_IRQ;
    s->type = (uint8_t)type;
    s->obj = (uint32_t)(number ? o->at : o->at >> unit_of(type));
    s->order = (uint8_t)(number ? 0 : o->log2 - unit_of(type));
    s->rights = (uint8_t)rights;
    cap_insert(slot_at(kernel.head)->prev, ref);
    model_give(machine.root_node, index, o)->rights = (uint8_t)rights;
    return s;
}

static struct slot *give(uint32_t index, uint32_t type, uint64_t at,
                         uint32_t log2, uint32_t rights)
{
    return put(index, type, model_object(type, at, log2), rights);
}

static void boot_bind(uint32_t i, struct object *node)
{
    struct object *d = machine.domain[i], *p = machine.dispatcher[i];
    model_bind_cspace(d, node);
    model_place(p, d);
    domain_at(ref_of(d->at))->dispatcher[0] = ref_of(p->at);
    dispatcher_at(ref_of(p->at))->domain = ref_of(d->at);
    dispatcher_at(ref_of(p->at))->state = IS_READY;
    object_set_cspace(ref_of(d->at), ref_of(node->at));
}

/* A CNode, which for the core begins with its first capability. */
static struct object *boot_node(uint32_t index, struct object *node,
                                uint32_t rank)
{
    struct cnode *c = ram_at(ref_of(node->at));
    c->rank = rank;
    c->slots = 1u << (node->log2 - CELL_LOG2);
    node->rank = (uint8_t)rank;
    put(index, TYPE_CNODE, node, RIGHTS_ALL)->attr =
        (uint8_t)(rank << ATTR_RANK_SHIFT);
    return node;
}

static void boot_domain(uint32_t i)
{
    struct object *node = machine.root_node;
    uint32_t at = 3 * i + 1;
    if (i == 0) {
        boot_node(at, node, RANK_MAX);
    } else {
        node = boot_node(at, model_object(TYPE_CNODE, take(KID_LOG2), KID_LOG2),
                         5);
    }
    object_create(give(at + 1, TYPE_DOMAIN, take(DOMAIN_LOG2_MIN),
                       DOMAIN_LOG2_MIN, RIGHTS_ALL),
                  0);
    object_create(give(at + 2, TYPE_DISPATCHER, take(DISPATCHER_LOG2),
                       DISPATCHER_LOG2, RIGHTS_ALL),
                  0);
    machine.domain[i] = model_slot(machine.root_node, at + 1)->object;
    machine.dispatcher[i] = model_slot(machine.root_node, at + 2)->object;
    boot_bind(i, node);
}

static void boot_arena(uint32_t index, uint32_t log2)
{
    uint64_t at = take(log2);
    give(index, TYPE_UNTYPED, at, log2, RIGHTS_ALL);
    memset(ram_at(ref_of(at)), 0xa5, 1ull << log2); /* memory is dirty */
}

static void boot_rest(void)
{
    uint32_t at = 3 * DOMAINS + 1;
    give(at++, TYPE_CPU, 0, 0, RIGHTS_ALL);
    give(at++, TYPE_CPU, 1, 0, RIGHTS_ALL);
    give(at++, TYPE_IRQ, 7, 0, RIGHTS_ALL);
    for (uint32_t i = 0; i < MODEL_GIBS; i++) {
        uint64_t va = model_va(i * MODEL_EACH);
        give(at++, TYPE_RANGE, va, STRETCH_LOG2 + 2, RIGHTS_ALL);
    }
    boot_arena(at++, 18);
    boot_arena(at++, 17);
    for (uint64_t i = 0; i < 2; i++) {
        give(at, TYPE_UNTYPED, DEVICES + (i << 22), 22, RIGHTS_ALL)->attr =
            ATTR_DEVICE;
        model_slot(machine.root_node, at++)->object->device = true;
    }
    /* Nobody can make these: an untyped and a range that allow nothing */
    give(at++, TYPE_UNTYPED, take(PAGE_LOG2), PAGE_LOG2, 0);
    give(at++, TYPE_RANGE, 0x7000000000, STRETCH_LOG2, 0);
}

void machine_boot(void)
{
    memset(ram_host, 0, machine.end);
    memset(tlb, 0, sizeof(tlb));
    kernel = (struct kernel){.directory = ref_of(RAM_BYTES - DIRECTORY_BYTES),
                             .epoch = UINT32_MAX - 64}; /* soon over */
    for (uint32_t i = 0; i < MODEL_WINDOW; i++) {
        uint32_t *entries = ram_at(kernel.directory);
        entries[model_va(i) >> STRETCH_LOG2] = 0;
    }
    top = PAGE_BYTES;
    kernel.head = ref_of(take(CELL_LOG2));
    slot_at(kernel.head)->next = slot_at(kernel.head)->prev = kernel.head;
    model_boot();
    machine.root_node = model_object(TYPE_CNODE, take(ROOT_LOG2), ROOT_LOG2);
    for (uint32_t i = 0; i < DOMAINS; i++) {
        boot_domain(i);
    }
    boot_rest();
    machine.end = top;
    machine_become(0);
}

void machine_age(uint32_t slot)
{
    uint32_t *entries = ram_at(kernel.directory);
    uint32_t *e = &entries[model_va(slot) >> STRETCH_LOG2];
    *e -= (*e & (GENERATION - 1)) == 0 ? GENERATION : 0;
}

void machine_become(uint32_t i)
{
    kernel.core[0].current = ref_of(machine.dispatcher[i]->at);
    model.domain = machine.domain[i];
    model.dispatcher = machine.dispatcher[i];
}

enum abi_error machine_call(uint32_t nr, uint64_t *x, uint32_t patience)
{
    struct dispatcher *d = dispatcher_at(kernel.core[0].current);
    memcpy(d->context.x, x, 8 * sizeof(*x));
    for (uint32_t i = 0; !syscall_dispatch(d, nr); i++) {
        if (i == patience) {
            memcpy(x, d->context.x, 8 * sizeof(*x));
            return ERR_AGAIN;
        }
        if (i > TRIES) {
            diverge("the system call does not end");
        }
    }
    memcpy(x, d->context.x, 8 * sizeof(*x));
    return (enum abi_error)x[0];
}

/* ---- translation (Arm DDI 0487, D5.3) ------------------------------------ */

#define BIT(n)      (1ull << (n))
#define PTE_ADDRESS 0x0000fffffffff000ull

static uint64_t load(uint64_t table, uint64_t index)
{
    if (table == 0 || table + PAGE_BYTES > machine.end) {
        diverge("a translation table at %llx", (unsigned long long)table);
    }
    return ((const uint64_t *)ram_at(ref_of(table)))[index & 511];
}

/* The descriptor of a 2 MiB slot, table or block; 0: none. */
static uint64_t level2_entry(ref_t domain, uint64_t va)
{
    uint64_t e = load(ref_address(domain) + PAGE_BYTES, va >> 30);
    if ((e & 3) != 3) {
        return 0;
    }
    uint64_t entry = load(e & PTE_ADDRESS, va >> 21);
    return entry & 1 ? entry : 0;
}

bool machine_walks(ref_t domain, uint64_t va)
{
    return level2_entry(domain, va) != 0;
}

struct access machine_walk(ref_t domain, uint64_t va)
{
    uint64_t table = level2_entry(domain, va);
    if (table == 0) {
        return (struct access){0};
    }
    bool block = (table & 3) == 1;
    uint64_t page = block ? table : load(table & PTE_ADDRESS, va >> 12);
    uint64_t within = block ? va % STRETCH_BYTES & PTE_ADDRESS : 0;
    if (!block && (page & 3) != 3) {
        return (struct access){0};
    }
    table = block ? 0 : table;
    if ((block && page & PTE_ADDRESS & (STRETCH_BYTES - 1)) ||
        !(page & BIT(6)) || !(page & BIT(53)) || !(page & BIT(10)) ||
        !(page & BIT(11)) || (table & BIT(61))) {
        diverge("page at %llx: descriptor %llx", (unsigned long long)va,
                (unsigned long long)page);
    }
    bool read_only = (page & BIT(7)) || (table & BIT(62));
    bool no_exec = (page & BIT(54)) || (table & BIT(60));
    uint8_t rights = (uint8_t)(RIGHT_READ | (read_only ? 0 : RIGHT_WRITE) |
                               (no_exec ? 0 : RIGHT_EXEC));
    return (struct access){(page & PTE_ADDRESS) + within, rights,
                           (page >> 2 & 7) == 0};
}

/* ---- the TLB ------------------------------------------------------------- */

void tlb_load(ref_t domain, uint64_t va, uint32_t into)
{
    struct access a = machine_walk(domain, va);
    if (a.rights != 0) {
        tlb[into] = (struct tlb_entry){domain, va, a};
    }
}

static bool lives(ref_t domain)
{
    for (uint32_t i = 0; i < model.count[TYPE_DOMAIN]; i++) {
        if (ref_of(model.of_type[TYPE_DOMAIN][i]->object->at) == domain) {
            return true;
        }
    }
    return false;
}

static void check_entry(const struct tlb_entry *t)
{
    struct access now = {0};
    if (t->domain == 0) {
        return;
    }
    if (lives(t->domain)) {
        now = machine_walk(t->domain, t->va);
    }
    if (now.address != t->access.address || now.rights != t->access.rights) {
        diverge("the TLB of domain %x still maps %llx to %llx with rights %x, "
                "the tables to %llx with %x",
                t->domain, (unsigned long long)t->va,
                (unsigned long long)t->access.address, t->access.rights,
                (unsigned long long)now.address, now.rights);
    }
}

void tlb_check(uint32_t entry)
{
    check_entry(&tlb[entry % TLB_ENTRIES]);
}

void tlb_check_all(void)
{
    for (uint32_t i = 0; i < TLB_ENTRIES; i++) {
        check_entry(&tlb[i]);
    }
}

void tlb_check_memory(uint64_t address, uint64_t bytes)
{
    for (uint32_t i = 0; i < TLB_ENTRIES; i++) {
        if (tlb[i].domain != 0 && tlb[i].access.address - address < bytes) {
            diverge("the TLB of domain %x still leads from %llx to memory that "
                    "became another object",
                    tlb[i].domain, (unsigned long long)tlb[i].va);
        }
    }
}
