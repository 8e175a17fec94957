/* SPDX-License-Identifier: BSL-1.0
 *
 * Protected calls: delivery, waiting in line, answers, capabilities that travel
 * along, and every way in which one side can go away.
 */
#include "kernel_abi.h"
#include "kernel_host.h"
#include "tap.h"

#define GATE  ((cptr_t)HOST_GATE)
#define SPARE ((cptr_t)HOST_SPARE)
#define KIDS  3u

static struct dispatcher *a, *b, *c; /* a calls b, b calls c, c calls a */

static void setup(void)
{
    host_ring(KIDS);
    a = host_kid_at(0);
    b = host_kid_at(1);
    c = host_kid_at(2);
}

/* Kid i runs and makes a call with these flags. */
static void invoke(uint32_t i, uint64_t flags)
{
    host_run(i);
    host_invoke(GATE | flags, 0, 0);
}

static enum abi_error error(const struct dispatcher *d)
{
    return (enum abi_error)d->context.x[8];
}

static void test_call(void)
{
    setup();
    host_serve(1, 0);
    invoke(0, 0);
    CHECK(host_current() == b && b->context.pc == HOST_CALL_ENTRY &&
              b->context.sp == 0x9000 && b->context.x[8] == 100,
          "a call starts at the entry, with the badge");
    CHECK(b->context.x[0] == 10 && b->context.x[7] == 17 &&
              b->context.x[9] == 0 && b->context.x[10] == 0 &&
              b->context.x[30] == 0,
          "with the message and nothing else of the caller");
    CHECK(a->state == IS_CALLING && kernel.core[0].depth == 2 &&
              kernel.core[0].chain[1].dispatcher == a->self,
          "on the time of the caller");
    host_reply(0, 0);
    CHECK(host_current() == a && error(a) == ERR_OK && a->context.x[0] == 20 &&
              a->context.x[7] == 27 && a->context.x[9] == 0,
          "the answer");
    CHECK(b->state == IS_BLOCKED, "the server waits again");
    host_reply(0, 0);
    CHECK(error(a) == ERR_NOREPLY, "who serves nobody answers nobody");
    host_reply(1ull << 32, 0);
    CHECK(error(a) == ERR_RANGE, "bad flags of an answer");
}

/* What it is for: the message is left to those who have it in registers, and
 * nothing has to be settled. */
static void test_common_case(void)
{
    setup();
    host_serve(1, 0);
    host_run(0);
    a->context.x[8] = GATE;
    a->call_flags = CALL_RECEIVE; /* of an earlier call */
    a->call_receive = SPARE;
    CHECK(call_enter_fast(a) == b && host_current() == b &&
              a->state == IS_CALLING && b->state == IS_READY &&
              b->caller == a->self && b->context.x[0] != 10 &&
              a->badge == 100 && kernel.core[0].unsettled == 0,
          "a call of a free server");
    CHECK(a->call_receive == 0 && a->call_flags == 0,
          "which may send no capability to where an earlier one could");
    CHECK(host_root_at()->identity.child[0].state == CHILD_READY,
          "nobody is told: who would look does not run");
    b->context.x[8] = 0;
    CHECK(call_reply_fast(b) == a && host_current() == a &&
              a->state == IS_READY && a->callee == 0 &&
              b->state == IS_BLOCKED && b->caller == 0 &&
              kernel.core[0].unsettled == 0,
          "and its answer");
}

/* Calls are told to schedulers when the CPU is taken back. */
static void test_told(void)
{
    setup();
    host_serve(1, 0);
    host_serve(2, 0);
    invoke(0, 0);
    host_invoke(GATE, 0, 0);
    CHECK(host_current() == c, "a calls b, b calls c");
    host_root();
    const struct child_entry *word = host_root_at()->identity.child;
    CHECK(word[0].state == CHILD_CALLING && word[1].state == CHILD_CALLING &&
              word[2].state == CHILD_READY,
          "who waits and who works is told");
}

/* The scheduler takes calls, of this child by SPARE. */
static struct dispatcher *serve_kid(uint32_t kid)
{
    CALL(UNTYPED_RETYPE, HOST_UNTYPED, HOST_FREE, TYPE_ENDPOINT, ENDPOINT_LOG2,
         1);
    CALL(ENDPOINT_BIND, HOST_FREE, CPTR_SELF_DISPATCHER);
    CALL(CALL_ACCEPT, HOST_CALL_ENTRY, 0x9000, 0);
    CALL(CAP_COPY, CPTR(host_kid_slot(kid, KID_CNODE), SPARE), HOST_FREE,
         ~0ull);
    return host_root_at();
}

/* The scheduler serves a call that was made on the time of another child; when
 * it stops that one, nobody is left whose time the answer could go on with. */
static void test_answer_on_own_time(void)
{
    struct dispatcher *root;
    setup();
    root = serve_kid(1);
    invoke(0, 0);
    CHECK(a->state == IS_QUEUED && host_current() == b, "a helps b");
    host_invoke(SPARE, 0, 0);
    CHECK(host_current() == root && root->caller == b->self, "b calls root");
    CHECK(CALL(DISPATCHER_STOP, host_kid_slot(0, KID_DISPATCHER)) == ERR_OK &&
              kernel.core[0].depth == 1,
          "root stops a");
    upcall_page(root)->pending = 0; /* and takes its news */
    host_reply(0, 0);
    CHECK(b->state == IS_READY && error(b) == ERR_OK && b->context.x[0] == 20 &&
              host_current() == root && root->context.pc == HOST_ENTRY,
          "b has its answer, and root decides who runs");
}

/* The scheduler serves a call, and gives the CPU to another child. */
static void test_run_by_server(void)
{
    const struct core_state *core = &kernel.core[0];
    struct dispatcher *root;
    setup();
    root = serve_kid(0);
    host_run(0);
    host_invoke(SPARE, 0, 0);
    CHECK(host_current() == root && core->depth == 2, "a calls root");
    upcall_page(root)->pending = 0;
    CALL(RUN, 2, ~0ull, 0);
    CHECK(host_current() == c && core->depth == 2 &&
              core->chain[0].dispatcher == root->self &&
              core->chain[1].dispatcher == c->self &&
              root->identity.child[0].state == CHILD_CALLING,
          "root runs c on its own time, and a waits");
    host_unmask(c);
    CALL(BLOCK, ~0ull);
    CHECK(host_current() == root && root->caller == a->self && core->depth == 1,
          "when c blocks, root goes on, on its own time");
    upcall_page(root)->pending = 0;
    host_reply(0, 0);
    CHECK(a->state == IS_READY && host_current() == root &&
              root->context.pc == HOST_ENTRY,
          "so its answer does not give it to a, and root decides");
}

static void test_refused(void)
{
    setup();
    host_run(0);
    host_invoke(0, 0, 0);
    CHECK(error(a) == ERR_SLOT, "no slot");
    host_invoke(SPARE, 0, 0);
    CHECK(error(a) == ERR_EMPTY, "an empty slot");
    host_invoke(GATE | 1ull << 40, 0, 0);
    CHECK(error(a) == ERR_RANGE, "bad flags");
    host_invoke(GATE | CALL_CAP, 0, 0);
    CHECK(error(a) == ERR_SLOT, "sends slot 0");
    host_invoke(GATE | CALL_CAP, SPARE, 0);
    CHECK(error(a) == ERR_EMPTY, "sends nothing");
    host_invoke(GATE | CALL_RECEIVE, 0, 0);
    CHECK(error(a) == ERR_FULL, "receives into slot 0");
    host_invoke(GATE | CALL_RECEIVE, 0, GATE);
    CHECK(error(a) == ERR_FULL, "receives into a full slot");
    host_invoke(GATE | CALL_NOWAIT, 0, 0);
    CHECK(error(a) == ERR_BUSY, "does not wait for a busy server");
    CALL(CAP_COPY, SPARE, GATE, RIGHT_MANAGE);
    host_invoke(SPARE, 0, 0);
    CHECK(error(a) == ERR_RIGHTS, "without the right to call");
    host_root();
    CALL(DISPATCHER_STOP, host_kid_slot(1, KID_DISPATCHER));
    host_run(0);
    host_invoke(GATE, 0, 0);
    CHECK(error(a) == ERR_PEER_DEAD, "a server that is stopped");
    host_root();
    CALL(CAP_DELETE, host_kid_slot(1, KID_DISPATCHER));
    host_run(0);
    host_invoke(GATE, 0, 0);
    CHECK(error(a) == ERR_PEER_DEAD, "a server that is gone");
}

static void test_queue(void)
{
    setup();
    invoke(0, 0);
    CHECK(a->state == IS_QUEUED && host_current() == b,
          "a busy server: wait, and lend it the time");
    host_root();
    host_run(1);
    CALL(CALL_ACCEPT, HOST_CALL_ENTRY, 0x9000, 0);
    host_unmask(b);
    CALL(BLOCK, ~0ull);
    CHECK(b->caller == a->self && b->context.pc == HOST_CALL_ENTRY &&
              b->context.x[0] == 10,
          "the call starts when it blocks");
    host_root();
    host_run(1);
    host_unmask(b);
    CALL(BLOCK, ~0ull);
    CHECK(b->state == IS_BLOCKED && b->caller == a->self, "it may wait");
    host_unmask(host_root_at());
    host_root();
    CALL(CAP_COPY, CPTR(host_kid_slot(2, KID_CNODE), SPARE),
         host_kid_slot(1, KID_ENDPOINT), ~0ull, 55);
    host_run(2);
    host_invoke(SPARE, 0, 0);
    CHECK(c->state == IS_QUEUED && b->caller == a->self,
          "a server that waits while it serves takes no other call");
    host_root();
    upcall_event(b, 3);
    host_settle();
    host_run(1);
    host_unmask(b);
    host_reply(0, 0);
    CHECK(a->state == IS_READY && b->caller == c->self && b->context.x[8] == 55,
          "after the answer the next call starts");
}

static void test_deadlock(void)
{
    setup();
    host_serve(1, 0);
    host_serve(2, 0);
    invoke(0, 0);
    host_invoke(GATE, 0, 0);
    CHECK(host_current() == c && b->state == IS_CALLING, "a chain of calls");
    host_invoke(GATE, 0, 0);
    CHECK(error(c) == ERR_DEADLOCK, "a circle of calls");
    CALL(CAP_COPY, SPARE, GATE, ~0ull);
    host_reply(0, 0);
    CHECK(host_current() == b && error(b) == ERR_OK, "the chain unwinds");
    host_root();
    CALL(CAP_COPY, CPTR(host_kid_slot(0, KID_CNODE), SPARE),
         host_kid_slot(0, KID_ENDPOINT), ~0ull);
    host_run(1);
    host_reply(0, 0);
    host_unmask(a);
    host_root();
    host_run(0);
    host_invoke(SPARE, 0, 0);
    CHECK(error(a) == ERR_DEADLOCK, "a call to oneself");
}

static void test_caps(void)
{
    setup();
    host_serve(1, SPARE);
    host_run(0);
    host_invoke(GATE | CALL_CAP | CALL_RECEIVE, GATE, SPARE + 1);
    CHECK(host_current() == b && b->context.x[9] == 1 &&
              host_slot(SPARE)->type == TYPE_ENDPOINT &&
              host_slot(SPARE)->word == 100,
          "a capability comes with a call");
    host_reply(REPLY_CAP, SPARE + 5);
    CHECK(error(b) == ERR_EMPTY && host_current() == b, "answers with nothing");
    host_reply(REPLY_CAP, 0);
    CHECK(error(b) == ERR_SLOT, "answers with slot 0");
    host_reply(REPLY_CAP, GATE);
    CHECK(host_current() == a && error(a) == ERR_OK && a->context.x[9] == 1 &&
              host_slot(SPARE + 1)->word == 101,
          "and one comes with the answer");
    host_invoke(GATE | CALL_CAP, GATE, 0);
    CHECK(error(a) == ERR_FULL && host_current() == a,
          "the server's slot is still full");
    host_invoke(GATE, 0, 0);
    host_reply(REPLY_CAP, GATE);
    CHECK(error(b) == ERR_FULL && host_current() == b,
          "a caller who takes none gets none");
    host_reply(0, 0);
    CHECK(host_current() == a, "so answer without");
    host_invoke(GATE | CALL_NOWAIT, 0, SPARE + 2);
    host_reply(REPLY_CAP, GATE);
    CHECK(error(b) == ERR_FULL && host_current() == b,
          "a slot alone does not say that it takes one");
}

/* A server that waited until some time does so again when it has answered: in
 * the common case, which tells nobody, and with an event for its caller. */
static void test_deadline(void)
{
    setup();
    uint64_t end = host.now + 50;
    host_run(1);
    CALL(CALL_ACCEPT, HOST_CALL_ENTRY, 0x9000, 0);
    host_unmask(b);
    CALL(BLOCK, end);
    host_unmask(host_root_at());
    host_run(0);
    for (uint32_t common = 2; common-- > 0;) {
        host_invoke(GATE, 0, 0);
        CHECK(host_current() == b, "called before its time");
        if (!common) {
            upcall_event(a, 3);
        }
        host_reply(0, 0);
        CHECK(host_current() == a && b->state == IS_BLOCKED &&
                  b->until == end &&
                  host_root_at()->identity.child[1].until == end,
              "its time is the same, and its scheduler sees it");
    }
    host_root();
    host.now = end;
    host_run(1);
    CHECK(host_current() == b && (b->user.upcall.pending & REASON_TICK),
          "when it comes, it is told");
}

/* An event for a caller makes its upcall as soon as the answer is there. */
static void test_event_in_a_call(void)
{
    setup();
    host_serve(1, 0);
    invoke(0, 0);
    upcall_event(a, 3);
    CHECK(host_current() == b && a->state == IS_CALLING, "not before");
    b->context.x[8] = 0;
    host_try(SVC_REPLY, (uint64_t[8]){20});
    CHECK(kernel.core[0].unsettled != 0, "the way out looks for it");
    host_settle();
    CHECK(host_current() == a && a->context.pc == HOST_ENTRY &&
              upcall_page(a)->slots[0].x[0] == 20 &&
              upcall_page(a)->slots[0].x[8] == ERR_OK,
          "the answer is in what it interrupted");
}

/* Calls that cannot be delivered end with the error; the server that wanted to
 * give its time away is asked again. */
static void test_failing_transfer(void)
{
    setup();
    host_run(1);
    CALL(CALL_ACCEPT, HOST_CALL_ENTRY, 0x9000, 0);
    host_root();
    host_run(0);
    host_invoke(GATE | CALL_CAP, GATE, 0);
    CHECK(a->state == IS_QUEUED, "a call with a capability waits");
    host_root();
    CALL(CAP_COPY, CPTR(host_kid_slot(1, KID_CNODE), SPARE),
         host_kid_slot(2, KID_DISPATCHER), ~0ull);
    host_run(1);
    host_unmask(b);
    CALL(BLOCK, ~0ull);
    CHECK(a->state == IS_READY && error(a) == ERR_FULL &&
              b->state == IS_BLOCKED,
          "the server takes none: the call fails, the server blocks");
}

/* Those in line whose capability the server cannot take are refused, a few at a
 * time: between, interrupts can come, and nobody is forgotten. */
static void test_many_failing(void)
{
    const uint32_t callers = 2 * STEP_CALLS + 1;
    host_ring(callers + 2);
    b = host_kid_at(1);
    for (uint32_t i = 2; i < callers + 2; i++) {
        CALL(CAP_COPY, CPTR(host_kid_slot(i, KID_CNODE), SPARE),
             host_kid_slot(1, KID_ENDPOINT), ~0ull);
        host_run(i);
        host_invoke(SPARE | CALL_CAP, GATE, 0);
        CHECK(host_kid_at(i)->state == IS_QUEUED, "a call waits in line");
        host_root();
    }
    uint32_t left = callers, rounds = 0;
    host_run(1);
    CALL(CALL_ACCEPT, HOST_CALL_ENTRY, 0x9000, 0);
    for (; left != 0 && rounds < callers; rounds++) {
        host_unmask(b);
        CALL(BLOCK, ~0ull);
        uint32_t before = left;
        for (uint32_t i = left = 0; i < callers; i++) {
            left += host_kid_at(i + 2)->state == IS_QUEUED;
        }
        CHECK(before - left == (before < STEP_CALLS ? before : STEP_CALLS),
              "a server that waits refuses a few");
        CHECK((b->state == IS_READY) == (left != 0),
              "... and comes back for the others, as long as there are some");
        CHECK(left == 0 || (upcall_page(b)->pending & REASON_TICK) != 0,
              "... with an upcall");
        host_root();
        if (b->state == IS_READY) {
            host_run(1);
        }
    }
    CHECK(rounds == (callers + STEP_CALLS - 1) / STEP_CALLS && b->ready == 0,
          "all had an answer");
}

/* Root serves calls and schedules; a call waits that cannot start. */
static void test_run_with_waiting(bool accepts)
{
    setup();
    CALL(UNTYPED_RETYPE, HOST_UNTYPED, HOST_FREE, TYPE_ENDPOINT, ENDPOINT_LOG2,
         1);
    CALL(ENDPOINT_BIND, HOST_FREE, CPTR_SELF_DISPATCHER);
    if (accepts) {
        CALL(CALL_ACCEPT, HOST_CALL_ENTRY, 0x9000, 0);
    }
    CALL(CAP_COPY, CPTR(host_kid_slot(0, KID_CNODE), SPARE), HOST_FREE, ~0ull);
    host_run(0);
    upcall_post(host_root_at(), REASON_TICK);
    host_settle(); /* root is ready, as if in the midst of its work */
    struct dispatcher *d = host_root_at();
    kernel.core[0].current = a->self; /* and a, on another's time, calls */
    host_invoke(SPARE | CALL_CAP, SPARE, 0);
    CHECK(a->state == IS_QUEUED, "a call to root waits");
    host_unmask(d);
    CALL(RUN, 2, ~0ull, 0);
    if (accepts) {
        CHECK(host_current() == d && d->context.pc == HOST_ENTRY &&
                  error(a) == ERR_FULL,
              "it fails, and root decides anew");
    } else {
        CHECK(host_current() == c, "root takes no calls: its child runs");
    }
}

static void test_ends(void)
{
    cptr_t kid0, kid1;
    setup();
    kid0 = host_kid_slot(0, KID_DISPATCHER);
    kid1 = host_kid_slot(1, KID_DISPATCHER);
    CHECK(CALL(DISPATCHER_CANCEL, kid0) == ERR_STATE, "cancel: no call");
    host_serve(1, 0);
    invoke(0, 0);
    host_root();
    CHECK(CALL(DISPATCHER_CANCEL, kid0) == ERR_OK && error(a) == ERR_TIMEOUT &&
              a->state == IS_READY && b->caller == 0,
          "cancel a call that is served");
    CHECK(b->state == IS_READY &&
              (upcall_page(host_root_at())->pending & REASON_CHILD),
          "the scheduler of the server learns that it is on its own");
    host_unmask(host_root_at());
    invoke(0, 0);
    CHECK(a->state == IS_QUEUED, "the server is still busy");
    host_root();
    CHECK(CALL(DISPATCHER_CANCEL, kid0) == ERR_OK && error(a) == ERR_TIMEOUT,
          "cancel a call that waits");
    invoke(0, 0);
    host_root();
    CHECK(CALL(CAP_DELETE, kid1) == ERR_OK && error(a) == ERR_PEER_DEAD,
          "the server of a waiting call dies");
    setup();
    host_serve(1, 0);
    invoke(0, 0);
    host_root();
    CHECK(CALL(CAP_DELETE, host_kid_slot(1, KID_DOMAIN)) == ERR_OK &&
              error(a) == ERR_PEER_DEAD && a->state == IS_READY,
          "the domain of the server dies");
    setup();
    host_serve(1, 0);
    invoke(0, 0);
    host_root();
    CHECK(CALL(CAP_DELETE, kid0) == ERR_OK && b->caller == 0,
          "the caller dies");
    host_unmask(host_root_at());
    host_run(1);
    host_reply(0, 0);
    CHECK(error(b) == ERR_NOREPLY, "nobody is there to be answered");
    setup();
    invoke(0, 0);
    host_root();
    CALL(CAP_REVOKE, host_kid_slot(1, KID_ENDPOINT));
    CHECK(a->state == IS_QUEUED &&
              CALL(CAP_DELETE, host_kid_slot(1, KID_ENDPOINT)) == ERR_OK &&
              error(a) == ERR_PEER_DEAD,
          "the endpoint of a waiting call dies");
}

/* A kid serves calls and schedules another; the call that waits cannot start,
 * and nobody else wakes the kid. */
static void test_scheduler_waits(void)
{
    setup();
    host_kid_under(3, host_kid_slot(1, KID_DISPATCHER));
    CALL(DISPATCHER_START, host_kid_slot(3, KID_DISPATCHER), 0x100, 0x8000);
    host_run(1);
    CALL(CALL_ACCEPT, HOST_CALL_ENTRY, 0x9000, 0);
    host_root();
    host_run(0);
    host_invoke(GATE | CALL_CAP, GATE, 0);
    host_root();
    host_run(1);
    host_unmask(b);
    CALL(RUN, 0, ~0ull, 0);
    CHECK(host_current() == b && b->context.pc == HOST_ENTRY &&
              error(a) == ERR_FULL,
          "the scheduler decides anew");
    host_unmask(b);
    CALL(RUN, 0, ~0ull, 0);
    CHECK(host_current()->parent == b->self, "and its child runs");
}

/* A server that goes on without its caller may be the most urgent one. */
static void test_left_alone(void)
{
    setup();
    host_unmask(host_root_at());
    CALL(RUN, 1, ~0ull, 9);
    CHECK(host_current() == b, "the server runs, with urgency 9");
    CALL(CALL_ACCEPT, HOST_CALL_ENTRY, 0x9000, 0);
    CALL(BLOCK, ~0ull);
    host_unmask(host_root_at());
    invoke(0, 0);
    host_root();
    CALL(CAP_COPY, CPTR(host_kid_slot(2, KID_CNODE), SPARE),
         host_kid_slot(0, KID_DISPATCHER), ~0ull);
    CALL(RUN, 2, ~0ull, 5);
    CHECK(CALL(DISPATCHER_CANCEL, SPARE) == ERR_OK, "a third one cancels");
    CHECK(host_current() == host_root_at() && b->state == IS_READY &&
              b->caller == 0,
          "its scheduler takes the CPU back for it");
}

/* Run kid i as urgently as that until it blocks; then the root goes on. */
static void run_and_block(uint32_t i, uint64_t urgency)
{
    host_unmask(host_root_at());
    CALL(RUN, i, ~0ull, urgency);
    host_unmask(host_kid_at(i));
    CALL(BLOCK, ~0ull);
    host_unmask(host_root_at());
}

/* Nobody in the middle holds up a server that works for somebody urgent: a is
 * urgent, the server b is not, kid 3 is in the middle and spins. */
static void test_inversion(void)
{
    setup();
    host_kid(3);
    host_kid_start(3);
    struct dispatcher *middle = host_kid_at(3);
    host_serve(1, 0);
    run_and_block(3, 5);
    uint64_t end = host.now + 50;
    CALL(RUN, 0, end, 9);
    host_invoke(GATE, 0, 0);
    upcall_event(middle, 1);
    host_settle();
    CHECK(host_current() == b && middle->state == IS_READY,
          "a server is as urgent as whom it works for");
    host.now = end;
    host_settle();
    CHECK(host_current() == host_root_at() &&
              host_root_at()->identity.child[0].state == CHILD_CALLING,
          "its time is over");
    host_unmask(host_root_at());
    CALL(RUN, 0, ~0ull, 9);
    CHECK(host_current() == b, "who waits for it can be given more");
    host_reply(0, 0);
    CHECK(host_current() == a && error(a) == ERR_OK, "and has the answer");
}

/* The middle displaces a and the server that works for it; then it goes on. */
static void test_displaced_server(void)
{
    setup();
    host_kid(3);
    host_kid_start(3);
    struct dispatcher *middle = host_kid_at(3);
    host_serve(1, 0);
    run_and_block(3, 9 | RUN_DIRECT);
    CALL(RUN, 0, ~0ull, 5 | RUN_DIRECT);
    host_invoke(GATE, 0, 0);
    upcall_event(middle, 1);
    host_settle();
    const struct child_entry *word = host_root_at()->identity.child;
    CHECK(host_current() == middle && word[0].state == CHILD_CALLING &&
              word[1].state == CHILD_READY,
          "who waits and who works is told");
    host_unmask(middle);
    CALL(BLOCK, ~0ull);
    CHECK(host_current() == b && b->caller == a->self, "the server works on");
    host_reply(0, 0);
    CHECK(host_current() == a && error(a) == ERR_OK, "and answers");
}

/* The server works for c, which is not urgent either, when a comes. */
static void test_inversion_in_line(void)
{
    setup();
    host_kid(3);
    host_kid_start(3);
    struct dispatcher *middle = host_kid_at(3);
    CALL(CAP_COPY, CPTR(host_kid_slot(2, KID_CNODE), SPARE),
         host_kid_slot(1, KID_ENDPOINT), ~0ull, 102);
    host_serve(1, 0);
    run_and_block(0, 9);
    run_and_block(3, 5);
    CALL(RUN, 2, ~0ull, 1);
    host_invoke(SPARE, 0, 0);
    upcall_event(middle, 1);
    host_settle();
    host_unmask(host_root_at());
    CALL(RUN, 3, ~0ull, 5);
    CHECK(host_current() == middle && b->state == IS_READY,
          "the middle goes before a server and its client");
    upcall_event(a, 1);
    host_settle();
    host_unmask(host_root_at());
    CALL(RUN, 0, ~0ull, 9);
    host_unmask(a);
    host_invoke(GATE, 0, 0);
    CHECK(a->state == IS_QUEUED && host_current() == b && b->caller == c->self,
          "but not when somebody urgent waits in line behind that one");
    host_reply(0, 0);
    CHECK(c->state == IS_READY && host_current() == b && b->caller == a->self &&
              middle->state == IS_READY,
          "the next in line is served on its own time");
    host_reply(0, 0);
    CHECK(host_current() == a && error(a) == ERR_OK, "and has the answer");
}

/* A server sleeps while it owes an answer; the caller gives up; the next one in
 * line must not wait for ever. */
static void test_next_after_abort(void)
{
    setup();
    CALL(CAP_COPY, CPTR(host_kid_slot(2, KID_CNODE), SPARE),
         host_kid_slot(1, KID_ENDPOINT), ~0ull, 102);
    host_serve(1, 0);
    invoke(0, 0);
    CHECK(host_current() == b && CALL(BLOCK, ~0ull) == ERR_SWITCHED,
          "a server sleeps in the middle of a call");
    host_unmask(host_root_at());
    host_run(2);
    host_invoke(SPARE, 0, 0);
    CHECK(c->state == IS_QUEUED, "the next one waits in line");
    host_root();
    CHECK(CALL(DISPATCHER_CANCEL, host_kid_slot(0, KID_DISPATCHER)) == ERR_OK &&
              error(a) == ERR_TIMEOUT,
          "the first one gives up");
    CHECK(c->state == IS_CALLING && b->caller == c->self &&
              b->state == IS_READY && b->context.pc == HOST_CALL_ENTRY &&
              b->context.x[8] == 102,
          "the next one is served");
    setup();
    host_serve(1, 0);
    invoke(0, 0);
    CALL(BLOCK, ~0ull);
    host_unmask(host_root_at());
    CHECK(CALL(DISPATCHER_CANCEL, host_kid_slot(0, KID_DISPATCHER)) == ERR_OK &&
              b->state == IS_BLOCKED && b->caller == 0,
          "with nobody in line it sleeps on");
    host_unmask(host_root_at());
    invoke(0, 0);
    CHECK(b->caller == a->self, "and can be called again");
}

/* A server that faults twice is stopped; its next life owes nobody an answer.
 */
static void test_restart(void)
{
    setup();
    host_serve(1, 0);
    invoke(0, 0);
    upcall_page(b)->entry = 0;
    upcall_fault(b, REASON_FAULT, 1, 2);
    host_settle();
    CHECK(b->state == IS_STOPPED && a->state == IS_CALLING, "stopped");
    host_root();
    CHECK(CALL(DISPATCHER_START, host_kid_slot(1, KID_DISPATCHER), 0x100,
               0x8000) == ERR_OK &&
              error(a) == ERR_PEER_DEAD && b->caller == 0,
          "its caller learns when it starts anew");
}

/* Who waits in line at a server that is stopped waits on. */
static void test_stopped(void)
{
    for (uint32_t i = 0; i < 3; i++) {
        setup();
        cptr_t kid = host_kid_slot(1, KID_DISPATCHER);
        invoke(0, 0);
        host_root();
        CHECK(CALL(DISPATCHER_STOP, kid) == ERR_OK && a->state == IS_QUEUED,
              "the server is stopped, a call in line stays");
        if (i == 0) {
            CALL(DISPATCHER_CANCEL, host_kid_slot(0, KID_DISPATCHER));
            CHECK(error(a) == ERR_TIMEOUT, "until it is given up");
        } else if (i == 1) {
            CALL(CAP_DELETE, kid);
            CHECK(error(a) == ERR_PEER_DEAD, "or the server goes");
        } else {
            CALL(DISPATCHER_START, kid, 0x100, 0x8000);
            CHECK(a->state == IS_QUEUED, "or it starts anew");
            host_unmask(host_root_at());
            host_serve(1, 0);
            CHECK(b->caller == a->self, "and waits for a call");
        }
    }
}

static void test_accept(void)
{
    setup();
    host_run(0);
    CHECK(CALL(CALL_ACCEPT, USER_VA_END, 0, 0) == ERR_RANGE, "entry");
    CHECK(CALL(CALL_ACCEPT, 0, USER_VA_END + 16, 0) == ERR_RANGE, "stack");
    CHECK(CALL(CALL_ACCEPT, 0, 8, 0) == ERR_ALIGN, "alignment");
    CHECK(CALL(CALL_ACCEPT, 0, 16, 999) == ERR_SLOT, "slot");
    CHECK(CALL(CALL_ACCEPT, 4, 16, SPARE) == ERR_OK, "accept");
    host_root();
    cptr_t ep = host_kid_slot(0, KID_ENDPOINT);
    cptr_t kid = host_kid_slot(0, KID_DISPATCHER);
    CHECK(CALL(ENDPOINT_BIND, ep, kid) == ERR_BUSY, "bound already");
    CHECK(CALL(ENDPOINT_BIND, 0, kid) == ERR_SLOT, "bind: slot");
    CHECK(CALL(ENDPOINT_BIND, HOST_FREE, kid) == ERR_EMPTY, "bind: empty");
    CHECK(CALL(ENDPOINT_BIND, kid, ep) == ERR_TYPE, "bind: swapped");
    CALL(CAP_COPY, HOST_FREE, ep, RIGHT_CALL);
    CHECK(CALL(ENDPOINT_BIND, HOST_FREE, kid) == ERR_RIGHTS, "bind: right");
    CHECK(CALL(DISPATCHER_CANCEL, 0) == ERR_SLOT, "cancel: slot");
    CHECK(CALL(DISPATCHER_CANCEL, HOST_FREE + 1) == ERR_EMPTY, "cancel: empty");
    CHECK(CALL(DISPATCHER_CANCEL, ep) == ERR_TYPE, "cancel: type");
    CALL(CAP_COPY, HOST_FREE + 1, kid, RIGHT_READ);
    CHECK(CALL(DISPATCHER_CANCEL, HOST_FREE + 1) == ERR_RIGHTS,
          "cancel: right");
}

int main(void)
{
    test_call();
    test_common_case();
    test_told();
    test_answer_on_own_time();
    test_run_by_server();
    test_refused();
    test_queue();
    test_deadlock();
    test_caps();
    test_deadline();
    test_event_in_a_call();
    test_failing_transfer();
    test_many_failing();
    test_run_with_waiting(false);
    test_run_with_waiting(true);
    test_ends();
    test_scheduler_waits();
    test_left_alone();
    test_inversion();
    test_displaced_server();
    test_inversion_in_line();
    test_restart();
    test_next_after_abort();
    test_stopped();
    test_accept();
    CHECK(abi_unseen(SYS_DISPATCHER_CANCEL, SYS_CALL_ACCEPT) == 0,
          "every promised error was seen");
    return tap_end();
}
