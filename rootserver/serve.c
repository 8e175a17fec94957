/* SPDX-License-Identifier: BSL-1.0
 *
 * Protected calls to the root server (vesper/root.h). Every word is hostile.
 */
#include "root.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <string.h>

#include <vesper/system.h>

#define STRINGS_MAX 8192u
#define LOG_MAX     48u

/* ---- spawn ------------------------------------------------------------- */

struct spawning {
    struct domain *parent;
    uint64_t base, bytes;
    struct domain *child;
};

static struct spawn_request request;
static char strings[STRINGS_MAX];

static bool inside(uint64_t bytes, uint64_t offset, uint64_t length)
{
    return offset <= bytes && length <= bytes - offset;
}

/* path, then argc + envc strings, and nothing else. */
static bool count_strings(uint32_t wanted)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < request.strings_bytes; i++) {
        n += strings[i] == 0;
    }
    return n == wanted && strings[request.strings_bytes - 1] == 0;
}

static int copy_request(const struct spawning *s)
{
    const char *from = (const char *)(uintptr_t)s->base;
    if (s->bytes < sizeof(request)) {
        return EINVAL;
    }
    memcpy(&request, from, sizeof(request));
    if (request.magic != SPAWN_MAGIC || request.flags & ~SPAWN_NESTED ||
        request.fd_count > SPAWN_FDS || request.argc > STRINGS_MAX ||
        request.envc > STRINGS_MAX || request.strings_bytes == 0 ||
        !inside(s->bytes, request.strings, request.strings_bytes) ||
        !inside(s->bytes, request.image, request.image_bytes)) {
        return EINVAL;
    }
    if (request.strings_bytes > STRINGS_MAX) {
        return E2BIG;
    }
    memcpy(strings, from + request.strings, request.strings_bytes);
    request.cwd[sizeof(request.cwd) - 1] = 0;
    return count_strings(1 + request.argc + request.envc) ? 0 : EINVAL;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL && slash[1] != 0 ? slash + 1 : path;
}

static int spawn(void *context)
{
    struct spawning *s = context;
    int e = copy_request(s);
    if (e != 0) {
        return e;
    }
    size_t path_bytes = strlen(strings) + 1;
    struct load_request r = {
        .name = base_name(request.argc > 0 ? strings + path_bytes : strings),
        .manifest = -1,
        .parent = s->parent->id,
        .origin = s->parent->origin,
        .scheduler = request.flags & SPAWN_NESTED ? s->parent->id : 0,
        .params = APP_PARAMS,
        .quota = APP_QUOTA,
        .optimistic = APP_OPTIMISTIC,
        .stack_bytes = APP_STACK,
        .argc = request.argc,
        .envc = request.envc,
        .strings = strings + path_bytes,
        .strings_bytes = request.strings_bytes - (uint32_t)path_bytes,
        .cwd = request.cwd,
        .fd_count = request.fd_count,
        .owner = s->parent->id,
        .key = request.key,
    };
    for (uint32_t i = 0; i < request.fd_count; i++) {
        r.fd[i] = (struct start_fd){request.fd[i].fd, request.fd[i].flags,
                                    request.fd[i].handle, ""};
        memcpy(r.fd[i].service, request.fd[i].service, START_SERVICE_BYTES);
    }
    if (request.image_bytes != 0) {
        r.file = (const void *)(uintptr_t)(s->base + request.image);
        r.file_bytes = request.image_bytes;
    } else if (request.key == 0) {
        const char *name =
            strncmp(strings, "/boot/", 6) == 0 ? strings + 6 : strings;
        e = system_file(name, &r.file, &r.file_bytes);
        r.owner = 0; /* these bytes are the same for all */
        r.key = (uint64_t)(uintptr_t)r.file;
    }
    return e == 0 ? load(&r, &s->child) : e;
}

static int op_spawn(struct domain *d, uint64_t w[8], uint64_t loan)
{
    uint64_t va = LOAN_ADDRESS(loan);
    if (loan == 0 || w[1] % 8 != 0 || w[1] < va ||
        !inside(STRETCH_BYTES, w[1] - va, w[2])) {
        return EINVAL;
    }
    struct spawning s = {d, w[1], w[2], NULL};
    int e = guarded(spawn, &s, va, va + STRETCH_BYTES);
    load_abort();
    w[1] = e == 0 ? s.child->id : 0;
    return e;
}

/* ---- domains ----------------------------------------------------------- */

static int op_wait(struct domain *d, uint64_t w[8])
{
    int64_t wanted = (int64_t)w[1];
    bool any = false;
    w[1] = 0;
    struct domain *c;
    for (uint32_t i = 0; (c = domain_used(i)) != NULL; i++) {
        if (c->parent != d->id || (wanted > 0 && c->id != wanted)) {
            continue;
        }
        any = true;
        if (c->phase == DOMAIN_ZOMBIE) {
            w[1] = c->id;
            w[2] = (uint32_t)c->status;
            domain_free(c);
            return 0;
        }
    }
    return any ? 0 : ECHILD;
}

static int op_kill(uint64_t w[8])
{
    struct domain *d = w[1] <= UINT32_MAX ? domain_find((uint32_t)w[1]) : NULL;
    if (w[2] >= 32) {
        return EINVAL;
    }
    if (d == NULL) {
        return ESRCH;
    }
    if (d->phase != DOMAIN_LIVE || w[2] == 0) {
        return 0;
    }
    if (w[2] == SIGKILL) {
        domain_end(d, SIGKILL);
    } else {
        domain_signal(d, (uint32_t)w[2]);
    }
    return 0;
}

static int op_reap(const struct domain *d, const uint64_t w[8])
{
    struct domain *c = w[1] <= UINT32_MAX ? domain_find((uint32_t)w[1]) : NULL;
    if (c == NULL || c->phase != DOMAIN_LIVE || c->scheduler != d->id) {
        return ESRCH;
    }
    domain_reap(c);
    return 0;
}

static int op_memory(struct domain *d, uint64_t w[8])
{
    bool size = (w[1] >= 16 && w[1] <= 18) || w[1] == HUGE_FRAME_LOG2;
    if (!size || w[2] > UINT32_MAX) {
        return EINVAL;
    }
    bool lent = w[3] == 1;
    int e = lent ? domain_grow_optimistic(d, (uint32_t)w[1])
                 : domain_grow(d, (uint32_t)w[1]);
    if (e != 0) {
        return e;
    }
    uint32_t chunk = d->newest;
    if (sys_untyped_retype(chunk, CPTR(d->cnode, w[2]), TYPE_UNTYPED, w[1], 1,
                           0, 0) != ERR_OK) {
        d->newest = chunk_of(chunk)->next;
        d->memory_bytes -= 1ull << w[1];
        d->optimistic_bytes -= lent ? 1ull << w[1] : 0;
        chunk_give(chunk);
        return EINVAL;
    }
    domain_newest_used(d);
    return 0;
}

static uint64_t state_of(const struct domain *d)
{
    uint32_t state = identity()->child[d->index].state;
    if (d->phase == DOMAIN_ZOMBIE) {
        return SYS_ZOMBIE;
    }
    if (d->scheduler != 0) {
        return SYS_NESTED;
    }
    return state == CHILD_READY ? SYS_READY : SYS_BLOCKED;
}

static int describe(const struct domain *d, uint64_t w[8])
{
    w[1] = d->id | (uint64_t)d->parent << 32;
    w[2] = state_of(d) | (uint64_t)schedule_priority(d) << 32;
    w[3] = d->memory_bytes;
    w[4] = ticks_to_ns(domain_cpu_ticks(d));
    memcpy(&w[5], d->name, 24);
    return 0;
}

static int op_domains(uint64_t w[8])
{
    uint64_t wanted = w[1];
    for (uint32_t i = 0; i < DOMAINS_MAX; i++) {
        if (domains[i].phase != DOMAIN_FREE && wanted-- == 0) {
            return describe(&domains[i], w);
        }
    }
    return ENOENT;
}

static int op_usage(uint64_t w[8])
{
    w[1] = memory_total_bytes();
    w[2] = memory_kernel_bytes();
    w[4] = memory_free_bytes();
    w[3] = w[1] - w[2] - w[4];
    return 0;
}

static int op_wall(uint64_t w[8])
{
    if ((int64_t)w[1] != INT64_MIN) {
        wall_epoch_ns = (int64_t)w[1];
    }
    w[1] = (uint64_t)wall_epoch_ns;
    return 0;
}

static int op_log(const uint64_t w[8])
{
    if (w[1] > LOG_MAX) {
        return EINVAL;
    }
    log_text((const char *)&w[2], w[1]);
    return 0;
}

static int op_signals(struct domain *d, uint64_t w[8])
{
    w[1] = d->signals;
    d->signals = 0;
    return 0;
}

/* Who has what, and how the CPU is shared out. */
static int dispatch_system(const struct domain *d, uint64_t w[8])
{
    switch (w[0]) {
    case ROOT_LEDGER:
        return ledger_row(w);
    case ROOT_CAPS:
        return caps_next(w);
    case ROOT_CHANNELS:
        return service_channels(w);
    case ROOT_SERVICES:
        return service_list(w);
    case ROOT_DECLARED:
        return caps_declared(w);
    case ROOT_ORIGIN:
        return caps_origin(w);
    case ROOT_SCHED_POLICY:
        return schedule_policy(w);
    case ROOT_SCHED_PARAMS:
        return schedule_params(w);
    case ROOT_SCHED_CHANGE:
        return schedule_change(w);
    case ROOT_ACCOUNT:
        return account_row(w);
    case ROOT_THREADS:
        return threads_operate(d, w);
    case ROOT_TRACE:
        return trace_operate(w);
    case ROOT_VARIABLE:
        return names_variable(w);
    case ROOT_LINK_MAKE:
        return link_make(d, w);
    case ROOT_LINK_FREE:
        return link_free(d, w);
    case ROOT_LINK_ALLOW:
        return link_allow(d, w);
    case ROOT_LINK_OPEN:
        return link_open(d, w);
    case ROOT_LINK_LEAVE:
        return link_leave(d, w);
    case ROOT_DMA_BEGIN:
        return dma_begin(d, w);
    case ROOT_DMA_END:
        return dma_end(d);
    case ROOT_DMA_LEND:
        return dma_lend(d, w);
    default:
        return ENOSYS;
    }
}

static int dispatch(struct domain *d, uint64_t w[8], uint64_t loan)
{
    switch (w[0]) {
    case ROOT_EXIT:
        domain_end(d, (int)(w[1] & 0xffff));
        return 0;
    case ROOT_SPAWN:
        return op_spawn(d, w, loan);
    case ROOT_WAIT:
        return op_wait(d, w);
    case ROOT_KILL:
        return op_kill(w);
    case ROOT_REAP:
        return op_reap(d, w);
    case ROOT_SIGNALS:
        return op_signals(d, w);
    case ROOT_CONNECT:
        return service_connect(d, w);
    case ROOT_ACCEPT:
        return service_accept(d, w);
    case ROOT_CLOSED:
        return service_closed(d, w);
    case ROOT_MEMORY:
        return op_memory(d, w);
    case ROOT_SLOTS:
        return domain_slots(d, w);
    case ROOT_DOMAINS:
        return op_domains(w);
    case ROOT_USAGE:
        return op_usage(w);
    case ROOT_POWER:
        system_power(w[1] == 1);
    case ROOT_WALL:
        return op_wall(w);
    case ROOT_LOG:
        return op_log(w);
    case ROOT_CRASH:
        domain_end(d, (int)(w[1] & 0x7f));
        return 0;
    case ROOT_RECLAIM:
        return broker_reclaim(w);
    case ROOT_DEMAND:
        return broker_demand(d, w);
    case ROOT_RETURN:
        return broker_return(d, w);
    case ROOT_CONTRACT:
        return broker_contract(w);
    default:
        return dispatch_system(d, w);
    }
}

void serve(uint64_t w[8], uint64_t badge, uint64_t loan)
{
    struct domain *d = domain_find((uint32_t)badge);
    w[0] = d != NULL && d->phase == DOMAIN_LIVE ? (uint64_t)dispatch(d, w, loan)
                                                : (uint64_t)EPERM;
    schedule_after_call();
}
