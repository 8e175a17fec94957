/* SPDX-License-Identifier: BSL-1.0
 *
 * A root server that does nothing but make the benchmark's domains and schedule
 * them, on a kernel that is the system's own.
 */
#include "tests/bench/root/set.h"

#include <stdarg.h>
#include <stdio.h>

#include "rootserver/root.h"
#include "tests/bench/mark.h"

#define UART_PAGE   0x3f201000ull
#define TIMER_PAGE  0x3f003000ull
#define UART_VA     (ROOT_PAGES_VA + 0x20000)
#define TIMER_IRQ   1u  /* compare register 1 */
#define UNUSED_IRQS 20u /* of the GPU, which QEMU does not raise */
#define STACK_BYTES 4096u
#define PLACE_BYTES (4 * PAGE_BYTES) /* three for a dispatcher, one is free */
#define RW          (RIGHT_READ | RIGHT_WRITE)

static volatile uint32_t *const uart = (void *)UART_VA;
static uint64_t pages_va;
static uint32_t pages[2]; /* the stretches with everybody's pages */
static struct {
    uint32_t cnode, domain, dispatcher, sched;
} set[MEMBERS_MAX];
static uint32_t members;
static volatile uint32_t wanted;
uint64_t client_range;
volatile uint32_t direct;

/* ---- what the client may use ------------------------------------------- */

__attribute__((format(printf, 1, 2))) static void print(const char *f, ...)
{
    char line[120];
    va_list list;
    va_start(list, f);
    (void)vsnprintf(line, sizeof(line), f, list);
    va_end(list);
    for (const char *c = line; *c != '\0'; c++) {
        while (uart[6] & 0x20u) { /* FR: TXFF */
        }
        uart[0] = (uint8_t)*c;
    }
}

void row_end(const char *name)
{
    print("row %u %s\n", RUNS, name);
}

void expect(unsigned long error, const char *what)
{
    if (error != 0) {
        print("failed %s: error %lu\n", what, error);
        for (;;) {
            (void)sys_block(~0ull);
        }
    }
}

struct upcall_page *page_of(enum member m)
{
    return (void *)(pages_va + m * PLACE_BYTES + PAGE_BYTES);
}

/* ---- making domains ---------------------------------------------------- */

static uint32_t make(uint32_t from, uint32_t type, uint32_t log2, uint32_t rank)
{
    uint32_t slot = slot_take();
    expect(sys_untyped_retype(from, slot, type, log2, 1, 0, rank), "retype");
    return slot;
}

static void attach(uint32_t stretch, uint32_t domain, uint64_t rights)
{
    expect(sys_stretch_attach(stretch, domain, rights), "attach");
}

static void make_objects(enum member m, uint32_t chunk, uint32_t slots_log2)
{
    set[m].dispatcher = make(chunk, TYPE_DISPATCHER, DISPATCHER_LOG2, 0);
    set[m].domain = make(chunk, TYPE_DOMAIN, DOMAIN_LOG2_MIN, 0);
    set[m].sched = make(chunk, TYPE_SCHED_CONTEXT, SCHED_CONTEXT_LOG2, 0);
    if (slots_log2 + SLOT_LOG2 > 14) {
        chunk = chunk_take(18);
    }
    set[m].cnode = make(chunk, TYPE_CNODE, slots_log2 + SLOT_LOG2, 5);
}

static void wire(enum member m)
{
    const struct boot_info *b = memory_boot();
    expect(sys_domain_set_cspace(set[m].domain, set[m].cnode), "cspace");
    attach(b->slot_text, set[m].domain, RIGHT_READ | RIGHT_EXEC);
    attach(b->slot_data, set[m].domain, RW);
    attach(b->slot_pages, set[m].domain, RW);
    attach(pages[0], set[m].domain, RW);
    attach(pages[1], set[m].domain, RW);
    expect(sys_dispatcher_bind(set[m].dispatcher, set[m].domain,
                               memory_slot_cpu(),
                               pages[m * PLACE_BYTES / STRETCH_BYTES],
                               (uintptr_t)page_of(m) - PAGE_BYTES),
           "bind");
    expect(sys_sched_bind(set[m].sched, set[m].dispatcher), "sched");
    expect(sys_dispatcher_set_parent(set[m].dispatcher, CPTR_SELF_DISPATCHER,
                                     m),
           "parent");
}

static void member_make(enum member m, void (*entry)(void))
{
    static char stack[MEMBERS_MAX][STACK_BYTES]
        __attribute__((aligned(STACK_BYTES)));
    make_objects(m, chunk_take(16), m == CLIENT ? 12 : 4);
    wire(m);
    members = m + 1;
    expect(sys_dispatcher_start(set[m].dispatcher, (uintptr_t)entry,
                                (uintptr_t)stack[m + 1], 0),
           "start");
}

static void give(uint32_t slot, enum client_slot to)
{
    expect(sys_cap_copy(CPTR(set[CLIENT].cnode, to), slot, RIGHTS_ALL, 0, 0),
           "give");
}

static uint32_t gate_make(enum member m, uint32_t chunk)
{
    uint32_t gate = make(chunk, TYPE_ENDPOINT, ENDPOINT_LOG2, 0);
    expect(sys_endpoint_bind(gate, set[m].dispatcher), "endpoint");
    return gate;
}

static void give_badged(uint32_t gate, cptr_t to)
{
    expect(sys_cap_copy(to, gate, RIGHT_CALL, 7, 0), "badge");
}

static void equip_client(void)
{
    cptr_t node = set[CLIENT].cnode;
    for (uint32_t i = 0; i < C_MEMORIES; i++) {
        expect(sys_cap_move(CPTR(node, C_MEMORY + i), chunk_take(18)), "move");
    }
    expect(sys_cap_move(CPTR(node, C_RANGE), block_take(&client_range)),
           "range");
    uint32_t chunk = chunk_take(16);
    uint32_t gate = gate_make(SERVER, chunk), waker = gate_make(WAKER, chunk);
    give_badged(gate, CPTR(node, C_ENDPOINT));
    give_badged(waker, CPTR(node, C_WAKER));
    give_badged(gate_make(FLOATER, chunk), CPTR(node, C_FLOATER));
    give_badged(gate_make(READER, chunk), CPTR(node, C_READER));
    give_badged(waker, CPTR(set[PEER].cnode, PEER_ENDPOINT));
    give(gate, C_GATE);
    give(set[PEER].domain, C_PEER);
    give(set[PEER].dispatcher, C_CHILD);
    give(set[PEER].sched, C_PEER_SCHED);
    give(memory_slot_cpu(), C_CPU);
    give(memory_slot_irq() + TIMER_IRQ, C_IRQ);
    for (uint32_t i = 0; i < RUNS; i++) {
        give(memory_slot_irq() + UNUSED_IRQS + i, C_IRQS + i);
    }
    expect(sys_event_mint(CPTR(node, C_EVENT), set[PEER].dispatcher, 0) ||
               sys_event_mint(CPTR(node, C_OWN_EVENT), set[CLIENT].dispatcher,
                              1) ||
               sys_event_mint(CPTR(set[WAKER].cnode, WAKER_EVENT_SLOT),
                              set[PEER].dispatcher, 0) ||
               sys_event_mint(CPTR(set[PEER].cnode, PEER_EVENT_SLOT),
                              set[CLIENT].dispatcher, 0),
           "events");
}

static void equip_spare(void)
{
    uint32_t chunk = chunk_take(18);
    cptr_t node = set[CLIENT].cnode;
    static const struct {
        uint32_t slot, type, log2;
    } spare[] = {
        {C_SPARE_DISPATCHER, TYPE_DISPATCHER, DISPATCHER_LOG2},
        {C_SPARE_DOMAIN, TYPE_DOMAIN, DOMAIN_LOG2_MIN},
        {C_SPARE_CNODE, TYPE_CNODE, SLOT_LOG2 + 4},
    };
    for (uint32_t i = 0; i < sizeof(spare) / sizeof(spare[0]); i++) {
        expect(sys_untyped_retype(chunk, CPTR(node, spare[i].slot),
                                  spare[i].type, spare[i].log2, 1, 0, 1),
               "spare");
    }
}

/* ---- scheduling -------------------------------------------------------- */

static const struct identity_page *identity_of_root(void)
{
    return (const void *)(uintptr_t)ROOT_PAGES_VA;
}

static void idle_main(void)
{
    for (;;) {
        (void)sys_block(~0ull);
    }
}

void crowd(uint32_t n)
{
    wanted = n;
    take(page_of(CLIENT));
    wait_upcall(); /* the root looks at it when all block, then signals */
}

static void make_crowd(void)
{
    while (members < wanted) {
        member_make((enum member)members, idle_main);
    }
    wanted = 0;
    uint32_t event = slot_take();
    expect(sys_event_mint(event, set[CLIENT].dispatcher, 2), "crowd");
    (void)sys_event_signal(event);
}

_Noreturn void schedule(void)
{
    struct upcall_page *p = (void *)(uintptr_t)(ROOT_PAGES_VA + PAGE_BYTES);
    for (;;) {
        take(p);
        for (uint32_t i = members; i-- > 0;) {
            uint32_t state = identity_of_root()->child[i].state;
            if (state == CHILD_READY || state == CHILD_RUNNING) {
                (void)sys_run(i, ~0ull, i | direct);
            }
        }
        if (wanted != 0) {
            make_crowd();
        } else {
            (void)sys_block(~0ull);
        }
    }
}

_Noreturn void root_main(const struct boot_info *info);
_Noreturn void root_main(const struct boot_info *info)
{
    extern char stack_top[];
    struct upcall_page *p = (void *)(uintptr_t)(ROOT_PAGES_VA + PAGE_BYTES);
    p->entry = (uintptr_t)schedule;
    p->sp = (uintptr_t)stack_top;
    memory_init(info);
    expect(frames_map(device_frame(UART_PAGE), info->slot_pages, UART_VA, RW,
                      1),
           "uart");
    expect(frames_map(device_frame(TIMER_PAGE), info->slot_pages, TIMER_VA, RW,
                      1),
           "timer");
    uint32_t block = block_take(&pages_va);
    for (uint32_t i = 0; i < 2; i++) {
        pages[i] = slot_take();
        expect(sys_stretch_create(pages[i], chunk_take(16), block,
                                  pages_va + i * STRETCH_BYTES, 0),
               "pages");
        attach(pages[i], info->slot_domain, RW);
    }
    member_make(CLIENT, client_main);
    member_make(SERVER, server_main);
    member_make(WAKER, waker_main);
    member_make(FLOATER, floater_main);
    member_make(READER, reader_main);
    member_make(PEER, peer_main);
    equip_client();
    equip_spare();
    schedule();
}
