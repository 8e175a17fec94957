/* SPDX-License-Identifier: BSL-1.0
 *
 * The choices of kernel_random.h. Most arguments are chosen so that they could
 * be right: a slot that holds the type needed, a size that the type has.
 */
#include "kernel_random.h"

#include <string.h>

#include "kernel_check.h"
#include "kernel_host.h"

#define KIDS      3u
#define ARENA     18u
#define POOL_END  (HOST_KID + KIDS * HOST_KID_SLOTS)
#define KID_SLOTS 32u
#define NOBODY    0xffffu

static const struct random_source *source;

struct restart { /* a system call to go on with */
    ref_t dispatcher;
    uint32_t nr;
    uint64_t pc;
};
static struct restart restarts[8];
static uint64_t next_pc;

static uint32_t pick(uint32_t n)
{
    return source->next() % n;
}

static bool chance(uint32_t n)
{
    return pick(n) == 0;
}

/* ---- arguments ----------------------------------------------------------- */

static uint32_t slot_count(void)
{
    return host_current() == host_root_at() ? POOL_END : KID_SLOTS;
}

static cptr_t any_slot(void)
{
    static const cptr_t odd[] = {0,
                                 ~0ull,
                                 1u << 20,
                                 CPTR_SELF_CNODE,
                                 CPTR_SELF_DOMAIN,
                                 CPTR_SELF_DISPATCHER,
                                 CPTR(CPTR_SELF_CNODE, 3)};
    if (chance(24)) {
        return odd[pick(sizeof(odd) / sizeof(odd[0]))];
    }
    uint32_t low = host_current() == host_root_at() ? HOST_IRQ : 1;
    cptr_t slot = low + pick(slot_count() - low);
    return chance(5) ? CPTR(slot, 1 + pick(8)) : slot;
}

/* A slot of the own CNode that holds this type (0: an empty one), if any. */
static cptr_t slot_of(uint32_t type)
{
    ref_t domain = host_current()->domain;
    ref_t node = domain_at(domain)->cnode;
    if (domain == 0 || node == 0 || chance(8)) {
        return any_slot();
    }
    uint32_t n = slot_count(), start = pick(n);
    bool root = host_current() == host_root_at();
    for (uint32_t i = 0; i < n; i++) {
        uint32_t at = (start + i) % n;
        if (at >= (root ? HOST_IRQ : 1u) && slot_at(node + at)->type == type) {
            return at;
        }
    }
    return any_slot();
}

/* A slot inside one of our CNodes. Choices are made in statements of their own
 * wherever the order would else be the compiler's: runs must repeat. */
static cptr_t any_inner(void)
{
    cptr_t node = slot_of(TYPE_CNODE);
    return CPTR(node, 1 + pick(8));
}

static uint64_t any_rights(void)
{
    static const uint64_t good[] = {1, 3, 5, RIGHTS_ALL};
    return chance(4) ? pick(256) : good[pick(4)];
}

static uint64_t any_va(void)
{
    uint64_t va = HOST_RANGE_VA + pick(8) * STRETCH_BYTES;
    return chance(8) ? va + pick(1u << 30) : va;
}

/* Of a stretch that who calls is attached to; or any. */
static uint64_t own_va(void)
{
    ref_t ref = host_current()->domain;
    const struct domain *d = domain_at(ref);
    uint64_t va = any_va();
    uint32_t found = 0;
    for (uint32_t i = 0; i < d->tables && ref != 0; i++) {
        const uint64_t *level2 = ram_at(ref + ((2 + i) << 7));
        for (uint64_t k = 0; k < 512 && d->table[i].used != 0; k++) {
            if (level2[k] != 0 && chance(++found)) {
                va = (uint64_t)d->table[i].gib << 30 | k << STRETCH_LOG2;
            }
        }
    }
    return va;
}

static uint64_t any_page(void)
{
    uint64_t va = any_va();
    return va + (chance(4) ? 16 * pick(32) : pick(512)) * PAGE_BYTES;
}

static cptr_t any_domain(void)
{
    return chance(3) ? CPTR_SELF_DOMAIN : slot_of(TYPE_DOMAIN);
}

static cptr_t any_dispatcher(void)
{
    return chance(4) ? CPTR_SELF_DISPATCHER : slot_of(TYPE_DISPATCHER);
}

static void retype_args(uint64_t *x)
{
    static const uint8_t make[][2] = {{TYPE_UNTYPED, 12},
                                      {TYPE_UNTYPED, 14},
                                      {TYPE_UNTYPED, 16},
                                      {TYPE_CNODE, 8},
                                      {TYPE_CNODE, 10},
                                      {TYPE_CNODE, 13},
                                      {TYPE_FRAME, 12},
                                      {TYPE_FRAME, 12},
                                      {TYPE_FRAME, 16},
                                      {TYPE_DOMAIN, 14},
                                      {TYPE_DISPATCHER, 14},
                                      {TYPE_SCHED_CONTEXT, 6},
                                      {TYPE_ENDPOINT, 6},
                                      {TYPE_ENDPOINT, 6},
                                      {TYPE_RANGE, 21},
                                      {TYPE_RANGE, 23},
                                      {TYPE_EVENT, 12},
                                      {TYPE_UNTYPED, 15},
                                      {TYPE_FRAME, HUGE_FRAME_LOG2}};
    const uint8_t *m = make[pick(sizeof(make) / 2)];
    bool huge = m[1] == HUGE_FRAME_LOG2 && m[0] == TYPE_FRAME;
    x[0] = slot_of(m[0] == TYPE_RANGE ? TYPE_RANGE : TYPE_UNTYPED);
    x[0] = huge && host_current() == host_root_at() ? HOST_DEVICE : x[0];
    x[1] = chance(6) ? any_inner() : slot_of(0);
    x[2] = m[0];
    x[3] = m[1] + chance(16);
    x[4] = chance(4) ? pick(5) : 1;
    x[5] = chance(6) ? (uint64_t)pick(16) << m[1] : 0;
    x[6] = pick(8);
}

static void cap_args(uint32_t nr, uint64_t *x)
{
    switch (nr) {
    case SYS_CAP_COPY:
    case SYS_CAP_MOVE:
        x[0] = chance(4) ? any_inner() : slot_of(0);
        x[1] = any_slot();
        x[2] = chance(2) ? ~0ull : any_rights();
        x[3] = chance(4) ? pick(5) : 0;
        x[4] = chance(3) ? pick(3) : 0;
        break;
    case SYS_UNTYPED_RETYPE:
        retype_args(x);
        break;
    case SYS_CAP_ROTATE:
        x[1] = any_slot();
        x[2] = any_slot();
        x[0] = chance(2) ? slot_of(0) : x[2];
        break;
    default:
        x[0] = any_slot();
    }
}

static uint64_t any_count(void)
{
    return chance(4) ? pick(6) : chance(24) ? 500 + pick(20) : 1;
}

static void space_args(uint32_t nr, uint64_t *x)
{
    switch (nr) {
    case SYS_STRETCH_CREATE:
        x[0] = slot_of(0);
        x[4] = chance(3) ? any_rights() : 0;
        x[1] = slot_of(x[4] == 0 ? TYPE_UNTYPED : TYPE_FRAME);
        x[2] = slot_of(TYPE_RANGE);
        x[3] = any_va();
        break;
    case SYS_STRETCH_ATTACH:
    case SYS_STRETCH_DETACH:
        x[0] = slot_of(TYPE_STRETCH);
        x[1] = any_domain();
        x[2] = any_rights();
        break;
    case SYS_FRAME_MAP:
    case SYS_FRAME_REMAP: {
        x[0] = slot_of(TYPE_FRAME);
        x[1] = slot_of(TYPE_STRETCH);
        struct place p;
        bool ok = cap_place(x[1], &p) == ERR_OK && !chance(4);
        x[2] =
            ok ? slot_at(p.ref)->word + 16 * pick(32) * PAGE_BYTES : any_page();
        x[3] = any_rights();
        x[4] = any_count();
        break;
    }
    case SYS_FRAME_UNMAP:
        x[0] = slot_of(TYPE_FRAME);
        x[1] = any_count();
        break;
    default:
        x[0] = slot_of(TYPE_FRAME);
        x[1] = any_rights();
        x[2] = any_count();
    }
}

static void bind_args(uint32_t nr, uint64_t *x)
{
    x[0] = any_dispatcher();
    x[1] = any_domain();
    switch (nr) {
    case SYS_DOMAIN_SET_CSPACE:
        x[0] = any_domain();
        x[1] = slot_of(TYPE_CNODE);
        break;
    case SYS_DISPATCHER_BIND:
        x[2] = slot_of(TYPE_CPU);
        x[3] = slot_of(TYPE_STRETCH);
        x[4] = any_page();
        break;
    case SYS_DISPATCHER_SET_PARENT:
        x[1] = any_dispatcher();
        x[2] = pick(6);
        break;
    case SYS_DISPATCHER_START:
        x[1] = x[2] = 0x100000;
        break;
    case SYS_DISPATCHER_INSPECT:
        x[1] = pick(40);
        break;
    case SYS_ENDPOINT_BIND:
        x[0] = slot_of(TYPE_ENDPOINT);
        x[1] = any_dispatcher();
        break;
    case SYS_SCHED_BIND:
    case SYS_SCHED_REFILL:
        x[0] = slot_of(TYPE_SCHED_CONTEXT);
        x[1] = nr == SYS_SCHED_BIND ? any_dispatcher() : pick(5000);
        break;
    default:
        break;
    }
}

static void other_args(uint32_t nr, uint64_t *x)
{
    switch (nr) {
    case SYS_CALL_ACCEPT:
        x[0] = chance(8) ? 0 : HOST_CALL_ENTRY;
        x[1] = 0x8000 + chance(8);
        x[2] = chance(3) ? 0 : slot_of(0);
        break;
    case SYS_EVENT_MINT:
        x[0] = slot_of(0);
        x[1] = slot_of(TYPE_DISPATCHER);
        x[2] = pick(66);
        break;
    case SYS_EVENT_SIGNAL:
        x[0] = slot_of(TYPE_EVENT);
        break;
    case SYS_IRQ_BIND:
    case SYS_IRQ_ACK:
        x[0] = slot_of(TYPE_IRQ);
        x[1] = slot_of(TYPE_EVENT);
        break;
    case SYS_RUN:
        x[0] = pick(4);
        x[1] = chance(3) ? ~0ull : host.now + pick(2000);
        x[2] = pick(chance(8) ? 300 : 4);
        break;
    case SYS_REPLY_SAVE:
        x[0] = slot_of(0);
        break;
    case SYS_BLOCK:
        x[0] = chance(2) ? ~0ull : host.now + pick(2000);
        break;
    default:
        x[0] = pick(30);
        break;
    }
}

static void call_args(struct dispatcher *d, uint32_t nr)
{
    uint64_t flags = chance(4) ? CALL_CAP : 0;
    flags |= chance(32) ? 1ull << 40 : 0;
    if (nr == SVC_CALL) {
        flags |= chance(4) ? CALL_NOWAIT : 0;
        flags |= chance(4) ? CALL_RECEIVE : 0;
        flags |= chance(3) ? CALL_LEND : 0;
        flags |= (uint32_t)slot_of(TYPE_ENDPOINT);
    } else {
        flags |= chance(4) ? REPLY_STAY : 0;
        flags |= chance(3) ? (uint32_t)slot_of(TYPE_REPLY) : 0;
    }
    d->context.x[8] = flags;
    d->context.x[9] = any_slot();
    d->context.x[10] = slot_of(0);
    d->context.x[11] = LOAN(own_va(), chance(4) ? any_rights() : RIGHT_READ);
}

/* ---- what they do ------------------------------------------------------ */

static uint32_t choose(void)
{
    bool root = host_current() == host_root_at();
    if (root && chance(3)) {
        return SYS_RUN;
    }
    if (host_current()->caller != 0 && chance(3)) {
        return chance(2) ? SYS_REPLY_SAVE : SVC_REPLY;
    }
    if (!root && chance(8)) {
        return chance(3) ? SVC_REPLY : SVC_CALL;
    }
    uint32_t nr = pick(SYS_COUNT);
    bool hard = nr == SYS_CAP_REVOKE || nr == SYS_CAP_DELETE ||
                nr == SYS_DISPATCHER_STOP;
    return hard && !chance(4) ? SYS_UNTYPED_RETYPE : nr;
}

static void arguments(uint32_t nr, uint64_t *x)
{
    if (nr == SVC_CALL || nr == SVC_REPLY) {
        call_args(host_current(), nr);
    } else if (nr <= SYS_UNTYPED_RETYPE || nr == SYS_CAP_ROTATE) {
        cap_args(nr, x);
    } else if (nr <= SYS_FRAME_PROTECT || nr == SYS_FRAME_REMAP) {
        space_args(nr, x);
    } else if (nr <= SYS_ENDPOINT_BIND || nr == SYS_SCHED_BIND ||
               nr == SYS_SCHED_REFILL) {
        bind_args(nr, x);
    } else {
        other_args(nr, x);
    }
}

static void spoil(uint64_t *x)
{
    static const uint64_t odd[] = {0,          1,
                                   7,          8,
                                   63,         64,
                                   255,        256,
                                   0x7fff,     1u << 21,
                                   ~0u,        1ull << 32,
                                   1ull << 39, HOST_DEVICE_ADDRESS,
                                   1ull << 63, ~0ull << 12,
                                   ~0ull};
    uint64_t value = odd[pick(sizeof(odd) / sizeof(odd[0]))];
    x[pick(7)] = value;
}

/* The call that the current dispatcher was interrupted in, or NULL. */
static struct restart *find_restart(ref_t dispatcher)
{
    for (uint32_t i = 0; i < 8; i++) {
        if (restarts[i].dispatcher == dispatcher) {
            return &restarts[i];
        }
    }
    return NULL;
}

static void keep_restart(struct dispatcher *d, uint32_t nr)
{
    struct restart *r = find_restart(d->self);
    r = r != NULL ? r : &restarts[pick(8)];
    *r = (struct restart){d->self, nr, d->context.pc};
}

static void act(void)
{
    struct dispatcher *d = host_current();
    struct restart *r = find_restart(d->self);
    uint64_t x[8] = {0};
    uint32_t nr = choose();
    if (r != NULL && r->pc == d->context.pc && !chance(4)) {
        nr = r->nr;
        memcpy(x, d->context.x, sizeof(x));
    } else {
        d->context.pc = next_pc += 4; /* two contexts are never alike */
        arguments(nr, x);
        if (source->odd && chance(8)) {
            spoil(x);
            nr = chance(8) ? SYS_COUNT + pick(3) : nr;
        }
    }
    if (r != NULL) {
        r->dispatcher = NOBODY;
    }
    ref_t self = d->self;
    bool ended = host_try(nr, x);
    if (!ended && d->self == self && d->state == IS_READY) {
        keep_restart(d, nr);
    }
    if (source->did != NULL) {
        source->did(nr, ended, d);
    }
}

/* As user code does, or an enemy would. */
static void scribble(struct dispatcher *d)
{
    struct upcall_page *p = upcall_page(d);
    if (chance(4)) {
        p->mask = chance(16) ? pick(4) : pick(2);
        p->pending = chance(64) ? source->next() : 0;
        p->events = 0;
        p->save_slot = chance(32) ? pick(40) : pick(26);
        p->entry = chance(64) ? 0 : HOST_ENTRY;
        p->double_entry = chance(32) ? 0 : HOST_DOUBLE_ENTRY;
        sched_unsettle(); /* nobody sees a store; settled would be later */
    }
}

static void disturb(void)
{
    host.now += pick(300);
    host.interrupt = chance(3);
    uint32_t irq = pick(HOST_IRQS), what = pick(12);
    if (what == 0 && !host.masked[irq]) {
        irq_deliver(irq);
    } else if (what == 1) {
        upcall_post(host_current(), REASON_TICK);
    } else if (what == 2 && host_current() != host_root_at()) {
        upcall_fault(host_current(), REASON_FAULT, 1, 2);
    } else if (what == 3) {
        upcall_post(host_root_at(), REASON_TICK);
    }
}

/* ---- the machine ------------------------------------------------------- */

static void furnish(uint32_t i)
{
    cptr_t own = host_kid_slot(i, KID_CNODE),
           next = host_kid_slot((i + 1) % KIDS, 0);
    CALL(CAP_COPY, CPTR(own, 1), host_kid_slot(i, KID_DISPATCHER), ~0ull);
    CALL(CAP_COPY, CPTR(own, 2), host_kid_slot(i, KID_DOMAIN), ~0ull);
    CALL(CAP_COPY, CPTR(own, 3), HOST_CPU, ~0ull);
    CALL(CAP_COPY, CPTR(own, 4), HOST_IRQ + i, ~0ull);
    CALL(CAP_COPY, CPTR(own, 5), next + KID_DISPATCHER, ~0ull);
    CALL(CAP_COPY, CPTR(own, 6), next + KID_DOMAIN, ~0ull);
    CALL(CAP_COPY, CPTR(own, 7), host_kid_slot(i, KID_ENDPOINT), ~0ull);
    CALL(CAP_COPY, CPTR(own, 8), next + KID_ENDPOINT, ~0ull, 5);
    CALL(CAP_COPY, CPTR(own, 9), HOST_ATTIC, ~0ull);
    CALL(UNTYPED_RETYPE, HOST_UNTYPED, CPTR(own, 10), TYPE_UNTYPED, 15, 1);
    CALL(UNTYPED_RETYPE, HOST_RANGE, CPTR(own, 11), TYPE_RANGE, 22, 1);
    CALL(EVENT_MINT, CPTR(own, 12), next + KID_DISPATCHER, i);
}

static void make_machine(void)
{
    host_boot(ARENA);
    for (uint32_t i = 0; i < KIDS; i++) {
        host_kid(i);
        CALL(UNTYPED_RETYPE, HOST_UNTYPED, host_kid_slot(i, KID_ENDPOINT),
             TYPE_ENDPOINT, ENDPOINT_LOG2, 1);
        CALL(ENDPOINT_BIND, host_kid_slot(i, KID_ENDPOINT),
             host_kid_slot(i, KID_DISPATCHER));
    }
    for (uint32_t i = 0; i < KIDS; i++) {
        furnish(i);
        host_kid_start(i);
        host_kid_at(i)->entry = HOST_CALL_ENTRY; /* as by call_accept */
    }
    if (source->odd) {
        host_serve(1, 0);
        host_serve(2, KID_SLOTS - 1);
        host_run(0);
        host_unmask(host_root_at());
    }
    host.quick = true;
}

/* The first is made by system calls, the others are copies. */
static void boot(void)
{
    static bool made;
    bool follow = source->did != NULL || source->fast;
    host.follow = follow;
    if (!made) {
        make_machine();
        host_save();
        made = true;
    }
    host_restore();
    host.follow = follow;
    memset(restarts, 0xff, sizeof(restarts));
    next_pc = 0x100000;
}

/* A machine is at its end. */
static void check_end(void)
{
    host.quick = false;
    if (source->did != NULL) {
        source->did(RANDOM_END, true, host_root_at());
    } else {
        check_all();
    }
}

/* Somebody runs, or the machine is at an end: false. */
static bool settle(void)
{
    for (uint32_t i = 0; i < 4; i++) {
        host_settle();
        struct core_state *core = &kernel.core[0];
        if (core->depth == 0) {
            return false;
        }
        if (core->current != 0) {
            return true;
        }
        host.now += 5000;
        upcall_page(host_root_at())->entry = HOST_ENTRY;
        upcall_post(host_root_at(), REASON_TICK);
    }
    return false;
}

void random_run(const struct random_source *s, uint32_t steps)
{
    source = s;
    boot();
    for (uint32_t i = 0; i < steps && source->more(); i++) {
        scribble(host_current());
        disturb();
        bool alive = settle();
        if (alive) {
            act();
            alive = settle();
        }
        if (i % RANDOM_CHECK == 0 && alive && !host.follow) {
            check_all();
        }
        if (!alive || i % 4096 == 4095) {
            check_end();
            boot();
        }
    }
}
