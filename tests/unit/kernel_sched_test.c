/* SPDX-License-Identifier: BSL-1.0
 *
 * CPU time and upcalls: run, block, urgency, budgets; events and interrupts;
 * masked, unmasked and double faults.
 */
#include "kernel_abi.h"
#include "kernel_host.h"
#include "tap.h"

#define KIDS  3u
#define EMPTY ((cptr_t)HOST_FREE) /* from here on: empty */

static struct dispatcher *root, *a, *b;

static struct upcall_page *page(struct dispatcher *d)
{
    return upcall_page(d);
}

static void setup(void)
{
    host_boot(20);
    for (uint32_t i = 0; i < KIDS; i++) {
        host_kid(i);
        host_kid_start(i);
    }
    root = host_root_at();
    a = host_kid_at(0);
    b = host_kid_at(1);
    host_unmask(root);
}

static uint32_t child_state(uint32_t i)
{
    return root->identity.child[i].state;
}

static bool in_upcall(struct dispatcher *d)
{
    return host_current() == d && d->context.pc == HOST_ENTRY &&
           page(d)->mask == MASK_ON;
}

static void test_run(void)
{
    setup();
    CHECK(CALL(RUN, CHILDREN_MAX, 0, 0) == ERR_RANGE, "no such index");
    CHECK(CALL(RUN, 0, 0, 0x200) == ERR_RANGE &&
              CALL(RUN, 0, 0, 1ull << 32) == ERR_RANGE,
          "urgency");
    CHECK(CALL(RUN, 9, 0, 0) == ERR_STATE, "no child");
    CALL(RUN, 0, ~0ull, 255);
    CHECK(host_current() == a, "the highest urgency");
    host_root();
    host_run(0);
    CHECK(child_state(0) == CHILD_READY && child_state(1) == CHILD_READY,
          "state words");
    CHECK(CALL(RUN, 0, 0, 0) == ERR_STATE, "who has no child runs none");
    host.now += 10;
    host_unmask(a);
    CALL(BLOCK, host.now + 100);
    CHECK(in_upcall(root) && page(root)->pending == REASON_CHILD &&
              child_state(0) == CHILD_BLOCKED &&
              root->identity.child[0].until == host.now + 100,
          "blocking gives the CPU back");
    host_unmask(root);
    CHECK(CALL(RUN, 0, ~0ull, 0) == ERR_STATE, "a blocked child does not run");
    host.now += 100;
    CALL(RUN, 0, ~0ull, 0);
    CHECK(in_upcall(a) && (page(a)->pending & REASON_TICK),
          "its time has come: it gets an upcall");
    host_root();
    page(root)->pending = REASON_EVENT;
    CALL(RUN, 1, ~0ull, 0);
    CHECK(in_upcall(root) && page(root)->saved_slot == SAVE_NONE,
          "run with an upcall pending is the upcall");
}

static void test_expiry(void)
{
    setup();
    page(root)->child_changed[0] = 0;
    CALL(RUN, 0, host.now + 50, 0);
    CHECK(host_current() == a && host.until == host.now + 50, "until is set");
    host.now += 49;
    host_settle();
    CHECK(host_current() == a, "not yet");
    host.now++;
    page(root)->pending = REASON_TICK;
    host_settle();
    CHECK(in_upcall(root) &&
              page(root)->pending ==
                  (REASON_TICK | REASON_CHILD | REASON_EXPIRED) &&
              page(root)->saved_slot == SAVE_NONE && a->state == IS_READY,
          "the time is over");
    CHECK(root->identity.now == host.now, "the page says when");
    CHECK(page(root)->child_changed[0] == 0, "having the CPU is no state");
}

/* All that an entry does happens at one time. */
static void test_clock(void)
{
    setup();
    uint32_t readings = host.readings;
    CALL(RUN, 0, ~0ull, 1);
    CHECK(host_current() == a && host.readings == readings + 1,
          "run reads the clock once");
    host_unmask(a);
    CALL(BLOCK, ~0ull);
    CHECK(in_upcall(root) && host.readings == readings + 2, "block, too");
    host_unmask(root);
    CALL(RUN, 1, ~0ull, 0);
    upcall_post(a, REASON_TICK);
    host_settle();
    CHECK(in_upcall(root) && host.readings == readings + 4,
          "a wake-up that takes the CPU, too");
}

/* What the scheduler reads in its page is what the child's context was charged,
 * whatever the kernel did between the two. */
static void test_child_time(void)
{
    const struct identity_page *said = &root->identity;
    cptr_t sc = EMPTY, kid = host_kid_slot(0, KID_DISPATCHER);

    setup();
    CALL(UNTYPED_RETYPE, HOST_UNTYPED, sc, TYPE_SCHED_CONTEXT, 6, 1);
    CALL(SCHED_BIND, sc, kid);
    host.now += 30;
    CALL(RUN, 0, host.now + 50, 0);
    CHECK(said->child_from == host.now, "it begins when it is given the CPU");
    host.now += 70;
    host_settle();
    host.now += 9;
    CALL(SCHED_REFILL, sc, ~0ull);
    CHECK(in_upcall(root) && host_result[2] == 70 &&
              said->child_to - said->child_from == 70,
          "and ends when that is charged");
    page(root)->pending = REASON_EVENT;
    CALL(RUN, 0, ~0ull, 0);
    CHECK(said->child_to - said->child_from == 70, "a run that was none");
    page(root)->pending = 0;
    CALL(RUN, 0, ~0ull, 0);
    host.now += 5;
    host_unmask(a);
    CALL(BLOCK, ~0ull);
    CHECK(said->child_to - said->child_from == 5, "it may give the CPU back");
}

static void test_budget(void)
{
    setup();
    cptr_t sc = EMPTY, kid = host_kid_slot(0, KID_DISPATCHER);
    CALL(UNTYPED_RETYPE, HOST_UNTYPED, sc, TYPE_SCHED_CONTEXT, 6, 2);
    CHECK(CALL(SCHED_REFILL, sc + 1, ~0ull) == ERR_OK &&
              host_result[1] == ~0ull,
          "a new budget has no limit");
    CHECK(CALL(SCHED_REFILL, sc, 77) == ERR_OK, "refill before bind");
    CHECK(CALL(SCHED_BIND, 0, kid) == ERR_SLOT, "bind: slot");
    CHECK(CALL(SCHED_BIND, EMPTY + 5, kid) == ERR_EMPTY, "bind: empty");
    CHECK(CALL(SCHED_BIND, kid, sc) == ERR_TYPE, "bind: type");
    CALL(CAP_COPY, EMPTY + 2, sc, RIGHT_READ);
    CHECK(CALL(SCHED_BIND, EMPTY + 2, kid) == ERR_RIGHTS, "bind: right");
    CHECK(CALL(SCHED_BIND, sc, kid) == ERR_OK, "bind");
    CHECK(CALL(SCHED_REFILL, sc, ~0ull) == ERR_OK && host_result[1] == 77,
          "binding leaves the budget");
    CHECK(CALL(SCHED_BIND, sc + 1, kid) == ERR_BUSY &&
              CALL(SCHED_BIND, sc, CPTR_SELF_DISPATCHER) == ERR_BUSY,
          "one to one");
    CHECK(CALL(SCHED_REFILL, 0, 5) == ERR_SLOT, "refill: slot");
    CHECK(CALL(SCHED_REFILL, EMPTY + 5, 5) == ERR_EMPTY, "refill: empty");
    CHECK(CALL(SCHED_REFILL, kid, 5) == ERR_TYPE, "refill: type");
    CHECK(CALL(SCHED_REFILL, EMPTY + 2, 5) == ERR_RIGHTS, "refill: right");
    CHECK(CALL(SCHED_REFILL, sc, 30) == ERR_OK && host_result[1] == 30 &&
              host_result[2] == 0,
          "refill");
    host.now += 5; /* root's time */
    CALL(RUN, 0, host.now + 1000, 0);
    CHECK(host.until == host.now + 30, "the budget ends first");
    host.now += 20;
    upcall_post(root, REASON_TICK); /* before time was accounted */
    host_settle();
    CALL(SCHED_REFILL, sc, ~0ull);
    CHECK(host_result[1] == 10 && host_result[2] == 20,
          "time is charged to who used it, though it lost the CPU meanwhile");
    host_run(0);
    host.now += 10;
    host_settle();
    CHECK(in_upcall(root) && (page(root)->pending & REASON_EXPIRED),
          "the budget is used up");
    host_unmask(root);
    CALL(RUN, 0, ~0ull, 0);
    CHECK(in_upcall(root) && (page(root)->pending & REASON_EXPIRED),
          "nothing is left to run on");
    CHECK(CALL(CAP_REVOKE, sc) == ERR_OK && CALL(CAP_DELETE, sc) == ERR_OK &&
              a->sched == 0,
          "the context goes: the limit too");
}

/* What ends first: the time given, or the budget. */
static void test_limits(void)
{
    setup();
    cptr_t sc = EMPTY;
    CALL(UNTYPED_RETYPE, HOST_UNTYPED, sc, TYPE_SCHED_CONTEXT, 6, 1);
    CALL(SCHED_BIND, sc, host_kid_slot(0, KID_DISPATCHER));
    uint64_t end = host.now + 50;
    CALL(RUN, 0, end, 0);
    CHECK(host.until == end && host_current() == a, "a budget without limit");
    host_root();
    CALL(SCHED_REFILL, sc, 1000);
    CALL(RUN, 0, end, 0);
    CHECK(host.until == end && host_current() == a, "a large one");
    page(a)->sp = 0x7000;
    a->context.nzcv = 0xf0000000;
    upcall_event(a, 3);
    upcall_event(a, 5);
    upcall_post(a, REASON_TICK);
    host_settle();
    CHECK(in_upcall(a) && a->context.sp == 0x7000 && a->context.nzcv == 0 &&
              a->identity.until == end,
          "an upcall has its stack, no flags, and knows how long");
    CHECK(page(a)->events == (1u << 3 | 1u << 5) &&
              page(a)->pending == (REASON_EVENT | REASON_TICK),
          "reasons and events add up");
    host_unmask(a);
    CALL(BLOCK, host.now + 5);
    host_unmask(root);
    host.now += 5;
    page(a)->pending = REASON_EVENT;
    CALL(RUN, 0, ~0ull, 0);
    CHECK(in_upcall(a) && page(a)->pending == (REASON_EVENT | REASON_TICK),
          "time adds to what was pending");
    host_unmask(a);
    CALL(BLOCK, ~0ull);
    host_unmask(root);
    CALL(RUN, 1, ~0ull, 9);
    page(root)->pending = REASON_TICK;
    upcall_event(a, 1);
    CHECK(page(root)->pending == (REASON_TICK | REASON_CHILD),
          "a child that can run adds to it, too");
}

static void test_urgency(void)
{
    setup();
    CALL(RUN, 0, ~0ull, 7);
    host_unmask(a);
    CALL(BLOCK, ~0ull);
    host_unmask(root);
    CALL(RUN, 1, ~0ull, 7);
    upcall_event(a, 5);
    host_settle();
    CHECK(host_current() == b && a->state == IS_READY &&
              (page(root)->pending & REASON_CHILD),
          "equal urgency waits");
    host_root();
    host_run(0);
    CHECK(in_upcall(a) || page(a)->events == 1u << 5, "the event is there");
    host_root();
    CALL(RUN, 0, ~0ull, 8);
    host_unmask(a);
    CALL(BLOCK, ~0ull);
    host_unmask(root);
    CALL(RUN, 1, ~0ull, 7);
    upcall_event(a, 6);
    host_settle();
    CHECK(in_upcall(root) && b->state == IS_READY,
          "higher urgency takes the CPU back");
}

/* Kid 0 was run with `urgency` and blocks, with the context `its`; kid 1 is run
 * with `who` until `end`; then kid 0 wakes. */
static const cptr_t its = EMPTY;
static uint64_t end;

static void let_in(uint64_t urgency, uint64_t who, uint64_t budget)
{
    CALL(UNTYPED_RETYPE, HOST_UNTYPED, its, TYPE_SCHED_CONTEXT, 6, 1);
    CALL(SCHED_BIND, its, host_kid_slot(0, KID_DISPATCHER));
    CALL(RUN, 0, ~0ull, urgency);
    host_unmask(a);
    CALL(BLOCK, ~0ull);
    CALL(SCHED_REFILL, its, budget);
    host_unmask(root);
    end = host.now + 100;
    CALL(RUN, 1, end, who);
    upcall_event(a, 5);
    host_settle();
}

static void setup_direct(uint64_t urgency, uint64_t who, uint64_t budget)
{
    setup();
    let_in(urgency, who, budget);
}

static bool scheduler_asked(void)
{
    return in_upcall(root) && a->state == IS_READY && b->state == IS_READY;
}

static void test_direct(void)
{
    setup_direct(8 | RUN_DIRECT, 7 | RUN_DIRECT, 30);
    CHECK(in_upcall(a) && root->state == IS_BLOCKED && b->state == IS_READY &&
              child_state(1) == CHILD_READY && page(root)->pending == 0,
          "a direct child gets the CPU, and its scheduler is not asked");
    CHECK(child_state(0) == CHILD_BLOCKED && host.until == host.now + 30,
          "nor told, and the child has its own budget");
    host.now += 30;
    host_settle();
    CHECK(scheduler_asked() && (page(root)->pending & REASON_EXPIRED) &&
              child_state(0) == CHILD_READY &&
              CALL(SCHED_REFILL, its, 0) == ERR_OK && host_result[2] == 30,
          "it pays, and when nothing is left the scheduler is asked and told");
    setup_direct(8 | RUN_DIRECT, 7 | RUN_DIRECT, ~0ull);
    CHECK(in_upcall(a) && host.until == end,
          "who ran was to run until then, so is it");
    host_root();
    host_unmask(root);
    CALL(RUN, 0, ~0ull, 8 | RUN_DIRECT);
    host_unmask(a);
    CALL(BLOCK, ~0ull);
    CHECK(in_upcall(root) && b->state == IS_READY,
          "when who was run blocks its scheduler goes on");
    host_unmask(root);
    CALL(BLOCK, end);
    upcall_event(a, 5);
    host_settle();
    CHECK(in_upcall(a) && kernel.core[0].idle == 0 && host.until == end,
          "from idleness too, until the scheduler wants to wake");
    host_unmask(a);
    CALL(BLOCK, ~0ull);
    CHECK(in_upcall(root), "when it blocks, nobody was displaced to go on");
    host_unmask(root);
    CALL(BLOCK, end);
    upcall_event(a, 5);
    host.now = end;
    host_settle();
    CHECK(scheduler_asked(), "and it runs no longer than that");
}

/* Kid 0 has displaced kid 1, of which root knows nothing, and blocks. */
static void displace_and_block(uint64_t until)
{
    setup_direct(8 | RUN_DIRECT, 7 | RUN_DIRECT, ~0ull);
    page(root)->child_changed[0] = 0;
    host_unmask(a);
    CALL(BLOCK, until);
}

static bool goes_on(void)
{
    return host_current() == b && b->context.pc == 0x100 &&
           root->state == IS_BLOCKED && page(root)->pending == 0 &&
           kernel.core[0].depth == 2;
}

static void test_displaced(void)
{
    displace_and_block(~0ull);
    CHECK(goes_on() && host.until == end && a->state == IS_BLOCKED &&
              page(root)->child_changed[0] == 0,
          "a displaced child goes on as it was, and nothing was worth telling");
    upcall_event(a, 5);
    host_settle();
    CHECK(in_upcall(a) && b->state == IS_READY, "it can be displaced again");
    host_unmask(a);
    CALL(BLOCK, ~0ull);
    host_unmask(b);
    CALL(BLOCK, ~0ull);
    CHECK(in_upcall(root) && page(root)->pending == REASON_CHILD &&
              child_state(1) == CHILD_BLOCKED,
          "when it blocks its scheduler goes on");
    displace_and_block(end - 1);
    CHECK(goes_on() && host.until == end - 1 &&
              root->identity.child[0].until == end - 1 &&
              page(root)->child_changed[0] == 1,
          "until who displaced it wants to wake, which is told");
    host.now = end - 1;
    host_settle();
    CHECK(in_upcall(root) && (page(root)->pending & REASON_EXPIRED),
          "then the scheduler is asked");
    displace_and_block(0);
    CHECK(in_upcall(root), "so it is at once if that is over");
}

/* Kid 2 displaces kid 0, which has displaced kid 1. */
static void test_displaced_twice(void)
{
    struct dispatcher *c = host_kid_at(2);
    setup();
    CALL(RUN, 2, ~0ull, 9 | RUN_DIRECT);
    host_unmask(c);
    CALL(BLOCK, ~0ull);
    host_unmask(root);
    let_in(8 | RUN_DIRECT, 7 | RUN_DIRECT, ~0ull);
    CHECK(in_upcall(a) && child_state(0) == CHILD_BLOCKED, "root is not told");
    upcall_event(c, 5);
    host_settle();
    CHECK(in_upcall(c) && child_state(0) == CHILD_READY &&
              child_state(2) == CHILD_BLOCKED,
          "but when it loses the CPU to another");
    host_unmask(c);
    CALL(BLOCK, ~0ull);
    CHECK(in_upcall(a) && root->state == IS_BLOCKED, "the last goes on");
    host_unmask(a);
    CALL(BLOCK, ~0ull);
    CHECK(in_upcall(root) && b->state == IS_READY &&
              child_state(0) == CHILD_BLOCKED,
          "for the one before the scheduler is asked");
}

/* Kid 0 has displaced kid 1, and root has to see to it when kid 0 blocks. */
static void test_not_displaced(void)
{
    setup_direct(8 | RUN_DIRECT, 7 | RUN_DIRECT, ~0ull);
    page(root)->pending = REASON_CHILD; /* as if another had woken */
    host_unmask(a);
    CALL(BLOCK, ~0ull);
    CHECK(in_upcall(root), "other news: the scheduler is asked");
    cptr_t its_dispatcher = CPTR(host_kid_slot(0, KID_CNODE), HOST_SPARE);
    setup();
    CALL(CAP_MOVE, its_dispatcher, host_kid_slot(1, KID_DISPATCHER));
    let_in(8 | RUN_DIRECT, 7 | RUN_DIRECT, ~0ull);
    host_unmask(a);
    CHECK(CALL(DISPATCHER_STOP, HOST_SPARE) == ERR_OK, "stops it");
    CALL(BLOCK, ~0ull);
    CHECK(in_upcall(root) && b->state == IS_STOPPED, "who is stopped: asked");
    setup();
    CALL(CAP_MOVE, its_dispatcher, host_kid_slot(1, KID_DISPATCHER));
    let_in(8 | RUN_DIRECT, 7 | RUN_DIRECT, ~0ull);
    host_unmask(a);
    CALL(CAP_DELETE, HOST_SPARE);
    CHECK(in_upcall(root) && root->child[1] == 0, "who is gone: at once");
}

static void test_not_direct(void)
{
    setup_direct(8, 7 | RUN_DIRECT, ~0ull);
    CHECK(scheduler_asked(), "a child that is not direct: asked");
    setup_direct(8 | RUN_DIRECT, 7, ~0ull);
    CHECK(scheduler_asked(), "one that runs and is not: asked");
    setup_direct(8 | RUN_DIRECT, 7 | RUN_DIRECT, 0);
    CHECK(scheduler_asked() && (page(root)->pending & REASON_EXPIRED),
          "one whose budget is used up: asked");
    setup_direct(7 | RUN_DIRECT, 7 | RUN_DIRECT, ~0ull);
    CHECK(host_current() == b && a->state == IS_READY,
          "one that is not more urgent than who runs waits");
    setup_direct(8 | RUN_DIRECT, 7 | RUN_DIRECT, ~0ull);
    CALL(SCHED_REFILL, its, ~0ull);
    host_root();
    CHECK(a->state == IS_READY, "who is interrupted loses nothing");
    host_unmask(root);
    CALL(RUN, 0, ~0ull, 8);
    host_unmask(a);
    CALL(BLOCK, ~0ull);
    host_unmask(root);
    CALL(RUN, 1, end, 7);
    upcall_event(a, 5);
    host_settle();
    CHECK(scheduler_asked(), "the next run takes it back");
    host_unmask(root);
    CALL(RUN, 0, ~0ull, 8);
    host_unmask(a);
    CALL(BLOCK, ~0ull);
    host_unmask(root);
    CALL(BLOCK, ~0ull);
    upcall_event(a, 5);
    host_settle();
    CHECK(scheduler_asked(), "from idleness too");
}

/* A child of kid 0, which is a scheduler then. */
static struct dispatcher *nest(void)
{
    setup();
    host_kid_under(KIDS, host_kid_slot(0, KID_DISPATCHER));
    struct dispatcher *c = dispatcher_at(a->child[0]);
    CALL(DISPATCHER_START, host_kid_slot(KIDS, KID_DISPATCHER), 0x100, 0x8000);
    page(c)->entry = HOST_ENTRY;
    host_unmask(c);
    return c;
}

/* It runs, as a direct child, and blocks; so does kid 0; then that dies. */
static void orphan(struct dispatcher *c)
{
    host_run(0);
    host_unmask(a);
    CALL(RUN, 0, ~0ull, 255 | RUN_DIRECT);
    host_unmask(c);
    CALL(BLOCK, ~0ull);
    host_unmask(a);
    CALL(BLOCK, ~0ull);
    CALL(CAP_REVOKE, host_kid_slot(0, KID_DISPATCHER));
    CALL(CAP_DELETE, host_kid_slot(0, KID_DISPATCHER));
}

/* Kid 1 displaces kid 0, which runs a child of its own. */
static void test_displaced_scheduler(void)
{
    struct dispatcher *c = nest();
    CALL(RUN, 1, ~0ull, 9 | RUN_DIRECT);
    host_unmask(b);
    CALL(BLOCK, ~0ull);
    host_unmask(root);
    CALL(RUN, 0, ~0ull, 8 | RUN_DIRECT);
    host_unmask(a);
    CALL(RUN, 0, ~0ull, 255);
    upcall_event(a, 5);
    host_settle();
    CHECK(in_upcall(a) && c->state == IS_READY && root->state == IS_BLOCKED,
          "a scheduler with an event has its own time back");
    host_unmask(a);
    CALL(RUN, 0, ~0ull, 255);
    upcall_event(b, 5);
    host_settle();
    CHECK(in_upcall(b) && a->state == IS_READY &&
              a->identity.child[0].state == CHILD_READY,
          "a scheduler makes room, and learns that its child has lost the CPU");
    host_unmask(b);
    CALL(BLOCK, ~0ull);
    CHECK(in_upcall(a) && page(a)->pending == REASON_CHILD &&
              c->state == IS_READY && root->state == IS_BLOCKED,
          "when it goes on it decides who of its children does");
}

/* A scheduler below the root lets its child in; then it dies. */
static void test_direct_nested(void)
{
    struct dispatcher *c = nest();
    CALL(UNTYPED_RETYPE, HOST_UNTYPED, its, TYPE_SCHED_CONTEXT, 6, 1);
    CALL(SCHED_BIND, its, host_kid_slot(KIDS, KID_DISPATCHER));
    host_run(0);
    host_unmask(a);
    CALL(RUN, 0, ~0ull, 255 | RUN_DIRECT);
    host_root();
    CHECK(a->state == IS_READY && page(a)->pending == REASON_CHILD &&
              c->state == IS_READY && page(c)->pending == 0,
          "a scheduler learns that its child has lost the CPU, that does not");
    host_run(0);
    host_unmask(a);
    CALL(RUN, 0, ~0ull, 255 | RUN_DIRECT);
    host_unmask(c);
    CALL(BLOCK, ~0ull);
    host_unmask(a);
    CALL(BLOCK, ~0ull);
    host_unmask(root);
    CALL(RUN, 1, ~0ull, 7);
    upcall_event(c, 5);
    host_settle();
    CHECK(host_current() == b && a->state == IS_READY,
          "its scheduler has not the CPU: no more than that one is urgent");
    host_root();
    orphan(c);
    CHECK(c->parent == 0 &&
              CALL(DISPATCHER_SET_PARENT, host_kid_slot(KIDS, KID_DISPATCHER),
                   CPTR_SELF_DISPATCHER, 0) == ERR_OK,
          "an orphan");
    host_unmask(root);
    CALL(RUN, 1, ~0ull, 7);
    upcall_event(c, 5);
    host_settle();
    CHECK(host_current() == b && c->state == IS_READY,
          "is as urgent as a new child, and not direct");
    c = nest();
    orphan(c);
    upcall_event(c, 5);
    host_settle();
    CHECK(host_current() == root && c->state == IS_READY,
          "one that wakes without a scheduler waits for one");
}

static uint64_t consumed(cptr_t context)
{
    CALL(SCHED_REFILL, context, ~0ull);
    return host_result[2];
}

/* What flows through the first scheduler is all time but idle time. */
static void test_account(void)
{
    setup();
    cptr_t all = EMPTY + 1;
    CALL(UNTYPED_RETYPE, HOST_UNTYPED, its, TYPE_SCHED_CONTEXT, 6, 2);
    CALL(SCHED_BIND, all, CPTR_SELF_DISPATCHER);
    CALL(SCHED_BIND, its, host_kid_slot(0, KID_DISPATCHER));
    uint64_t began = host.now - consumed(all), idle = kernel.core[0].idle;
    host.now += 7; /* the scheduler's own */
    CALL(RUN, 0, ~0ull, 0);
    host.now += 100;
    host_settle();
    host_unmask(a);
    CALL(BLOCK, ~0ull);
    host.now += 3;
    host_unmask(root);
    CALL(BLOCK, host.now + 50);
    host.now += 50;
    host_settle();
    idle = kernel.core[0].idle - idle;
    uint64_t flowed = consumed(all);
    CHECK(consumed(its) == 100 && idle == 50, "each has its own");
    CHECK(flowed + idle == host.now - began, "together they are all the time");
}

static void test_block(void)
{
    setup();
    uint64_t until = host.now + 10;
    CALL(BLOCK, until);
    CHECK(kernel.core[0].current == 0 && host.until == until, "all is idle");
    host.now += 10;
    host_settle();
    CHECK(in_upcall(root) && page(root)->pending == REASON_TICK, "time");
    CHECK(kernel.core[0].idle == 10, "idle time is counted");
    host_unmask(root);
    CALL(BLOCK, ~0ull);
    host.now += 5;
    upcall_post(root, REASON_TICK);
    CHECK(kernel.core[0].idle == 15 && root->identity.now == host.now,
          "up to when something ends it");
    host_settle();
    root->context.pc = 0x4242;
    CALL(BLOCK, ~0ull);
    CHECK(in_upcall(root), "block with an upcall pending is the upcall");
    root->context.pc = 0x4242;
    page(root)->mask = MASK_ON;
    CALL(LEAVE);
    CHECK(in_upcall(root) && page(root)->saved_slot == 0 &&
              page(root)->slots[0].pc == 0x4242,
          "leave delivers what is pending");
    page(root)->pending = 0;
    CHECK(CALL(RESUME, SAVE_SLOTS) == ERR_RANGE, "resume: no such slot");
    CALL(RESUME, 0);
    CHECK(root->context.pc == 0x4242 && page(root)->mask == MASK_OFF, "resume");
    page(root)->slots[3].pc = 0x5555;
    page(root)->pending = REASON_EVENT;
    page(root)->mask = MASK_ON;
    CALL(RESUME, 3);
    CHECK(in_upcall(root) && page(root)->saved_slot == 3,
          "resume with an upcall pending is the upcall");
}

static void test_masks(void)
{
    setup();
    host_run(0);
    page(a)->mask = MASK_ON;
    a->context.pc = 0x7777;
    upcall_event(a, 1);
    host_settle();
    CHECK(a->context.pc == 0x7777 && page(a)->pending == REASON_EVENT,
          "masked: it stays pending");
    page(a)->mask = MASK_OFF;
    page(a)->save_slot = 4;
    host_settle();
    CHECK(in_upcall(a) && page(a)->slots[4].pc == 0x7777 &&
              a->context.x[0] == a->pages + PAGE_BYTES,
          "unmasked: it is delivered");
    host_unmask(a);
    a->context.pc = 0x8888;
    upcall_fault(a, REASON_FAULT, 11, 22);
    host_settle();
    CHECK(in_upcall(a) && page(a)->fault.esr == 11 &&
              page(a)->fault.far == 22 && page(a)->fault.pc == 0x8888 &&
              page(a)->fault.slot == 4 && page(a)->slots[4].pc == 0x8888,
          "a fault");
    page(a)->double_sp = 0x9990;
    upcall_fault(a, REASON_FAULT, 33, 44);
    host_settle();
    CHECK(a->context.pc == HOST_DOUBLE_ENTRY && a->context.sp == 0x9990 &&
              page(a)->mask == MASK_DOUBLE &&
              page(a)->slots[SAVE_DOUBLE].pc == HOST_ENTRY,
          "a fault while masked");
    upcall_fault(a, REASON_FAULT, 55, 66);
    host_settle();
    CHECK(a->state == IS_STOPPED && in_upcall(root) &&
              child_state(0) == CHILD_STOPPED &&
              (page(root)->pending & REASON_CHILD),
          "a fault in that: stopped, and its scheduler knows");
    cptr_t kid = host_kid_slot(0, KID_DISPATCHER);
    CHECK(CALL(DISPATCHER_INSPECT, kid, 32) == ERR_OK &&
              host_result[1] == HOST_DOUBLE_ENTRY && host_result[4] == 55,
          "inspect: pc, ..., esr");
    CHECK(CALL(DISPATCHER_INSPECT, kid, 36) == ERR_OK && host_result[1] == 66 &&
              host_result[2] == 0,
          "inspect: far");
}

static void test_bad_page(void)
{
    setup();
    host_run(0);
    page(a)->save_slot = SAVE_DOUBLE;
    upcall_event(a, 1);
    host_settle();
    CHECK(a->state == IS_STOPPED && in_upcall(root), "a bad save slot stops");
    host_unmask(root);
    host_run(1);
    page(b)->entry = 0;
    upcall_event(b, 1);
    host_settle();
    CHECK(b->state == IS_STOPPED && in_upcall(root), "no entry stops");
    page(root)->mask = 77;
    upcall_fault(root, REASON_FAULT, 1, 1);
    host_settle();
    CHECK(kernel.core[0].depth == 0 && kernel.core[0].current == 0,
          "without root nothing runs");
}

static void test_events(void)
{
    setup();
    cptr_t kid = host_kid_slot(0, KID_DISPATCHER), event = EMPTY;
    CHECK(CALL(EVENT_MINT, 0, kid, 1) == ERR_SLOT, "mint: slot");
    CHECK(CALL(EVENT_MINT, event, EMPTY + 1, 1) == ERR_EMPTY, "mint: empty");
    CHECK(CALL(EVENT_MINT, event, HOST_CPU, 1) == ERR_TYPE, "mint: type");
    CHECK(CALL(EVENT_MINT, event, kid, 64) == ERR_RANGE, "mint: bit");
    CHECK(CALL(EVENT_MINT, HOST_CPU, kid, 1) == ERR_FULL, "mint: full");
    CALL(CAP_COPY, EMPTY + 1, kid, RIGHT_SIGNAL);
    CHECK(CALL(EVENT_MINT, event, EMPTY + 1, 1) == ERR_RIGHTS, "mint: right");
    CHECK(CALL(EVENT_MINT, event, kid, 63) == ERR_OK, "mint");
    CALL(CAP_COPY, EMPTY + 2, event, RIGHT_READ);
    CHECK(CALL(EVENT_SIGNAL, EMPTY + 2) == ERR_RIGHTS, "signal: right");
    CHECK(CALL(EVENT_SIGNAL, 0) == ERR_SLOT, "signal: slot");
    CHECK(CALL(EVENT_SIGNAL, EMPTY + 3) == ERR_EMPTY, "signal: empty");
    CHECK(CALL(EVENT_SIGNAL, kid) == ERR_TYPE, "signal: type");
    CHECK(CALL(EVENT_SIGNAL, event) == ERR_OK && page(a)->events >> 63 == 1 &&
              page(a)->pending == REASON_EVENT,
          "signal");
    CHECK(CALL(CAP_DELETE, kid) == ERR_OK && a->state != IS_DEAD,
          "an event capability keeps its dispatcher");
    CALL(CAP_DELETE, EMPTY + 1);
    CALL(CAP_DELETE, EMPTY + 2);
    CHECK(CALL(CAP_DELETE, event) == ERR_OK && a->state == IS_DEAD,
          "the last one ends it");
    CHECK(CALL(UNTYPED_RETYPE, HOST_UNTYPED, EMPTY + 1, TYPE_DISPATCHER,
               DISPATCHER_LOG2, 1) == ERR_OK &&
              CALL(EVENT_MINT, event, EMPTY + 1, 1) == ERR_OK &&
              CALL(EVENT_SIGNAL, event) == ERR_OK,
          "one that was never bound has no page for events");
}

static void test_irqs(void)
{
    setup();
    cptr_t event = EMPTY, irq = HOST_IRQ + 1;
    CALL(EVENT_MINT, event, host_kid_slot(0, KID_DISPATCHER), 9);
    CALL(CAP_COPY, EMPTY + 1, event, RIGHT_READ);
    CALL(CAP_COPY, EMPTY + 2, irq, RIGHT_READ);
    CHECK(CALL(IRQ_BIND, 0, event) == ERR_SLOT, "bind: slot");
    CHECK(CALL(IRQ_BIND, irq, EMPTY + 3) == ERR_EMPTY, "bind: empty");
    CHECK(CALL(IRQ_BIND, event, irq) == ERR_TYPE, "bind: swapped");
    CHECK(CALL(IRQ_BIND, irq, EMPTY + 1) == ERR_RIGHTS &&
              CALL(IRQ_BIND, EMPTY + 2, event) == ERR_RIGHTS,
          "bind: rights");
    CHECK(CALL(IRQ_ACK, irq) == ERR_STATE, "ack: not bound");
    CHECK(host.masked[1] && CALL(IRQ_BIND, irq, event) == ERR_OK &&
              !host.masked[1],
          "bind enables the line");
    CHECK(CALL(IRQ_BIND, irq, event) == ERR_BUSY, "bind: twice");
    CHECK(CALL(IRQ_ACK, irq) == ERR_STATE, "ack: nothing came");
    irq_deliver(1);
    CHECK(host.masked[1] && page(a)->events == 1u << 9, "an interrupt");
    CHECK(CALL(IRQ_ACK, 0) == ERR_SLOT, "ack: slot");
    CHECK(CALL(IRQ_ACK, EMPTY + 3) == ERR_EMPTY, "ack: empty");
    CHECK(CALL(IRQ_ACK, event) == ERR_TYPE, "ack: type");
    CHECK(CALL(IRQ_ACK, EMPTY + 2) == ERR_RIGHTS, "ack: right");
    CHECK(CALL(IRQ_ACK, irq) == ERR_OK && !host.masked[1], "ack");
    CHECK(CALL(IRQ_ACK, irq) == ERR_STATE, "ack: only once");
    irq_deliver(2);
    CHECK(host.masked[2], "a line that nobody bound is masked");
    CALL(CAP_REVOKE, host_kid_slot(0, KID_DISPATCHER));
    CHECK(CALL(CAP_DELETE, host_kid_slot(0, KID_DISPATCHER)) == ERR_OK &&
              host.masked[1] && !kernel.irq[1].bound,
          "a dead dispatcher's line is masked and free");
    CALL(EVENT_MINT, event, host_kid_slot(1, KID_DISPATCHER), 9);
    CHECK(CALL(IRQ_BIND, irq, event) == ERR_OK &&
              CALL(CAP_REVOKE, irq) == ERR_OK &&
              CALL(CAP_DELETE, irq) == ERR_OK && host.masked[1],
          "the last capability to a line masks it");
}

int main(void)
{
    test_run();
    test_expiry();
    test_clock();
    test_child_time();
    test_budget();
    test_limits();
    test_urgency();
    test_direct();
    test_displaced();
    test_displaced_twice();
    test_not_displaced();
    test_not_direct();
    test_displaced_scheduler();
    test_direct_nested();
    test_account();
    test_block();
    test_masks();
    test_bad_page();
    test_events();
    test_irqs();
    CHECK(abi_unseen(SYS_EVENT_MINT, SYS_RESUME) == 0,
          "every promised error was seen");
    return tap_end();
}
