/* SPDX-License-Identifier: BSL-1.0
 *
 * The root program: three neighbours and a hostile domain, and who gets the CPU
 * when. The hostile one is made of one untyped, and anew when it is dead, does
 * not get on, or has lived for LIFE calls; what it leaves must be nothing.
 */
#include <stdbool.h>
#include <abi/calls.h>

#include "kcheck.h"
#include "programs.h"

#define ARENA_LOG2   19u
#define HOSTILE_LOG2 18u
#define LIFE         2000u
#define PATIENCE     3u /* turns without a call */

struct parameters { /* the boot archive of this test */
    uint64_t seed, calls;
};

struct child { /* slots of the root program, in a row */
    cptr_t cnode, domain, dispatcher, stretch, frames;
};
#define CHILD_SLOTS (4u + DATA_PAGES)

static const struct boot_info *const info =
    (const struct boot_info *)ROOT_BOOT_INFO_VA;
static struct upcall_page *const page =
    (struct upcall_page *)(ROOT_PAGES_VA + PAGE_BYTES);
static const struct identity_page *const identity =
    (const struct identity_page *)ROOT_PAGES_VA;

static struct parameters wanted;
static struct child child[NEIGHBOURS + 1];
static cptr_t arena, hostile_memory, hostile_range, server, events, next_slot;
static uint64_t lives, random, born, seen;
static uint32_t turn, idle;

extern char stack_top[];
uint64_t kcheck(uint64_t op, uint64_t a, uint64_t b);
_Noreturn void root_main(void);
_Noreturn void schedule(void);

static uint64_t any(void)
{
    random ^= random << 13;
    random ^= random >> 7;
    random ^= random << 17;
    return random;
}

#define MUST(call)                                                             \
    do {                                                                       \
        uint64_t error_ = (call);                                              \
        if (error_ != ERR_OK) {                                                \
            kcheck(KCHECK_FAIL, WRONG_SETUP, error_ << 32 | __LINE__);         \
        }                                                                      \
    } while (0)

static void make(cptr_t from, cptr_t to, uint32_t type, uint32_t log2)
{
    uint64_t rank = log2 > SLOT_LOG2 + 3 ? 3 : 0;
    MUST(sys_untyped_retype(from, to, type, log2, 1, 0,
                            type == TYPE_CNODE ? rank : 0));
}

/* ---- domains ---------------------------------------------------------- */

static uint64_t va_of(uint32_t i)
{
    return DOMAIN_VA + i * STRETCH_BYTES;
}

static void child_slots(struct child *c)
{
    *c = (struct child){next_slot, next_slot + 1, next_slot + 2, next_slot + 3,
                        next_slot + 4};
    next_slot += CHILD_SLOTS;
}

static void child_make(uint32_t i, cptr_t from)
{
    const struct child *c = &child[i];
    make(from, c->cnode, TYPE_CNODE, SLOT_LOG2 + 6);
    make(from, c->domain, TYPE_DOMAIN, DOMAIN_LOG2_MIN);
    make(from, c->dispatcher, TYPE_DISPATCHER, DISPATCHER_LOG2);
    MUST(sys_stretch_create(c->stretch, from, info->slot_range, va_of(i), 0));
    for (uint32_t k = 0; k < DATA_PAGES; k++) {
        make(from, c->frames + k, TYPE_FRAME, PAGE_LOG2);
        uint64_t done, next;
        MUST(sys_frame_map(c->frames + k, c->stretch,
                           va_of(i) + DATA_OFFSET + k * PAGE_BYTES,
                           RIGHT_READ | RIGHT_WRITE, 1, &done, &next));
    }
    MUST(sys_stretch_attach(c->stretch, c->domain, RIGHT_READ | RIGHT_WRITE));
    MUST(sys_stretch_attach(info->slot_text, c->domain,
                            RIGHT_READ | RIGHT_EXEC));
    MUST(sys_domain_set_cspace(c->domain, c->cnode));
    MUST(sys_dispatcher_bind(c->dispatcher, c->domain, info->slot_cpu,
                             c->stretch, va_of(i)));
    MUST(sys_dispatcher_set_parent(c->dispatcher, CPTR_SELF_DISPATCHER, i));
}

static void child_start(uint32_t i, uintptr_t entry, uint64_t argument)
{
    MUST(sys_dispatcher_start(child[i].dispatcher, entry,
                              va_of(i) + DATA_OFFSET + STACK_TOP, argument));
}

static void neighbours_make(void)
{
    for (uint32_t i = 0; i < NEIGHBOURS; i++) {
        child_slots(&child[i]);
        child_make(i, arena);
        MUST(sys_event_mint(events + i, child[i].dispatcher, i));
        MUST(
            sys_stretch_attach(child[i].stretch, CPTR_SELF_DOMAIN, RIGHT_READ));
    }
    make(arena, server, TYPE_ENDPOINT, ENDPOINT_LOG2);
    MUST(sys_endpoint_bind(server, child[IS_SERVER].dispatcher));
    MUST(sys_cap_copy(CPTR(child[IS_CLIENT].cnode, SLOT_SERVER), server,
                      RIGHT_CALL, 1, 0));
    for (uint32_t i = 0; i < NEIGHBOURS; i++) {
        child_start(i, (uintptr_t)neighbour_start, i);
    }
}

/* ---- the hostile domain ----------------------------------------------- */

/* In slot T of its CNode an object of type T, and more of some behind. */
static void hostile_furnish(const struct child *c)
{
    static const struct {
        uint8_t type, log2;
    } row[] = {
        {TYPE_UNTYPED, 16},
        {TYPE_CNODE, SLOT_LOG2 + 3},
        {TYPE_FRAME, PAGE_LOG2},
        {TYPE_DOMAIN, DOMAIN_LOG2_MIN},
        {TYPE_DISPATCHER, DISPATCHER_LOG2},
        {TYPE_SCHED_CONTEXT, SCHED_CONTEXT_LOG2},
        {TYPE_ENDPOINT, ENDPOINT_LOG2},
    };
#define OWN(slot) CPTR(c->cnode, (slot))
    for (uint32_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        make(hostile_memory, OWN(row[i].type), row[i].type, row[i].log2);
    }
    make(hostile_range, OWN(TYPE_RANGE), TYPE_RANGE, STRETCH_LOG2 + 1);
    MUST(sys_stretch_create(OWN(TYPE_STRETCH), hostile_memory, hostile_range,
                            HOSTILE_FREE_VA + 2 * STRETCH_BYTES, 0));
    const cptr_t copy[][2] = {
        {TYPE_CPU, info->slot_cpu},    {TYPE_IRQ, info->slot_irq + 1},
        {TYPE_EVENT, events},          {TYPE_EVENT + 16, events + 1},
        {TYPE_EVENT + 32, events + 2}, {TYPE_STRETCH + 16, c->stretch},
        {TYPE_DOMAIN + 16, c->domain}, {TYPE_DISPATCHER + 16, c->dispatcher},
        {TYPE_FRAME + 16, c->frames},
    };
    for (uint32_t i = 0; i < sizeof(copy) / sizeof(copy[0]); i++) {
        MUST(sys_cap_copy(OWN(copy[i][0]), copy[i][1], ~0ull, 0, 0));
    }
    MUST(sys_cap_copy(OWN(TYPE_ENDPOINT + 16), server, RIGHT_CALL, 7, 0));
}

static void hostile_end(void)
{
    kcheck(KCHECK_WATCH, 0, 0);
    MUST(sys_cap_revoke(hostile_memory));
    MUST(sys_cap_revoke(hostile_range));
    (void)sys_cap_delete(CPTR(child[IS_SERVER].cnode, SLOT_RECEIVED));
    kcheck(KCHECK_LEDGER, 0, 0);
}

static void hostile_renew(void)
{
    hostile_end();
    child_make(HOSTILE, hostile_memory);
    hostile_furnish(&child[HOSTILE]);
    child_start(HOSTILE, (uintptr_t)hostile_start, any() | 1);
    kcheck(KCHECK_WATCH, child[HOSTILE].dispatcher, 0);
    lives++;
    idle = 0;
    born = seen;
}

static void hostile_look(void)
{
    uint64_t calls = kcheck(KCHECK_CALLS, 0, 0);
    uint32_t state = identity->child[HOSTILE].state;
    idle = calls == seen ? idle + 1 : 0;
    seen = calls;
    if (state == CHILD_STOPPED || state == CHILD_DEAD || state == CHILD_NONE ||
        idle > PATIENCE || calls - born > LIFE) {
        hostile_renew();
    }
}

/* ---- the end ---------------------------------------------------------- */

static const struct neighbour *neighbour(uint32_t i)
{
    return (const struct neighbour *)(va_of(i) + DATA_OFFSET);
}

static void neighbours_look(void)
{
    for (uint32_t i = 0; i < NEIGHBOURS; i++) {
        if (neighbour(i)->wrong != 0) {
            kcheck(KCHECK_FAIL, WRONG_NEIGHBOUR, i);
        }
    }
}

static void end(void)
{
    uint64_t work = 0;
    hostile_end();
    for (uint32_t i = 0; i < NEIGHBOURS; i++) {
        if (neighbour(i)->work < wanted.calls / 1000) {
            kcheck(KCHECK_FAIL, WRONG_PROGRESS, i);
        }
        work += neighbour(i)->work;
    }
    kcheck(KCHECK_END, lives, work);
}

/* ---- who runs --------------------------------------------------------- */

/* The hostile domain, then one of the neighbours. */
static uint32_t turn_next(void)
{
    static uint32_t turns;
    turns++;
    return turns % 2 ? HOSTILE : turns / 2 % NEIGHBOURS;
}

/* Where upcalls of the root program come, on an empty stack. */
void schedule(void)
{
    page->pending = 0;
    page->events = 0;
    for (;;) {
        neighbours_look();
        turn = turn_next();
        if (turn == HOSTILE) {
            hostile_look();
        }
        if (seen >= wanted.calls) {
            end();
        }
        /* Neighbours lose the CPU in the middle of what they do, too; and get
         * it in the middle of what the hostile domain does, some of the time */
        uint64_t slice = 50 + any() % (turn == HOSTILE ? 100000 : 400);
        (void)sys_run(turn, now() + slice,
                      turn == HOSTILE && any() % 4 == 0 ? 1 : 2);
    }
}

static cptr_t arena_find(void)
{
    for (uint32_t i = 0; i < info->untyped_count; i++) {
        if (!info->untyped[i].device && info->untyped[i].size_log2 >= 20 &&
            info->untyped[i].address >= 0x400000) {
            return info->untyped[i].slot;
        }
    }
    kcheck(KCHECK_FAIL, WRONG_SETUP, __LINE__);
    return 0;
}

void root_main(void)
{
    wanted = *(const struct parameters *)info->archive;
    random = wanted.seed * 0x9e3779b97f4a7c15ull | 1;
    page->entry = (uintptr_t)schedule;
    page->sp = (uintptr_t)stack_top;
    next_slot = info->slot_free;
    arena = next_slot++;
    hostile_memory = next_slot++;
    hostile_range = next_slot++;
    server = next_slot++;
    events = next_slot;
    next_slot += NEIGHBOURS;
    make(arena_find(), arena, TYPE_UNTYPED, ARENA_LOG2);
    make(arena, hostile_memory, TYPE_UNTYPED, HOSTILE_LOG2);
    MUST(sys_untyped_retype(info->slot_range, hostile_range, TYPE_RANGE,
                            STRETCH_LOG2 + 2, 1,
                            HOSTILE_FREE_VA - info->range_base, 0));
    kcheck(KCHECK_BEGIN, wanted.seed, arena);
    neighbours_make();
    child_slots(&child[HOSTILE]);
    hostile_renew();
    schedule();
}
