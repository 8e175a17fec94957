/* SPDX-License-Identifier: BSL-1.0
 *
 * Saved replies: a callee keeps the right to answer and serves others
 * meanwhile; it answers once, in any order, or not at all, and either side can
 * go away.
 */
#include "kernel_abi.h"
#include "kernel_host.h"
#include "tap.h"

#define GATE  ((cptr_t)HOST_GATE)
#define SPARE ((cptr_t)HOST_SPARE) /* b's place for the reply to a */
#define NEXT  (SPARE + 1)          /* and for the one to c */

static struct dispatcher *a, *b, *c; /* a and c call b */

static cptr_t part(uint32_t kid, uint32_t which)
{
    return host_kid_slot(kid, which);
}

static const struct slot *kid_slot(uint32_t kid, cptr_t slot)
{
    return slot_at(domain_at(host_kid_at(kid)->domain)->cnode + (ref_t)slot);
}

static enum abi_error error(const struct dispatcher *d)
{
    return (enum abi_error)d->context.x[8];
}

/* Kid i calls b, which serves at once. */
static void call(uint32_t i, uint64_t flags)
{
    host_run(i);
    host_invoke((i == 0 ? GATE : SPARE) | flags, GATE, NEXT);
    CHECK(host_current() == b && b->caller == host_kid_at(i)->self,
          "b serves the call");
}

static enum abi_error save(cptr_t slot)
{
    return CALL(REPLY_SAVE, slot);
}

/* b goes on, on its own time, and waits for a call. */
static void wait_again(void)
{
    host_unmask(host_root_at());
    host_run(1);
    host_unmask(b);
    CALL(BLOCK, ~0ull);
    host_unmask(host_root_at());
}

static void setup(void)
{
    host_ring(3);
    a = host_kid_at(0);
    b = host_kid_at(1);
    c = host_kid_at(2);
    CALL(CAP_COPY, CPTR(part(2, KID_CNODE), SPARE), part(1, KID_ENDPOINT),
         ~0ull, 200);
    host_serve(1, 0);
}

/* b holds the reply to a; root runs. */
static void setup_saved(void)
{
    setup();
    call(0, CALL_RECEIVE);
    CHECK(save(SPARE) == ERR_OK, "saved");
    CHECK(host_current() == host_root_at(), "a's time is over");
}

static void test_save(void)
{
    setup();
    host_run(0);
    CHECK(save(SPARE) == ERR_NOREPLY, "who owes nothing saves nothing");
    host_root();
    call(0, 0);
    CHECK(save(0) == ERR_SLOT && save(GATE) == ERR_FULL &&
              save(CPTR(SPARE, 1)) == ERR_EMPTY &&
              save(CPTR(GATE, 1)) == ERR_TYPE,
          "no place for it");
    CHECK(save(SPARE) == ERR_OK, "saved");
    CHECK(a->state == IS_CALLING && a->callee == 0 && b->caller == 0 &&
              b->state == IS_READY,
          "the server owes nothing, the caller waits");
    const struct child_entry *word = host_root_at()->identity.child;
    CHECK(host_current() == host_root_at() && word[0].state == CHILD_CALLING &&
              word[1].state == CHILD_READY &&
              (upcall_page(host_root_at())->pending & REASON_CHILD),
          "the time of the caller comes back, its scheduler sees why");
    host_unmask(host_root_at());
    CHECK(CALL(RUN, 0, ~0ull, 0) == ERR_STATE, "and cannot run it");
    host_run(1);
    CHECK(b->context.x[0] == ERR_OK, "the server goes on");
    CHECK(CALL(CAP_IDENTIFY, SPARE) == ERR_OK &&
              (host_result[1] & 0xffffff) ==
                  (TYPE_REPLY | DISPATCHER_LOG2 << 16),
          "it holds a reply");
    CHECK(save(NEXT) == ERR_NOREPLY, "and owes no second one");
}

static void test_order(void)
{
    setup_saved();
    wait_again();
    call(2, 0);
    CHECK(b->context.x[8] == 200, "another call comes meanwhile");
    host_reply(SPARE, 0);
    CHECK(error(b) == ERR_STATE && b->caller == c->self,
          "while it owes c an answer it cannot wait for the next call");
    CHECK(save(SPARE) == ERR_FULL && save(NEXT) == ERR_OK, "c waits, too");
    host_unmask(host_root_at());
    host_run(1);
    host_reply(NEXT, 0);
    CHECK(c->state == IS_READY && error(c) == ERR_OK && c->context.x[7] == 27 &&
              c->context.x[9] == 0 && a->state == IS_CALLING &&
              b->state == IS_BLOCKED,
          "c has its answer before a");
    CHECK(kid_slot(1, NEXT)->type == TYPE_NULL, "a reply is used up");
    host_unmask(host_root_at());
    upcall_event(b, 1);
    host_root();
    host_run(1);
    host_unmask(b);
    host_reply(NEXT, 0);
    CHECK(error(b) == ERR_EMPTY, "once");
    host_reply(GATE, 0);
    CHECK(error(b) == ERR_TYPE, "an endpoint is no reply");
    host_reply(SPARE | 1ull << 40, 0);
    CHECK(error(b) == ERR_RANGE, "bad flags");
    host_reply(SPARE | REPLY_CAP, NEXT);
    CHECK(error(b) == ERR_EMPTY && kid_slot(1, SPARE)->type == TYPE_REPLY,
          "a failed answer keeps it");
    host_reply(SPARE | REPLY_CAP, GATE);
    CHECK(error(a) == ERR_OK && a->context.x[9] == 1 &&
              kid_slot(0, NEXT)->type == TYPE_ENDPOINT,
          "a capability comes with a late answer");
}

static void test_stay(void)
{
    setup();
    call(0, 0);
    host_reply(REPLY_STAY, 0);
    CHECK(host_current() == a && error(a) == ERR_OK, "the caller goes on");
    CHECK(b->state == IS_READY && error(b) == ERR_OK && b->caller == 0 &&
              (upcall_page(host_root_at())->pending & REASON_CHILD),
          "so does the server, and its scheduler learns of it");
    host_root();
    host_run(1);
    CHECK(b->context.x[0] == 20, "where it was");
    host_reply(REPLY_STAY, 0);
    CHECK(error(b) == ERR_NOREPLY, "it owes nothing");
    setup_saved();
    wait_again();
    call(2, 0);
    host_reply(SPARE | REPLY_STAY, 0);
    CHECK(host_current() == b && b->caller == c->self && error(a) == ERR_OK,
          "it answers a while it serves c, on c's time");
    host_reply(0, 0);
    CHECK(host_current() == c && b->state == IS_BLOCKED, "and then c");
    setup_saved();
    host_unmask(host_root_at());
    host_run(1);
    host_reply(SPARE | REPLY_STAY, 0);
    CHECK(host_current() == b && a->state == IS_READY,
          "on its own time it answers, and goes on");
}

/* A caller of higher urgency runs as soon as it has its answer. */
static void test_urgent(void)
{
    setup_saved();
    a->urgency = 9;
    host_unmask(host_root_at());
    host_run(1);
    host_reply(SPARE | REPLY_STAY, 0);
    CHECK(host_current() == host_root_at() && a->state == IS_READY &&
              b->state == IS_READY,
          "the scheduler decides anew");
}

/* A server that has an upcall waiting goes on with that. */
static void test_pending(void)
{
    setup();
    call(0, 0);
    upcall_page(b)->mask = MASK_ON;
    upcall_post(b, REASON_EVENT);
    host_reply(0, 0);
    CHECK(b->state == IS_READY && b->context.pc == HOST_ENTRY &&
              (upcall_page(host_root_at())->pending & REASON_CHILD),
          "on its own time: its scheduler learns of it");
}

static void test_moves(void)
{
    setup_saved();
    wait_again();
    upcall_event(b, 1);
    host_root();
    host_run(1);
    host_unmask(b);
    CHECK(CALL(CAP_COPY, NEXT, SPARE, ~0ull) == ERR_TYPE, "never copied");
    CHECK(CALL(CAP_REVOKE, SPARE) == ERR_OK &&
              kid_slot(1, SPARE)->type == TYPE_REPLY,
          "nothing is derived from it");
    CHECK(CALL(CAP_MOVE, NEXT, SPARE) == ERR_OK &&
              slot_at(a->reply) == kid_slot(1, NEXT),
          "moved: the caller knows where to");
    host_root();
    CHECK(CALL(CAP_MOVE, CPTR(part(2, KID_CNODE), NEXT),
               CPTR(part(1, KID_CNODE), NEXT)) == ERR_OK,
          "moved to another domain");
    host_run(2);
    host_reply(NEXT, 0);
    CHECK(error(a) == ERR_OK && a->context.x[0] == 20, "which answers");
    CHECK(c->state == IS_BLOCKED && c->until == ~0ull &&
              host_root_at()->identity.child[2].until == ~0ull,
          "and waits for ever, as it never said until when");
    host_root();
    setup_saved();
    CALL(CAP_MOVE, HOST_FREE, CPTR(part(1, KID_CNODE), SPARE));
    CHECK(CALL(CAP_DELETE, HOST_FREE) == ERR_OK && error(a) == ERR_PEER_DEAD,
          "or gives up");
    setup_saved();
    host_unmask(host_root_at());
    host_serve(1, NEXT);
    CALL(CAP_MOVE, CPTR(part(2, KID_CNODE), NEXT),
         CPTR(part(1, KID_CNODE), SPARE));
    host_run(2);
    host_invoke(SPARE | CALL_CAP, NEXT, 0);
    CHECK(host_current() == c && error(c) == ERR_TYPE &&
              kid_slot(2, NEXT)->type == TYPE_REPLY,
          "it is not sent with a call");
}

/* The holder's side ends. */
static void test_holder(void)
{
    setup_saved();
    CHECK(CALL(CAP_DELETE, CPTR(part(1, KID_CNODE), SPARE)) == ERR_OK &&
              error(a) == ERR_PEER_DEAD && a->state == IS_READY,
          "the reply is deleted");
    setup_saved();
    CHECK(CALL(CAP_DELETE, part(1, KID_CNODE)) == ERR_OK &&
              error(a) == ERR_PEER_DEAD,
          "the table that it lies in is deleted");
    setup_saved();
    CHECK(CALL(DISPATCHER_STOP, part(1, KID_DISPATCHER)) == ERR_OK &&
              CALL(DISPATCHER_START, part(1, KID_DISPATCHER), 0x100, 0x8000) ==
                  ERR_OK &&
              a->state == IS_CALLING,
          "a server that starts anew still has it");
    host_unmask(host_root_at());
    host_run(1);
    host_reply(SPARE, 0);
    CHECK(error(a) == ERR_OK, "and answers");
    setup_saved();
    CHECK(CALL(CAP_DELETE, part(1, KID_DISPATCHER)) == ERR_OK &&
              CALL(CAP_DELETE, part(1, KID_DOMAIN)) == ERR_OK &&
              a->state == IS_CALLING,
          "it outlives its server's dispatcher and domain");
    CHECK(CALL(CAP_REVOKE, HOST_UNTYPED) == ERR_OK, "all goes");
}

/* The caller's side ends: the slot is empty at once. */
static void test_caller(void)
{
    setup_saved();
    CHECK(CALL(DISPATCHER_CANCEL, part(0, KID_DISPATCHER)) == ERR_OK &&
              error(a) == ERR_TIMEOUT && a->state == IS_READY &&
              kid_slot(1, SPARE)->type == TYPE_NULL,
          "the caller gives up");
    setup_saved();
    CHECK(CALL(DISPATCHER_STOP, part(0, KID_DISPATCHER)) == ERR_OK &&
              a->state == IS_STOPPED && kid_slot(1, SPARE)->type == TYPE_NULL,
          "the caller is stopped");
    setup_saved();
    CHECK(CALL(CAP_DELETE, part(0, KID_DOMAIN)) == ERR_OK &&
              a->state == IS_STOPPED && kid_slot(1, SPARE)->type == TYPE_NULL,
          "the caller's domain dies");
    setup_saved();
    CHECK(CALL(CAP_DELETE, part(0, KID_DISPATCHER)) == ERR_OK &&
              kid_slot(1, SPARE)->type == TYPE_NULL,
          "the caller dies");
    host_unmask(host_root_at());
    host_run(1);
    host_reply(SPARE, 0);
    CHECK(error(b) == ERR_EMPTY, "nobody is there to be answered");
}

/* A server that schedules its own caller. */
static void test_scheduler(void)
{
    setup();
    host_kid_under(3, part(1, KID_DISPATCHER));
    CALL(DISPATCHER_START, part(3, KID_DISPATCHER), 0x100, 0x8000);
    CALL(CAP_COPY, CPTR(part(3, KID_CNODE), GATE), part(1, KID_ENDPOINT),
         ~0ull);
    upcall_event(b, 1);
    host_root();
    host_run(1);
    host_unmask(b);
    CALL(RUN, 0, ~0ull, 0);
    struct dispatcher *d = host_current();
    CHECK(d->parent == b->self, "its child runs");
    host_invoke(GATE, 0, 0);
    CHECK(host_current() == b && b->caller == d->self, "and calls it");
    CHECK(save(SPARE) == ERR_OK && host_current() == b &&
              kernel.core[0].depth == 2 &&
              (upcall_page(b)->pending & REASON_CHILD),
          "it goes on, and learns that its child waits");
    host_unmask(b);
    host_reply(SPARE | REPLY_STAY, 0);
    CHECK(host_current() == b && d->state == IS_READY &&
              (upcall_page(b)->pending & REASON_CHILD),
          "or can run again");
}

int main(void)
{
    test_save();
    test_order();
    test_stay();
    test_urgent();
    test_pending();
    test_moves();
    test_holder();
    test_caller();
    test_scheduler();
    CHECK(abi_unseen(SYS_REPLY_SAVE, SYS_REPLY_SAVE) == 0,
          "every promised error was seen");
    return tap_end();
}
