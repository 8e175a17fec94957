/* SPDX-License-Identifier: BSL-1.0 */
/* The root server's look at its children (rootserver/schedule.c): when it is
 * made, and whom it then gives the CPU; the trace of it (trace.c), and what
 * children are told of the time that others had (stolen.c). The kernel is the
 * functions here. */
#include <errno.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <vesper/trace.h>

#include "rootserver/root.h"
#include "tests/unit/tap.h"

#define HZ         1000000u
#define SLOT       2u /* where a call's context was saved */
#define PAGES      (1u << 20)
#define CHUNK      7u /* of the ring */
#define RING_PAGES 60u

struct domain domains[DOMAINS_MAX];

static jmp_buf left; /* schedule() gave the CPU away */
static enum { NOTHING, RESUMED, RAN, BLOCKED } how;
static uint64_t how_value, how_urgent;
static uint64_t clock_now;
static uint64_t pages_mapped, pages_refused;
static uint32_t chunks, slots; /* taken */
uint32_t slot_pages, slot_chunk = CHUNK;

static struct identity_page *pages(void)
{
    return (void *)(uintptr_t)ROOT_PAGES_VA;
}

static struct upcall_page *upcalls(void)
{
    return (void *)(uintptr_t)(ROOT_PAGES_VA + PAGE_BYTES);
}

static void leave(int as, uint64_t value)
{
    how = as;
    how_value = value;
    longjmp(left, 1);
}

enum abi_error sys_resume(uint64_t slot)
{
    leave(RESUMED, slot);
    return ERR_OK;
}

enum abi_error sys_run(uint64_t child, uint64_t until, uint64_t urgency)
{
    (void)until;
    how_urgent = urgency;
    leave(RAN, child);
    return ERR_OK;
}

enum abi_error sys_block(uint64_t until)
{
    leave(BLOCKED, until);
    return ERR_OK;
}

enum abi_error sys_dispatcher_inspect(uint64_t dispatcher, uint64_t index,
                                      uint64_t *a, uint64_t *b, uint64_t *c,
                                      uint64_t *d)
{
    (void)dispatcher;
    *a = *b = *c = *d = index;
    return ERR_OK;
}

enum abi_error sys_untyped_retype(uint64_t memory, uint64_t slot, uint64_t type,
                                  uint64_t log2, uint64_t count,
                                  uint64_t offset, uint64_t rank)
{
    (void)slot;
    (void)log2;
    (void)offset;
    (void)rank;
    pages_mapped = type == TYPE_FRAME ? count : 0;
    return memory == CHUNK ? ERR_OK : ERR_TYPE;
}

enum abi_error sys_frame_map(uint64_t frame, uint64_t stretch, uint64_t va,
                             uint64_t rights, uint64_t count, uint64_t *done,
                             uint64_t *next)
{
    (void)frame;
    (void)stretch;
    (void)rights;
    *done = count;
    *next = va + count * PAGE_BYTES;
    return pages_refused ? ERR_STATE : ERR_OK;
}

static _Alignas(PAGE_BYTES) char stolen_page[PAGE_BYTES];
static uint64_t lent_to, lent_rights;

uint32_t block_take(uint64_t *address)
{
    *address = (uintptr_t)stolen_page;
    return 1;
}

enum abi_error sys_stretch_create(uint64_t stretch, uint64_t memory,
                                  uint64_t range, uint64_t va, uint64_t unused)
{
    (void)stretch;
    (void)range;
    (void)unused;
    return memory == CHUNK && va == (uintptr_t)stolen_page ? ERR_OK : ERR_RANGE;
}

enum abi_error sys_stretch_attach(uint64_t stretch, uint64_t domain,
                                  uint64_t rights)
{
    (void)stretch;
    lent_to = domain;
    lent_rights = rights;
    return ERR_OK;
}

enum abi_error sys_cap_delete(uint64_t slot)
{
    (void)slot;
    return ERR_OK;
}

uint32_t slot_take(void)
{
    return ++slots;
}

void slot_give(uint32_t slot)
{
    (void)slot;
    slots--;
}

uint32_t chunk_take(uint32_t log2)
{
    chunks += log2 == CHUNK_LOG2_MAX;
    return CHUNK;
}

void chunk_give(uint32_t slot)
{
    chunks -= slot == CHUNK;
}

uint64_t now(void)
{
    return clock_now;
}

uint64_t ticks_to_ns(uint64_t ticks)
{
    return ticks * (1000000000u / HZ);
}

uint64_t broker_run(uint64_t t)
{
    (void)t;
    return ~0ull;
}

void say(const char *format, ...)
{
    (void)format;
}

cptr_t domain_object(const struct domain *d, uint32_t place)
{
    return d->index + place;
}

struct domain *domain_find(uint32_t id)
{
    return &domains[id % DOMAINS_MAX];
}

void domain_end(struct domain *d, int status)
{
    d->phase = DOMAIN_ZOMBIE;
    d->status = status;
    schedule_remove(d);
}

/* An upcall of the root server, which interrupted `slot` or waited in run. */
static void upcall_for(uint32_t slot, uint32_t reasons)
{
    how = NOTHING;
    pages()->now = clock_now;
    upcalls()->saved_slot = slot;
    upcalls()->child_changed[0] = ~0ull; /* it may have */
    upcalls()->pending = reasons;
    if (setjmp(left) == 0) {
        schedule();
    }
}

static void upcall(uint32_t slot)
{
    upcall_for(slot, REASON_CHILD);
}

static void child(uint32_t index, uint32_t state, uint32_t priority)
{
    struct scheduler_params params = APP_PARAMS;
    struct domain *d = &domains[index];
    params.priority = priority;
    d->phase = DOMAIN_LIVE;
    d->index = d->id = index;
    pages()->child[index].state = state;
    pages()->child[index].until = ~0ull;
    schedule_add(d, &params);
}

static void test_waking_while_a_call_begins(void)
{
    child(3, CHILD_READY, 10); /* it calls */
    child(4, CHILD_BLOCKED, 200);
    upcall(SAVE_NONE);
    CHECK(how == RAN && how_value == 3, "who can run is run");
    CHECK(upcalls()->pending == 0, "pending is cleared before the look");
    schedule_after_call();
    CHECK(upcalls()->pending == 0, "a call that was not interrupted: no look");

    pages()->child[3].state = CHILD_CALLING;
    pages()->child[4].state = CHILD_READY; /* it woke, and made the upcall */
    upcall(SLOT);
    CHECK(how == RESUMED && how_value == SLOT, "a call just begun goes first");
    CHECK(upcalls()->pending == 0, "and nothing interrupts it again");
    schedule_after_call();
    CHECK(upcalls()->pending != 0, "when it is over, the look is made up for");
    upcall(SAVE_NONE);
    CHECK(how == RAN && how_value == 4, "whoever woke meanwhile is run");
    schedule_after_call();
    CHECK(upcalls()->pending == 0, "and once is enough");
}

static void test_times(void)
{
    pages()->child[3].state = CHILD_BLOCKED;
    pages()->child[4].state = CHILD_BLOCKED;
    pages()->child[3].until = 500;
    upcall(SAVE_NONE);
    CHECK(how == BLOCKED && how_value == 500, "nobody: until the first wakes");
    clock_now = 500;
    upcall(SAVE_NONE);
    CHECK(how == RAN && how_value == 3, "its time has come: it is run");
}

static void test_who_stopped(void)
{
    pages()->child[3].state = CHILD_STOPPED;
    upcall(SAVE_NONE);
    CHECK(domains[3].phase == DOMAIN_ZOMBIE, "who stopped is ended");
    CHECK(how == BLOCKED && how_value == ~0ull, "and the others wait on");
}

/* ---- the trace --------------------------------------------------------- */

static uint64_t status(uint64_t w[8])
{
    w[1] = TRACE_STATUS;
    CHECK(trace_operate(w) == 0, "status");
    return w[3] - w[2]; /* records that can be read */
}

static struct trace_record record(uint64_t number)
{
    struct trace_record r = {0};
    uint64_t w[8] = {0, TRACE_READ, number};
    CHECK(trace_operate(w) == 0, "a record that there is");
    memcpy(&r, &w[1], sizeof(r));
    return r;
}

static void test_trace_starts(void)
{
    uint64_t w[8] = {0, TRACE_START};
    pages_refused = 1;
    CHECK(trace_operate(w) == ENOMEM && !trace_on && chunks == 0 && slots == 0,
          "no memory: nothing is kept of it");
    pages_refused = 0;
    CHECK(status(w) == 0 && w[1] == 0 && w[5] == HZ, "it was never on");
    strcpy(domains[4].name, "a longer name than there is room for");
    w[1] = TRACE_START;
    CHECK(trace_operate(w) == 0 && trace_on && pages_mapped == RING_PAGES,
          "it is on");
    CHECK(chunks == 1 && slots == 1, "and has its memory");
    struct trace_record first = record(0);
    CHECK(status(w) == 1 && first.kind == TRACE_NAMED && first.domain == 4 &&
              memcmp(first.name, "a longer name th", 16) == 0,
          "who is there is named");
}

/* Child 4 runs for 100 ticks; then it is in that state, for those reasons. */
static struct trace_record after_run(uint32_t state, uint32_t reasons)
{
    uint64_t w[8];
    pages()->child[4].state = CHILD_READY;
    upcall(SAVE_NONE);
    CHECK(how == RAN && !(how_urgent & RUN_DIRECT),
          "no child is entered without being seen");
    clock_now += 100;
    pages()->child[4].state = state;
    upcall_for(SAVE_NONE, reasons);
    (void)status(w);
    return record(w[3] - 1);
}

static void test_trace_kinds(void)
{
    static const struct {
        uint32_t state, reasons, kind;
    } ends[] = {
        {CHILD_BLOCKED, REASON_CHILD, TRACE_BLOCKED},
        {CHILD_CALLING, REASON_CHILD, TRACE_CALLING},
        {CHILD_READY, REASON_CHILD, TRACE_PREEMPTED},
        {CHILD_READY, REASON_CHILD | REASON_EXPIRED, TRACE_EXPIRED},
        {CHILD_BLOCKED, REASON_CHILD | REASON_EXPIRED, TRACE_BLOCKED},
        {CHILD_STOPPED, REASON_CHILD, TRACE_ENDED},
    };
    for (uint32_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        child(4, CHILD_BLOCKED, 200); /* whoever stopped is there again */
        clock_now += 7;
        upcall(SAVE_NONE);
        uint64_t woken = clock_now += 50;
        struct trace_record r = after_run(ends[i].state, ends[i].reasons);
        CHECK(r.kind == ends[i].kind && r.domain == 4, "why no longer");
        CHECK(r.begin == woken && r.end == woken + 100 && r.woken == woken,
              "from when until when");
        clock_now += 10; /* it waits, and is not noticed to */
        pages()->child[4].state = CHILD_BLOCKED;
        upcall(SAVE_NONE);
    }
}

static void test_trace_ring(void)
{
    uint64_t w[8];
    const uint64_t room = RING_PAGES * PAGE_BYTES / sizeof(struct trace_record);
    for (uint64_t i = 0; i < room; i++) { /* each upcall ends idle time */
        clock_now++;
        upcall(SAVE_NONE);
    }
    CHECK(status(w) == room && w[4] == room && w[2] > 0, "the oldest are lost");
    CHECK(record(w[2]).kind == TRACE_IDLE && record(w[2]).domain == 0,
          "the oldest that there is");
    uint64_t past[8] = {0, TRACE_READ, w[2] - 1};
    CHECK(trace_operate(past) == ESTALE, "one that was overwritten");
    past[1] = TRACE_READ;
    past[2] = w[3];
    CHECK(trace_operate(past) == ENOENT, "one that is not there yet");
    past[1] = TRACE_READ + 1;
    CHECK(trace_operate(past) == EINVAL, "no operation");
    past[1] = TRACE_STOP;
    CHECK(trace_operate(past) == 0 && !trace_on, "it is off");
    clock_now++;
    upcall(SAVE_NONE);
    uint64_t end = w[3];
    CHECK(status(w) == room && w[3] == end, "and records no more");
    child(4, CHILD_READY, 200);
    upcall(SAVE_NONE);
    CHECK(how == RAN && how_urgent & RUN_DIRECT, "children are entered again");
}

/* ---- what is stolen ---------------------------------------------------- */

/* At `when` children 3 and 4 are in these states: whom it runs then. */
static uint64_t look_at(uint64_t when, uint32_t state3, uint32_t state4)
{
    clock_now = when;
    pages()->child[3].state = state3;
    pages()->child[4].state = state4;
    upcall(SAVE_NONE);
    return how == RAN ? how_value : 0;
}

static void test_stolen(void)
{
    uint64_t t = clock_now + 1000;
    CHECK(stolen_lend(&domains[3]) == 0 &&
              schedule_clock(&domains[3], false, t) == t,
          "without a page nothing is stolen");
    stolen_init();
    child(3, CHILD_READY, 10);
    child(4, CHILD_BLOCKED, 200);
    const volatile uint64_t *stolen =
        (void *)(uintptr_t)stolen_lend(&domains[3]);
    CHECK(lent_to == 3 + OBJECT_DOMAIN && lent_rights == RIGHT_READ,
          "a domain can read what is stolen from it, and no more");
    CHECK(look_at(t, CHILD_READY, CHILD_BLOCKED) == 3, "it runs");
    uint64_t before = *stolen;
    CHECK(schedule_clock(&domains[3], false, t + 50) == t + 50 - before,
          "its clock goes on");
    CHECK(look_at(t + 100, CHILD_READY, CHILD_READY) == 4, "another runs");
    CHECK(schedule_clock(&domains[3], false, t + 150) == t + 100 - before &&
              schedule_clock(&domains[3], true, t + 150) == t + 150 - before,
          "its clock stands, unless it calls");
    CHECK(look_at(t + 170, CHILD_READY, CHILD_BLOCKED) == 3 &&
              *stolen == before + 70,
          "it runs again: what the other had was stolen");
    CHECK(look_at(t + 200, CHILD_BLOCKED, CHILD_BLOCKED) == 0 &&
              look_at(t + 300, CHILD_READY, CHILD_BLOCKED) == 3 &&
              *stolen == before + 70,
          "while it waits, nothing is stolen");
}

int main(void)
{
    void *at = mmap(pages(), PAGES, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (at != pages()) {
        return 1;
    }
    pages()->frequency = HZ;
    schedule_init(scheduler_policy_find("priority"));
    test_waking_while_a_call_begins();
    test_times();
    test_who_stopped();
    test_trace_starts();
    test_trace_kinds();
    test_trace_ring();
    test_stolen();
    return tap_end();
}
