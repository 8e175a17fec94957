/* SPDX-License-Identifier: BSL-1.0
 *
 * The domains of a root program of tests: objects, pages, devices.
 */
#include "tests/bench/root/domains.h"

#include <stdarg.h>
#include <stdio.h>

#include "rootserver/root.h"
#include "tests/bench/mark.h"

#define UART_PAGE   0x3f201000ull
#define TIMER_PAGE  0x3f003000ull
#define UART_VA     (ROOT_PAGES_VA + 0x20000)
#define STACK_BYTES 4096u
#define PLACE_BYTES (4 * PAGE_BYTES) /* three for a dispatcher, one is free */
#define RW          (RIGHT_READ | RIGHT_WRITE)

static volatile uint32_t *const uart = (void *)UART_VA;
static uint64_t pages_va;
static uint32_t pages[2]; /* the stretches with everybody's pages */
struct member_slots set[MEMBERS_MAX];

void print(const char *f, ...)
{
    char line[320];
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

void expect(unsigned long error, const char *what)
{
    if (error != 0) {
        print("failed %s: error %lu\n", what, error);
        for (;;) {
            (void)sys_block(~0ull);
        }
    }
}

struct upcall_page *page_of(uint32_t m)
{
    return (void *)(pages_va + m * PLACE_BYTES + PAGE_BYTES);
}

uint32_t member_of(const struct upcall_page *page)
{
    return (uint32_t)(((uintptr_t)page - pages_va) / PLACE_BYTES);
}

/* Nothing is kept here. */
bool memory_give_back(void)
{
    return false;
}

/* ---- making domains ---------------------------------------------------- */

static void attach(uint32_t stretch, uint32_t domain, uint64_t rights)
{
    expect(sys_stretch_attach(stretch, domain, rights), "attach");
}

void object_make(uint32_t *slot, uint32_t from, uint32_t type, uint32_t log2,
                 uint32_t rank)
{
    *slot = *slot == 0 ? slot_take() : *slot;
    expect(sys_untyped_retype(from, *slot, type, log2, 1, 0, rank), "retype");
}

static void make_objects(struct member_slots *s, uint32_t chunk,
                         uint32_t slots_log2)
{
    object_make(&s->dispatcher, chunk, TYPE_DISPATCHER, DISPATCHER_LOG2, 0);
    object_make(&s->domain, chunk, TYPE_DOMAIN, DOMAIN_LOG2_MIN, 0);
    object_make(&s->sched, chunk, TYPE_SCHED_CONTEXT, SCHED_CONTEXT_LOG2, 0);
    if (slots_log2 + SLOT_LOG2 > 14) {
        chunk = chunk_take(18);
    }
    object_make(&s->cnode, chunk, TYPE_CNODE, slots_log2 + SLOT_LOG2, 5);
}

static void wire(uint32_t m, cptr_t parent, uint32_t index)
{
    const struct boot_info *b = memory_boot();
    const struct member_slots *s = &set[m];
    expect(sys_domain_set_cspace(s->domain, s->cnode), "cspace");
    attach(b->slot_text, s->domain, RIGHT_READ | RIGHT_EXEC);
    attach(b->slot_data, s->domain, RW);
    attach(b->slot_pages, s->domain, RW);
    attach(pages[0], s->domain, RW);
    attach(pages[1], s->domain, RW);
    expect(sys_dispatcher_bind(s->dispatcher, s->domain, memory_slot_cpu(),
                               pages[m * PLACE_BYTES / STRETCH_BYTES],
                               (uintptr_t)page_of(m) - PAGE_BYTES),
           "bind");
    expect(sys_sched_bind(s->sched, s->dispatcher), "sched");
    expect(sys_dispatcher_set_parent(s->dispatcher, parent, index), "parent");
}

void member_make(uint32_t m, uint32_t chunk, uint32_t slots_log2,
                 void (*entry)(uint64_t m))
{
    member_make_below(CPTR_SELF_DISPATCHER, m, m, chunk, slots_log2, entry);
}

void member_make_below(cptr_t parent, uint32_t index, uint32_t m,
                       uint32_t chunk, uint32_t slots_log2,
                       void (*entry)(uint64_t m))
{
    make_objects(&set[m], chunk, slots_log2);
    wire(m, parent, index);
    member_start(m, entry);
}

void member_start(uint32_t m, void (*entry)(uint64_t m))
{
    static char stack[MEMBERS_MAX][STACK_BYTES]
        __attribute__((aligned(STACK_BYTES)));
    expect(sys_dispatcher_start(set[m].dispatcher, (uintptr_t)entry,
                                (uintptr_t)stack[m + 1], m),
           "start");
}

void gate_make(uint32_t *gate, uint32_t m, uint32_t chunk)
{
    object_make(gate, chunk, TYPE_ENDPOINT, ENDPOINT_LOG2, 0);
    expect(sys_endpoint_bind(*gate, set[m].dispatcher), "endpoint");
}

/* ---- the root's own ---------------------------------------------------- */

static void registers_map(uint64_t page, uint64_t va)
{
    expect(frames_map(device_frame(page), memory_boot()->slot_pages, va, RW, 1),
           "device");
}

void domains_init(const struct boot_info *info)
{
    memory_init(info);
    registers_map(UART_PAGE, UART_VA);
    registers_map(TIMER_PAGE, TIMER_VA);
    uint32_t block = block_take(&pages_va);
    for (uint32_t i = 0; i < 2; i++) {
        pages[i] = slot_take();
        expect(sys_stretch_create(pages[i], chunk_take(16), block,
                                  pages_va + i * STRETCH_BYTES, 0),
               "pages");
        attach(pages[i], info->slot_domain, RW);
    }
}
