/* SPDX-License-Identifier: BSL-1.0
 *
 * What kernel/arch/vectors.S does by itself is what the core would do: the same
 * entry on the same machine (tests/unit/kernel_host.h) once by the vectors,
 * once by C code, and then all memory, registers and system registers are
 * compared. Each condition of a fast path is broken alone, and must stop it
 * before it stored anything; run.py plants bugs that each of these tests must
 * find. Prints TAP.
 */
#include <stdlib.h>
#include <string.h>

#include "kernel_host.h"
#include "tap.h"

#define RANDOM_ROUNDS 20000
#define ESR_SVC       0x56000000ull
#define ESR_DATA      0x92000046ull
#define ESR_FETCH     0x8200000eull
#define ESR_UNDEFINED 0x02000000ull
#define ESR_FP        0x1fe00000ull
#define CPACR_FP      (3ull << 20)
#define LENT          HOST_FREE /* a stretch that a has, of root */
#define LENT_VA       (HOST_RANGE_VA + STRETCH_BYTES)

struct dispatcher *machine_enter(struct dispatcher *d, uint64_t x[31]);

/* The registers that machine.S makes variables. */
#define SYSREGS(DO)                                                            \
    DO(esr_el1)                                                                \
    DO(far_el1)                                                                \
    DO(elr_el1)                                                                \
    DO(spsr_el1)                                                               \
    DO(sp_el0)                                                                 \
    DO(tpidr_el0)                                                              \
    DO(cntv_ctl_el0)                                                           \
    DO(cntv_cval_el0)                                                          \
    DO(ttbr0_el1) DO(cpacr_el1) DO(cntvct_el0) DO(fpcr) DO(fpsr)
#define DEFINE(name) uint64_t name;
SYSREGS(DEFINE)
#define MEMBER(name) uint64_t name;
struct sysregs {
    SYSREGS(MEMBER)
};

/* What the machine uses of its RAM: of the boot, and of the arena. */
#define BOOT_BYTES  0x20000u
#define ARENA       0x100000u
#define ARENA_BYTES 0x28000u
struct world {
    unsigned char boot[BOOT_BYTES], arena[ARENA_BYTES];
    struct kernel kernel;
    struct sysregs sys;
    uint64_t x[31], q[64];
};
static struct world start, before, by_vectors, by_core;

uint64_t q[64];        /* FP registers of the CPU; machine.S */
static uint64_t x[31]; /* of the user */
static struct dispatcher *a, *b, *c;
static uint64_t seed = 1;

static uint64_t any(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static void keep(struct world *w)
{
    memcpy(w->boot, ram_host, BOOT_BYTES);
    memcpy(w->arena, ram_host + ARENA, ARENA_BYTES);
    w->kernel = kernel;
#define KEEP(name) w->sys.name = name;
    SYSREGS(KEEP)
    memcpy(w->x, x, sizeof(x));
    memcpy(w->q, q, sizeof(q));
}

static void again(const struct world *w)
{
    memcpy(ram_host, w->boot, BOOT_BYTES);
    memcpy(ram_host + ARENA, w->arena, ARENA_BYTES);
    kernel = w->kernel;
#define AGAIN(name) name = w->sys.name;
    SYSREGS(AGAIN)
    memcpy(x, w->x, sizeof(x));
    memcpy(q, w->q, sizeof(q));
}

/* A dispatcher, which is in the arena, as it is there. */
static struct dispatcher *in(struct world *w, const struct dispatcher *d)
{
    return (void *)(w->arena + ((const unsigned char *)d - ram_host - ARENA));
}

/* ---- what each entry is, by C code -------------------------------------- */

/* As trap.c does it between two dispatchers. */
static void switch_to(struct dispatcher *from, const struct dispatcher *to)
{
    from->context.tpidr = before.sys.tpidr_el0;
    from->cntv_ctl = before.sys.cntv_ctl_el0 & 3;
    from->cntv_cval = before.sys.cntv_cval_el0;
    cntv_ctl_el0 = to->cntv_ctl;
    cntv_cval_el0 = to->cntv_cval;
    ttbr0_el1 = to->ttbr0;
    cpacr_el1 = to->cpacr;
    tpidr_el0 = to->context.tpidr;
    spsr_el1 = 0;
    kernel.core[0].loaded = to->self;
    kernel.core[0].loaded_domain = to->domain;
}

static struct dispatcher *core_call(struct dispatcher *d)
{
    d->context.x[8] = x[8];
    d->context.x[11] = x[11];
    struct dispatcher *to = call_enter_fast(d);
    if (to == NULL) {
        return NULL;
    }
    d->context.sp = sp_el0;
    d->context.pc = elr_el1;
    d->context.x[29] = x[29];
    d->context.x[30] = x[30];
    switch_to(d, to);
    elr_el1 = to->entry;
    sp_el0 = to->sp;
    memset(&x[8], 0, sizeof(x) - 8 * sizeof(x[0]));
    x[8] = d->badge;
    x[10] = to->lent;
    return to;
}

static struct dispatcher *core_reply(struct dispatcher *d)
{
    d->context.x[8] = x[8];
    struct dispatcher *to = call_reply_fast(d);
    if (to == NULL) {
        return NULL;
    }
    switch_to(d, to);
    elr_el1 = to->context.pc;
    sp_el0 = to->context.sp;
    memset(&x[8], 0, sizeof(x) - 8 * sizeof(x[0]));
    x[29] = to->context.x[29];
    x[30] = to->context.x[30];
    return to;
}

static void save(struct dispatcher *d)
{
    memcpy(d->context.x, x, sizeof(x));
    d->context.sp = sp_el0;
    d->context.pc = elr_el1;
    d->context.nzcv = spsr_el1 & 0xf0000000;
    d->context.tpidr = tpidr_el0;
}

static struct dispatcher *load(struct dispatcher *d)
{
    memcpy(x, d->context.x, sizeof(x));
    sp_el0 = d->context.sp;
    elr_el1 = d->context.pc;
    spsr_el1 = d->context.nzcv & 0xf0000000;
    tpidr_el0 = d->context.tpidr;
    return d;
}

/* No C code of the kernel does this. */
static struct dispatcher *switch_fp(struct dispatcher *d)
{
    ref_t *owner = &kernel.core[0].fp_owner;
    if (*owner != 0) {
        struct dispatcher *o = dispatcher_at(*owner);
        memcpy(o->fp.q, q, sizeof(q));
        o->fp.fpcr = fpcr;
        o->fp.fpsr = fpsr;
        o->cpacr = 0;
    }
    memcpy(q, d->fp.q, sizeof(q));
    fpcr = d->fp.fpcr;
    fpsr = d->fp.fpsr;
    cpacr_el1 = d->cpacr = CPACR_FP;
    *owner = d->self;
    return d;
}

static struct dispatcher *core_fault(struct dispatcher *d)
{
    uint32_t class = (uint32_t)(esr_el1 >> 26);
    if (class == ESR_SVC >> 26) {
        return NULL;
    }
    if (class == ESR_FP >> 26) {
        return switch_fp(d);
    }
    bool access = class == ESR_DATA >> 26 || class == ESR_FETCH >> 26;
    save(d);
    host.now = cntvct_el0;
    upcall_fault(d, access ? REASON_FAULT : REASON_EXCEPTION, esr_el1, far_el1);
    return d->state == IS_READY && upcall_page(d)->mask == MASK_ON ? load(d)
                                                                   : NULL;
}

static struct dispatcher *core_system_call(struct dispatcher *d)
{
    save(d);
    (void)syscall_dispatch(d, (uint32_t)esr_el1 & 0xffff);
    return kernel.core[0].unsettled == 0 ? load(d) : NULL;
}

/* ---- comparing ---------------------------------------------------------- */

/* Nobody reads these words before the core has set them. */
static void forget_unread(struct dispatcher *d, const struct dispatcher *as)
{
    if (d->state == IS_READY) { /* it runs */
        d->context = as->context;
    }
    memcpy(d->context.x, as->context.x, 18 * sizeof(x[0]));
    d->badge = as->badge;
    d->call_flags = as->call_flags;
}

/* C code finds the registers as the user left them; of a caller, those that say
 * what it wants. */
static bool context_is_the_users(const struct dispatcher *d)
{
    bool call = before.sys.esr_el1 == (ESR_SVC | SVC_CALL);
    return memcmp(d->context.x, before.x, (call ? 12 : 19) * sizeof(x[0])) ==
               0 &&
           d->context.x[30] == before.x[30];
}

/* Who goes on, or NULL if the core would not do it in the common case. */
typedef struct dispatcher *core_entry(struct dispatcher *d);

enum outcome { REFUSED, SAME, DIFFERS };

static enum outcome outcome_of(core_entry *core)
{
    struct dispatcher *d = dispatcher_at(kernel.core[0].current);
    keep(&before);
    struct dispatcher *to = machine_enter(d, x);
    keep(&by_vectors);
    if (to == NULL) {
        bool right = context_is_the_users(d);
        in(&by_vectors, d)->context = in(&before, d)->context;
        right &= memcmp(&by_vectors, &before, sizeof(before)) == 0;
        return right ? REFUSED : DIFFERS;
    }
    again(&before);
    struct dispatcher *expected = core(d);
    forget_unread(d, in(&by_vectors, d));
    keep(&by_core);
    if (expected != to) {
        return DIFFERS;
    }
    return memcmp(&by_vectors, &by_core, sizeof(by_core)) == 0 ? SAME : DIFFERS;
}

/* ---- machines ----------------------------------------------------------- */

static void any_registers(uint64_t esr)
{
    for (uint32_t i = 0; i < 31; i++) {
        x[i] = any();
    }
    esr_el1 = esr;
    far_el1 = any();
    elr_el1 = any();
    spsr_el1 = any() & 0xf0000000;
    sp_el0 = any();
    tpidr_el0 = any();
    cntv_ctl_el0 = any() & 7;
    cntv_cval_el0 = any();
    ttbr0_el1 = any();
    cpacr_el1 = any() & CPACR_FP;
    cntvct_el0 = any();
    fpcr = any();
    fpsr = any();
    for (uint32_t i = 0; i < 64; i++) {
        q[i] = any();
    }
}

static void any_words(struct dispatcher *d)
{
    d->ttbr0 = any();
    d->cpacr = any() & CPACR_FP;
    d->cntv_ctl = any() & 3;
    d->cntv_cval = any();
    d->context.tpidr = any();
    d->call_receive = any();
    d->user.upcall.sp = any();
    for (uint32_t i = 0; i < sizeof(d->fp) / 8; i++) {
        ((uint64_t *)&d->fp)[i] = any();
    }
}

/* a runs, and may call b. */
static void make_machine(void)
{
    host_ring(3);
    a = host_kid_at(0);
    b = host_kid_at(1);
    c = host_kid_at(2);
    CALL(STRETCH_CREATE, LENT, HOST_UNTYPED, HOST_RANGE, LENT_VA);
    CALL(STRETCH_ATTACH, LENT, host_kid_slot(0, KID_DOMAIN), RIGHT_READ);
    host_serve(1, 0);
    host_run(0);
    host_unmask(a);
    keep(&start);
    const struct slot *arena =
        slot_at(domain_at(host_root_at()->domain)->cnode + HOST_UNTYPED);
    if (ref_address(arena->obj) != ARENA ||
        ref_address((uint32_t)arena->word) > ARENA_BYTES) {
        host_fail("the machine is larger than what is compared");
    }
}

static void caller(void)
{
    again(&start);
    any_words(a);
    any_words(b);
}

static void calling(void)
{
    caller();
    any_registers(ESR_SVC | SVC_CALL);
    x[8] = HOST_GATE | (any() & CALL_NOWAIT);
}

/* a lends what it calls b with. */
static void lending(void)
{
    calling();
    x[8] |= CALL_LEND;
    x[11] = LOAN(LENT_VA, RIGHT_READ);
}

/* b runs, and may answer a. */
static void answering(void)
{
    calling();
    (void)core_call(a);
    any_words(a);
    any_registers(ESR_SVC | SVC_REPLY);
    x[8] = 0;
}

/* And gives back what a lent. */
static void answering_lender(void)
{
    lending();
    (void)core_call(a);
    any_registers(ESR_SVC | SVC_REPLY);
    x[8] = 0;
}

/* b serves a and may call c. */
static void nesting(void)
{
    answering();
    any_words(b);
    any_words(c);
    c->state = IS_BLOCKED;
    c->entry = HOST_CALL_ENTRY;
    any_registers(ESR_SVC | SVC_CALL);
    x[8] = HOST_GATE;
}

static void faulting(void)
{
    caller();
    any_registers(ESR_DATA);
    a->user.upcall.save_slot = (uint32_t)(any() % SAVE_DOUBLE);
}

/* a runs, and the FP registers are another's or nobody's. */
static void touching_fp(void)
{
    const ref_t owners[] = {0, b->self, c->self};
    caller();
    any_registers(ESR_FP | (any() & 0x1ffffff));
    a->cpacr = cpacr_el1 = 0;
    kernel.core[0].fp_owner = owners[any() % 3];
}

static void resuming(void)
{
    caller();
    any_registers(ESR_SVC | SYS_RESUME);
    x[0] = any() % SAVE_SLOTS;
    for (uint32_t i = 0; i < sizeof(struct saved_context) / 8; i++) {
        ((uint64_t *)&a->user.upcall.slots[x[0]])[i] = any();
    }
    a->user.upcall.mask = MASK_ON;
}

static struct slot *spare(void)
{
    return slot_at(a->cnode + HOST_SPARE);
}

/* a tells c, which runs. */
static void signalling(void)
{
    caller();
    any_registers(ESR_SVC | SYS_EVENT_SIGNAL);
    spare()->type = TYPE_EVENT;
    spare()->rights = RIGHT_SIGNAL;
    spare()->obj = c->self;
    spare()->word = any() % 64;
    c->user.upcall.events = any();
    x[0] = HOST_SPARE;
}

static void leaving(void)
{
    caller();
    any_registers(ESR_SVC | SYS_LEAVE);
    a->user.upcall.mask = MASK_ON;
}

/* No child of its own. */
static void running(void)
{
    caller();
    any_registers(ESR_SVC | SYS_RUN);
    x[0] = x[2] = 0;
}

static void null_call(void)
{
    caller();
    any_registers(ESR_SVC | SYS_NULL);
}

/* ---- conditions --------------------------------------------------------- */

/* Where reference 0 would lead, there is what would do. */
static void at_zero(const void *what, size_t size)
{
    memcpy(ram_host, what, size);
}

static struct slot *gate(void)
{
    return slot_at(a->cnode + HOST_GATE);
}

static void past_the_end(void)
{
    a->slots = HOST_GATE;
}
static void past_the_spare(void)
{
    a->slots = HOST_SPARE;
}
static void spare_type(void)
{
    spare()->type = TYPE_ENDPOINT;
}
static void no_signal(void)
{
    spare()->rights = (uint8_t)~RIGHT_SIGNAL;
}
static void waits(void)
{
    c->state = IS_BLOCKED;
}
static void other_has_no_pages(void)
{
    c->pages = 0;
}
static void itself_unmasked(void)
{
    spare()->obj = a->self;
}
static void sends_along(void)
{
    x[8] |= CALL_CAP;
}
static void other_type(void)
{
    gate()->type = TYPE_EVENT;
}
static void no_right(void)
{
    gate()->rights &= (uint8_t)~RIGHT_CALL;
}
static void nobodys(void)
{
    endpoint_at(gate()->obj)->dispatcher = 0;
    at_zero(b, offsetof(struct dispatcher, child));
}
static void callee_runs(void)
{
    b->state = IS_READY;
}
static void callee_schedules(void)
{
    b->children = 1;
}
static void others_schedule(void)
{
    b->children = c->children = 1;
}
static void top_serves(void)
{
    a->caller = c->self;
}
static void not_the_lenders(void)
{
    x[11] = LOAN(LENT_VA, RIGHT_READ | RIGHT_WRITE);
}
static void callee_serves(void)
{
    b->caller = c->self;
}
static void accepts_none(void)
{
    b->entry = 0;
}
static void not_own_time(void)
{
    kernel.core[0].chain[kernel.core[0].depth - 1].dispatcher = c->self;
}
static void caller_serves(void)
{
    a->caller = c->self;
}
static void serves_nobody(void)
{
    b->caller = 0;
    at_zero(a, offsetof(struct dispatcher, child));
}
static void saved_reply(void)
{
    x[8] = HOST_SPARE;
}
static void in_line(void)
{
    b->ready = gate()->obj;
}
static void told(void)
{
    b->told = IS_READY;
}
static void callee_pending(void)
{
    b->user.upcall.pending = REASON_EVENT;
}
static void caller_pending(void)
{
    a->user.upcall.pending = REASON_EVENT;
}
static void no_pages(void)
{
    a->pages = 0;
}
static void masked(void)
{
    a->user.upcall.mask = MASK_ON;
}
static void no_entry(void)
{
    a->user.upcall.entry = 0;
}
static void save_slot_of_double(void)
{
    a->user.upcall.save_slot = SAVE_DOUBLE;
}
static void unknown_call(void)
{
    esr_el1 = ESR_SVC | SYS_COUNT;
}
static void no_such_slot(void)
{
    x[0] = SAVE_SLOTS;
}

static const struct condition {
    const char *name;
    void (*machine)(void), (*lift)(void);
    core_entry *core;
} conditions[] = {
    {"call: in its bounds", calling, past_the_end, core_call},
    {"call: no other flag", calling, sends_along, core_call},
    {"call: an endpoint", calling, other_type, core_call},
    {"call: the right", calling, no_right, core_call},
    {"call: bound", calling, nobodys, core_call},
    {"call: blocked", calling, callee_runs, core_call},
    {"call: serves nobody", calling, callee_serves, core_call},
    {"call: accepts", calling, accepts_none, core_call},
    {"call: own time", calling, not_own_time, core_call},
    {"call: not for another", calling, caller_serves, core_call},
    {"nested: serves the top", nesting, not_own_time, core_call},
    {"nested: who serves nobody", nesting, top_serves, core_call},
    {"nested: nobody is told", nesting, others_schedule, core_call},
    {"lend: in its bounds", lending, past_the_end, core_call},
    {"lend: no other flag", lending, sends_along, core_call},
    {"lend: nobody is told", lending, others_schedule, core_call},
    {"lend: what it has", lending, not_the_lenders, core_call},
    {"reply: a caller", answering, serves_nobody, core_reply},
    {"reply: no flags or slot", answering, saved_reply, core_reply},
    {"reply: nobody in line", answering, in_line, core_reply},
    {"reply: not told", answering, told, core_reply},
    {"reply: nothing pending", answering, callee_pending, core_reply},
    {"reply: nor at the caller", answering, caller_pending, core_reply},
    {"fault: pages", faulting, no_pages, core_fault},
    {"fault: unmasked", faulting, masked, core_fault},
    {"fault: an entry", faulting, no_entry, core_fault},
    {"fault: a slot", faulting, save_slot_of_double, core_fault},
    {"fault: no system call", faulting, unknown_call, core_fault},
    {"event: in its bounds", signalling, past_the_spare, core_system_call},
    {"event: an event", signalling, spare_type, core_system_call},
    {"event: the right", signalling, no_signal, core_system_call},
    {"event: who runs", signalling, waits, core_system_call},
    {"event: pages", signalling, other_has_no_pages, core_system_call},
    {"event: later", signalling, itself_unmasked, core_system_call},
    {"leave: nothing pending", leaving, caller_pending, core_system_call},
    {"run: nothing pending", running, caller_pending, core_system_call},
    {"resume: a slot", resuming, no_such_slot, core_system_call},
    {"resume: nothing pending", resuming, caller_pending, core_system_call},
};
#define CONDITIONS (sizeof(conditions) / sizeof(conditions[0]))

static void test_conditions(void)
{
    for (uint32_t i = 0; i < CONDITIONS; i++) {
        const struct condition *k = &conditions[i];
        k->machine();
        k->lift();
        CHECK(outcome_of(k->core) == REFUSED, k->name);
        fflush(stdout);
    }
}

/* ---- what is taken ------------------------------------------------------ */

static void test_taken(void)
{
    calling();
    x[8] = HOST_GATE;
    CHECK(outcome_of(core_call) == SAME, "a call, as the core makes it");
    calling();
    x[8] = HOST_GATE | CALL_NOWAIT;
    CHECK(outcome_of(core_call) == SAME, "by who would not wait in line");
    calling();
    callee_schedules();
    CHECK(outcome_of(core_call) == SAME, "to who schedules others");
    calling();
    callee_schedules();
    a->parent = 0;
    CHECK(outcome_of(core_call) == SAME, "by who has no scheduler");
    nesting();
    CHECK(outcome_of(core_call) == SAME, "by who serves its caller");
    lending();
    CHECK(outcome_of(core_call) == SAME, "that lends");
    answering();
    CHECK(outcome_of(core_reply) == SAME, "its answer");
    answering_lender();
    CHECK(outcome_of(core_reply) == SAME, "lend: back with the answer");
    answering();
    b->until = any();
    CHECK(outcome_of(core_reply) == SAME, "by who waited until a time");
    faulting();
    CHECK(outcome_of(core_fault) == SAME, "a fault");
    faulting();
    esr_el1 = ESR_FETCH;
    CHECK(outcome_of(core_fault) == SAME, "of fetching");
    faulting();
    esr_el1 = ESR_UNDEFINED;
    CHECK(outcome_of(core_fault) == SAME, "another exception");
    touching_fp();
    kernel.core[0].fp_owner = b->self;
    CHECK(outcome_of(switch_fp) == SAME, "FP registers of another");
    touching_fp();
    kernel.core[0].fp_owner = 0;
    at_zero(a, sizeof(*a));
    CHECK(outcome_of(switch_fp) == SAME, "fp: an owner");
    resuming();
    CHECK(outcome_of(core_system_call) == SAME, "resume");
    signalling();
    CHECK(outcome_of(core_system_call) == SAME, "an event");
    signalling();
    itself_unmasked();
    masked();
    CHECK(outcome_of(core_system_call) == SAME, "for who is masked");
    leaving();
    CHECK(outcome_of(core_system_call) == SAME, "leave");
    running();
    CHECK(outcome_of(core_system_call) == SAME, "run, which fails");
    null_call();
    CHECK(outcome_of(core_system_call) == SAME, "null");
}

/* Everything of ESR counts. */
static void test_numbers(void)
{
    bool right = true;
    for (uint32_t bit = 0; bit < 32; bit++) {
        void (*const machines[])(void) = {calling, answering};
        for (uint32_t i = 0; i < 2; i++) {
            machines[i]();
            esr_el1 ^= 1ull << bit;
            right &= esr_el1 == ESR_SVC /* null */ ||
                     outcome_of(core_fault) != DIFFERS;
        }
    }
    CHECK(right, "what is nearly a call or an answer is none");
    right = true;
    for (uint32_t bit = 0; bit < 64; bit++) {
        calling();
        uint64_t flag = 1ull << bit;
        x[8] = bit < 32 ? flag : HOST_GATE | flag;
        x[11] = LOAN(LENT_VA, RIGHT_READ);
        enum outcome outcome = outcome_of(core_call);
        bool fast = flag == CALL_NOWAIT || flag == CALL_LEND;
        right &= outcome == (fast ? SAME : REFUSED);
        answering();
        x[8] = 1ull << bit;
        right &= outcome_of(core_reply) == REFUSED;
    }
    CHECK(right, "each bit that asks for more is for C code");
}

/* ---- at random ----------------------------------------------------------- */

/* A word of d becomes another one. What the core keeps true is kept: references
 * are such, a loan has a lender, and who runs is ready. */
static void disturb(struct dispatcher *d)
{
    const uint32_t refs[] = {0, a->self, b->self, c->self};
    const uint32_t words[] = {0,        1,          5,
                              IS_READY, IS_BLOCKED, (1u << 16) | IS_BLOCKED,
                              b->self,  gate()->obj};
    uint32_t *word = (uint32_t *)&d->state;
    uint32_t i = (uint32_t)(any() % ((offsetof(struct dispatcher, ttbr0) -
                                      offsetof(struct dispatcher, state)) /
                                     sizeof(*word)));
    if (&word[i] == &d->caller) {
        word[i] = refs[any() % 4];
    } else if (&word[i] != &d->self && &word[i] != &d->domain) {
        word[i] = words[any() % (sizeof(words) / sizeof(words[0]))];
    }
    if (any() % 8 == 0) {
        d->user.upcall.pending = (uint32_t)(any() % 3);
    }
    d->lent = d->caller != 0 ? d->lent : 0;
    dispatcher_at(kernel.core[0].current)->state = IS_READY;
}

static void test_random(void)
{
    const struct {
        void (*machine)(void);
        core_entry *core;
    } kinds[] = {{calling, core_call},        {answering, core_reply},
                 {faulting, core_fault},      {signalling, core_system_call},
                 {leaving, core_system_call}, {resuming, core_system_call},
                 {touching_fp, switch_fp},    {lending, core_call},
                 {nesting, core_call},        {answering_lender, core_reply}};
    uint32_t taken = 0, wrong = 0;
    for (uint32_t round = 0; round < RANDOM_ROUNDS; round++) {
        uint32_t kind = (uint32_t)(any() % 10);
        kinds[kind].machine();
        for (uint64_t n = any() % 12; n > 0; n--) {
            struct dispatcher *const all[] = {a, b, c};
            disturb(all[any() % 3]);
        }
        enum outcome outcome = outcome_of(kinds[kind].core);
        taken += outcome == SAME;
        wrong += outcome == DIFFERS;
    }
    printf("# %u of %u taken\n", taken, RANDOM_ROUNDS);
    CHECK(wrong == 0 && taken > RANDOM_ROUNDS / 8,
          "nothing that the core would do otherwise");
}

int main(int argc, char **argv)
{
    (void)argv;
    make_machine();
    test_taken();
    test_conditions();
    if (argc == 1) { /* else conditions are enough: a bug is planted */
        test_numbers();
        test_random();
    }
    return tap_end();
}
