/* SPDX-License-Identifier: BSL-1.0 */
/* The root server's look at its children (rootserver/schedule.c): when it is
 * made, and whom it then gives the CPU. The kernel is the functions here. */
#include <setjmp.h>
#include <stdint.h>
#include <sys/mman.h>

#include "rootserver/root.h"
#include "tests/unit/tap.h"

#define HZ   1000000u
#define SLOT 2u /* where a call's context was saved */

struct domain domains[DOMAINS_MAX];

static jmp_buf left; /* schedule() gave the CPU away */
static enum { NOTHING, RESUMED, RAN, BLOCKED } how;
static uint64_t how_value;
static uint64_t clock_now;

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
    (void)urgency;
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

bool trace_on; /* never */

void trace_named(const struct domain *d)
{
    (void)d;
}

void trace_begins(uint32_t child, const struct scheduler_table *t)
{
    (void)child;
    (void)t;
}

void trace_ended(uint32_t reasons, uint64_t when)
{
    (void)reasons;
    (void)when;
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
static void upcall(uint32_t slot)
{
    how = NOTHING;
    upcalls()->saved_slot = slot;
    upcalls()->pending = REASON_CHILD;
    if (setjmp(left) == 0) {
        schedule();
    }
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
    child(3, CHILD_RUNNING, 10); /* it calls */
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

int main(void)
{
    void *at = mmap(pages(), 2 * PAGE_BYTES, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (at != pages()) {
        return 1;
    }
    pages()->frequency = HZ;
    schedule_init(scheduler_policy_find("priority"));
    test_waking_while_a_call_begins();
    test_times();
    test_who_stopped();
    return tap_end();
}
