/* SPDX-License-Identifier: BSL-1.0
 *
 * Capabilities: copy, move, delete, revoke, identify. That a refused call
 * changes nothing is checked by host_call.
 */
#include "kernel_abi.h"
#include "kernel_host.h"
#include "tap.h"

#define RW     (RIGHT_READ | RIGHT_WRITE)
#define NODE   ((cptr_t)HOST_FREE)     /* a CNode of rank 2, 32 slots */
#define GATE   ((cptr_t)HOST_FREE + 1) /* an endpoint */
#define PAGE   ((cptr_t)HOST_FREE + 2) /* a frame */
#define FIRST  ((cptr_t)HOST_FREE + 8) /* from here on: empty */
#define BEYOND ((cptr_t)HOST_SLOTS)

static void setup(void)
{
    host_boot(20);
    CHECK(CALL(UNTYPED_RETYPE, HOST_UNTYPED, NODE, TYPE_CNODE, 10, 1, 0, 2) ==
              ERR_OK,
          "a CNode");
    CHECK(CALL(UNTYPED_RETYPE, HOST_UNTYPED, GATE, TYPE_ENDPOINT, ENDPOINT_LOG2,
               1) == ERR_OK,
          "an endpoint");
    CHECK(CALL(UNTYPED_RETYPE, HOST_UNTYPED, PAGE, TYPE_FRAME, PAGE_LOG2, 1) ==
              ERR_OK,
          "a frame");
}

static void test_copy(void)
{
    setup();
    CHECK(CALL(CAP_COPY, FIRST, PAGE, RIGHT_READ, 0, 0) == ERR_OK, "copy");
    CHECK(host_slot(FIRST)->rights == RIGHT_READ, "the copy has fewer rights");
    CHECK(CALL(CAP_COPY, FIRST + 1, FIRST, ~0ull, 0, 0) == ERR_OK &&
              host_slot(FIRST + 1)->rights == RIGHT_READ,
          "a copy of the copy has no more");
    CHECK(CALL(CAP_COPY, FIRST + 2, FIRST, RW, 0, COPY_SIBLING) == ERR_OK &&
              (host_slot(FIRST + 2)->attr & ATTR_DEPTH) == 1,
          "a sibling has the depth of its source");
    CHECK(CALL(CAP_COPY, FIRST + 3, GATE, ~0ull, 77, 0) == ERR_OK &&
              host_slot(FIRST + 3)->word == 77,
          "mint gives a badge");
    CHECK(CALL(CAP_COPY, CPTR(NODE, 3), PAGE, ~0ull, 0, 0) == ERR_OK,
          "copy into another CNode");
    CHECK(CALL(CAP_COPY, FIRST + 4, CPTR(NODE, 3), ~0ull, 0, 0) == ERR_OK,
          "copy out of another CNode");
    CHECK(CALL(CAP_COPY, CPTR(CPTR_SELF_CNODE, FIRST + 5), PAGE, 1, 0, 0) ==
              ERR_OK,
          "copy by the name of the own CNode");
}

static void test_copy_errors(void)
{
    CHECK(CALL(CAP_COPY, 0, PAGE, 1) == ERR_SLOT, "slot 0 is no slot");
    CHECK(CALL(CAP_COPY, BEYOND, PAGE, 1) == ERR_SLOT, "copy to beyond");
    CHECK(CALL(CAP_COPY, FIRST + 7, BEYOND, 1) == ERR_SLOT, "copy of beyond");
    CHECK(CALL(CAP_COPY, FIRST + 7, ~0ull, 1) == ERR_SLOT, "copy of all ones");
    CHECK(CALL(CAP_COPY, CPTR(NODE, 0), PAGE, 1) == ERR_SLOT,
          "the header of a CNode is no slot");
    CHECK(CALL(CAP_COPY, CPTR(NODE, 32), PAGE, 1) == ERR_SLOT, "inner beyond");
    CHECK(CALL(CAP_COPY, CPTR(PAGE, 1), PAGE, 1) == ERR_TYPE,
          "a frame has no slots");
    CHECK(CALL(CAP_COPY, CPTR(FIRST + 7, 1), PAGE, 1) == ERR_EMPTY,
          "an empty slot has no slots");
    CHECK(CALL(CAP_COPY, FIRST + 7, FIRST + 6, 1) == ERR_EMPTY, "copy empty");
    CHECK(CALL(CAP_COPY, FIRST, PAGE, 1) == ERR_FULL, "copy to full");
    CHECK(CALL(CAP_COPY, PAGE, PAGE, 1) == ERR_FULL, "copy to itself");
    CHECK(CALL(CAP_COPY, FIRST + 7, HOST_UNTYPED, 1) == ERR_TYPE,
          "untyped memory is never copied");
    CHECK(CALL(CAP_COPY, FIRST + 7, HOST_RANGE, 1) == ERR_TYPE,
          "a range is never copied");
    CHECK(CALL(CAP_COPY, CPTR(NODE, 4), NODE, 1) == ERR_RANK,
          "a CNode does not go into itself");
    CHECK(CALL(CAP_COPY, CPTR(NODE, 4), HOST_CNODE, 1) == ERR_RANK,
          "a CNode does not go into a lower one");
    CHECK(CALL(CAP_COPY, FIRST + 7, PAGE, 1, 5) == ERR_PERM,
          "a frame takes no badge");
    CHECK(CALL(CAP_COPY, FIRST + 7, FIRST + 3, 1, 5) == ERR_PERM,
          "a badge is not replaced");
    CHECK(CALL(CAP_COPY, FIRST + 7, PAGE, 1, 0, 2) == ERR_RANGE, "copy flags");
}

static void test_move(void)
{
    setup();
    CHECK(CALL(CAP_COPY, FIRST, PAGE, ~0ull) == ERR_OK, "copy");
    CHECK(CALL(CAP_MOVE, FIRST + 1, PAGE) == ERR_OK &&
              host_slot(PAGE)->type == TYPE_NULL,
          "move");
    CHECK(CALL(CAP_REVOKE, FIRST + 1) == ERR_OK &&
              host_slot(FIRST)->type == TYPE_NULL,
          "its derivations stay its own");
    CHECK(CALL(CAP_MOVE, 0, FIRST + 1) == ERR_SLOT, "move to slot 0");
    CHECK(CALL(CAP_MOVE, FIRST, BEYOND) == ERR_SLOT, "move from beyond");
    CHECK(CALL(CAP_MOVE, FIRST, FIRST + 2) == ERR_EMPTY, "move empty");
    CHECK(CALL(CAP_MOVE, GATE, FIRST + 1) == ERR_FULL, "move to full");
    CHECK(CALL(CAP_MOVE, CPTR(NODE, 1), HOST_CNODE) == ERR_RANK, "move rank");
    CHECK(CALL(CAP_MOVE, CPTR(NODE, 1), NODE) == ERR_RANK, "move into itself");
    CHECK(CALL(CAP_MOVE, CPTR(NODE, 1), HOST_UNTYPED) == ERR_OK,
          "untyped memory moves into what was made of it");
    enum abi_error e = CALL(CAP_REVOKE, CPTR(NODE, 1));
    CHECK((e == ERR_OK || e == ERR_EMPTY) &&
              host_slot(HOST_UNTYPED)->type == TYPE_NULL &&
              host_slot(NODE)->type == TYPE_ZOMBIE,
          "revoking it there takes itself, and leaves a dying CNode");
    CHECK(CALL(CAP_DELETE, NODE) == ERR_OK &&
              host_slot(NODE)->type == TYPE_NULL,
          "which can be deleted");
}

/* The order in the list, as slots of root. */
static bool is_row(cptr_t a, cptr_t b, cptr_t c)
{
    return slot_at(host_slot(a)->next) == host_slot(b) &&
           slot_at(host_slot(b)->next) == host_slot(c);
}

static void test_rotate(void)
{
    cptr_t a = PAGE, b = FIRST, c = FIRST + 1, free = FIRST + 2;
    setup();
    CALL(CAP_COPY, b, a, 1);
    CALL(CAP_COPY, c, b, 1);
    CHECK(CALL(CAP_ROTATE, free, b, c) == ERR_OK && is_row(a, free, b) &&
              host_slot(c)->type == TYPE_NULL,
          "neighbours rotate, and stay neighbours");
    CHECK((host_slot(free)->attr & ATTR_DEPTH) == 1 &&
              (host_slot(b)->attr & ATTR_DEPTH) == 2,
          "the pivot goes to dst, src to the pivot");
    CHECK(CALL(CAP_ROTATE, b, free, b) == ERR_OK && is_row(a, b, free) &&
              CALL(CAP_ROTATE, free, b, free) == ERR_OK && is_row(a, free, b),
          "neighbours change places, either way round");
    CHECK(CALL(CAP_ROTATE, GATE, b, GATE) == ERR_OK && is_row(a, free, GATE) &&
              host_slot(b)->type == TYPE_ENDPOINT &&
              CALL(CAP_ROTATE, GATE, b, GATE) == ERR_OK,
          "and strangers");
    CHECK(CALL(CAP_ROTATE, c, a, b) == ERR_OK && is_row(c, free, a) &&
              CALL(CAP_REVOKE, c) == ERR_OK &&
              host_slot(a)->type == TYPE_NULL &&
              host_slot(free)->type == TYPE_NULL,
          "derivations stay");
    CHECK(CALL(CAP_ROTATE, 0, c, GATE) == ERR_SLOT, "rotate: slot");
    CHECK(CALL(CAP_ROTATE, free, BEYOND, GATE) == ERR_SLOT, "pivot");
    CHECK(CALL(CAP_ROTATE, free, c, BEYOND) == ERR_SLOT, "src");
    CHECK(CALL(CAP_ROTATE, free, CPTR(c, 1), GATE) == ERR_TYPE, "in a frame");
    CHECK(CALL(CAP_ROTATE, free, b, c) == ERR_EMPTY, "an empty pivot");
    CHECK(CALL(CAP_ROTATE, free, c, b) == ERR_EMPTY, "an empty source");
    CHECK(CALL(CAP_ROTATE, HOST_CPU, c, GATE) == ERR_FULL, "a full dst");
    CHECK(CALL(CAP_ROTATE, c, c, GATE) == ERR_FULL, "the pivot is dst");
    CHECK(CALL(CAP_ROTATE, free, c, c) == ERR_RANGE, "the pivot is src");
    CHECK(CALL(CAP_ROTATE, c, c, c) == ERR_RANGE, "all are one");
    CHECK(CALL(CAP_ROTATE, CPTR(NODE, 1), NODE, c) == ERR_RANK,
          "a CNode into itself");
    CALL(CAP_MOVE, CPTR(NODE, 1), c);
    CHECK(CALL(CAP_ROTATE, free, CPTR(NODE, 1), NODE) == ERR_RANK,
          "and by the other move");
}

static void test_dying_rotate(void)
{
    cptr_t big = FIRST, free = FIRST + 1;
    setup();
    CALL(UNTYPED_RETYPE, HOST_UNTYPED, big, TYPE_CNODE, 16, 1, 0, 3);
    CALL(CAP_COPY, CPTR(big, 2000), PAGE, ~0ull);
    host.interrupt = true;
    CHECK(!host_try(SYS_CAP_DELETE, (uint64_t[8]){big}), "a dying CNode");
    host.interrupt = false;
    CHECK(CALL(CAP_ROTATE, free, big, PAGE) == ERR_STATE &&
              CALL(CAP_ROTATE, free, PAGE, big) == ERR_STATE &&
              CALL(CAP_MOVE, free, big) == ERR_STATE,
          "is not moved");
}

static void test_delete(void)
{
    setup();
    cptr_t inside = CPTR(GATE, 1); /* an endpoint has no slots */
    CHECK(CALL(CAP_MOVE, FIRST, inside) == ERR_TYPE, "move: type");
    CHECK(CALL(CAP_DELETE, inside) == ERR_TYPE, "delete: type");
    CHECK(CALL(CAP_REVOKE, inside) == ERR_TYPE, "revoke: type");
    CHECK(CALL(CAP_IDENTIFY, inside) == ERR_TYPE, "identify: type");
    CHECK(CALL(CAP_DELETE, 0) == ERR_SLOT, "delete slot 0");
    CHECK(CALL(CAP_DELETE, FIRST) == ERR_EMPTY, "delete empty");
    CHECK(CALL(CAP_REVOKE, BEYOND) == ERR_SLOT, "revoke beyond");
    CHECK(CALL(CAP_REVOKE, FIRST) == ERR_EMPTY, "revoke empty");
    CHECK(CALL(CAP_IDENTIFY, BEYOND) == ERR_SLOT, "identify beyond");
    CHECK(CALL(CAP_IDENTIFY, FIRST) == ERR_EMPTY, "identify empty");
    CHECK(CALL(CAP_COPY, FIRST, PAGE, ~0ull) == ERR_OK &&
              CALL(CAP_COPY, FIRST + 1, FIRST, ~0ull) == ERR_OK &&
              CALL(CAP_COPY, FIRST + 2, FIRST, 1, 0, COPY_SIBLING) == ERR_OK,
          "a child, its child, its sibling");
    CHECK(CALL(CAP_DELETE, FIRST) == ERR_OK, "delete the middle one");
    CHECK(CALL(CAP_REVOKE, FIRST + 2) == ERR_OK &&
              host_slot(FIRST + 1)->type == TYPE_FRAME,
          "a sibling does not inherit its orphans");
    CHECK(CALL(CAP_REVOKE, PAGE) == ERR_OK &&
              host_slot(FIRST + 1)->type == TYPE_NULL,
          "the original takes them all");
    CHECK(CALL(CAP_COPY, FIRST, PAGE, 1) == ERR_OK &&
              CALL(CAP_DELETE, PAGE) == ERR_OK &&
              host_slot(FIRST)->type == TYPE_FRAME,
          "a copy outlives the original");
    CHECK(CALL(CAP_REVOKE, HOST_UNTYPED) == ERR_OK &&
              host_slot(FIRST)->type == TYPE_NULL &&
              host_slot(HOST_UNTYPED)->word == 0,
          "the memory takes it back");
}

/* A CNode in a CNode in a CNode, each full. */
static void test_nested(void)
{
    setup();
    cptr_t inner = FIRST, outer = FIRST + 1;
    bool made = CALL(UNTYPED_RETYPE, HOST_UNTYPED, outer, TYPE_CNODE, 13, 1, 0,
                     3) == ERR_OK;
    made = made && CALL(UNTYPED_RETYPE, HOST_UNTYPED, CPTR(outer, 9),
                        TYPE_CNODE, 12, 1, 0, 2) == ERR_OK;
    made = made && CALL(CAP_MOVE, inner, CPTR(outer, 9)) == ERR_OK;
    for (uint32_t i = 1; made && i < 128; i++) {
        made = CALL(CAP_COPY, CPTR(inner, i), GATE, ~0ull, i) == ERR_OK;
    }
    made = made && CALL(CAP_MOVE, CPTR(outer, 200), inner) == ERR_OK;
    for (uint32_t i = 201; made && i < 256; i++) {
        made = CALL(CAP_COPY, CPTR(outer, i), PAGE, ~0ull) == ERR_OK;
    }
    CHECK(made, "nested CNodes with 182 capabilities");
    CHECK(CALL(CAP_DELETE, GATE) == ERR_OK && CALL(CAP_DELETE, outer) == ERR_OK,
          "delete them");
    CHECK(slot_at(host_slot(HOST_UNTYPED)->next)->type != TYPE_ENDPOINT,
          "the endpoint died with its last capability");
    CHECK(CALL(CAP_REVOKE, HOST_UNTYPED) == ERR_OK &&
              CALL(UNTYPED_RETYPE, HOST_UNTYPED, FIRST, TYPE_UNTYPED, 20, 1) ==
                  ERR_OK,
          "all the memory is free again");
}

/* What was looked at is not looked at again after each capability. */
static void test_scan(void)
{
    setup();
    CALL(UNTYPED_RETYPE, HOST_UNTYPED, FIRST, TYPE_CNODE, 11, 1, 0, 3);
    CALL(CAP_COPY, CPTR(FIRST, STEP_SLOTS), PAGE, ~0ull);
    uint32_t before = host.calls;
    host.interrupt = true; /* after each step: come back */
    CHECK(CALL(CAP_DELETE, FIRST) == ERR_OK && host.calls == before + 2,
          "64 slots with one in the middle: two steps");
    host.interrupt = false;
}

/* As many steps as one system call may take. */
static void test_most_steps(void)
{
    for (uint32_t round = 0; round < 2; round++) {
        setup();
        CALL(UNTYPED_RETYPE, HOST_UNTYPED, FIRST, TYPE_CNODE, 13, 1, 0, 3);
        for (uint32_t i = 1; i < STEPS; i++) {
            CALL(CAP_COPY, CPTR(FIRST, i), PAGE, ~0ull);
        }
        uint32_t before = host.calls;
        CHECK((round == 0 ? CALL(CAP_REVOKE, PAGE) : CALL(CAP_DELETE, FIRST)) ==
                      ERR_OK &&
                  host.calls == before + 1,
              "255 capabilities and the end of them go at once");
    }
}

/* The CSpace of a living domain dies in steps: nothing may be put into the part
 * that was swept already. */
static void test_dying_cspace(void)
{
    setup();
    cptr_t big = FIRST;
    host_kid(0);
    CHECK(CALL(UNTYPED_RETYPE, HOST_UNTYPED, big, TYPE_CNODE, 16, 1, 0, 3) ==
                  ERR_OK &&
              CALL(CAP_DELETE, host_kid_slot(0, KID_CNODE)) == ERR_OK &&
              CALL(DOMAIN_SET_CSPACE, host_kid_slot(0, KID_DOMAIN), big) ==
                  ERR_OK &&
              CALL(CAP_COPY, CPTR(big, 2000), PAGE, ~0ull) == ERR_OK,
          "a domain with a large CSpace");
    host_kid_start(0);
    host.interrupt = true; /* at the first look */
    CHECK(!host_try(SYS_CAP_DELETE, (uint64_t[8]){big}),
          "deleting it can be interrupted");
    host.interrupt = false;
    CHECK(host_slot(big)->type == TYPE_ZOMBIE &&
              host_slot(big)->word == 1 + STEP_SLOTS,
          "it is neither alive nor gone");
    CHECK(CALL(CAP_MOVE, FIRST + 1, big) == ERR_STATE, "so it cannot move");
    CHECK(CALL(CAP_COPY, FIRST + 1, big, 1) == ERR_TYPE, "nor be copied");
    host_run(0);
    CHECK(CALL(CAP_COPY, 1, 2000, ~0ull) == ERR_SLOT,
          "its domain has no CSpace any more");
    host_root();
    CHECK(CALL(CAP_DELETE, big) == ERR_OK, "it goes");
}

/* What is derived from what, where the list of a machine never has it. */
static void test_derives(void)
{
    struct slot u = {.type = TYPE_UNTYPED, .obj = 64, .order = 5};
    static const uint8_t elsewhere[] = {TYPE_RANGE, TYPE_CPU, TYPE_IRQ};
    for (uint32_t i = 0; i < sizeof(elsewhere); i++) {
        struct slot s = {.type = elsewhere[i], .obj = 70};
        CHECK(!cap_derives(&u, &s), "no number is made of memory");
    }
    struct slot r = {.type = TYPE_REPLY, .obj = 64},
                z = {.type = TYPE_ZOMBIE, .obj = 64};
    CHECK(!cap_derives(&u, &r), "a reply is not made of the caller's memory");
    CHECK(!cap_derives(&u, &z), "the zombie of nothing lies nowhere");
    struct slot f = {.type = TYPE_FRAME, .obj = 95}, none = {.obj = 64};
    CHECK(cap_derives(&u, &f) && !cap_derives(&u, &none), "the last cell");
    f.obj = 96;
    CHECK(!cap_derives(&u, &f), "beyond the end");
    f.obj = 63;
    CHECK(!cap_derives(&u, &f), "before the start");
    struct slot a = {.type = TYPE_FRAME, .obj = 7, .attr = 1};
    struct slot b = {.type = TYPE_FRAME, .obj = 7, .attr = 2};
    CHECK(cap_derives(&a, &b) && !cap_derives(&b, &a), "the copy of a copy");
    b.attr |= ATTR_FENCE;
    CHECK(!cap_derives(&a, &b), "not behind a fence");
    a.attr = 0;
    CHECK(cap_derives(&a, &b), "but of the original");
    b.obj = 8;
    CHECK(!cap_derives(&a, &b), "another object");
}

static uint32_t fenced(cptr_t slot)
{
    return host_slot(slot)->attr & ATTR_FENCE;
}

/* Copies of copies whose source goes, in every neighbourhood. */
static void test_orphans(void)
{
    cptr_t a = FIRST, b = FIRST + 1, c = FIRST + 2, e = FIRST + 3;
    setup();
    CHECK(CALL(CAP_COPY, a, PAGE, ~0ull) == ERR_OK &&
              CALL(CAP_COPY, c, a, ~0ull) == ERR_OK &&
              CALL(CAP_COPY, b, a, ~0ull) == ERR_OK &&
              CALL(CAP_COPY, e, b, ~0ull) == ERR_OK,
          "a copy, and three of it");
    CHECK(CALL(CAP_REVOKE, b) == ERR_OK && host_slot(e)->type == TYPE_FRAME,
          "who is copied last has no children");
    CHECK(CALL(CAP_DELETE, b) == ERR_OK && !fenced(e) && !fenced(c),
          "one of them goes, the others have their source still");
    CHECK(CALL(CAP_DELETE, a) == ERR_OK && fenced(e), "the source goes");
    CHECK(CALL(CAP_COPY, b, e, ~0ull) == ERR_OK && !fenced(b) &&
              (host_slot(b)->attr & ATTR_DEPTH) == 2,
          "a copy of an orphan stands behind its fence");
    CHECK(CALL(CAP_DELETE, e) == ERR_OK && fenced(b),
          "who has it when the orphan goes");
    CHECK(CALL(CAP_COPY, a, PAGE, ~0ull) == ERR_OK &&
              CALL(CAP_REVOKE, a) == ERR_OK &&
              host_slot(b)->type == TYPE_FRAME &&
              host_slot(c)->type == TYPE_FRAME,
          "a new copy has no part in them");
    CALL(CAP_DELETE, a);
    CHECK(CALL(CAP_DELETE, PAGE) == ERR_OK && host_slot(b)->type == TYPE_FRAME,
          "nor the original, when it is deleted");
    CALL(CAP_COPY, a, GATE, ~0ull);
    CALL(CAP_COPY, e, a, ~0ull);
    CALL(CAP_DELETE, GATE);
    host_slot(a)->attr &= (uint8_t)~ATTR_FENCE;
    CALL(CAP_DELETE, a);
    CHECK(fenced(e) && CALL(CAP_DELETE, b) == ERR_OK &&
              CALL(CAP_DELETE, c) == ERR_OK && host_slot(e)->word == 0,
          "an orphan behind another object");
}

static void test_neighbours(void)
{
    setup();
    cptr_t a = FIRST, b = FIRST + 1;
    CALL(UNTYPED_RETYPE, HOST_UNTYPED, FIRST + 2, TYPE_FRAME, PAGE_LOG2, 1);
    CALL(CAP_COPY, a, PAGE, ~0ull);
    CALL(CAP_COPY, b, a, ~0ull);
    CALL(CAP_DELETE, PAGE);
    CALL(CAP_DELETE, a);
    host_slot(b)->attr &= (uint8_t)~ATTR_FENCE;
    CHECK(CALL(CAP_DELETE, FIRST + 2) == ERR_OK && !fenced(b),
          "another object that goes puts no fence");
    CHECK(CALL(CAP_REVOKE, HOST_DEVICE) == ERR_OK, "revoke at the list's end");
}

/* CNodes of all ranks, one in the other, die in one go; and they may only be
 * nested so. */
static void test_ranks(void)
{
    setup();
    cptr_t outer = FIRST;
    for (uint32_t rank = 0; rank < RANK_MAX; rank++) {
        CALL(UNTYPED_RETYPE, HOST_UNTYPED, FIRST + rank, TYPE_CNODE, 8, 1, 0,
             rank);
        outer = FIRST + rank;
    }
    CALL(CAP_COPY, CPTR(FIRST, 1), PAGE, ~0ull);
    bool right = true;
    for (uint32_t rank = 1; rank < RANK_MAX; rank++) {
        cptr_t in = FIRST + rank;
        right = right && CALL(CAP_COPY, CPTR(in, 2), in, 1) == ERR_RANK;
        right = right && CALL(CAP_COPY, CPTR(in - 1, 2), in, 1) == ERR_RANK;
        right = right && CALL(CAP_MOVE, CPTR(in - 1, 2), in) == ERR_RANK;
        right = right && CALL(CAP_COPY, CPTR(in, 3), in - 1, 1) == ERR_OK;
        right = right && CALL(CAP_DELETE, CPTR(in, 3)) == ERR_OK;
        right = right && CALL(CAP_MOVE, CPTR(in, 1), in - 1) == ERR_OK;
    }
    CHECK(right, "each rank takes the next lower one only");
    CALL(CAP_DELETE, PAGE);
    CHECK(CALL(CAP_DELETE, outer) == ERR_OK &&
              CALL(CAP_DELETE, GATE) == ERR_OK &&
              CALL(CAP_DELETE, NODE) == ERR_OK &&
              slot_at(host_slot(HOST_UNTYPED)->next)->type == TYPE_STRETCH,
          "eight levels are gone");
}

/* Root's CNode holds the capability to itself: it can be emptied, not freed. */
static void test_own_cnode(void)
{
    setup();
    struct slot *self = host_slot(HOST_CNODE);
    CHECK(!host_try(SYS_CAP_DELETE, (uint64_t[8]){HOST_CNODE}) &&
              self->type == TYPE_ZOMBIE,
          "root deletes its own CNode");
    CHECK(CALL(CAP_DELETE, HOST_CNODE) == ERR_SLOT,
          "and has no CSpace to go on with");
    setup();
    host_slot(PAGE)->type = TYPE_REPLY; /* no call makes one */
    CHECK(host_try(SYS_CAP_COPY, (uint64_t[8]){FIRST, PAGE, ~0ull}) &&
              host_result[0] == ERR_TYPE,
          "a reply is never copied");
}

/* A step of a dying CNode looks at STEP_SLOTS slots. */
static void test_steps(void)
{
    setup();
    CALL(UNTYPED_RETYPE, HOST_UNTYPED, FIRST, TYPE_CNODE, 12, 1, 0, 3);
    struct slot *z = host_slot(FIRST);
    CHECK(!cap_delete_step(z) && z->word == 1 + STEP_SLOTS &&
              !cap_delete_step(z) && z->word == 1 + 2 * STEP_SLOTS,
          "bounded steps");
    CHECK(!cap_delete_step(z) && cap_delete_step(z) && z->type == TYPE_NULL,
          "as many as are needed");
}

static void test_identify(void)
{
    setup();
    CHECK(CALL(CAP_IDENTIFY, PAGE) == ERR_OK &&
              host_result[1] == (TYPE_FRAME | RIGHTS_ALL << 8 | 12u << 16) &&
              host_result[2] == ref_address(host_slot(PAGE)->obj) &&
              host_result[3] == 0,
          "identify a frame");
    CHECK(CALL(CAP_IDENTIFY, HOST_UNTYPED) == ERR_OK &&
              host_result[3] == (host_slot(HOST_UNTYPED)->word & 0xffffffff)
                                    << 5,
          "a watermark is in bytes");
    CHECK(CALL(CAP_IDENTIFY, HOST_DEVICE) == ERR_OK &&
              host_result[2] == HOST_DEVICE_ADDRESS &&
              host_result[1] >> 32 == 1,
          "identify device memory");
    CHECK(CALL(CAP_IDENTIFY, HOST_IRQ + 2) == ERR_OK && host_result[2] == 2 &&
              (host_result[1] >> 16 & 0xff) == 0,
          "identify an interrupt line");
    CHECK(CALL(CAP_IDENTIFY, HOST_PAGES) == ERR_OK &&
              host_result[2] % PAGE_BYTES == 0 &&
              (host_result[1] >> 16 & 0xff) == PAGE_LOG2,
          "identify a stretch that the boot made: one page");
    CALL(CAP_COPY, FIRST, GATE, ~0ull, 77);
    CHECK(CALL(CAP_REVOKE, FIRST) == ERR_OK &&
              CALL(CAP_IDENTIFY, FIRST) == ERR_OK && host_result[3] == 77 &&
              host_result[1] >> 24 == 1,
          "identify a copy, whose badge stays");
    CHECK(CALL(CAP_IDENTIFY, HOST_RANGE) == ERR_OK &&
              host_result[2] == HOST_RANGE_VA &&
              (host_result[1] >> 16 & 0xff) == 38,
          "identify a range");
    CHECK(host_call(SYS_COUNT, (uint64_t[8]){0}) == ERR_NOSYS &&
              host_call(0xffff, (uint64_t[8]){0}) == ERR_NOSYS,
          "no such system call");
    CHECK(CALL(NULL) == ERR_OK, "null");
}

int main(void)
{
    test_copy();
    test_copy_errors();
    test_move();
    test_rotate();
    test_dying_rotate();
    test_delete();
    test_nested();
    test_scan();
    test_most_steps();
    test_dying_cspace();
    test_derives();
    test_orphans();
    test_neighbours();
    test_ranks();
    test_own_cnode();
    test_steps();
    test_identify();
    CHECK(abi_unseen(SYS_NULL, SYS_CAP_IDENTIFY) == 0 &&
              abi_unseen(SYS_CAP_ROTATE, SYS_CAP_ROTATE) == 0,
          "every promised error was seen");
    return tap_end();
}
