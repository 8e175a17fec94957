/* SPDX-License-Identifier: BSL-1.0
 *
 * Retype: what may be made of what, where it comes to lie, that memory is
 * clean, and what happens to work that is given up half-way.
 */
#include "kernel_abi.h"
#include "kernel_host.h"
#include "tap.h"

#include <string.h>

#define FIRST ((cptr_t)HOST_FREE) /* from here on: empty */

#define MAKE(...) CALL(UNTYPED_RETYPE, HOST_UNTYPED, __VA_ARGS__)

static uint64_t offset_of(cptr_t slot)
{
    return (uint64_t)(host_slot(slot)->obj - host_slot(HOST_UNTYPED)->obj)
           << CELL_LOG2;
}

static bool is_zero(ref_t ref, uint64_t bytes)
{
    const unsigned char *p = ram_at(ref);
    return p[0] == 0 && memcmp(p, p + 1, bytes - 1) == 0;
}

static void setup(void)
{
    host_boot(20);
    CALL(CAP_REVOKE, HOST_UNTYPED);
    memset(ram_at(host_slot(HOST_UNTYPED)->obj), 0xa5, 1 << 20);
}

static void test_types(void)
{
    static const uint32_t sizes[][2] = {
        {TYPE_UNTYPED, 12}, {TYPE_CNODE, 7},       {TYPE_CNODE, 12},
        {TYPE_FRAME, 12},   {TYPE_FRAME, 16},      {TYPE_DOMAIN, 14},
        {TYPE_DOMAIN, 18},  {TYPE_DISPATCHER, 14}, {TYPE_SCHED_CONTEXT, 6},
        {TYPE_ENDPOINT, 6}, {TYPE_UNTYPED, 18}};
    setup();
    for (uint32_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        CHECK(MAKE(FIRST + i, sizes[i][0], sizes[i][1], 1) == ERR_OK &&
                  offset_of(FIRST + i) % (1ull << sizes[i][1]) == 0,
              "made, and aligned");
    }
    CHECK(is_zero(host_slot(FIRST + 4)->obj, 1 << 16), "a big frame is clean");
    CHECK(CALL(UNTYPED_RETYPE, HOST_RANGE, FIRST + 20, TYPE_RANGE, 21, 3) ==
              ERR_OK,
          "ranges of a range");
    CHECK(CALL(UNTYPED_RETYPE, FIRST + 22, FIRST + 23, TYPE_RANGE, 21, 1) ==
              ERR_OK,
          "a range of all of a range");
    CHECK(CALL(UNTYPED_RETYPE, HOST_DEVICE, FIRST + 24, TYPE_FRAME, 12, 1,
               0x3000) == ERR_OK &&
              host_slot(FIRST + 24)->attr & ATTR_DEVICE,
          "a frame of device memory, at an offset");
    CHECK(CALL(UNTYPED_RETYPE, HOST_DEVICE, FIRST + 25, TYPE_UNTYPED, 12, 1) ==
                  ERR_OK &&
              host_slot(FIRST + 25)->attr & ATTR_DEVICE,
          "untyped device memory of device memory");
}

static void test_errors(void)
{
    static const uint32_t bad[][2] = {
        {TYPE_UNTYPED, 11}, {TYPE_UNTYPED, 31},      {TYPE_CNODE, 6},
        {TYPE_CNODE, 25},   {TYPE_FRAME, 13},        {TYPE_FRAME, 20},
        {TYPE_DOMAIN, 13},  {TYPE_DOMAIN, 19},       {TYPE_DISPATCHER, 15},
        {TYPE_ENDPOINT, 7}, {TYPE_SCHED_CONTEXT, 5}, {TYPE_FRAME, 4},
        {TYPE_UNTYPED, 40}, {TYPE_UNTYPED, 64},      {TYPE_FRAME, 0},
        {TYPE_FRAME, ~0u}};
    setup();
    for (uint32_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        CHECK(MAKE(FIRST, bad[i][0], bad[i][1], 1) == ERR_RANGE, "bad size");
    }
    CHECK(MAKE(FIRST, TYPE_FRAME, 12, 0) == ERR_RANGE, "none");
    CHECK(MAKE(FIRST, TYPE_FRAME, 12, 257) == ERR_RANGE, "too many");
    CHECK(MAKE(FIRST, TYPE_FRAME, 12, ~0ull) == ERR_RANGE, "far too many");
    for (uint64_t t = TYPE_STRETCH; t < 20; t++) {
        bool made = t == TYPE_DOMAIN || t == TYPE_DISPATCHER ||
                    t == TYPE_SCHED_CONTEXT || t == TYPE_ENDPOINT;
        CHECK(made || MAKE(FIRST, t, 12, 1) == ERR_TYPE, "not of memory");
    }
    CHECK(MAKE(FIRST, TYPE_NULL, 12, 1) == ERR_TYPE, "nothing");
    CHECK(MAKE(FIRST, TYPE_RANGE, 21, 1) == ERR_TYPE, "a range of memory");
    CHECK(CALL(UNTYPED_RETYPE, HOST_RANGE, FIRST, TYPE_FRAME, 12, 1) ==
              ERR_TYPE,
          "memory of a range");
    CHECK(CALL(UNTYPED_RETYPE, HOST_RANGE, FIRST, TYPE_RANGE, 20, 1) ==
              ERR_RANGE,
          "half a stretch");
    CHECK(CALL(UNTYPED_RETYPE, 0, FIRST, TYPE_FRAME, 12, 1) == ERR_SLOT,
          "of slot 0");
    CHECK(CALL(UNTYPED_RETYPE, FIRST, FIRST, TYPE_FRAME, 12, 1) == ERR_EMPTY,
          "of an empty slot");
    CHECK(CALL(UNTYPED_RETYPE, HOST_CPU, FIRST, TYPE_FRAME, 12, 1) == ERR_TYPE,
          "of a CPU");
    CHECK(MAKE(HOST_SLOTS - 1, TYPE_FRAME, 12, 2) == ERR_SLOT, "slots end");
    CHECK(MAKE(HOST_CPU, TYPE_FRAME, 12, 1) == ERR_FULL, "slot in use");
    CHECK(MAKE(HOST_FREE - 1, TYPE_FRAME, 12, 256) == ERR_OK, "256 frames");
    CHECK(MAKE(HOST_FREE + 400, TYPE_ENDPOINT, 6, 1) == ERR_NOMEM, "no room");
    CALL(CAP_REVOKE, HOST_UNTYPED);
    CHECK(MAKE(FIRST + 1, TYPE_FRAME, 12, 1) == ERR_OK &&
              MAKE(FIRST, TYPE_FRAME, 12, 2) == ERR_FULL,
          "the second slot is in use");
    CHECK(MAKE(FIRST, TYPE_CNODE, 10, 1, 0, 7) == ERR_RANK, "rank 7 is root's");
    CHECK(MAKE(FIRST, TYPE_CNODE, 10, 1, 0, 3) == ERR_OK &&
              MAKE(CPTR(FIRST, 1), TYPE_CNODE, 10, 1, 0, 3) == ERR_RANK,
          "a CNode of the same rank");
    CHECK(MAKE(FIRST + 2, TYPE_FRAME, 12, 1, 100) == ERR_ALIGN, "offset");
    CHECK(MAKE(FIRST + 2, TYPE_ENDPOINT, 6, 1, 64) == ERR_RANGE,
          "before the watermark");
    CHECK(MAKE(FIRST + 2, TYPE_FRAME, 12, 1, 1 << 20) == ERR_NOMEM, "behind");
    CHECK(MAKE(FIRST + 2, TYPE_FRAME, 12, 1, 1ull << 45) == ERR_NOMEM, "far");
    CHECK(CALL(UNTYPED_RETYPE, HOST_DEVICE, FIRST + 2, TYPE_ENDPOINT, 6, 1) ==
              ERR_DEVICE,
          "an endpoint of device memory");
    host_slot(HOST_DEVICE)->rights = 0; /* no call takes rights off untyped */
    CHECK(CALL(UNTYPED_RETYPE, HOST_DEVICE, FIRST + 2, TYPE_FRAME, 12, 1) ==
              ERR_RIGHTS,
          "without the right");
    host_slot(HOST_DEVICE)->rights = RIGHTS_ALL;
}

static void test_batches(void)
{
    setup();
    CHECK(MAKE(FIRST, TYPE_CNODE, 13, 1, 0, 2) == ERR_OK, "a CNode");
    host.interrupt = true; /* after each object: come back */
    CHECK(MAKE(CPTR(FIRST, 5), TYPE_DISPATCHER, 14, 7, 1 << 18) == ERR_OK,
          "seven dispatchers in many pieces");
    host.interrupt = false;
    bool right = true;
    for (uint64_t i = 0; i < 7; i++) {
        right = right &&
                host_slot(CPTR(FIRST, 5 + i))->type == TYPE_DISPATCHER &&
                offset_of(CPTR(FIRST, 5 + i)) == (1 << 18) + (i << 14);
    }
    CHECK(right, "each where it belongs");
    CHECK(CALL(CAP_DELETE, FIRST) == ERR_OK, "all gone");
    CHECK(MAKE(FIRST, TYPE_UNTYPED, 20, 1) == ERR_OK && offset_of(FIRST) == 0,
          "what has no children starts anew");
    memset(ram_at(host_slot(FIRST)->obj), 0x5a, 1 << 20);
    CHECK(CALL(CAP_REVOKE, HOST_UNTYPED) == ERR_OK &&
              MAKE(FIRST, TYPE_FRAME, 16, 3) == ERR_OK &&
              is_zero(host_slot(FIRST)->obj, 3 << 16),
          "memory is cleaned again");
}

/* A large object is begun, then given up for a small one in front of it: the
 * memory there was skipped, not cleaned. */
static void test_given_up(void)
{
    static const uint64_t offsets[] = {0, 1 << 16, 1 << 19};
    for (uint32_t i = 0; i < 3; i++) {
        setup();
        MAKE(FIRST, TYPE_ENDPOINT, 6, 1);
        host.interrupt = true; /* after each step */
        uint64_t x[8] = {
            HOST_UNTYPED, FIRST + 1, TYPE_DOMAIN,
            18,           1,         offsets[i] & ~((1u << 18) - 1)};
        CHECK(!host_try(SYS_UNTYPED_RETYPE, x), "a domain, begun");
        host_settle();
        CHECK(MAKE(FIRST + 1, TYPE_CNODE, 10, 1, 0, 1) == ERR_OK &&
                  is_zero(host_slot(FIRST + 1)->obj + 1, 1024 - 32),
              "a CNode in front of it is clean");
        CHECK(MAKE(FIRST + 2, TYPE_DISPATCHER, 14, 1) == ERR_OK, "and more");
        CHECK(CALL(UNTYPED_RETYPE, HOST_UNTYPED, FIRST + 3, TYPE_DOMAIN, 18,
                   1) == ERR_OK,
              "the domain after all");
        CHECK(is_zero(domain_at(host_slot(FIRST + 3)->obj)->cnode + 1, 64) ||
                  domain_at(host_slot(FIRST + 3)->obj)->level1[0] == 0,
              "is clean too");
    }
    setup();
    host.interrupt = true;
    uint64_t x[8] = {HOST_UNTYPED, FIRST, TYPE_FRAME, 16, 1, 0xf0000};
    CHECK(!host_try(SYS_UNTYPED_RETYPE, x) && (host_settle(), true) &&
              MAKE(FIRST, TYPE_FRAME, 12, 1, 0xf0000) == ERR_OK &&
              MAKE(FIRST + 1, TYPE_FRAME, 12, 15) == ERR_OK &&
              is_zero(host_slot(FIRST)->obj, 1 << 16),
          "up to the end, page by page");
}

/* What goes on after an interruption may find that the memory is gone. */
static void test_lost_race(void)
{
    setup();
    host.interrupt = true;
    uint64_t x[8] = {HOST_UNTYPED, FIRST, TYPE_DISPATCHER, 14, 2};
    struct dispatcher *d = host_current();
    uint32_t n = 0;
    while (n++ < 6) {
        CHECK(!host_try(SYS_UNTYPED_RETYPE, x), "two dispatchers, begun");
        memcpy(x, d->context.x, sizeof(x));
        host_settle();
    }
    CHECK(x[4] == 1, "one is made");
    CHECK(MAKE(FIRST + 300, TYPE_FRAME, 12, 252) == ERR_OK, "all is taken");
    CHECK(host_call(SYS_UNTYPED_RETYPE, x) == ERR_NOMEM, "so this fails");
    CHECK(host_slot(FIRST)->type == TYPE_DISPATCHER &&
              host_slot(FIRST + 1)->type == TYPE_NULL,
          "and leaves the first one");
}

/* Between two objects, and two pages of one, the kernel looks for interrupts.
 */
static void test_interrupt(void)
{
    setup();
    uint64_t whole[8] = {HOST_UNTYPED, FIRST, TYPE_FRAME, 16, 2};
    CHECK(host_try(SYS_UNTYPED_RETYPE, whole) &&
              host_slot(FIRST + 1)->type == TYPE_FRAME,
          "without one all is done in one entry");
    host_settle();
    host_boot(20);
    host.interrupt = true;
    uint64_t x[8] = {HOST_UNTYPED, HOST_FREE, TYPE_ENDPOINT, ENDPOINT_LOG2, 3};
    CHECK(!host_try(SYS_UNTYPED_RETYPE, x) &&
              host_current()->context.x[4] == 2 &&
              host_slot(HOST_FREE)->type == TYPE_ENDPOINT &&
              host_slot(HOST_FREE + 1)->type == TYPE_NULL,
          "an interrupt after the first of three");
    host.interrupt = false;
    CHECK(CALL(UNTYPED_RETYPE, HOST_UNTYPED, HOST_FREE + 1, TYPE_CNODE, 10, 1,
               0, 1ull << 32 | 2) == ERR_RANK,
          "a rank of more than 32 bits");
}

int main(void)
{
    test_types();
    test_errors();
    test_batches();
    test_given_up();
    test_lost_race();
    test_interrupt();
    CHECK(abi_unseen(SYS_UNTYPED_RETYPE, SYS_UNTYPED_RETYPE) == 0,
          "every promised error was seen");
    return tap_end();
}
