/* SPDX-License-Identifier: BSL-1.0
 *
 * Upcalls, contexts and faults as the kernel delivers them, without libos in
 * between; and domains whose handlers cannot work, as children. Prints TAP.
 *
 * A second dispatcher cannot be bound here: that needs a CPU capability, which
 * the root server keeps. What run() is tried on is a domain that it made.
 */
#include "tests/unit/tap.h"

#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vesper/nested.h>
#include <vesper/root.h>
#include <vesper/start.h>
#include <vesper/thread.h>

#include "libos/core/page.h"
#include "tests/target/kernel_objects.h"
#include "tests/target/kernel_probe.h"

#define T(n) N(P_FREE + (n)) /* for what a test makes */
#define MS   1000000ull

static uint64_t counter(void)
{
    uint64_t t;
    __asm__ volatile("isb; mrs %0, cntvct_el0" : "=r"(t) : : "memory");
    return t;
}

static uint64_t hz(void)
{
    return ((const struct identity_page *)start_self->dispatcher)->frequency;
}

static bool raw_fails(uint32_t nr, uint64_t x0, uint64_t x1, uint64_t x2,
                      enum abi_error expected)
{
    struct raw_call r = {.nr = nr, .x = {x0, x1, x2}};
    upcall_mask();
    enum probe_end end = probe_svc(&r);
    upcall_unmask();
    return end == PROBE_RETURNED && error_is(r.error, expected);
}

static void identity_test(void)
{
    const struct identity_page *identity = (void *)start_self->dispatcher;
    uint64_t frequency;
    __asm__("mrs %0, cntfrq_el0" : "=r"(frequency));
    CHECK(identity->version == ABI_VERSION && identity->core == 0 &&
              identity->frequency == frequency,
          "the identity page: ABI version, core, frequency");
    CHECK(identity->now <= counter() && identity->until != 0,
          "and when the last upcall was");
}

/* ---- dispatchers --------------------------------------------------------- */

static void dispatchers_test(void)
{
    uint64_t w[4] = {1, 1, 1, 1};
    CHECK(error_is(sys_dispatcher_start(N(P_DISPATCHER), 0, 0, 0), ERR_STATE) &&
              error_is(sys_dispatcher_stop(N(P_DISPATCHER)), ERR_STATE) &&
              error_is(sys_dispatcher_cancel(N(P_DISPATCHER)), ERR_STATE) &&
              error_is(sys_dispatcher_cancel(CPTR_SELF_DISPATCHER), ERR_STATE),
          "an unbound dispatcher cannot be started, stopped, cancelled");
    CHECK(error_is(sys_dispatcher_start(CPTR_SELF_DISPATCHER, 0, 0, 0),
                   ERR_STATE),
          "nor one that runs be started");
    CHECK(error_is(sys_dispatcher_inspect(N(P_DISPATCHER), 37, &w[0], &w[1],
                                          &w[2], &w[3]),
                   ERR_RANGE) &&
              error_is(sys_dispatcher_inspect(N(P_DISPATCHER), 33, &w[0], &w[1],
                                              &w[2], &w[3]),
                       ERR_OK) &&
              (w[0] | w[1] | w[2] | w[3]) == 0,
          "a new one has zeros for registers");
    CHECK(error_is(sys_dispatcher_bind(N(P_DISPATCHER), N(P_DOMAIN), SLOT_ROOT,
                                       N(P_STRETCH), objects_va()),
                   ERR_TYPE),
          "without a CPU capability no dispatcher can be placed");
    CHECK(error_is(sys_domain_set_cspace(N(P_DOMAIN), N(P_CNODE)), ERR_OK) &&
              error_is(sys_domain_set_cspace(N(P_DOMAIN), N(P_CNODE)),
                       ERR_BUSY) &&
              error_is(sys_domain_set_cspace(CPTR_SELF_DOMAIN, N(P_CNODE)),
                       ERR_BUSY),
          "a domain has one CSpace, a CNode is that of one domain");
    CHECK(sys_cap_delete(N(P_CNODE)) == ERR_OK &&
              sys_untyped_retype(N(P_UNTYPED), N(P_CNODE), TYPE_CNODE, 8, 1, 0,
                                 0) == ERR_OK &&
              error_is(sys_domain_set_cspace(N(P_DOMAIN), N(P_CNODE)), ERR_OK),
          "when it is deleted, the domain can get another");
}

static void parents_test(void)
{
    const struct identity_page *identity = (void *)start_self->dispatcher;
    CHECK(error_is(sys_dispatcher_set_parent(N(P_DISPATCHER),
                                             CPTR_SELF_DISPATCHER,
                                             CHILDREN_MAX),
                   ERR_RANGE) &&
              error_is(sys_dispatcher_set_parent(N(P_DISPATCHER),
                                                 N(P_DISPATCHER), 0),
                       ERR_DEADLOCK) &&
              error_is(sys_dispatcher_set_parent(CPTR_SELF_DISPATCHER,
                                                 N(P_DISPATCHER), 0),
                       ERR_BUSY),
          "a dispatcher is not its own scheduler, nor has two");
    CHECK(error_is(sys_dispatcher_set_parent(N(P_DISPATCHER),
                                             CPTR_SELF_DISPATCHER, 3),
                   ERR_OK) &&
              identity->child[3].state == CHILD_STOPPED &&
              error_is(sys_dispatcher_set_parent(N(P_DISPATCHER),
                                                 CPTR_SELF_DISPATCHER, 4),
                       ERR_BUSY),
          "a child shows up in its scheduler's page");
    CHECK(raw_fails(SYS_RUN, CHILDREN_MAX, ~0ull, 0, ERR_RANGE) &&
              raw_fails(SYS_RUN, ~0ull, ~0ull, 0, ERR_RANGE) &&
              raw_fails(SYS_RUN, 3, ~0ull, 2 * RUN_DIRECT, ERR_RANGE) &&
              raw_fails(SYS_RUN, 4, ~0ull, 0, ERR_STATE),
          "run: RANGE of index and urgency, STATE without a child");
    CHECK(raw_fails(SYS_RUN, 3, ~0ull, 0, ERR_STATE),
          "a child that is stopped cannot be run");
    /* root -> self -> four more would be one too many. */
    bool made = sys_cap_revoke(N(P_UNTYPED)) == ERR_OK &&
                sys_untyped_retype(N(P_UNTYPED), T(0), TYPE_DISPATCHER, 14, 4,
                                   0, 0) == ERR_OK;
    CHECK(made &&
              error_is(sys_dispatcher_set_parent(T(0), N(P_DISPATCHER), 0),
                       ERR_OK) &&
              error_is(sys_dispatcher_set_parent(T(1), T(0), 0), ERR_OK) &&
              error_is(sys_dispatcher_set_parent(T(2), T(1), 0), ERR_DEADLOCK),
          "five schedulers on top of each other, and no more");
    CHECK(error_is(sys_dispatcher_set_parent(T(3), N(P_DISPATCHER), 0),
                   ERR_BUSY),
          "two children cannot have one index");
    CHECK(sys_cap_revoke(N(P_DISPATCHER)) == ERR_OK &&
              sys_cap_delete(N(P_DISPATCHER)) == ERR_OK &&
              identity->child[3].state == CHILD_DEAD &&
              raw_fails(SYS_RUN, 3, ~0ull, 0, ERR_STATE),
          "a dead child is shown as dead");
    (void)objects_renew();
}

/* ---- endpoints, events, budgets ------------------------------------------ */

static bool call_fails(uint64_t x8, uint64_t x9, uint64_t x10,
                       enum abi_error expected)
{
    struct raw_call r = {.nr = SVC_CALL,
                         .x = {1, 2, 3, 4, 5, 6, 7, 8, x8, x9, x10}};
    upcall_mask();
    enum probe_end end = probe_svc(&r);
    upcall_unmask();
    bool kept = r.x[0] == 1 && r.x[7] == 8 && r.x[9] == 0;
    return end == PROBE_RETURNED && kept && error_is(r.error, expected);
}

static void calls_test(void)
{
    CHECK(call_fails(N(P_ENDPOINT) & 0xffffffff, 0, 0, ERR_TYPE) &&
              call_fails(0, 0, 0, ERR_SLOT) &&
              call_fails(start_self->slot_count, 0, 0, ERR_SLOT) &&
              call_fails(start_self->slot_count - 1, 0, 0, ERR_EMPTY),
          "calls on what is no endpoint");
    cptr_t ep = start_self->slot_count - 1; /* a call names one level only */
    bool moved = sys_cap_copy(ep, N(P_ENDPOINT), RIGHTS_ALL, 0, 0) == ERR_OK;
    CHECK(moved && call_fails(ep, 0, 0, ERR_PEER_DEAD),
          "an endpoint that nobody answers is PEER_DEAD");
    CHECK(error_is(sys_endpoint_bind(N(P_ENDPOINT), N(P_DISPATCHER)), ERR_OK) &&
              error_is(sys_endpoint_bind(N(P_ENDPOINT), CPTR_SELF_DISPATCHER),
                       ERR_BUSY) &&
              call_fails(ep, 0, 0, ERR_PEER_DEAD),
          "so is one whose dispatcher does not run");
    CHECK(sys_cap_revoke(N(P_DISPATCHER)) == ERR_OK &&
              sys_cap_delete(N(P_DISPATCHER)) == ERR_OK &&
              error_is(sys_endpoint_bind(N(P_ENDPOINT), CPTR_SELF_DISPATCHER),
                       ERR_OK) &&
              call_fails(ep, 0, 0, ERR_DEADLOCK) &&
              call_fails(ep | CALL_NOWAIT, 0, 0, ERR_DEADLOCK),
          "calling oneself is DEADLOCK");
    CHECK(call_fails(ep | 1ull << 59, 0, 0, ERR_RANGE) &&
              call_fails(ep | 1ull << 32, 0, 0, ERR_RANGE),
          "unknown flags of a call are RANGE");
    CHECK(call_fails(ep | CALL_CAP, T(0), 0, ERR_EMPTY) &&
              call_fails(ep | CALL_CAP, 0, 0, ERR_SLOT) &&
              call_fails(ep | CALL_RECEIVE, 0, N(P_FRAME), ERR_FULL) &&
              call_fails(ep | CALL_RECEIVE, 0, ~0ull, ERR_SLOT),
          "capabilities to send must be there, places to receive empty");
    (void)sys_cap_delete(ep);
    (void)sys_cap_copy(ep, N(P_ENDPOINT), RIGHTS_ALL & ~RIGHT_CALL, 0, 0);
    CHECK(call_fails(ep, 0, 0, ERR_RIGHTS), "without CALL: RIGHTS");
    (void)sys_cap_delete(ep);
    struct raw_call r = {.nr = SVC_REPLY};
    CHECK(probe_svc(&r) == PROBE_RETURNED && error_is(r.error, ERR_NOREPLY),
          "without a caller there is no reply");
    r.x[8] = 1ull << 32;
    CHECK(probe_svc(&r) == PROBE_RETURNED && error_is(r.error, ERR_RANGE),
          "unknown flags of a reply are RANGE");
    r.x[8] = REPLY_STAY | SLOT_ROOT;
    CHECK(probe_svc(&r) == PROBE_RETURNED && error_is(r.error, ERR_TYPE),
          "an endpoint is no right to answer");
    CHECK(error_is(sys_reply_save(T(0)), ERR_NOREPLY) &&
              error_is(sys_reply_save(N(P_FRAME)), ERR_FULL) &&
              error_is(sys_reply_save(~0ull), ERR_SLOT),
          "reply_save: NOREPLY, FULL, SLOT");
    CHECK(error_is(sys_call_accept(USER_VA_END, 0, 0), ERR_RANGE) &&
              error_is(sys_call_accept(0, USER_VA_END + 16, 0), ERR_RANGE) &&
              error_is(sys_call_accept(~0ull, 0, 0), ERR_RANGE) &&
              error_is(sys_call_accept(0, 8, 0), ERR_ALIGN) &&
              error_is(sys_call_accept(0, 0, ~0ull), ERR_SLOT) &&
              error_is(sys_call_accept(0, 0, 0), ERR_OK),
          "call_accept: RANGE, ALIGN, SLOT");
    (void)objects_renew();
}

static void others_test(void)
{
    uint64_t left = 0, used = 1;
    CHECK(error_is(sys_event_mint(T(0), N(P_DISPATCHER), 64), ERR_RANGE) &&
              error_is(sys_event_mint(T(0), N(P_DISPATCHER), ~0ull),
                       ERR_RANGE) &&
              error_is(sys_event_mint(T(0), N(P_DISPATCHER), 63), ERR_OK) &&
              error_is(sys_event_signal(T(0)), ERR_OK),
          "events: bits 0..63; an unbound dispatcher can be signalled");
    CHECK(error_is(sys_cap_copy(T(1), T(0), RIGHTS_ALL, 0, 0), ERR_OK) &&
              sys_cap_revoke(N(P_DISPATCHER)) == ERR_OK &&
              slot_info(T(0)) == 0 && slot_info(T(1)) == 0,
          "events go with their dispatcher");
    CHECK(error_is(sys_sched_bind(N(P_SCHED), CPTR_SELF_DISPATCHER),
                   ERR_BUSY) &&
              error_is(sys_sched_bind(N(P_SCHED), N(P_DISPATCHER)), ERR_OK) &&
              error_is(sys_sched_bind(N(P_SCHED), N(P_DISPATCHER)), ERR_BUSY),
          "a dispatcher has one scheduling context");
    CHECK(sys_sched_refill(N(P_SCHED), ~0ull, &left, &used) == ERR_OK &&
              left == ~0ull && used == 0 &&
              sys_sched_refill(N(P_SCHED), 1000, &left, &used) == ERR_OK &&
              sys_sched_refill(N(P_SCHED), ~0ull, &left, &used) == ERR_OK &&
              left == 1000,
          "its budget is without limit until it is set");
    (void)objects_renew();
}

/* ---- block, leave, resume ------------------------------------------------ */

static void pend(uint32_t reasons)
{
    (void)__atomic_fetch_or(&upcall_page->pending, reasons, __ATOMIC_RELAXED);
}

/* Rule: nothing is printed while masked, as printing unmasks. */
static void block_test(void)
{
    uint64_t until = counter() + hz() / 50;
    struct raw_call r = {.nr = SYS_BLOCK, .x = {until}};
    uint32_t rounds = 0;
    upcall_mask();
    enum probe_end end = probe_svc(&r);
    /* A signal or the like may come first. */
    while (end == PROBE_UPCALL && counter() < until && rounds++ < 100) {
        upcall_unmask();
        upcall_mask();
        r.x[0] = until;
        end = probe_svc(&r);
    }
    uint64_t late = counter() - until;
    uint32_t pending = upcall_page->pending;
    bool masked = upcall_page->mask == MASK_ON;
    bool none = upcall_page->saved_slot == SAVE_NONE;
    upcall_unmask();
    printf("# %llu us late\n", (unsigned long long)(late * 1000000 / hz()));
    CHECK(end == PROBE_UPCALL && masked && none,
          "block ends in an upcall, masked, with no saved context");
    CHECK((pending & REASON_TICK) != 0 && late < hz() / 5,
          "at the time asked for");
}

static void block_at_once_test(void)
{
    struct raw_call r = {.nr = SYS_BLOCK, .x = {~0ull}};
    upcall_mask();
    pend(REASON_REVOKE);
    bool ended = probe_svc(&r) == PROBE_UPCALL;
    bool kept = (upcall_page->pending & REASON_REVOKE) != 0;
    upcall_unmask();
    CHECK(ended && kept, "with something pending block ends at once");
    upcall_mask();
    upcall_page->pending = 0;
    r = (struct raw_call){.nr = SYS_BLOCK, .x = {0}};
    ended = probe_svc(&r) == PROBE_UPCALL;
    upcall_unmask();
    CHECK(ended, "so does block until a time that is past");
}

static void mask_test(void)
{
    uint64_t ctl;
    upcall_mask();
    uint64_t before = probe_upcalls, until = counter() + hz() / 20;
    pend(REASON_REVOKE);
    __asm__ volatile("msr cntv_cval_el0, %0\n\tmsr cntv_ctl_el0, %1"
                     :
                     : "r"(counter() + hz() / 100), "r"(1ull));
    while (counter() < until) {
    }
    __asm__ volatile("mrs %0, cntv_ctl_el0" : "=r"(ctl));
    uint64_t masked = probe_upcalls - before;
    bool tick = (upcall_page->pending & REASON_TICK) != 0;
    upcall_unmask();
    uint64_t after = probe_upcalls - before;
    bool empty = upcall_page->pending == 0;
    CHECK(masked == 0 && tick, "masked: a timer that fires stays pending");
    CHECK((ctl & 3) == 3, "and is masked itself");
    CHECK(after == 1 && empty, "one upcall brings all that is pending");
}

/* The interrupted context, in a slot that libos does not use. */
static void leave_test(void)
{
    struct raw_call r = {.nr = SYS_LEAVE, .x = {11, 22, 33}};
    uint64_t sp = (uintptr_t)__builtin_frame_address(0);
    upcall_mask();
    upcall_page->save_slot = 7;
    pend(REASON_REVOKE);
    enum probe_end end = probe_svc(&r);
    upcall_page->save_slot = UPCALL_SLOT;
    uint32_t saved = upcall_page->saved_slot;
    struct saved_context c = upcall_page->slots[7];
    upcall_unmask();
    CHECK(end == PROBE_UPCALL && saved == 7 && c.x[0] == ERR_OK &&
              c.x[1] == 22 && c.x[2] == 33,
          "leave delivers, and saves the context in the slot asked for");
    CHECK(((const uint32_t *)c.pc)[-1] == (0xd4000001u | SYS_LEAVE << 5) &&
              c.sp < sp && c.sp > sp - 4096,
          "the context is that after the system call");
    r = (struct raw_call){.nr = SYS_LEAVE};
    CHECK(probe_svc(&r) == PROBE_RETURNED && r.error == ERR_OK,
          "with nothing pending leave returns");
}

static struct saved_context landed __attribute__((aligned(16)));

static void resume_test(void)
{
    struct raw_call r = {.nr = SYS_RESUME, .x = {5}};
    struct saved_context *c = &upcall_page->slots[5];
    uint64_t tpidr;
    __asm__ volatile("mrs %0, tpidr_el0" : "=r"(tpidr));
    for (uint32_t i = 0; i < 31; i++) {
        c->x[i] = 0x1111111111111111ull * (i % 15 + 1) + i;
    }
    c->sp = (uintptr_t)&landed;
    c->pc = (uintptr_t)probe_landing;
    c->nzcv = ~0xffffffffull | 0xa0000000 | 0x3cf; /* EL and masks: ignored */
    c->tpidr = 0x123456789abcdef0;
    struct saved_context sent = *c;
    upcall_mask();
    upcall_page->pending = 0;
    enum probe_end end = probe_svc(&r);
    uint32_t mask = upcall_page->mask;
    __asm__ volatile("msr tpidr_el0, %0" : : "r"(tpidr));
    CHECK(end == PROBE_RETURNED && mask == MASK_OFF &&
              memcmp(landed.x, sent.x, sizeof(sent.x)) == 0,
          "resume loads x0..x30 and unmasks");
    CHECK(landed.sp == sent.sp && landed.tpidr == sent.tpidr &&
              landed.nzcv == 0xa0000000,
          "sp, tpidr, and of the flags no more than NZCV");
    upcall_mask();
    pend(REASON_REVOKE);
    r = (struct raw_call){.nr = SYS_RESUME, .x = {5}};
    end = probe_svc(&r);
    uint32_t saved = upcall_page->saved_slot;
    upcall_unmask();
    CHECK(end == PROBE_UPCALL && saved == 5 &&
              memcmp(c, &sent, sizeof(sent)) == 0,
          "with something pending: an upcall that names the slot");
    CHECK(raw_fails(SYS_RESUME, SAVE_SLOTS, 0, 0, ERR_RANGE) &&
              raw_fails(SYS_RESUME, ~0ull, 0, 0, ERR_RANGE) &&
              raw_fails(SYS_RESUME, 1ull << 32, 0, 0, ERR_RANGE),
          "there are no more slots than there are");
    c->pc = 0xffffff8000080000; /* the kernel */
    r = (struct raw_call){.nr = SYS_RESUME, .x = {5}};
    upcall_mask();
    upcall_page->pending = 0;
    end = probe_svc(&r);
    __asm__ volatile("msr tpidr_el0, %0" : : "r"(tpidr));
    CHECK(end == PROBE_FAULT && probe_fault.pc == c->pc,
          "a context in the kernel's memory faults in user mode");
}

/* ---- faults -------------------------------------------------------------- */

static void double_test(void)
{
    uint64_t value = 0;
    upcall_mask();
    enum probe_end end = probe_load(8, &value);
    uint64_t pc = upcall_page->slots[SAVE_DOUBLE].pc;
    upcall_unmask();
    CHECK(end == PROBE_DOUBLE && probe_fault.slot == SAVE_DOUBLE &&
              probe_fault.far == 8 && pc == probe_fault.pc,
          "a fault while masked goes to the double entry, in its own slot");
    CHECK(probe_load(16, &value) == PROBE_FAULT && probe_fault.far == 16 &&
              probe_fault.slot == UPCALL_SLOT,
          "one while not masked to the entry");
}

/* An assembler template takes no parentheses.
 * NOLINTBEGIN(bugprone-macro-parentheses) */
#define PRIVILEGED(name, code)                                                 \
    static void body_##name(void *argument)                                    \
    {                                                                          \
        (void)argument;                                                        \
        __asm__ volatile(code : : "r"(0ull) : "x9", "memory");                 \
    }

/* NOLINTEND(bugprone-macro-parentheses) */

PRIVILEGED(udf, "udf #0")
PRIVILEGED(brk, "brk #7")
PRIVILEGED(hvc, ".inst 0xd4000002")
PRIVILEGED(smc, ".inst 0xd4000003")
PRIVILEGED(eret, "eret")
PRIVILEGED(ttbr, "msr ttbr0_el1, %0")
PRIVILEGED(ttbr_read, "mrs x9, ttbr1_el1")
PRIVILEGED(sctlr, "mrs x9, sctlr_el1")
PRIVILEGED(vbar, "msr vbar_el1, %0")
PRIVILEGED(daif, "msr daifset, #15")
PRIVILEGED(tlbi, "tlbi vmalle1")
PRIVILEGED(cache, "dc isw, %0")
PRIVILEGED(invalidate, "dc ivac, %0")
PRIVILEGED(cntp, "mrs x9, cntp_ctl_el0")
PRIVILEGED(cntp_set, "msr cntp_cval_el0, %0")
PRIVILEGED(cntpct, "mrs x9, cntpct_el0")
PRIVILEGED(pmu, "mrs x9, pmccntr_el0")
PRIVILEGED(esr, "mrs x9, esr_el1")
PRIVILEGED(spsel, "msr spsel, #1")
PRIVILEGED(cpacr, "msr cpacr_el1, %0")

static void privileged_test(void)
{
    static const struct {
        const char *name;
        void (*body)(void *);
    } row[] = {
        {"udf", body_udf},
        {"brk", body_brk},
        {"hvc", body_hvc},
        {"smc", body_smc},
        {"eret", body_eret},
        {"ttbr0", body_ttbr},
        {"ttbr1", body_ttbr_read},
        {"sctlr", body_sctlr},
        {"vbar", body_vbar},
        {"daifset", body_daif},
        {"tlbi", body_tlbi},
        {"dc isw", body_cache},
        {"dc ivac", body_invalidate},
        {"cntp_ctl", body_cntp},
        {"cntp_cval", body_cntp_set},
        {"cntpct", body_cntpct},
        {"pmccntr", body_pmu},
        {"esr_el1", body_esr},
        {"spsel", body_spsel},
        {"cpacr", body_cpacr},
    };
    bool right = true;
    for (uint32_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        enum probe_end end = probe(row[i].body, NULL);
        if (end != PROBE_EXCEPTION) {
            printf("# %s: ended with %d\n", row[i].name, (int)end);
            right = false;
        }
    }
    CHECK(right, "what is the kernel's is an exception in user mode");
}

/* ---- children that cannot go on ------------------------------------------ */

static volatile bool forever = true;
static volatile uintptr_t unmapped = 8;

static void fault_now(void)
{
    *(volatile uint64_t *)unmapped = 1;
}

static void play(const char *what)
{
    struct upcall_page *p = upcall_page;
    uint64_t nowhere = 0x7000000000;
    if (strcmp(what, "spin") == 0) {
        while (forever) {
        }
    }
    p->mask = MASK_ON;
    if (strcmp(what, "stop") == 0) {
        (void)sys_dispatcher_stop(CPTR_SELF_DISPATCHER);
    } else if (strcmp(what, "data") == 0) {
        (void)sys_stretch_detach(SLOT_DATA, CPTR_SELF_DOMAIN);
        fault_now();
    } else if (strcmp(what, "double") == 0) {
        p->double_entry = nowhere;
        fault_now();
    } else if (strcmp(what, "no-double") == 0) {
        p->double_entry = 0;
        fault_now();
    } else if (strcmp(what, "kernel") == 0) {
        p->double_entry = 0xffffff8000080000;
        p->double_sp = 0xffffff8000080000;
        fault_now();
    } else if (strcmp(what, "mask") == 0) {
        p->mask = 0xffffffff;
        fault_now();
    } else {
        p->pending = ~0u;
        if (strcmp(what, "slot") == 0) {
            p->save_slot = SAVE_SLOTS;
        } else if (strcmp(what, "slot-26") == 0) {
            p->save_slot = SAVE_DOUBLE;
        } else if (strcmp(what, "slot-none") == 0) {
            p->save_slot = SAVE_NONE;
        } else if (strcmp(what, "no-entry") == 0) {
            p->entry = 0;
        } else if (strcmp(what, "entry") == 0) {
            p->entry = p->double_entry = nowhere;
        } else if (strcmp(what, "sp") == 0) {
            p->sp = p->double_sp = ~0ull;
        }
        (void)sys_leave();
    }
    while (forever) {
    }
}

static const char *self_path;

/* The status of such a child; one that does not end in time is killed. */
static int child_status(const char *what)
{
    char *argv[] = {(char *)self_path, (char *)what, NULL};
    pid_t child;
    int status = -1;
    if (posix_spawn(&child, self_path, NULL, NULL, argv, environ) != 0) {
        return -1;
    }
    for (int i = 0; i < 100; i++) {
        if (waitpid(child, &status, WNOHANG) == child) {
            return status;
        }
        thread_sleep_until(time_ns() + 50 * MS);
    }
    (void)kill(child, SIGKILL);
    (void)waitpid(child, &status, 0);
    return status;
}

static void children_test(void)
{
    static const char *const plays[] = {"stop",      "data",    "double",
                                        "no-double", "kernel",  "mask",
                                        "slot",      "slot-26", "slot-none",
                                        "no-entry",  "entry",   "sp"};
    for (uint32_t i = 0; i < sizeof(plays) / sizeof(plays[0]); i++) {
        char what[80];
        int status = child_status(plays[i]);
        (void)snprintf(what, sizeof(what),
                       "a domain without way out ends by SIGSEGV: %s",
                       plays[i]);
        if (!CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV, what)) {
            printf("# status 0x%x\n", (unsigned)status);
        }
    }
}

/* ---- run ----------------------------------------------------------------- */

/* Give child i the CPU; the reasons for which it came back. */
/* Reasons of the upcall that ends it. One that came before it ran (an event, a
 * tick of this domain's own) ends it at once, and says nothing of the child. */
static uint32_t run_until(uint32_t i, uint64_t until)
{
    uint32_t pending = 0;
    bool ended = true;
    upcall_mask();
    for (int n = 0; n < 10 && ended && !(pending & REASON_CHILD); n++) {
        struct raw_call r = {.nr = SYS_RUN, .x = {i, until, 255}};
        upcall_page->pending = 0;
        ended = probe_svc(&r) == PROBE_UPCALL;
        pending = ended ? upcall_page->pending : 0;
    }
    upcall_unmask();
    return pending;
}

static void run_test(void)
{
    const struct identity_page *identity = (void *)start_self->dispatcher;
    char *argv[] = {(char *)self_path, "spin", NULL};
    posix_spawnattr_t a;
    pid_t child = 0;
    CHECK(posix_spawnattr_init(&a) == 0 &&
              posix_spawnattr_setflags(&a, POSIX_SPAWN_NESTED_NP) == 0 &&
              posix_spawn(&child, self_path, NULL, &a, argv, environ) == 0,
          "a child that is this domain's to run");
    uint32_t i = (uint32_t)child % SPAWN_CHILDREN;
    CHECK(identity->child[i].state == CHILD_READY, "it waits to be run");
    uint32_t over = REASON_CHILD | REASON_EXPIRED;
    uint32_t why = run_until(i, counter() - 1) & run_until(i, 0);
    CHECK((why & over) == over, "run until a time that is past: EXPIRED");
    uint64_t soon = counter() + hz() / 500;
    why = run_until(i, soon);
    CHECK((why & REASON_CHILD) &&
              (!(why & REASON_EXPIRED) || counter() >= soon),
          "until a time to come: not before, but when something else comes");
    CHECK((run_until(i, ~0ull) & over) == REASON_CHILD,
          "until the end of time: when this domain's own time is over");
    CHECK(identity->child[i].state == CHILD_READY, "it has not ended");
    (void)kill(child, SIGKILL);
    (void)waitpid(child, NULL, 0);
    CHECK(identity->child[i].state == CHILD_DEAD &&
              raw_fails(SYS_RUN, i, ~0ull, 0, ERR_STATE),
          "a child that is dead cannot be run");
}

int main(int argc, char **argv)
{
    self_path = "/tests/kernel-upcalls";
    if (argc > 1) {
        play(argv[1]);
    }
    if (!objects_make()) {
        printf("Bail out! no objects\n");
        return 1;
    }
    probe_init();
    dispatchers_test();
    parents_test();
    calls_test();
    others_test();
    identity_test();
    block_test();
    block_at_once_test();
    mask_test();
    leave_test();
    resume_test();
    double_test();
    privileged_test();
    children_test();
    run_test();
    return tap_end();
}
