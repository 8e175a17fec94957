/* SPDX-License-Identifier: BSL-1.0
 *
 * Calls, schedulers and dispatchers where the other tests do not come: long
 * rows of calls, deep trees, parts that go in a rare order. What is here was
 * found missing by tests/coverage and tests/mutants.
 */
#include "kernel_abi.h"
#include "kernel_host.h"
#include "tap.h"

#define GATE  ((cptr_t)5) /* in each kid: the endpoint of the next one */
#define SPARE ((cptr_t)9) /* in each kid: from here on empty */
#define EMPTY ((cptr_t)HOST_FREE)

enum abi_error op_none(uint64_t *x); /* of syscall.c: no number has it yet */

/* Whoever runs: root's slot tells. */
static struct dispatcher *kid(uint32_t i)
{
    ref_t node = domain_at(host_root_at()->domain)->cnode;
    ref_t at = node + (ref_t)host_kid_slot(i, KID_DISPATCHER);
    return dispatcher_at(slot_at(at)->obj);
}

/* n kids of root with an endpoint each; kid i may call kid i + 1. */
static void setup(uint32_t n)
{
    host_boot(20);
    for (uint32_t i = 0; i < n; i++) {
        host_kid(i);
        cptr_t ep = host_kid_slot(i, KID_ENDPOINT);
        CALL(UNTYPED_RETYPE, HOST_UNTYPED, ep, TYPE_ENDPOINT, ENDPOINT_LOG2, 1);
        CALL(ENDPOINT_BIND, ep, host_kid_slot(i, KID_DISPATCHER));
    }
    for (uint32_t i = 0; i < n; i++) {
        CALL(CAP_COPY, CPTR(host_kid_slot(i, KID_CNODE), GATE),
             host_kid_slot((i + 1) % n, KID_ENDPOINT), ~0ull, 100 + i);
        host_kid_start(i);
    }
}

/* Kid i accepts calls and waits. */
static void serve(uint32_t i)
{
    host_run(i);
    CALL(CALL_ACCEPT, HOST_CALL_ENTRY, 0x9000, 0);
    host_unmask(host_current());
    CALL(BLOCK, ~0ull);
    host_unmask(host_root_at());
}

static void invoke(uint32_t i, cptr_t gate)
{
    host_unmask(host_root_at());
    host_run(i);
    host_invoke(gate, 0, 0);
    host_root();
}

static enum abi_error error(const struct dispatcher *d)
{
    return (enum abi_error)d->context.x[8];
}

static enum abi_error cancel(uint32_t i)
{
    return CALL(DISPATCHER_CANCEL, host_kid_slot(i, KID_DISPATCHER));
}

static void test_line(void)
{
    setup(4);
    struct dispatcher *b = kid(1);
    struct endpoint *ep = endpoint_at(b->bound);
    CALL(CAP_COPY, CPTR(host_kid_slot(2, KID_CNODE), SPARE),
         host_kid_slot(1, KID_ENDPOINT), ~0ull, 77);
    invoke(0, GATE);
    invoke(2, SPARE);
    CHECK(ep->waiters == kid(0)->self && kid(0)->wait.next == kid(2)->self,
          "two wait in line");
    CHECK(cancel(0) == ERR_OK && ep->waiters == kid(2)->self && b->ready != 0 &&
              kid(0)->endpoint == 0 && kid(0)->callee == 0,
          "the first gives up, the second stays");
    host_unmask(host_root_at());
    invoke(0, GATE);
    host_run(1);
    CALL(CALL_ACCEPT, HOST_CALL_ENTRY, 0x9000, 0);
    host_unmask(b);
    CALL(BLOCK, ~0ull);
    CHECK(b->caller == kid(2)->self && kid(0)->state == IS_QUEUED &&
              kid(2)->endpoint == 0 && b->context.x[8] == 77,
          "who is first now is served, the other waits on");
    host_reply(0, 0);
    CHECK(b->caller == kid(0)->self, "then it is its turn");
}

/* The second of three gives up; the endpoint goes; a domain in line goes. */
static void test_leaving_line(void)
{
    setup(4);
    struct endpoint *ep = endpoint_at(kid(1)->bound);
    for (uint32_t i = 2; i < 4; i++) {
        CALL(CAP_COPY, CPTR(host_kid_slot(i, KID_CNODE), SPARE),
             host_kid_slot(1, KID_ENDPOINT), ~0ull);
    }
    invoke(0, GATE);
    invoke(2, SPARE);
    invoke(3, SPARE);
    CHECK(cancel(2) == ERR_OK && ep->waiters == kid(0)->self,
          "the first stays the first");
    invoke(2, SPARE);
    CHECK(CALL(CAP_DELETE, host_kid_slot(0, KID_DOMAIN)) == ERR_OK &&
              kid(0)->state == IS_STOPPED && ep->waiters == kid(3)->self,
          "a domain goes: it is out of the line");
    CALL(CAP_REVOKE, host_kid_slot(1, KID_ENDPOINT));
    CHECK(CALL(CAP_DELETE, host_kid_slot(1, KID_ENDPOINT)) == ERR_OK &&
              error(kid(2)) == ERR_PEER_DEAD && error(kid(3)) == ERR_PEER_DEAD,
          "the endpoint goes: all learn it");
}

/* Two endpoints of one server take turns. */
static void test_turns(void)
{
    setup(4);
    struct dispatcher *b = kid(1);
    cptr_t other = EMPTY;
    CALL(UNTYPED_RETYPE, HOST_UNTYPED, other, TYPE_ENDPOINT, ENDPOINT_LOG2, 1);
    CALL(ENDPOINT_BIND, other, host_kid_slot(1, KID_DISPATCHER));
    CALL(CAP_COPY, CPTR(host_kid_slot(2, KID_CNODE), SPARE),
         host_kid_slot(1, KID_ENDPOINT), ~0ull);
    CALL(CAP_COPY, CPTR(host_kid_slot(3, KID_CNODE), SPARE), other, ~0ull);
    invoke(0, GATE);
    invoke(2, SPARE);
    invoke(3, SPARE);
    host_run(1);
    CALL(CALL_ACCEPT, HOST_CALL_ENTRY, 0x9000, 0);
    host_unmask(b);
    CALL(BLOCK, ~0ull);
    CHECK(b->caller == kid(0)->self, "the first call");
    host_reply(0, 0);
    CHECK(b->caller == kid(3)->self, "then one of the other endpoint");
    host_reply(0, 0);
    CHECK(b->caller == kid(2)->self, "then the second of the first");
    host_root();
    ref_t first = endpoint_at(b->bound)->bound.next;
    CHECK(first != b->bound &&
              CALL(CAP_REVOKE, host_kid_slot(1, KID_ENDPOINT)) == ERR_OK &&
              CALL(CAP_DELETE, host_kid_slot(1, KID_ENDPOINT)) == ERR_OK &&
              b->bound == first,
          "the first endpoint goes, the other stays bound");
    CHECK(CALL(CAP_DELETE, host_kid_slot(1, KID_DISPATCHER)) == ERR_OK &&
              endpoint_at(first)->dispatcher == 0,
          "the dispatcher goes, the endpoint is free");
}

/* What came while a call was served is taken when it is answered. */
static void test_news_in_a_call(void)
{
    setup(3);
    serve(1);
    host_run(0);
    host_invoke(GATE, 0, 0);
    struct dispatcher *b = host_current();
    upcall_page(b)->mask = MASK_ON;
    upcall_event(b, 3);
    CHECK(b == kid(1) && b->context.pc == HOST_CALL_ENTRY, "masked: not yet");
    host_reply(0, 0);
    CHECK(error(kid(0)) == ERR_OK && b->state == IS_READY &&
              b->context.pc == HOST_ENTRY,
          "an event that came in a call makes its upcall behind the answer");
    setup(3);
    serve(1);
    host_run(0);
    host_invoke(GATE, 0, 0);
    upcall_page(kid(0))->pending = REASON_EVENT; /* as in a masked stretch */
    kid(1)->context.x[8] = 0;
    CHECK(call_reply_fast(kid(1)) == NULL,
          "a caller that has news is answered the other way");
}

static void test_no_entry(void)
{
    setup(3);
    host_run(1);
    CALL(BLOCK, ~0ull);
    host_unmask(host_root_at());
    host_run(0);
    host_invoke(GATE, 0, 0);
    CHECK(kid(0)->state == IS_QUEUED && kid(1)->state == IS_BLOCKED &&
              host_current() == host_root_at(),
          "who takes no calls is not called, and nobody can use the time");
    CALL(UNTYPED_RETYPE, HOST_UNTYPED, EMPTY, TYPE_DISPATCHER, 14, 1);
    CALL(UNTYPED_RETYPE, HOST_UNTYPED, EMPTY + 1, TYPE_ENDPOINT, ENDPOINT_LOG2,
         1);
    CALL(ENDPOINT_BIND, EMPTY + 1, EMPTY);
    host_root();
    host_invoke(EMPTY + 1, 0, 0);
    CHECK(error(host_root_at()) == ERR_PEER_DEAD, "a server never bound");
}

/* Kid 8 waits for kid 9, 7 for 8, and so on: CALLS_MAX in a row, no more. */
static void test_row(void)
{
    setup(CALLS_MAX + 2);
    for (uint32_t i = CALLS_MAX; i > 0; i--) {
        invoke(i, GATE);
    }
    CHECK(kid(1)->state == IS_QUEUED, "as many calls in a row as are allowed");
    host_unmask(host_root_at());
    CALL(RUN, 1, ~0ull, 0);
    CHECK(host_current() == kid(CALLS_MAX + 1), "the last one uses the time");
    host_root();
    invoke(0, GATE);
    CHECK(error(kid(0)) == ERR_DEADLOCK && kid(0)->state == IS_READY,
          "one more is too many");
}

/* Kids 1 and on serve, 0 calls and each calls on: so many calls in a row. Whom
 * the last one can call next schedules somebody, if asked for. */
static void call_on(uint32_t calls, bool next_schedules)
{
    setup(CALLS_MAX + 2);
    if (next_schedules) {
        host_kid_under(CALLS_MAX + 2, host_kid_slot(calls + 1, KID_DISPATCHER));
    }
    for (uint32_t i = 1; i <= CALLS_MAX + 1; i++) {
        serve(i);
    }
    host_run(0);
    for (uint32_t i = 0; i < calls; i++) {
        host_invoke(GATE, 0, 0);
    }
    CHECK(host_current() == kid(calls), "calls in a row");
}

/* The last of as many callers as there can be is told to its scheduler when
 * it calls somebody who may look. */
static void test_row_is_told(void)
{
    call_on(CALLS_MAX - 1, true);
    struct dispatcher *last = kid(CALLS_MAX - 1);
    last->context.x[8] = GATE;
    CHECK(call_enter_fast(last) == kid(CALLS_MAX), "the last one");
    CHECK(host_root_at()->identity.child[CALLS_MAX - 1].state == CHILD_CALLING,
          "it is told that the last caller waits");
}

static void test_row_is_full(void)
{
    call_on(CALLS_MAX, false);
    struct dispatcher *last = kid(CALLS_MAX);
    host_invoke(GATE, 0, 0);
    CHECK(host_current() == last && error(last) == ERR_DEADLOCK,
          "who serves the last of CALLS_MAX calls makes none");
    host_reply(0, 0);
    host_reply(0, 0);
    host_invoke(GATE, 0, 0);
    CHECK(host_current() == kid(CALLS_MAX - 1),
          "after an answer there is room");
}

/* Kid 0 waits in line at 1, which calls; with its time 2 calls on. */
static void test_time_of_the_line(void)
{
    setup(CALLS_MAX + 2);
    for (uint32_t i = 2; i <= CALLS_MAX + 1; i++) {
        serve(i);
    }
    host_run(1);
    host_invoke(GATE, 0, 0);
    host_root();
    host_unmask(host_root_at());
    host_run(0);
    host_invoke(GATE, 0, 0);
    CHECK(kid(0)->state == IS_QUEUED && host_current() == kid(2), "in line");
    for (uint32_t i = 2; i < CALLS_MAX; i++) {
        host_invoke(GATE, 0, 0);
        CHECK(host_current() == kid(i + 1), "its time travels");
    }
    host_invoke(GATE, 0, 0);
    CHECK(kid(CALLS_MAX)->state == IS_CALLING &&
              host_current() == host_root_at(),
          "but not further than CALLS_MAX calls");
}

/* Two rows are joined in the middle: longer than allowed from one end. */
static void test_joined_rows(void)
{
    setup(CALLS_MAX + 2);
    for (uint32_t i = CALLS_MAX; i > 5; i--) {
        invoke(i, GATE);
    }
    for (uint32_t i = 5; i-- > 0;) {
        invoke(i, GATE);
    }
    invoke(5, GATE);
    CHECK(kid(5)->state == IS_QUEUED && kid(0)->state == IS_QUEUED, "a row");
    host_unmask(host_root_at());
    CALL(RUN, 0, ~0ull, 0);
    CHECK(host_current() == host_root_at() &&
              (upcall_page(host_root_at())->pending & REASON_CHILD),
          "time does not travel further than CALLS_MAX calls");
    host_unmask(host_root_at());
    CALL(RUN, 1, ~0ull, 0);
    CHECK(host_current() == kid(CALLS_MAX + 1), "but as far");
}

static void test_lent_time(void)
{
    setup(3);
    invoke(0, GATE);
    CALL(RUN, 0, ~0ull, 0);
    CHECK(host_current() == kid(1) && kid(0)->state == IS_QUEUED,
          "to run who waits in line is to run the server");
    host_root();
    CHECK(cancel(0) == ERR_OK, "it gives up");
    host_unmask(host_root_at());
    serve(1);
    invoke(0, GATE);
    CALL(RUN, 0, ~0ull, 0);
    CHECK(host_current() == kid(1) && kid(0)->state == IS_CALLING,
          "so is to run a caller");
}

/* Root calls somebody who cannot run. */
static void test_root_calls(void)
{
    setup(3);
    host_run(1);
    CALL(BLOCK, ~0ull);
    host_unmask(host_root_at());
    host_invoke(host_kid_slot(1, KID_ENDPOINT), 0, 0);
    CHECK(host_root_at()->state == IS_QUEUED && kernel.core[0].current == 0 &&
              host.until == ~0ull,
          "all is idle, without end");
    upcall_event(kid(1), 3);
    host_settle();
    CHECK(host_current() == kid(1), "until the server can run, on root's time");
    CALL(CALL_ACCEPT, HOST_CALL_ENTRY, 0x9000, 0);
    host_unmask(kid(1));
    CALL(BLOCK, ~0ull);
    host_reply(0, 0);
    CHECK(host_current() == host_root_at() && error(host_root_at()) == ERR_OK,
          "root has its answer");
}

/* Kid 1 serves a call and another waits, but it is time to run a child. */
static void test_serving_scheduler(void)
{
    setup(3);
    host_kid_under(3, host_kid_slot(1, KID_DISPATCHER));
    CALL(DISPATCHER_START, host_kid_slot(3, KID_DISPATCHER), 0x100, 0x8000);
    host_unmask(kid(1));
    serve(1);
    CALL(CAP_COPY, CPTR(host_kid_slot(2, KID_CNODE), SPARE),
         host_kid_slot(1, KID_ENDPOINT), ~0ull);
    host_unmask(host_root_at());
    host_run(0);
    host_invoke(GATE, 0, 0);
    CHECK(host_current() == kid(1) && CALL(RUN, 0, ~0ull, 0) == ERR_STATE,
          "on a caller's time it gives time to nobody");
    host_root();
    invoke(2, SPARE);
    CHECK(kid(1)->caller == kid(0)->self && kid(2)->state == IS_QUEUED,
          "one call is served, one waits");
    host_run(1);
    host_unmask(kid(1));
    CALL(RUN, 0, ~0ull, 0);
    CHECK(host_current() == kid(3) && kid(2)->state == IS_QUEUED,
          "its child runs, the call waits");
}

/* Kids 0..3 below root, each the parent of the next, are as deep as it goes;
 * but kid 3 brings along a tree of its own: 4, 5, 6. */
static void test_deep(void)
{
    host_boot(20);
    CALL(UNTYPED_RETYPE, HOST_UNTYPED, EMPTY, TYPE_DISPATCHER, 14, 1);
    host_kid(0);
    for (uint32_t i = 1; i < 3; i++) {
        host_kid_under(i, host_kid_slot(i - 1, KID_DISPATCHER));
    }
    /* Built below a stranger, which then goes and leaves kid 3 an orphan */
    host_kid_under(3, EMPTY);
    CALL(CAP_DELETE, EMPTY);
    for (uint32_t i = 4; i < 7; i++) {
        host_kid_under(i, host_kid_slot(i - 1, KID_DISPATCHER));
    }
    CHECK(kid(3)->parent == 0 &&
              CALL(DISPATCHER_SET_PARENT, host_kid_slot(3, KID_DISPATCHER),
                   host_kid_slot(2, KID_DISPATCHER), 0) == ERR_OK,
          "a tree below a tree");
    CALL(UNTYPED_RETYPE, HOST_UNTYPED, EMPTY, TYPE_DISPATCHER, 14, 1);
    CHECK(CALL(DISPATCHER_SET_PARENT, EMPTY, host_kid_slot(6, KID_DISPATCHER),
               0) == ERR_DEADLOCK,
          "nothing goes below it");
    for (uint32_t i = 0; i < 7; i++) {
        CALL(DISPATCHER_START, host_kid_slot(i, KID_DISPATCHER), 0x100, 0x8000);
        upcall_page(kid(i))->entry = HOST_ENTRY;
    }
    host_run(0);
    for (uint32_t i = 0; i < 3; i++) {
        host_unmask(kid(i));
        CALL(RUN, 0, ~0ull, 0);
    }
    CHECK(host_current() == kid(3) && kernel.core[0].depth == CHAIN_MAX,
          "the chain is full");
    host_unmask(kid(3));
    CHECK(CALL(RUN, 0, ~0ull, 0) == ERR_STATE, "so no further");
    host_root();
    for (uint32_t i = 0; i < 7; i++) {
        host_unmask(kid(i));
        sched_set_state(kid(i), IS_BLOCKED);
    }
    upcall_event(kid(6), 1);
    CHECK(kid(6)->state == IS_READY && kid(1)->state == IS_READY &&
              kid(0)->state == IS_BLOCKED,
          "who cannot run wakes no more schedulers than a chain has");
}

static void test_budgets(void)
{
    setup(2);
    cptr_t sc = EMPTY;
    CALL(UNTYPED_RETYPE, HOST_UNTYPED, sc, TYPE_SCHED_CONTEXT, 6, 2);
    CHECK(CALL(CAP_DELETE, sc + 1) == ERR_OK, "a context of nobody goes");
    CALL(SCHED_BIND, sc, host_kid_slot(0, KID_DISPATCHER));
    CALL(SCHED_REFILL, sc, ~0ull - 1);
    host_run(0);
    CHECK(host.until == ~0ull, "a budget beyond the end of time");
    host_root();
    ref_t dead = host_slot(sc)->obj;
    CHECK(CALL(CAP_DELETE, host_kid_slot(0, KID_DISPATCHER)) == ERR_OK &&
              OBJECT(struct sched_context, dead)->dispatcher == 0,
          "a dispatcher leaves its context to others");
    CHECK(CALL(SCHED_BIND, sc, host_kid_slot(1, KID_DISPATCHER)) == ERR_OK,
          "who can take it");
}

/* A dying scheduler, which may still run, has lost the children that were
 * looked at. */
static void test_dying_scheduler(void)
{
    cptr_t self;
    setup(2);
    self = host_kid_slot(0, KID_DISPATCHER);
    CALL(UNTYPED_RETYPE, HOST_UNTYPED, EMPTY, TYPE_DISPATCHER, 14, 2);
    CALL(DISPATCHER_SET_PARENT, EMPTY, self, 0);
    CALL(DISPATCHER_SET_PARENT, EMPTY + 1, self, STEP_CHILDREN);
    host.interrupt = true; /* after each step */
    for (uint32_t i = 0; i < 2; i++) {
        host_try(SYS_CAP_DELETE, (uint64_t[8]){self});
    }
    host.interrupt = false;
    CHECK(kid(0)->child[0] == 0 && kid(0)->children == 1 &&
              kid(0)->child[STEP_CHILDREN] == host_slot(EMPTY + 1)->obj,
          "an endpoint a step, then some of the children");
    CHECK(CALL(CAP_DELETE, self) == ERR_OK &&
              dispatcher_at(host_slot(EMPTY + 1)->obj)->parent == 0,
          "then the others");
}

static void test_rare_ends(void)
{
    setup(2);
    CALL(DISPATCHER_STOP, host_kid_slot(0, KID_DISPATCHER));
    CALL(CAP_DELETE, host_kid_slot(0, KID_DOMAIN));
    CHECK(CALL(DISPATCHER_START, host_kid_slot(0, KID_DISPATCHER), 0x100,
               0x200) == ERR_STATE,
          "no start without a domain");
    CALL(UNTYPED_RETYPE, HOST_UNTYPED, EMPTY, TYPE_DISPATCHER, 14, 2);
    CHECK(CALL(DISPATCHER_SET_PARENT, EMPTY + 1, EMPTY, 7) == ERR_OK &&
              CALL(CAP_DELETE, EMPTY + 1) == ERR_OK &&
              upcall_page(dispatcher_at(host_slot(EMPTY)->obj))->pending == 0,
          "a scheduler that has no pages is told nothing");
}

static void test_list(void)
{
    setup(2);
    ref_t ep = kid(0)->bound, head = ep;
    list_remove(LIST_READY, &head, ep);
    CHECK(head == ep, "who is on no list is not taken off");
}

/* A scheduler that blocks is woken when the call of its child ends. */
static void test_wake_by_end(void)
{
    setup(3);
    host_kid_under(3, host_kid_slot(0, KID_DISPATCHER));
    CALL(DISPATCHER_START, host_kid_slot(3, KID_DISPATCHER), 0x100, 0x8000);
    CALL(CAP_COPY, CPTR(host_kid_slot(3, KID_CNODE), SPARE),
         host_kid_slot(1, KID_ENDPOINT), ~0ull);
    host_run(0);
    host_unmask(kid(0));
    CALL(RUN, 0, ~0ull, 0);
    host_invoke(SPARE, 0, 0);
    host_root();
    host_run(0);
    host_unmask(kid(0));
    CALL(BLOCK, ~0ull);
    host_unmask(host_root_at());
    CHECK(kid(3)->state == IS_QUEUED && kid(0)->state == IS_BLOCKED,
          "it sleeps while its child calls");
    CHECK(cancel(3) == ERR_OK && kid(0)->state == IS_READY &&
              (upcall_page(host_root_at())->pending & REASON_CHILD),
          "it wakes, and its scheduler with it");
}

static void test_refusals(void)
{
    setup(2);
    host_run(0);
    host_invoke(GATE | CALL_NOWAIT, 1, 0);
    CHECK(error(kid(0)) == ERR_BUSY && kid(0)->context.x[9] == 0,
          "no capability came with an error");
    host_root();
    serve(1);
    struct slot gate = *host_slot(CPTR(host_kid_slot(0, KID_CNODE), GATE));
    uint32_t slots = 1u << (HOST_KID_LOG2 - CELL_LOG2);
    *slot_at(domain_at(kid(0)->domain)->cnode + slots) = gate;
    host_run(0);
    host_invoke(slots, 0, 0);
    CHECK(error(kid(0)) == ERR_SLOT, "what lies behind a CNode is no slot");
    host_root();
    CALL(CAP_DELETE, host_kid_slot(0, KID_CNODE));
    ((struct cnode *)ram_at(0))->slots = 100; /* what lies at 0 is not asked */
    host_run(0);
    CHECK(CALL(CAP_DELETE, GATE) == ERR_SLOT, "there is no CNode at 0");
    *slot_at((ref_t)GATE) = gate;
    host_invoke(GATE, 0, 0);
    CHECK(error(kid(0)) == ERR_SLOT, "nor a capability to call by");
    CHECK(op_none((uint64_t[8]){0}) == ERR_NOSYS, "a number out of use");
}

int main(void)
{
    test_line();
    test_leaving_line();
    test_turns();
    test_news_in_a_call();
    test_no_entry();
    test_row();
    test_row_is_told();
    test_row_is_full();
    test_time_of_the_line();
    test_joined_rows();
    test_lent_time();
    test_root_calls();
    test_serving_scheduler();
    test_deep();
    test_budgets();
    test_dying_scheduler();
    test_rare_ends();
    test_list();
    test_wake_by_end();
    test_refusals();
    return tap_end();
}
