/* SPDX-License-Identifier: BSL-1.0
 *
 * What a call lends: the callee has it at its address until it answers or the
 * call ends in another way; it lends on what it has, and never gets more than
 * the lender has.
 */
#include "kernel_abi.h"
#include "kernel_host.h"
#include "tap.h"

#define GATE    ((cptr_t)HOST_GATE)
#define SPARE   ((cptr_t)HOST_SPARE)
#define STRETCH ((cptr_t)HOST_FREE) /* root's, at VA */
#define HUGE    (STRETCH + 1)
#define DEVICE  (STRETCH + 2) /* the stretch of it, at VA_DEVICE */
#define FILLERS (STRETCH + 3)
#define VA      (HOST_RANGE_VA + 8 * STRETCH_BYTES)
#define R       ((uint64_t)RIGHT_READ)
#define RW      (R | RIGHT_WRITE)
#define RX      (R | RIGHT_EXEC)

#define VA_DEVICE (VA + STRETCH_BYTES)

static struct dispatcher *a, *b, *c; /* a calls b, which calls c */

static cptr_t domain(uint32_t kid)
{
    return host_kid_slot(kid, KID_DOMAIN);
}

static uint64_t entry_at(const struct dispatcher *d, uint64_t va)
{
    uint64_t level1 = domain_at(d->domain)->level1[va >> 30];
    const uint64_t *level2 = ram_at(ref_of(level1 & 0xfffffffff000));
    return level1 == 0 ? 0 : level2[va >> STRETCH_LOG2 & 511];
}

/* Does d see VA like this, 0: not at all? Of the table's attributes. */
static bool sees(const struct dispatcher *d, uint64_t rights)
{
    uint64_t entry = entry_at(d, VA);
    uint64_t has = entry == 0 ? 0
                              : R | (entry >> 62 & 1 ? 0 : RIGHT_WRITE) |
                                    (entry >> 60 & 1 ? 0 : RIGHT_EXEC);
    return has == rights;
}

static bool attach(uint32_t kid, uint64_t rights)
{
    return CALL(STRETCH_ATTACH, STRETCH, domain(kid), rights) == ERR_OK;
}

/* A stretch that a has, with these rights. */
static void setup(uint64_t rights)
{
    host_ring(3);
    a = host_kid_at(0);
    b = host_kid_at(1);
    c = host_kid_at(2);
    host.quick = true;
    CHECK(CALL(STRETCH_CREATE, STRETCH, HOST_UNTYPED, HOST_RANGE, VA) ==
                  ERR_OK &&
              attach(0, rights),
          "a stretch that a has");
    host_serve(1, SPARE);
    host_serve(2, 0);
}

/* a calls b and lends; who runs then is asked by the test. */
static void lend(uint64_t loan)
{
    host_run(0);
    host_lend(GATE, loan);
}

static void setup_lent(uint64_t rights)
{
    setup(RW);
    lend(LOAN(VA, rights));
    CHECK(host_current() == b && sees(b, rights), "lent");
}

/* Root has the CPU while the call goes on. */
static void root_looks(void)
{
    host_root();
    host_unmask(host_root_at());
}

/* It gives a its time again, which works for who serves a. */
static void go_on(void)
{
    CALL(RUN, 0, ~0ull, 1);
}

static bool gone(void)
{
    return sees(b, 0) && sees(c, 0) && b->lent == 0 && c->lent == 0;
}

static void test_answer(void)
{
    setup(RW);
    uint32_t publishes = host.publishes, flushes = host.tlb_domains;
    lend(LOAN(VA + 12345, R));
    CHECK(host_current() == b && b->context.x[10] == LOAN(VA, R) &&
              b->context.x[0] == 10 && b->context.x[9] == 0,
          "the callee is told what it got");
    CHECK(sees(b, R) && sees(a, RW), "with the rights given, and a keeps its");
    CHECK(host.publishes == publishes + 1 && host.tlb_domains == flushes,
          "by one store, and nothing is flushed");
    host_reply(0, 0);
    CHECK(host_current() == a && a->context.x[8] == ERR_OK && gone() &&
              sees(a, RW) && host.tlb_domains == flushes + 1,
          "the answer takes it back");
    host_lend(GATE, LOAN(VA, RW));
    CHECK(sees(b, RW), "to write");
    host_reply(REPLY_STAY, 0);
    CHECK(gone(), "an answer that does not wait takes it back, too");
}

static void test_plain_call(void)
{
    setup_lent(R);
    host_reply(0, 0);
    host_invoke(GATE, 0, 0);
    CHECK(host_current() == b && b->context.x[10] == 0 && gone(),
          "a plain call lends nothing");
}

static enum abi_error refused(uint64_t loan)
{
    lend(loan);
    CHECK(host_current() == a && sees(b, 0) && b->lent == 0,
          "a refused call lends nothing");
    enum abi_error e = (enum abi_error)a->context.x[8];
    host_root();
    host_unmask(host_root_at());
    return e;
}

static void test_refused(void)
{
    setup(RX);
    CHECK(refused(LOAN(VA, RW)) == ERR_RIGHTS, "no more than a has");
    CHECK(refused(LOAN(VA, RW | RX)) == ERR_WX, "W and X");
    CHECK(refused(LOAN(VA, 0)) == ERR_RANGE &&
              refused(LOAN(VA, RIGHT_WRITE)) == ERR_RANGE &&
              refused(LOAN(VA, R) | 8) == ERR_RANGE,
          "rights that are none");
    CHECK(refused(LOAN(VA + STRETCH_BYTES, R)) == ERR_UNMAPPED &&
              refused(LOAN(VA + (1ull << 30), R)) == ERR_UNMAPPED &&
              refused(LOAN(~0ull, R)) == ERR_UNMAPPED,
          "what a does not have");
    CHECK(attach(0, R) && refused(LOAN(VA, RX)) == ERR_RIGHTS, "no code");
    CHECK(attach(1, R), "b has it already");
    lend(LOAN(VA, R));
    CHECK(host_current() == a && a->context.x[8] == ERR_BUSY && sees(b, R),
          "then it is not lent");
}

static void test_tables(void)
{
    setup(RW);
    host.quick = false; /* far away */
    uint64_t far = HOST_RANGE_VA + (3ull << 30);
    uint32_t n = domain_at(b->domain)->tables;
    for (uint32_t i = 0; i < n; i++) {
        CHECK(CALL(STRETCH_CREATE, FILLERS + i, HOST_UNTYPED, HOST_RANGE,
                   far + ((uint64_t)i << 30)) == ERR_OK &&
                  CALL(STRETCH_ATTACH, FILLERS + i, domain(1), R) == ERR_OK,
              "b has a table in use");
    }
    CHECK(refused(LOAN(VA, R)) == ERR_NOTABLE, "b has no table left");
    CALL(STRETCH_DETACH, FILLERS, domain(1));
    lend(LOAN(VA, R));
    CHECK(host_current() == b && sees(b, R), "now it has");
    host_reply(0, 0);
    const struct domain *d = domain_at(b->domain);
    uint32_t used = 0;
    for (uint32_t i = 0; i < n; i++) {
        used += d->table[i].used;
    }
    CHECK(gone() && used == n - 1, "and has it again");
}

static void test_huge(void)
{
    setup(RW);
    CHECK(CALL(UNTYPED_RETYPE, HOST_DEVICE, HUGE, TYPE_FRAME, HUGE_FRAME_LOG2,
               1) == ERR_OK &&
              CALL(STRETCH_CREATE, DEVICE, HUGE, HOST_RANGE, VA_DEVICE, RW) ==
                  ERR_OK &&
              CALL(STRETCH_ATTACH, DEVICE, domain(0), RW) == ERR_OK,
          "a has 2 MiB of device memory");
    uint64_t whole = entry_at(a, VA_DEVICE);
    lend(LOAN(VA_DEVICE, R));
    CHECK(host_current() == b && entry_at(b, VA_DEVICE) == (whole | 1ull << 7),
          "lent as the block that it is, read-only");
    host_reply(0, 0);
    host_lend(GATE, LOAN(VA_DEVICE, RW));
    CHECK(entry_at(b, VA_DEVICE) == whole, "and to write");
    host_reply(0, 0);
    host_lend(GATE, LOAN(VA_DEVICE, RX));
    CHECK(a->context.x[8] == ERR_RIGHTS, "it is no code");
}

static void test_chain(void)
{
    setup_lent(RW);
    host_lend(GATE, LOAN(VA, R));
    CHECK(host_current() == c && sees(c, R) && sees(b, RW), "lent on, less");
    host_reply(0, 0);
    CHECK(host_current() == b && sees(c, 0) && sees(b, RW),
          "it comes back one step");
    host_lend(GATE, LOAN(VA, RW));
    root_looks();
    CHECK(CALL(DISPATCHER_CANCEL, host_kid_slot(0, KID_DISPATCHER)) == ERR_OK,
          "a's call is given up");
    CHECK(gone() && c->caller == b->self && a->context.x[8] == ERR_TIMEOUT,
          "what was lent on goes back with it");
    setup_lent(R);
    host_lend(GATE, LOAN(VA, RW));
    CHECK(host_current() == b && b->context.x[8] == ERR_RIGHTS,
          "nobody lends on more than he got");
}

/* A row of calls has CALLS_MAX in it at most, each of which may lend on. */
static void test_long_chain(void)
{
    uint32_t last = 0;
    host_ring(CALLS_MAX + 3);
    host.quick = true;
    CHECK(CALL(STRETCH_CREATE, STRETCH, HOST_UNTYPED, HOST_RANGE, VA) ==
                  ERR_OK &&
              attach(0, RW),
          "a stretch that the first one has");
    for (uint32_t i = 1; i < CALLS_MAX + 3; i++) {
        host_serve(i, 0);
    }
    host_run(0);
    while (last < CALLS_MAX + 2 && host_current() == host_kid_at(last)) {
        host_lend(GATE, LOAN(VA, RW));
        last++;
    }
    CHECK(last == CALLS_MAX + 1 && host_current() == host_kid_at(CALLS_MAX) &&
              host_current()->context.x[8] == ERR_DEADLOCK,
          "one call too many in a row is refused");
    root_looks();
    CHECK(CALL(STRETCH_DETACH, STRETCH, domain(0)) == ERR_OK, "taken back");
    bool seen = false;
    for (uint32_t i = 0; i < CALLS_MAX + 3; i++) {
        seen = seen || !sees(host_kid_at(i), 0);
    }
    CHECK(!seen, "from everybody to whom it was lent on");
}

static void test_chain_is_revoked(void)
{
    setup_lent(RW);
    host_lend(GATE, LOAN(VA, RW));
    root_looks();
    CHECK(CALL(STRETCH_DETACH, STRETCH, domain(0)) == ERR_OK && gone() &&
              sees(a, 0),
          "who loses it loses what he lent");
    CHECK(attach(0, RW) && gone(), "and does not lend it anew");
    setup_lent(RW);
    host_lend(GATE, LOAN(VA, RW));
    root_looks();
    CHECK(attach(0, R) && gone() && sees(a, R), "or gets other rights");
    setup_lent(RW);
    host_lend(GATE, LOAN(VA, RW));
    root_looks();
    CHECK(CALL(STRETCH_DETACH, STRETCH, domain(1)) == ERR_OK && gone() &&
              sees(a, RW),
          "likewise in the middle");
    setup_lent(RW);
    host_invoke(GATE, 0, 0);
    root_looks();
    CHECK(CALL(STRETCH_DETACH, STRETCH, domain(0)) == ERR_OK && gone(),
          "a call that lends nothing ends the chain");
}

static void test_other_stretch(void)
{
    setup_lent(RW);
    CHECK(host_current() == b, "b serves");
    root_looks();
    CHECK(CALL(STRETCH_CREATE, FILLERS, HOST_UNTYPED, HOST_RANGE, VA_DEVICE) ==
                  ERR_OK &&
              CALL(STRETCH_ATTACH, FILLERS, domain(0), R) == ERR_OK &&
              CALL(STRETCH_DETACH, FILLERS, domain(0)) == ERR_OK &&
              CALL(STRETCH_ATTACH, FILLERS, domain(1), R) == ERR_OK &&
              CALL(STRETCH_DETACH, FILLERS, domain(1)) == ERR_OK,
          "another stretch comes and goes");
    CHECK(sees(b, RW) && b->lent == LOAN(VA, RW), "this one stays lent");
}

static void test_given_meanwhile(void)
{
    setup_lent(R);
    root_looks();
    CHECK(attach(1, RW) && b->lent == 0, "who gets it for good owes it not");
    go_on();
    CHECK(host_current() == b, "the call goes on");
    host_reply(0, 0);
    CHECK(sees(b, RW), "and keeps it");
}

static void test_ends(void)
{
    setup_lent(R);
    root_looks();
    CHECK(CALL(DISPATCHER_CANCEL, host_kid_slot(0, KID_DISPATCHER)) == ERR_OK &&
              gone() && b->state == IS_READY,
          "the call is given up");
    setup_lent(R);
    root_looks();
    CHECK(CALL(DISPATCHER_STOP, host_kid_slot(0, KID_DISPATCHER)) == ERR_OK &&
              gone(),
          "the lender is stopped");
    setup_lent(R);
    root_looks();
    CHECK(CALL(DISPATCHER_STOP, host_kid_slot(1, KID_DISPATCHER)) == ERR_OK &&
              gone() && a->context.x[8] == ERR_PEER_DEAD,
          "the callee is stopped");
    static const uint32_t parts[] = {KID_DISPATCHER, KID_DOMAIN};
    for (uint32_t i = 0; i < 4; i++) {
        setup_lent(R);
        root_looks();
        CHECK(CALL(CAP_REVOKE, host_kid_slot(i / 2, parts[i % 2])) == ERR_OK &&
                  CALL(CAP_DELETE, host_kid_slot(i / 2, parts[i % 2])) ==
                      ERR_OK &&
                  (i == 3 || gone()),
              "lender or callee, dispatcher or domain, dies");
    }
}

static void test_stretch_dies(void)
{
    setup_lent(RW);
    host_lend(GATE, LOAN(VA, RW));
    root_looks();
    CHECK(CALL(CAP_DELETE, STRETCH) == ERR_OK && gone() && sees(a, 0),
          "the stretch dies in the middle of the calls");
    CHECK(CALL(STRETCH_CREATE, STRETCH, HOST_UNTYPED, HOST_RANGE, VA) ==
                  ERR_OK &&
              attach(1, R),
          "another comes at its address, for b");
    go_on();
    host_reply(0, 0);
    host_reply(0, 0);
    CHECK(host_current() == a && sees(b, R), "which answers do not take back");
}

static void test_saved(void)
{
    setup_lent(R);
    CHECK(CALL(REPLY_SAVE, SPARE) == ERR_OK && gone(),
          "who answers later gives it back at once");
    root_looks();
    CHECK(CALL(STRETCH_DETACH, STRETCH, domain(0)) == ERR_OK && gone() &&
              a->state == IS_CALLING,
          "and its owner may lose it while the answer is awaited");
}

/* b serves c; a runs. */
static void setup_line(void)
{
    setup(RW);
    CALL(CAP_COPY, CPTR(host_kid_slot(2, KID_CNODE), SPARE),
         host_kid_slot(1, KID_ENDPOINT), ~0ull, 200);
    upcall_event(c, 1);
    host_run(2);
    host_invoke(SPARE, 0, 0);
    CHECK(host_current() == b && b->caller == c->self, "b serves c");
    root_looks();
    host_run(0);
}

/* While a waits in line. */
static void test_in_line(void)
{
    setup_line();
    host_lend(GATE, LOAN(VA, R));
    CHECK(a->state == IS_QUEUED && gone(), "nothing is lent while one waits");
    CHECK(host_current() == b, "a's time helps");
    host_reply(0, 0);
    CHECK(b->caller == a->self && sees(b, R) && b->lent == LOAN(VA, R),
          "then it is");
}

/* c lends it to b, on whom a waits, who has it as well. */
static void test_in_line_changed(void)
{
    setup(RW);
    CHECK(attach(2, RW), "c has it, too");
    CALL(CAP_COPY, CPTR(host_kid_slot(2, KID_CNODE), SPARE),
         host_kid_slot(1, KID_ENDPOINT), ~0ull, 200);
    upcall_event(c, 1);
    host_run(2);
    host_lend(SPARE, LOAN(VA, R));
    CHECK(host_current() == b && sees(b, R), "c lends it to b");
    root_looks();
    host_run(0);
    host_invoke(GATE, 0, 0);
    CHECK(a->state == IS_QUEUED, "a waits for b");
    root_looks();
    CHECK(attach(0, R) && sees(b, R) && b->lent == LOAN(VA, R),
          "who is in line takes nothing back");
}

static void test_in_line_refused(void)
{
    setup_line();
    host_lend(GATE, LOAN(VA, RW));
    root_looks();
    CHECK(attach(0, R), "meanwhile a has less");
    go_on();
    host_reply(0, 0);
    CHECK(a->state == IS_READY && a->context.x[8] == ERR_RIGHTS && gone(),
          "so that it lends nothing");
}

static void test_with_capability(void)
{
    setup(RW);
    host_run(0);
    host_current()->context.x[11] = LOAN(VA, R);
    host_invoke(GATE | CALL_LEND | CALL_CAP, GATE, 0);
    CHECK(host_current() == b && b->context.x[9] == 1 &&
              b->context.x[10] == LOAN(VA, R) && sees(b, R),
          "a capability and a loan");
    host_reply(0, 0);
    CHECK(gone(), "the loan goes back");
    a->context.x[11] = LOAN(VA, R);
    host_invoke(GATE | CALL_LEND | CALL_CAP, GATE, 0);
    CHECK(host_current() == a && a->context.x[8] == ERR_FULL && gone(),
          "no place for the capability: nothing is lent");
}

static void test_sweep(void)
{
    setup(RW);
    kernel.sweep = VA; /* as while the stretch is taken from domain by domain */
    host_run(0);
    a->context.x[11] = LOAN(VA, R);
    host_invoke(GATE | CALL_LEND, 0, 0);
    CHECK(a->context.x[8] == ERR_UNMAPPED && gone(),
          "what is being taken away is lent to nobody");
}

int main(void)
{
    test_answer();
    test_plain_call();
    test_refused();
    test_tables();
    test_huge();
    test_chain();
    test_long_chain();
    test_chain_is_revoked();
    test_other_stretch();
    test_given_meanwhile();
    test_ends();
    test_stretch_dies();
    test_saved();
    test_in_line();
    test_in_line_changed();
    test_in_line_refused();
    test_with_capability();
    test_sweep();
    return tap_end();
}
