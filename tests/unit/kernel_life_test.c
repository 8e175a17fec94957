/* SPDX-License-Identifier: BSL-1.0
 *
 * The life of domains and dispatchers: made, bound, started, stopped, and gone,
 * in whatever order their parts go.
 */
#include "kernel_abi.h"
#include "kernel_host.h"
#include "tap.h"

#include <string.h>

#define EMPTY ((cptr_t)HOST_FREE) /* CNode, domain, dispatcher of setup */
#define NODE  EMPTY
#define DOM   (EMPTY + 1)
#define DISP  (EMPTY + 2)
#define LESS  (EMPTY + 3) /* copies with no right but READ */
#define FREE  (EMPTY + 8) /* from here on: empty */
#define VA    (HOST_ATTIC_VA + 64 * PAGE_BYTES)

static void make(cptr_t node, cptr_t domain, cptr_t disp)
{
    bool made = CALL(UNTYPED_RETYPE, HOST_UNTYPED, node, TYPE_CNODE, 10, 1, 0,
                     2) == ERR_OK &&
                CALL(UNTYPED_RETYPE, HOST_UNTYPED, domain, TYPE_DOMAIN, 14,
                     1) == ERR_OK &&
                CALL(UNTYPED_RETYPE, HOST_UNTYPED, disp, TYPE_DISPATCHER, 14,
                     1) == ERR_OK;
    CHECK(made, "CNode, domain, dispatcher");
}

static void setup(void)
{
    host_boot(20);
    make(NODE, DOM, DISP);
    for (uint32_t i = 0; i < 3; i++) {
        CALL(CAP_COPY, LESS + i, EMPTY + i, RIGHT_READ);
    }
}

static void test_cspace(void)
{
    setup();
    CHECK(CALL(DOMAIN_SET_CSPACE, 0, NODE) == ERR_SLOT, "slot");
    CHECK(CALL(DOMAIN_SET_CSPACE, DOM, FREE) == ERR_EMPTY, "empty");
    CHECK(CALL(DOMAIN_SET_CSPACE, NODE, DOM) == ERR_TYPE, "swapped");
    CHECK(CALL(DOMAIN_SET_CSPACE, LESS + 1, NODE) == ERR_RIGHTS &&
              CALL(DOMAIN_SET_CSPACE, DOM, LESS) == ERR_RIGHTS,
          "rights");
    CHECK(CALL(DOMAIN_SET_CSPACE, CPTR_SELF_DOMAIN, NODE) == ERR_BUSY &&
              CALL(DOMAIN_SET_CSPACE, DOM, HOST_CNODE) == ERR_BUSY,
          "one CNode serves one domain");
    CHECK(CALL(DOMAIN_SET_CSPACE, DOM, NODE) == ERR_OK, "set");
    CALL(CAP_DELETE, LESS);
    CHECK(CALL(CAP_DELETE, NODE) == ERR_OK &&
              domain_at(host_slot(DOM)->obj)->cnode == 0,
          "the CNode goes");
    CHECK(CALL(UNTYPED_RETYPE, HOST_UNTYPED, NODE, TYPE_CNODE, 10, 1, 0, 2) ==
                  ERR_OK &&
              CALL(DOMAIN_SET_CSPACE, DOM, NODE) == ERR_OK,
          "another serves");
    CALL(CAP_DELETE, LESS + 1);
    CHECK(CALL(CAP_DELETE, DOM) == ERR_OK &&
              ((struct cnode *)ram_at(host_slot(NODE)->obj))->domain == 0,
          "the domain goes");
}

static enum abi_error bind(cptr_t disp, cptr_t domain, cptr_t cpu, cptr_t s,
                           uint64_t va)
{
    return CALL(DISPATCHER_BIND, disp, domain, cpu, s, va);
}

static void test_bind(void)
{
    setup();
    CHECK(bind(0, DOM, HOST_CPU, HOST_ATTIC, VA) == ERR_SLOT, "slot");
    CHECK(bind(DISP, FREE, HOST_CPU, HOST_ATTIC, VA) == ERR_EMPTY, "empty");
    CHECK(bind(DISP, DOM, HOST_ATTIC, HOST_CPU, VA) == ERR_TYPE, "swapped");
    CHECK(bind(LESS + 2, DOM, HOST_CPU, HOST_ATTIC, VA) == ERR_RIGHTS &&
              bind(DISP, LESS + 1, HOST_CPU, HOST_ATTIC, VA) == ERR_RIGHTS,
          "rights");
    CALL(CAP_COPY, FREE, HOST_ATTIC, RIGHT_READ);
    CHECK(bind(DISP, DOM, HOST_CPU, FREE, VA) == ERR_RIGHTS, "stretch: right");
    CHECK(bind(DISP, DOM, HOST_CPU1, HOST_ATTIC, VA) == ERR_STATE,
          "a parked core");
    CHECK(bind(DISP, DOM, HOST_CPU, HOST_ATTIC, VA + 8) == ERR_ALIGN, "align");
    uint64_t end = HOST_ATTIC_VA + STRETCH_BYTES;
    CHECK(bind(DISP, DOM, HOST_CPU, HOST_ATTIC, end) == ERR_RANGE &&
              bind(DISP, DOM, HOST_CPU, HOST_ATTIC, end - 2 * PAGE_BYTES) ==
                  ERR_RANGE,
          "outside");
    CHECK(bind(DISP, CPTR_SELF_DOMAIN, HOST_CPU, HOST_ATTIC, VA) == ERR_BUSY,
          "a domain has one dispatcher a core");
    CHECK(bind(DISP, DOM, HOST_CPU, HOST_ATTIC, end - 3 * PAGE_BYTES) == ERR_OK,
          "bind, at the end of a stretch");
    CHECK(bind(DISP, DOM, HOST_CPU, HOST_ATTIC, VA) == ERR_STATE, "twice");
    make(FREE + 1, FREE + 2, FREE + 3);
    CHECK(bind(FREE + 3, FREE + 2, HOST_CPU, HOST_ATTIC,
               end - 5 * PAGE_BYTES) == ERR_BUSY,
          "over another's pages");
    CALL(CAP_DELETE, LESS + 2);
    CHECK(CALL(CAP_DELETE, DISP) == ERR_OK &&
              bind(FREE + 3, FREE + 2, HOST_CPU, HOST_ATTIC,
                   end - 3 * PAGE_BYTES) == ERR_OK,
          "its pages go with it");
}

static void test_parent(void)
{
    const cptr_t self = CPTR_SELF_DISPATCHER;
    setup();
    CHECK(CALL(DISPATCHER_SET_PARENT, 0, self, 0) == ERR_SLOT, "slot");
    CHECK(CALL(DISPATCHER_SET_PARENT, FREE, self, 0) == ERR_EMPTY, "empty");
    CHECK(CALL(DISPATCHER_SET_PARENT, NODE, self, 0) == ERR_TYPE, "type");
    CHECK(CALL(DISPATCHER_SET_PARENT, LESS + 2, self, 0) == ERR_RIGHTS &&
              CALL(DISPATCHER_SET_PARENT, DISP, LESS + 2, 0) == ERR_RIGHTS,
          "rights");
    CHECK(CALL(DISPATCHER_SET_PARENT, DISP, self, CHILDREN_MAX) == ERR_RANGE,
          "index");
    CHECK(CALL(DISPATCHER_SET_PARENT, self, DISP, 0) == ERR_STATE,
          "root has no parent");
    CHECK(CALL(DISPATCHER_SET_PARENT, DISP, DISP, 0) == ERR_DEADLOCK, "itself");
    CHECK(CALL(DISPATCHER_SET_PARENT, DISP, self, 3) == ERR_OK, "set");
    CHECK(CALL(DISPATCHER_SET_PARENT, DISP, self, 4) == ERR_BUSY, "twice");
    struct upcall_page *page = upcall_page(host_root_at());
    CALL(UNTYPED_RETYPE, HOST_UNTYPED, FREE, TYPE_DISPATCHER, 14, 1);
    CHECK(page->child_changed[0] == 1u << 3 &&
              CALL(DISPATCHER_SET_PARENT, FREE, self, 70) == ERR_OK &&
              page->child_changed[1] == 1u << 6,
          "a bit for each child that changed");
    CALL(UNTYPED_RETYPE, HOST_UNTYPED, FREE + 20, TYPE_DISPATCHER, 14, 1);
    CHECK(CALL(DISPATCHER_SET_PARENT, FREE + 20, self, 71) == ERR_OK &&
              page->child_changed[1] == 3u << 6,
          "beside those that are there");
    uint32_t depth = 1; /* of DISP below root */
    cptr_t last = DISP;
    for (; depth < CHAIN_MAX + 2; depth++) {
        CALL(UNTYPED_RETYPE, HOST_UNTYPED, FREE + depth, TYPE_DISPATCHER, 14,
             1);
        if (CALL(DISPATCHER_SET_PARENT, FREE + depth, last, 0) != ERR_OK) {
            break;
        }
        last = FREE + depth;
    }
    CHECK(depth == CHAIN_MAX - 1, "schedulers nest as deep as the chain");
    CHECK(CALL(DISPATCHER_SET_PARENT, FREE + depth, self, 3) == ERR_BUSY,
          "an index in use");
}

static void test_start(void)
{
    setup();
    CHECK(CALL(DISPATCHER_START, DISP, 0, 0) == ERR_STATE, "not bound");
    CHECK(CALL(DISPATCHER_STOP, DISP) == ERR_STATE, "stop: not bound");
    bind(DISP, DOM, HOST_CPU, HOST_ATTIC, VA);
    CALL(DISPATCHER_SET_PARENT, DISP, CPTR_SELF_DISPATCHER, 0);
    CHECK(CALL(DISPATCHER_STOP, DISP) == ERR_STATE, "stop: is stopped");
    CHECK(CALL(DISPATCHER_START, 0) == ERR_SLOT, "slot");
    CHECK(CALL(DISPATCHER_START, FREE) == ERR_EMPTY, "empty");
    CHECK(CALL(DISPATCHER_START, NODE) == ERR_TYPE, "type");
    CHECK(CALL(DISPATCHER_START, LESS + 2) == ERR_RIGHTS, "right");
    CHECK(CALL(DISPATCHER_START, DISP, USER_VA_END, 0) == ERR_RANGE &&
              CALL(DISPATCHER_START, DISP, 0, USER_VA_END + 1) == ERR_RANGE,
          "addresses");
    CHECK(CALL(DISPATCHER_START, DISP, 0x100, 0x200, 77) == ERR_OK &&
              host_kid_at(0)->context.x[0] == 77 &&
              upcall_page(host_kid_at(0))->mask == MASK_ON,
          "start");
    CHECK(CALL(DISPATCHER_START, DISP, 0, 0) == ERR_STATE, "twice");
    CHECK(upcall_page(host_root_at())->pending & REASON_CHILD,
          "its scheduler learns that it is ready");
    host_run(0);
    CHECK(host_current()->context.pc == 0x100, "it runs");
    CHECK(CALL(DISPATCHER_STOP, CPTR_SELF_DISPATCHER) == ERR_OK &&
              host_current() == host_root_at(),
          "it stops itself");
    CHECK(CALL(DISPATCHER_STOP, 0) == ERR_SLOT, "stop: slot");
    CHECK(CALL(DISPATCHER_STOP, FREE) == ERR_EMPTY, "stop: empty");
    CHECK(CALL(DISPATCHER_STOP, NODE) == ERR_TYPE, "stop: type");
    CHECK(CALL(DISPATCHER_STOP, LESS + 2) == ERR_RIGHTS, "stop: right");
    CHECK(CALL(DISPATCHER_INSPECT, 0) == ERR_SLOT, "inspect: slot");
    CHECK(CALL(DISPATCHER_INSPECT, FREE) == ERR_EMPTY, "inspect: empty");
    CHECK(CALL(DISPATCHER_INSPECT, NODE) == ERR_TYPE, "inspect: type");
    CHECK(CALL(DISPATCHER_INSPECT, LESS + 2) == ERR_RIGHTS, "inspect: right");
    CHECK(CALL(DISPATCHER_INSPECT, DISP, 37) == ERR_RANGE, "inspect: index");
    CHECK(CALL(DISPATCHER_INSPECT, DISP, 32, 0, 0, 0, 99) == ERR_OK &&
              host_result[5] == 99,
          "inspect: four words, no more");
    struct dispatcher *kid = host_kid_at(0);
    for (uint32_t i = 0; i < 31; i++) {
        kid->context.x[i] = 100 + i;
    }
    kid->context.sp = 131;
    kid->context.pc = 132;
    kid->context.nzcv = 133;
    kid->context.tpidr = 134;
    kid->esr = 135;
    kid->far = 136;
    uint64_t right = 0;
    for (uint64_t i = 0; i <= 36; i++) {
        CALL(DISPATCHER_INSPECT, DISP, i);
        right += host_result[1] == 100 + i &&
                 host_result[4] == (i + 3 <= 36 ? 103 + i : 0);
    }
    CHECK(right == 37, "inspect: each word");
    upcall_page(kid)->mask = MASK_OFF;
    kid->cntv_ctl = 1;
    CHECK(CALL(DISPATCHER_START, DISP, 0x300, 0x200) == ERR_OK &&
              upcall_page(kid)->mask == MASK_ON && kid->cntv_ctl == 0,
          "anew, masked again, without the timer of its former life");
}

/* Whatever goes first, all goes, and the memory can be used again. */
static void test_teardown(void)
{
    static const uint8_t orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                        {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    for (uint32_t i = 0; i < 6; i++) {
        setup();
        CALL(CAP_REVOKE, HOST_UNTYPED);
        CALL(STRETCH_CREATE, HOST_ATTIC, HOST_UNTYPED, HOST_RANGE,
             HOST_ATTIC_VA);
        host_kid(0);
        host_kid(1);
        host_kid_start(0);
        host_kid_start(1);
        CALL(STRETCH_ATTACH, HOST_ATTIC, host_kid_slot(0, KID_DOMAIN), 3);
        host_run(0);
        upcall_event(host_kid_at(0), 1);
        host_root();
        for (uint32_t k = 0; k < 3; k++) {
            CHECK(CALL(CAP_DELETE, host_kid_slot(0, orders[i][k])) == ERR_OK,
                  "one part goes");
        }
        CHECK(host_root_at()->child[0] == 0, "nobody is left");
        host_unmask(host_root_at());
        host_run(1);
        host_root();
        CHECK(CALL(CAP_REVOKE, HOST_UNTYPED) == ERR_OK &&
                  CALL(UNTYPED_RETYPE, HOST_UNTYPED, FREE, TYPE_UNTYPED, 20,
                       1) == ERR_OK,
              "the memory is free");
    }
}

/* What goes takes nothing of others along. */
static void test_others(void)
{
    host_boot(20);
    host_kid(0);
    host_kid(1);
    host_kid_start(0);
    host_kid_start(1);
    struct dispatcher *kid = host_kid_at(0), *other = host_kid_at(1);
    for (uint32_t i = 0; i < 2; i++) {
        CALL(EVENT_MINT, FREE + i, host_kid_slot(i, KID_DISPATCHER), 9);
        CALL(IRQ_BIND, HOST_IRQ + i, FREE + i);
    }
    kid->fp.q[0] = other->self | (uint64_t)other->self << 32;
    CALL(CAP_DELETE, FREE);
    host_unmask(host_root_at());
    uint32_t forgotten = host.forgotten;
    CHECK(CALL(CAP_DELETE, host_kid_slot(0, KID_DISPATCHER)) == ERR_OK &&
              kid->state == IS_DEAD && host.forgotten == forgotten + 1,
          "a dispatcher goes");
    CHECK(upcall_page(host_root_at())->pending == REASON_CHILD &&
              host_root_at()->identity.child[0].state == CHILD_DEAD,
          "and its scheduler learns of it");
    CHECK(!kernel.irq[0].bound && kernel.irq[1].bound && host.masked[0] &&
              !host.masked[1] && other->parent == host_root_at()->self,
          "its interrupt line, not another's, and no family but its own");
    forgotten = host.forgotten;
    CHECK(CALL(CAP_DELETE, host_kid_slot(1, KID_DOMAIN)) == ERR_OK &&
              host.forgotten == forgotten + 1 && other->state == IS_STOPPED,
          "a domain stops its dispatcher, once");
    CALL(UNTYPED_RETYPE, HOST_UNTYPED, FREE, TYPE_DISPATCHER, 14, 1);
    struct dispatcher *d = dispatcher_at(host_slot(FREE)->obj);
    CHECK(CALL(CAP_DELETE, FREE) == ERR_OK && d->state == IS_DEAD &&
              dispatcher_at(0)->children == 0,
          "one without a family");
}

/* Who runs deletes its own parts. */
static void test_suicide(void)
{
    for (uint32_t which = 0; which < 3; which++) {
        host_boot(20);
        host_kid(0);
        host_kid_start(0);
        cptr_t own = host_kid_slot(0, which), node = host_kid_slot(0, 0);
        if (which != KID_CNODE) {
            CALL(CAP_MOVE, CPTR(node, 5), own);
        }
        host_run(0);
        if (which != KID_CNODE) {
            uint64_t x[8] = {5};
            CHECK(host_try(SYS_CAP_DELETE, x), "it deletes a part of itself");
            host_settle();
            CHECK(host_current() == host_root_at(), "and root goes on");
        } else {
            host_root();
            CALL(CAP_DELETE, own);
            host_run(0);
            CHECK(CALL(CAP_DELETE, 5) == ERR_SLOT, "without a CSpace");
        }
        CHECK(CALL(NULL) == ERR_OK, "all is well");
    }
}

/* Root ends its own dispatcher while it serves a call. */
static void test_root_ends(void)
{
    host_boot(20);
    host_kid(0);
    host_kid_start(0);
    CALL(UNTYPED_RETYPE, HOST_UNTYPED, FREE, TYPE_ENDPOINT, ENDPOINT_LOG2, 1);
    CALL(ENDPOINT_BIND, FREE, CPTR_SELF_DISPATCHER);
    CALL(CALL_ACCEPT, HOST_CALL_ENTRY, 0, 0);
    CALL(CAP_COPY, CPTR(host_kid_slot(0, KID_CNODE), 1), FREE, ~0ull);
    host_run(0);
    host_invoke(1, 0, 0);
    CHECK(host_current() == host_root_at() &&
              host_root_at()->caller == host_kid_at(0)->self,
          "root serves a call");
    struct dispatcher *kid = host_kid_at(0);
    CALL(CAP_DELETE, FREE);
    uint64_t x[8] = {HOST_DISPATCHER};
    CHECK(host_try(SYS_CAP_DELETE, x), "and deletes its dispatcher");
    host_settle();
    CHECK(kernel.core[0].depth == 0 && kernel.core[0].current == 0 &&
              kid->context.x[8] == ERR_PEER_DEAD,
          "the machine is at an end, the state is sound");
}

int main(void)
{
    test_cspace();
    test_bind();
    test_parent();
    test_start();
    test_teardown();
    test_others();
    test_suicide();
    test_root_ends();
    CHECK(abi_unseen(SYS_DOMAIN_SET_CSPACE, SYS_DISPATCHER_INSPECT) == 0,
          "every promised error was seen");
    return tap_end();
}
