/* SPDX-License-Identifier: BSL-1.0 */
/* See account.h. */
#include "account.h"

#include <string.h>

#include "counter.h"
#include "page.h"
#include "sched.h"
#include "threads.h"

#define ENDED 0u

static uint64_t used = 1ull << ENDED; /* a bit for each account */
static uint32_t last_id;
_Static_assert(THREAD_ACCOUNTS == 64, "as many as bits");

static struct thread_account *account_at(uint32_t i)
{
    struct thread_accounts *all =
        (void *)((char *)upcall_page + ACCOUNTS_OFFSET);
    return &all->thread[i];
}

void account_open(struct thread *t)
{
    t->account = &t->own_account;
    if (~used != 0) {
        uint32_t i = (uint32_t)__builtin_ctzll(~used);
        used |= 1ull << i;
        t->account = account_at(i);
    }
    t->account->ticks = 0;
    t->account->id = ++last_id;
    account_name(t);
}

void account_close(struct thread *t)
{
    struct thread_account *ended = account_at(ENDED);
    ended->ticks += t->account->ticks;
    t->account->id = 0;
    if (t->account != &t->own_account) {
        used &= ~(1ull << (t->account - ended));
    }
    t->account = ended;
}

void account_name(const struct thread *t)
{
    memcpy(t->account->name, t->name, sizeof(t->account->name));
}

static uint64_t ticks_of(const struct thread *t)
{
    uint64_t ticks = t->account->ticks;
    return t == sched_current() ? ticks + sched_clock() : ticks;
}

static const struct thread *thread_of(uint32_t id)
{
    const struct thread *t = id == 0 ? sched_current() : thread_first();
    while (id != 0 && t != NULL && t->account->id != id) {
        t = t->all_next;
    }
    return t;
}

bool account_read(uint32_t id, uint64_t *ns)
{
    upcall_mask();
    const struct thread *t = thread_of(id);
    uint64_t ticks = t != NULL ? ticks_of(t) : 0;
    upcall_unmask();
    *ns = ns_from_ticks(ticks);
    return t != NULL;
}
