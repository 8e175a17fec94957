/* SPDX-License-Identifier: BSL-1.0
 *
 * The scheduler of domains: fixed priorities, turns of SLICE among equals. It
 * is the upcall handler of the root server: it runs whenever a child gives the
 * CPU back, and ends by giving it away. State words of children are the only
 * input; they are levels, so that nothing is lost when several changes come as
 * one.
 */
#include "root.h"

#include <signal.h>

#define SLICE_HZ 100u

const struct identity_page *identity(void)
{
    return (const void *)(uintptr_t)ROOT_PAGES_VA;
}

static struct upcall_page *page(void)
{
    return (void *)(uintptr_t)(ROOT_PAGES_VA + PAGE_BYTES);
}

uint64_t now(void)
{
    uint64_t t;
    __asm__ volatile("isb; mrs %0, cntvct_el0" : "=r"(t) : : "memory");
    return t;
}

uint64_t ticks_to_ns(uint64_t ticks)
{
    uint64_t hz = identity()->frequency;
    return ticks / hz * 1000000000ull + ticks % hz * 1000000000ull / hz;
}

/* A domain that could not even take its own fault. */
static void reap(struct domain *d)
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

static bool can_run(const struct domain *d, uint64_t t)
{
    const struct child_entry *c = &identity()->child[d->index];
    return c->state == CHILD_READY || c->state == CHILD_RUNNING ||
           (c->state == CHILD_BLOCKED && c->until <= t);
}

/* The most urgent domain that can run; among equals the one that waits longest.
 */
static struct domain *choose(uint64_t t, uint64_t *wake)
{
    struct domain *best = NULL;
    *wake = ~0ull;
    for (uint32_t i = 0; i < DOMAINS_MAX; i++) {
        struct domain *d = &domains[i];
        if (d->phase != DOMAIN_LIVE) {
            continue;
        }
        const struct child_entry *c = &identity()->child[d->index];
        if (c->state == CHILD_STOPPED) {
            reap(d);
        } else if (!can_run(d, t)) {
            if (c->state == CHILD_BLOCKED && c->until < *wake) {
                *wake = c->until;
            }
        } else if (best == NULL || d->priority > best->priority ||
                   (d->priority == best->priority &&
                    d->last_run < best->last_run)) {
            best = d;
        }
    }
    return best;
}

_Noreturn void schedule(void)
{
    struct upcall_page *p = page();
    uint32_t interrupted = p->saved_slot;
    p->saved_slot = SAVE_NONE;
    (void)__atomic_exchange_n(&p->pending, 0, __ATOMIC_RELAXED);
    if (interrupted != SAVE_NONE) {
        (void)sys_resume(interrupted); /* a call just begun goes first */
    }
    for (;;) {
        uint64_t t = now(), wake;
        struct domain *d = choose(t, &wake);
        if (d == NULL) {
            (void)sys_block(wake);
            continue;
        }
        uint64_t until = t + identity()->frequency / SLICE_HZ;
        d->last_run = t;
        (void)sys_run(d->index, until < wake ? until : wake, d->priority);
    }
}
