/* SPDX-License-Identifier: BSL-1.0
 *
 * The checkers of the host tests inside the kernel. build.py puts this
 * between the vectors and the core, so that what is checked is the kernel as it
 * is built, unchanged.
 *
 * After each call of the watched dispatcher that is refused (C9): the digest of
 * the kernel's own structure and of the caller's dispatcher, domain and CSpace
 * is what it was. Every PERIOD calls, or at each if all are watched: of all
 * memory of the test and the directory, too; and all invariants hold when the
 * kernel is left.
 */
#include <stdarg.h>
#include <string.h>

#include "../../kernel/plat/plat.h"
#include "arch.h"
#include "asm.h"
#include "kcheck.h"
#include "kernel_check.h"
#include "kernel_host.h"
#include "sysreg.h"

#define PERIOD       1000u
#define PERIODS_FULL 64u /* the whole directory is looked at */
#define KINDS        (SYS_COUNT + 2)
#define ROOT_CELLS   512u  /* of the root's CNode that the test uses */
#define WINDOW_BYTES 4096u /* of the directory: what the test uses */
#define TICK         16u   /* instructions of QEMU's -icount shift=0 */

struct host host = {.quick = true}; /* the directory's window alone */

static struct {
    uint64_t seed, calls, refused, checks, wholes, traps;
    uint64_t near, near_trap; /* digest after the latest call, and when */
    uint64_t ledger, began, cost_near, cost_whole, cost_check;
    ref_t watched, arena;
    uint32_t arena_order, nr;
    bool all, due;
    uint64_t done[KINDS];
} k;

extern const syscall_handler checked_syscalls[];
enum abi_error checked_op_run(uint64_t *x);
enum abi_error checked_op_block(uint64_t *x);
void trap_sync(struct dispatcher *d);
void checked_trap_sync(struct dispatcher *d);
struct dispatcher *checked_trap_next(void);

/* ---- what the checkers want of a C library ------------------------------ */

/* n: a multiple of 8; only whether they differ is asked. */
int memcmp(const void *a, const void *b, size_t n)
{
    const uint64_t *p = a, *q = b;
    for (size_t i = 0; i < n / 8; i++) {
        if (p[i] != q[i]) {
            return 1;
        }
    }
    return 0;
}

int strcmp(const char *a, const char *b)
{
    while (*a != 0 && *a == *b) {
        a++;
        b++;
    }
    return (unsigned char)*a - (unsigned char)*b;
}

static const char *print_one(const char *f, va_list *list)
{
    bool wide = f[0] == 'l' && f[1] == 'l';
    f += wide ? 2 : 0;
    if (*f == 's') {
        kprint(va_arg(*list, const char *));
        return f;
    }
    uint64_t v = wide ? va_arg(*list, uint64_t) : va_arg(*list, uint32_t);
    (*f == 'u' ? kprint_dec : kprint_hex)(v);
    return f;
}

static void vprint(const char *f, va_list *list)
{
    for (; *f != 0; f++) {
        char text[2] = {*f, 0};
        if (*f == '%') {
            f = print_one(f + 1, list);
        } else {
            kprint(text);
        }
    }
}

int printf(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vprint(format, &list);
    va_end(list);
    return 0;
}

void host_fail(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    printf("\nnot ok - kcheck: %s: ", check_name);
    vprint(format, &list);
    va_end(list);
    printf("\n# seed %llu, call %llu: number %u\n", k.seed, k.calls, k.nr);
    plat_power_off();
}

/* ---- digests ------------------------------------------------------------ */

#define STEP(sum, word) ((sum)*0x9e3779b97f4a7c15ull + (word))

/* bytes: a multiple of 8. A step is a bijection of the sum, and of the word, so
 * no change of a single word is lost; it is one instruction. */
static uint64_t mix(uint64_t sum, const void *p, uint64_t bytes)
{
    const uint64_t *w = p, *end = w + bytes / 8;
    for (; end - w >= 8; w += 8) {
#pragma GCC unroll 8
        for (uint32_t i = 0; i < 8; i++) {
            sum = STEP(sum, w[i]);
        }
    }
    for (; w < end; w++) {
        sum = STEP(sum, *w);
    }
    return sum;
}

static uint64_t mix_one(uint64_t sum, uint64_t a, uint64_t b)
{
    return mix(sum, (uint64_t[2]){a, b}, 16);
}

/* Not the time that is charged: that goes on with every trap. */
static uint64_t mix_kernel(uint64_t sum)
{
    const struct core_state *c = &kernel.core[0];
    sum = mix_one(sum, (uint64_t)kernel.head << 32 | kernel.domains,
                  (uint64_t)kernel.epoch << 32 | kernel.directory);
    sum = mix_one(sum, kernel.sweep, (uint64_t)c->current << 32 | c->depth);
    for (uint32_t i = 0; i < c->depth; i++) {
        const struct chain_level *l = &c->chain[i];
        sum =
            mix_one(sum, (uint64_t)l->dispatcher << 32 | l->urgency, l->until);
    }
    return mix(sum, kernel.irq, sizeof(kernel.irq));
}

#define MEMBERS(from, to)                                                      \
    (offsetof(struct dispatcher, to) - offsetof(struct dispatcher, from))

/* Not the arguments of a call, which a refused one leaves behind; nor whether
 * FP registers are its own, which the vectors change between two calls. */
static uint64_t mix_dispatcher(uint64_t sum, const struct dispatcher *d)
{
    sum = mix(sum, &d->state, MEMBERS(state, cpacr));
    sum = mix(sum, &d->cntv_ctl, MEMBERS(cntv_ctl, badge));
    return mix_one(sum, d->children, mix(0, d->child, 64));
}

static uint64_t near_digest(const struct dispatcher *d)
{
    uint64_t sum = mix_dispatcher(mix_kernel(0), d);
    if (d->domain == 0) {
        return sum;
    }
    const struct domain *domain = domain_at(d->domain);
    const struct cnode *cnode = ram_at(domain->cnode);
    sum = mix(sum, domain, offsetof(struct domain, pad) & ~7ul);
    return domain->cnode == 0 ? sum
                              : mix(sum, cnode, (uint64_t)cnode->slots * 32);
}

static uint64_t whole_digest(void)
{
    ref_t root = dispatcher_at(kernel.core[0].chain[0].dispatcher)->domain;
    const char *directory = ram_at(kernel.directory);
    uint64_t sum = mix(mix_kernel(0), ram_at(k.arena), 32ull << k.arena_order);
    sum = mix(sum, ram_at(domain_at(root)->cnode), ROOT_CELLS * 32);
    return mix(sum, directory + (HOST_RANGE_VA >> STRETCH_LOG2) * 4,
               WINDOW_BYTES);
}

/* What each capability is, and what of its memory is used. */
static uint64_t ledger_digest(void)
{
    uint64_t sum = 0;
    for (ref_t r = slot_at(kernel.head)->next; r != kernel.head;
         r = slot_at(r)->next) {
        const struct slot *s = slot_at(r);
        sum = mix_one(sum, (uint64_t)r << 32 | s->obj,
                      (uint32_t)s->word ^ (uint64_t)s->type << 32 ^
                          (uint64_t)s->rights << 40 ^ (uint64_t)s->order << 48);
    }
    return sum;
}

/* ---- after a call ------------------------------------------------------- */

/* What the checks of each PERIODth call cost; the clock is dear in QEMU. */
static uint64_t clock_due(void)
{
    return k.due ? arch_now() : 0;
}

static uint64_t timed(uint64_t *cost, uint64_t since)
{
    uint64_t now = clock_due();
    *cost += now - since;
    return now;
}

/* What of the caller's registers a refused call leaves as it was. */
struct entry_state {
    uint64_t pc, x[8];
};

/* The error of a call that came back to its caller, else ERR_OK. */
static enum abi_error error_of(uint32_t nr, const struct dispatcher *d,
                               const struct entry_state *was)
{
    const uint64_t *x = d->context.x;
    bool same_place = d->state == IS_READY && d->context.pc == was->pc;
    bool call = nr == SVC_CALL || nr == SVC_REPLY;
    bool waits = nr == SYS_RUN || nr == SYS_BLOCK || nr == SYS_RESUME;
    uint64_t e = call ? x[8] : x[0];
    if (!same_place || e >= ERR_COUNT || (call && memcmp(x, was->x, 64) != 0) ||
        (waits && e == was->x[0])) {
        return ERR_OK;
    }
    return (enum abi_error)e;
}

/* The whole as it would be with the caller's registers and arguments as they
 * were: those a refused call may change. */
static uint64_t whole_but(struct dispatcher *d, const struct dispatcher *was)
{
    struct saved_context now = d->context;
    uint64_t badge = d->badge, flags = d->call_flags, cap = d->call_cap,
             receive = d->call_receive, lend = d->call_lend;
    d->context = was->context;
    d->badge = was->badge;
    d->call_flags = was->call_flags;
    d->call_cap = was->call_cap;
    d->call_receive = was->call_receive;
    d->call_lend = was->call_lend;
    uint64_t sum = whole_digest();
    d->context = now;
    d->badge = badge;
    d->call_flags = flags;
    d->call_cap = cap;
    d->call_receive = receive;
    d->call_lend = lend;
    return sum;
}

static void count(uint32_t nr, enum abi_error e)
{
    uint32_t kind = nr == SVC_CALL    ? SYS_COUNT
                    : nr == SVC_REPLY ? SYS_COUNT + 1
                                      : nr;
    k.refused += e != ERR_OK;
    if (e == ERR_OK && kind < KINDS) {
        k.done[kind]++;
    }
}

static void same(uint64_t before, uint64_t after, const char *what)
{
    INV(C9);
    if (before != after) {
        host_fail("a refused call has changed %s", what);
    }
}

/* The digest; the latest one if nobody was in the core since. */
static void near_before(const struct dispatcher *d)
{
    if (k.all || k.near_trap != k.traps) {
        k.near = near_digest(d);
    }
}

static void near_after(const struct dispatcher *d)
{
    same(k.near, near_digest(d), "its caller's objects");
    k.near_trap = k.traps + 1;
}

static bool watched_call(struct dispatcher *d, uint32_t nr)
{
    static struct dispatcher before; /* too large for the stack */
    struct entry_state was = {.pc = d->context.pc};
    uint64_t whole = 0, since;
    memcpy(was.x, d->context.x, sizeof(was.x));
    k.nr = nr;
    k.due = ++k.calls % PERIOD == 0 || k.all;
    since = clock_due();
    near_before(d);
    since = timed(&k.cost_near, since);
    if (k.due) {
        before = *d;
        whole = whole_digest();
        timed(&k.cost_whole, since);
    }
    bool ended = syscall_dispatch(d, nr);
    enum abi_error e = ended ? error_of(nr, d, &was) : ERR_OK;
    count(nr, e);
    if (e != ERR_OK) {
        since = clock_due();
        near_after(d);
        since = timed(&k.cost_near, since);
    }
    if (e != ERR_OK && k.due) {
        k.wholes++;
        same(whole, whole_but(d, &before), "somebody's objects");
        timed(&k.cost_whole, since);
    }
    return ended;
}

/* ---- for the root program ----------------------------------------------- */

static void wrong(uint64_t what, uint64_t more)
{
    static const char *const text[] = {
        [WRONG_SETUP] = "a call of the root program failed",
        [WRONG_NEIGHBOUR] = "a neighbour was disturbed",
        [WRONG_PROGRESS] = "a neighbour did not get on",
    };
    check_name = "neighbours";
    host_fail("%s (%llx)", text[what % 3], more);
}

static void report(uint64_t lives, uint64_t work)
{
    host.quick = false;
    check_all();
    check_print();
    uint32_t kinds = 0;
    for (uint32_t i = 0; i < KINDS; i++) {
        kinds += k.done[i] != 0;
        if (k.done[i] == 0) {
            printf("# never done: %u\n", i);
        }
    }
    printf("# instructions a call: %llu; of them digests %llu, whole "
           "digests %llu, kcheck %llu\n",
           (arch_now() - k.began) * TICK / k.calls,
           k.cost_near * PERIOD * TICK / k.calls, k.cost_whole * TICK / k.calls,
           k.cost_check * TICK / k.calls);
    printf("record: seed %llu, calls %llu, refused %llu, kinds %u, lives %llu, "
           "kcheck %llu, whole %llu, neighbours %llu, hash %llx\n",
           k.seed, k.calls, k.refused, kinds, lives, k.checks, k.wholes, work,
           whole_digest());
    plat_power_off();
}

static void watch(uint64_t cptr)
{
    struct slot *s;
    bool found = cap_get(cptr, TYPE_DISPATCHER, 0, &s) == ERR_OK;
    k.all = cptr == ~0ull;
    k.watched = found ? s->obj : 0;
}

static void begin(uint64_t seed, uint64_t cptr)
{
    struct slot *s;
    if (cap_get(cptr, TYPE_UNTYPED, 0, &s) != ERR_OK) {
        host_fail("no arena");
    }
    k.arena = s->obj;
    k.arena_order = s->order;
    k.seed = seed;
    k.began = arch_now();
}

static void ledger(void)
{
    uint64_t now = ledger_digest();
    k.ledger = k.ledger != 0 ? k.ledger : now;
    check_name = "R3";
    if (k.ledger != now) {
        host_fail("what was made is gone, the ledger is another");
    }
}

static void command(uint64_t *x)
{
    switch ((enum kcheck_op)x[0]) {
    case KCHECK_BEGIN:
        begin(x[1], x[2]);
        break;
    case KCHECK_WATCH:
        watch(x[1]);
        break;
    case KCHECK_CALLS:
        x[0] = k.calls;
        break;
    case KCHECK_LEDGER:
        ledger();
        break;
    case KCHECK_FAIL:
        wrong(x[1], x[2]);
        break;
    case KCHECK_END:
        report(x[1], x[2]);
        break;
    }
}

/* ---- between the traps and the core -------------------------------------- */

static void check_now(void)
{
    uint64_t since = arch_now();
    host.quick = ++k.checks % PERIODS_FULL != 0;
    check_all();
    host.quick = true;
    timed(&k.cost_check, since);
    k.due = false;
}

/* A call after which there is nothing to settle comes back at once. */
static bool checked_syscall_dispatch(struct dispatcher *d, uint32_t nr)
{
    bool ended;
    k.traps++;
    if (nr == KCHECK && d->self == kernel.core[0].chain[0].dispatcher) {
        command(d->context.x);
        return true;
    }
    if (d->self != k.watched && !k.all) {
        return syscall_dispatch(d, nr);
    }
    ended = watched_call(d, nr);
    if (k.due && kernel.core[0].unsettled == 0) {
        check_now();
    }
    return ended;
}

/* The result is where it belongs; the vectors have nothing to store. */
static enum abi_error from_vectors(uint64_t *x, uint32_t nr)
{
    (void)x;
    return checked_syscall_dispatch(dispatcher_at(kernel.core[0].current), nr)
               ? ERR_SWITCHED
               : ERR_AGAIN;
}

#define SYSCALL(nr, name)                                                      \
    static enum abi_error checked_##name(uint64_t *x)                          \
    {                                                                          \
        return from_vectors(x, nr);                                            \
    }
#include "calls.inc"
#undef SYSCALL
const syscall_handler checked_syscalls[SYS_COUNT] = {
#define SYSCALL(nr, name) [nr] = checked_##name,
#include "calls.inc"
#undef SYSCALL
};

/* These they call by name, and store what comes if it has failed. */
enum abi_error checked_op_run(uint64_t *x)
{
    (void)from_vectors(x, SYS_RUN);
    return (enum abi_error)x[0];
}

enum abi_error checked_op_block(uint64_t *x)
{
    (void)from_vectors(x, SYS_BLOCK);
    return (enum abi_error)x[0];
}

void checked_trap_sync(struct dispatcher *d)
{
    uint32_t nr = (uint32_t)READ_SYSREG(esr_el1) ^ ESR_SVC;
    if (nr > 0xffffu) { /* no system call */
        trap_sync(d);
    } else if (!checked_syscall_dispatch(d, nr)) {
        d->context.pc -= 4;
    }
}

struct dispatcher *checked_trap_next(void)
{
    struct dispatcher *d = trap_next();
    k.traps++;
    if (k.due) {
        check_now();
    }
    return d;
}
