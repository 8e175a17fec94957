/* SPDX-License-Identifier: BSL-1.0
 *
 * The accounts that a domain's libos keeps of its threads (vesper/accounts.h):
 * a look takes one copy of them, and the caller has it entry by entry. What
 * stands there is the domain's word, and is only passed on.
 */
#include "root.h"

#include <errno.h>
#include <string.h>

#include <vesper/accounts.h>

static struct {
    uint32_t number;
    uint64_t when, clock; /* the counter, and as the domain's libos reads it */
    struct thread_accounts accounts;
} snapshot;

static int copy(void *accounts)
{
    memcpy(&snapshot.accounts, accounts, sizeof(snapshot.accounts));
    return 0;
}

static int take(const struct domain *d, bool calls, uint64_t w[8])
{
    uint64_t place = d->pages + PAGE_BYTES + ACCOUNTS_OFFSET;
    uint64_t va = d->block_address + place;
    cptr_t stretch =
        domain_object(d, OBJECT_STRETCH + (uint32_t)(place / STRETCH_BYTES));
    if (sys_stretch_attach(stretch, CPTR_SELF_DOMAIN, RIGHT_READ) != ERR_OK) {
        return ENOMEM;
    }
    snapshot.number++;
    w[3] = domain_cpu_ticks(d);
    snapshot.when = now();
    snapshot.clock = schedule_clock(d, calls, snapshot.when);
    int e = guarded(copy, (void *)(uintptr_t)va, va,
                    va + sizeof(snapshot.accounts));
    (void)sys_stretch_detach(stretch, CPTR_SELF_DOMAIN);
    w[2] = snapshot.number;
    return e;
}

/* What it had up to the look: from nothing to all there was. */
static uint64_t ticks_of(const struct thread_account *a)
{
    int64_t ticks = (int64_t)a->ticks;
    if (ticks < 0) { /* it runs */
        ticks = (int64_t)(a->ticks + snapshot.clock);
    }
    uint64_t had = ticks < 0 ? 0 : (uint64_t)ticks;
    return had < snapshot.when ? had : snapshot.when;
}

static int next(uint64_t w[8])
{
    uint64_t i = w[2] >> 32;
    if ((uint32_t)w[2] != snapshot.number) {
        return ESTALE;
    }
    while (i > 0 && i < THREAD_ACCOUNTS &&
           snapshot.accounts.thread[i].id == 0) {
        i++;
    }
    if (i >= THREAD_ACCOUNTS) {
        return ENOENT;
    }
    const struct thread_account *a = &snapshot.accounts.thread[i];
    w[2] = snapshot.number | (i + 1) << 32;
    w[3] = ticks_of(a);
    w[4] = i > 0 ? a->id : 0;
    memcpy(&w[5], a->name, sizeof(a->name));
    return 0;
}

int threads_operate(const struct domain *caller, uint64_t w[8])
{
    const struct domain *d =
        w[1] <= UINT32_MAX ? domain_find((uint32_t)w[1]) : NULL;
    if (w[2] != 0) {
        return next(w);
    }
    return d != NULL && d->phase == DOMAIN_LIVE ? take(d, d == caller, w)
                                                : ESRCH;
}
