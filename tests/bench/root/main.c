/* SPDX-License-Identifier: BSL-1.0
 *
 * A root server that does nothing but make the benchmark's domains and schedule
 * them, on a kernel that is the system's own.
 */
#include "tests/bench/root/set.h"

#include "rootserver/root.h"
#include "tests/bench/mark.h"

#define TIMER_IRQ   1u  /* compare register 1 */
#define UNUSED_IRQS 20u /* of the GPU, which QEMU does not raise */

static uint32_t members;
static volatile uint32_t wanted;
uint64_t client_range;
volatile uint32_t direct;

/* ---- making domains ---------------------------------------------------- */

void row_end(const char *name)
{
    print("row %u %s\n", RUNS, name);
}

static void add(enum member m, void (*entry)(uint64_t m))
{
    member_make(m, chunk_take(16), m == CLIENT ? 12 : 4, entry);
    members = m + 1;
}

static void give(uint32_t slot, enum client_slot to)
{
    expect(sys_cap_copy(CPTR(set[CLIENT].cnode, to), slot, RIGHTS_ALL, 0, 0),
           "give");
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
    expect(sys_cap_move(CPTR(node, C_HUGE), chunk_take(21)), "move");
    expect(sys_cap_move(CPTR(node, C_RANGE), block_take(&client_range)),
           "range");
    uint32_t chunk = chunk_take(16);
    uint32_t gate[READER + 1] = {0};
    for (uint32_t m = SERVER; m <= READER; m++) {
        gate_make(&gate[m], m, chunk);
        give_badged(gate[m], CPTR(node, C_ENDPOINT + m - SERVER));
    }
    give_badged(gate[WAKER], CPTR(set[PEER].cnode, PEER_ENDPOINT));
    give_badged(gate[SERVER], CPTR(set[WAKER].cnode, WAKER_SERVER_SLOT));
    give(gate[SERVER], C_GATE);
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

static void idle_main(uint64_t m)
{
    (void)m;
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
        add((enum member)members, idle_main);
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
            if (state == CHILD_READY) {
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
    domains_init(info);
    add(CLIENT, client_main);
    add(SERVER, server_main);
    add(WAKER, waker_main);
    add(FLOATER, floater_main);
    add(READER, reader_main);
    add(PEER, peer_main);
    equip_client();
    equip_spare();
    schedule();
}
