/* SPDX-License-Identifier: BSL-1.0
 *
 * The scheduler of domains. It is the upcall handler of the root server: it
 * runs whenever a child gives the CPU back, and ends by giving it away. State
 * words of children are the only input; they are levels, so that nothing is
 * lost when several changes come as one. Who is next is up to a policy
 * (vesper/scheduler.h), which may change at any time.
 */
#include "root.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#define NS_PER_S 1000000000ull

static struct scheduler_table table;
static bool look_owed; /* to children that woke as a call began */

const struct identity_page *identity(void)
{
    return (const void *)(uintptr_t)ROOT_PAGES_VA;
}

static struct upcall_page *page(void)
{
    return (void *)(uintptr_t)(ROOT_PAGES_VA + PAGE_BYTES);
}

void domain_reap(struct domain *d)
{
    uint64_t pc = 0, sp, lr, esr, far, x;
    (void)sys_dispatcher_inspect(domain_object(d, OBJECT_DISPATCHER), 30, &lr,
                                 &sp, &pc, &x);
    (void)sys_dispatcher_inspect(domain_object(d, OBJECT_DISPATCHER), 35, &esr,
                                 &far, &x, &x);
    say("%s[%u]: fault in its fault handler: pc image+0x%llx, esr 0x%llx, "
        "address 0x%llx: killed",
        d->name, d->id, (unsigned long long)(pc - d->block_address),
        (unsigned long long)esr, (unsigned long long)far);
    domain_end(d, SIGSEGV);
}

/* Only a domain that is still scheduled here comes so far. */
static void child_ended(uint32_t i, uint32_t state)
{
    if (state == CHILD_STOPPED) {
        domain_reap(&domains[i]);
    }
}

_Noreturn void schedule(void)
{
    struct upcall_page *p = page();
    uint32_t interrupted = p->saved_slot;
    p->saved_slot = SAVE_NONE;
    uint32_t reasons = __atomic_exchange_n(&p->pending, 0, __ATOMIC_RELAXED);
    if (trace_on) {
        trace_ended(reasons, identity()->now);
    }
    stolen_from(table.running, identity()->now);
    scheduler_ended(&table, identity()->child_from, identity()->child_to);
    if (interrupted != SAVE_NONE) {
        look_owed = true;
        (void)sys_resume(interrupted); /* a call just begun goes first */
    }
    for (;;) {
        uint64_t t = now();
        uint64_t wake = scheduler_look(&table, identity(), p, t, child_ended);
        uint64_t due = broker_run(t);
        wake = due < wake ? due : wake;
        struct scheduler_choice next = scheduler_choose(&table, t);
        uint64_t until = next.until < wake ? next.until : wake;
        bool asks = trace_on || !table.policy->direct;
        if (trace_on) {
            trace_begins(next.child, &table);
        }
        if (next.child == SCHED_NONE) {
            (void)sys_block(until);
        } else {
            uint32_t direct = asks ? 0 : RUN_DIRECT;
            uint64_t begin = now();
            scheduler_begins(&table, begin);
            stolen_until(next.child, table.child[next.child].woken, begin);
            (void)sys_run(next.child, until, next.urgency | direct);
        }
    }
}

/* ---- who is scheduled, and how ----------------------------------------- */

void schedule_init(const struct scheduler_policy *policy)
{
    scheduler_init(&table, policy, identity()->frequency);
}

void schedule_add(const struct domain *d, const struct scheduler_params *params)
{
    uint32_t left_ppm;
    struct scheduler_params p = *params;
    if (trace_on) {
        trace_named(d);
    }
    if (d->scheduler != 0) {
        return;
    }
    enum scheduler_refusal why =
        scheduler_check(&table, d->index, &p, &left_ppm);
    if (why != SCHED_FINE) {
        say("system: %s: no reservation: %s", d->name,
            scheduler_refusal_text(why));
        p.period = p.budget = 0;
    }
    scheduler_set(&table, d->index, &p, now());
}

void schedule_remove(const struct domain *d)
{
    scheduler_remove(&table, d->index);
}

uint32_t schedule_priority(const struct domain *d)
{
    return table.child[d->index].params.priority;
}

void schedule_again(void)
{
    (void)__atomic_fetch_or(&page()->pending, REASON_CHILD, __ATOMIC_RELAXED);
}

void schedule_after_call(void)
{
    if (look_owed) {
        look_owed = false;
        schedule_again();
    }
}

int schedule_policy(uint64_t w[8])
{
    char name[2 * sizeof(w[0]) + 1] = {0};
    memcpy(name, &w[1], sizeof(name) - 1);
    const struct scheduler_policy *policy =
        name[0] != 0 ? scheduler_policy_find(name) : table.policy;
    if (policy == NULL) {
        return EINVAL;
    }
    if (policy != table.policy) {
        scheduler_use(&table, policy, now());
        schedule_again();
    }
    strncpy((char *)&w[1], policy->name, sizeof(name) - 1);
    return 0;
}

/* A domain whose params are to be had here. */
static int find_scheduled(uint64_t id, const struct domain **out)
{
    const struct domain *d =
        id <= UINT32_MAX ? domain_find((uint32_t)id) : NULL;
    if (d == NULL || d->phase != DOMAIN_LIVE) {
        return ESRCH;
    }
    *out = d;
    return d->scheduler == 0 ? 0 : EPERM;
}

int schedule_params(uint64_t w[8])
{
    const struct domain *d;
    int e = find_scheduled(w[1], &d);
    if (e != 0) {
        return e;
    }
    const struct scheduler_child *c = &table.child[d->index];
    w[2] = c->params.priority | (uint64_t)c->params.weight << 32;
    w[3] = ticks_to_ns(c->params.period);
    w[4] = ticks_to_ns(c->params.budget);
    w[5] = c->params.slack | (uint64_t)c->late << 32;
    return 0;
}

uint64_t schedule_clock(const struct domain *d, bool calls, uint64_t when)
{
    bool runs = calls || d->scheduler != 0 || table.running == d->index;
    uint64_t woken = runs ? when : table.child[d->index].woken;
    return stolen_clock(d->index, woken, when);
}

uint64_t schedule_ticks(uint64_t ns)
{
    return ns > NS_PER_S * 1000 ? ~0ull : ns * (table.hz / 1000) / 1000000;
}

int schedule_change(uint64_t w[8])
{
    const struct domain *d;
    int e = find_scheduled(w[1], &d);
    if (e != 0) {
        return e;
    }
    struct scheduler_params p = {
        .priority = (uint32_t)w[2],
        .weight = (uint32_t)(w[2] >> 32),
        .period = schedule_ticks(w[3]),
        .budget = schedule_ticks(w[4]),
        .slack = w[5] & 1,
    };
    uint32_t left_ppm;
    enum scheduler_refusal why =
        scheduler_check(&table, d->index, &p, &left_ppm);
    w[1] = why | (uint64_t)left_ppm << 32;
    if (why != SCHED_FINE) {
        return EINVAL;
    }
    scheduler_set(&table, d->index, &p, now());
    schedule_again();
    return 0;
}
