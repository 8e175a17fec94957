/* SPDX-License-Identifier: BSL-1.0
 *
 * Where the time went. The kernel charges all that flows through a dispatcher
 * to its scheduling context. That of the root server, the first scheduler, has
 * all but idle time; less what its domains had, it is the root server's own.
 * The time of a system call, fault or interrupt is the one's that runs; that of
 * a protected call the caller's.
 *
 * Contexts are read one by one, by system calls that cost time themselves: what
 * passes between the first and the last is shown as the root server's.
 */
#include "root.h"

#include <errno.h>
#include <string.h>

struct row {
    uint32_t id;
    uint64_t ticks;
    char name[32];
};

static struct {
    uint32_t number, rows;
    uint64_t elapsed, idle, root;
    struct row row[DOMAINS_MAX];
} snapshot;

static uint32_t context;
static uint64_t begin; /* of the account */
static uint64_t ended; /* ticks of domains that are no more */

static uint64_t consumed(void)
{
    uint64_t remaining, ticks = 0;
    (void)sys_sched_refill(context, ~0ull, &remaining, &ticks);
    return ticks;
}

void account_init(void)
{
    context = slot_take();
    if (sys_untyped_retype(slot_chunk, context, TYPE_SCHED_CONTEXT,
                           SCHED_CONTEXT_LOG2, 1, 0, 0) ||
        sys_sched_bind(context, CPTR_SELF_DISPATCHER)) {
        say("root: cannot account time");
    }
    begin = now() - consumed();
}

void account_ended(const struct domain *d)
{
    ended += domain_cpu_ticks(d);
}

static void take(void)
{
    uint64_t domains_had = ended;
    snapshot.number++;
    snapshot.rows = 0;
    for (uint32_t i = 0; i < DOMAINS_MAX; i++) {
        const struct domain *d = &domains[i];
        if (d->phase == DOMAIN_LIVE) {
            struct row *row = &snapshot.row[snapshot.rows++];
            row->id = d->id;
            row->ticks = domain_cpu_ticks(d);
            memcpy(row->name, d->name, sizeof(row->name));
            domains_had += row->ticks;
        }
    }
    uint64_t all = consumed();
    snapshot.elapsed = now() - begin;
    snapshot.idle = snapshot.elapsed - all;
    snapshot.root = all - domains_had;
}

int account_row(uint64_t w[8])
{
    uint32_t number = (uint32_t)w[1];
    uint64_t row = w[1] >> 32;
    if (w[1] == 0) {
        take();
        w[1] = snapshot.number;
        w[2] = snapshot.elapsed;
        w[3] = snapshot.idle;
        w[4] = snapshot.root;
        w[5] = ended;
        w[6] = identity()->frequency;
        return 0;
    }
    if (number != snapshot.number) {
        return ESTALE;
    }
    if (row == 0 || row > snapshot.rows) {
        return ENOENT;
    }
    const struct row *r = &snapshot.row[row - 1];
    w[2] = r->id;
    w[3] = r->ticks;
    memcpy(&w[4], r->name, sizeof(r->name));
    return 0;
}
