/* SPDX-License-Identifier: BSL-1.0
 *
 * The address space: stretches, frames, and what is left of mappings when one
 * side goes.
 */
#include "kernel_abi.h"
#include "kernel_check.h"
#include "kernel_host.h"
#include "tap.h"

#define R       RIGHT_READ
#define RW      (RIGHT_READ | RIGHT_WRITE)
#define RX      (RIGHT_READ | RIGHT_EXEC)
#define RWX     (RW | RIGHT_EXEC)
#define STRETCH ((cptr_t)HOST_FREE)     /* at VA */
#define PAGE    ((cptr_t)HOST_FREE + 1) /* a frame of 4 KiB */
#define BIG     ((cptr_t)HOST_FREE + 2) /* one of 64 KiB */
#define DEVICE  ((cptr_t)HOST_FREE + 3) /* one of device memory */
#define COPY    ((cptr_t)HOST_FREE + 4) /* of PAGE */
#define EMPTY   ((cptr_t)HOST_FREE + 8) /* from here on: empty */
#define VA      (HOST_RANGE_VA + STRETCH_BYTES)

static void setup(void)
{
    host_boot(20);
    bool made =
        CALL(STRETCH_CREATE, STRETCH, HOST_UNTYPED, HOST_RANGE, VA) == ERR_OK &&
        CALL(UNTYPED_RETYPE, HOST_UNTYPED, PAGE, TYPE_FRAME, 12, 1) == ERR_OK &&
        CALL(UNTYPED_RETYPE, HOST_UNTYPED, BIG, TYPE_FRAME, 16, 1) == ERR_OK &&
        CALL(UNTYPED_RETYPE, HOST_DEVICE, DEVICE, TYPE_FRAME, 12, 1) ==
            ERR_OK &&
        CALL(CAP_COPY, COPY, PAGE, ~0ull) == ERR_OK;
    CHECK(made, "a stretch and frames");
}

/* The table entry of a page of STRETCH. */
static uint64_t pte(uint64_t page)
{
    return ((uint64_t *)ram_at(host_slot(STRETCH)->obj))[page];
}

static void test_stretch(void)
{
    const cptr_t u = HOST_UNTYPED, r = HOST_RANGE;
    uint64_t va = VA + STRETCH_BYTES;
    setup();
    CHECK(CALL(STRETCH_CREATE, 0, u, r, va) == ERR_SLOT, "into slot 0");
    CHECK(CALL(STRETCH_CREATE, EMPTY, EMPTY, r, va) == ERR_EMPTY, "of nothing");
    CHECK(CALL(STRETCH_CREATE, EMPTY, r, u, va) == ERR_TYPE, "swapped");
    CHECK(CALL(STRETCH_CREATE, PAGE, u, r, va) == ERR_FULL, "into full");
    CHECK(CALL(STRETCH_CREATE, EMPTY, u, r, va + 4096) == ERR_ALIGN, "align");
    CHECK(CALL(STRETCH_CREATE, EMPTY, u, r, USER_VA_END) == ERR_RANGE, "end");
    CHECK(CALL(STRETCH_CREATE, EMPTY, u, r, 0) == ERR_RANGE, "before");
    CHECK(CALL(STRETCH_CREATE, EMPTY, u, r, VA) == ERR_BUSY, "twice");
    CHECK(CALL(STRETCH_CREATE, EMPTY, HOST_DEVICE, r, va) == ERR_DEVICE,
          "a table is never in device memory");
    host_slot(r)->rights = 0; /* no call takes rights off a range */
    CHECK(CALL(STRETCH_CREATE, EMPTY, u, r, va) == ERR_RIGHTS, "no right");
    host_slot(r)->rights = RIGHTS_ALL;
    CHECK(CALL(UNTYPED_RETYPE, u, EMPTY, TYPE_UNTYPED, 12, 1) == ERR_OK &&
              CALL(STRETCH_CREATE, EMPTY + 1, EMPTY, r, va) == ERR_OK &&
              CALL(STRETCH_CREATE, EMPTY + 2, EMPTY, r, va + STRETCH_BYTES) ==
                  ERR_NOMEM,
          "memory for one table only");
    CHECK(CALL(CAP_DELETE, EMPTY + 1) == ERR_OK &&
              CALL(STRETCH_CREATE, EMPTY + 1, EMPTY, r, va) == ERR_OK,
          "an address is free when its stretch is gone");
}

static void test_attach(void)
{
    cptr_t self = CPTR_SELF_DOMAIN;
    setup();
    uint32_t flushed = host.tlb_domains;
    CHECK(CALL(STRETCH_ATTACH, STRETCH, self, R) == ERR_OK, "attach");
    CHECK(host.tlb_domains == flushed, "a new right needs no flush");
    CHECK(CALL(STRETCH_ATTACH, STRETCH, HOST_DOMAIN, RX) == ERR_OK &&
              host.tlb_domains == flushed + 1,
          "a changed one does");
    CHECK(CALL(STRETCH_ATTACH, STRETCH, self, RWX) == ERR_WX, "W and X");
    CHECK(CALL(STRETCH_ATTACH, STRETCH, self, 0) == ERR_RANGE, "no right");
    CHECK(CALL(STRETCH_ATTACH, STRETCH, self, RIGHT_WRITE) == ERR_RANGE,
          "only writing");
    CHECK(CALL(STRETCH_ATTACH, STRETCH, self, R | 1ull << 40) == ERR_RANGE,
          "high bits");
    CHECK(CALL(STRETCH_ATTACH, 0, self, R) == ERR_SLOT, "slot");
    CHECK(CALL(STRETCH_ATTACH, EMPTY, self, R) == ERR_EMPTY, "empty");
    CHECK(CALL(STRETCH_ATTACH, PAGE, self, R) == ERR_TYPE, "a frame");
    CHECK(CALL(STRETCH_ATTACH, STRETCH, PAGE, R) == ERR_TYPE, "to a frame");
    CALL(CAP_COPY, EMPTY, STRETCH, R | RIGHT_ATTACH);
    CALL(CAP_COPY, EMPTY + 1, STRETCH, RW);
    CALL(CAP_COPY, EMPTY + 2, HOST_DOMAIN, RIGHT_MANAGE);
    CHECK(CALL(STRETCH_ATTACH, EMPTY, self, RW) == ERR_RIGHTS, "more rights");
    CHECK(CALL(STRETCH_ATTACH, EMPTY + 1, self, R) == ERR_RIGHTS, "no ATTACH");
    CHECK(CALL(STRETCH_ATTACH, STRETCH, EMPTY + 2, R) == ERR_RIGHTS,
          "no ATTACH for the domain");
    CHECK(CALL(STRETCH_DETACH, EMPTY + 1, self) == ERR_RIGHTS, "detach: right");
    CHECK(CALL(STRETCH_DETACH, 0, self) == ERR_SLOT, "detach: slot");
    CHECK(CALL(STRETCH_DETACH, EMPTY + 3, self) == ERR_EMPTY, "detach: empty");
    CHECK(CALL(STRETCH_DETACH, PAGE, self) == ERR_TYPE, "detach: a frame");
    CHECK(CALL(STRETCH_DETACH, STRETCH, self) == ERR_OK, "detach");
    CHECK(CALL(STRETCH_DETACH, STRETCH, self) == ERR_UNMAPPED, "twice");
}

/* Root's domain has two second-level tables; one serves ROOT_PAGES_VA. */
static void test_tables(void)
{
    uint64_t gib = 1ull << 30;
    setup();
    CHECK(CALL(STRETCH_ATTACH, STRETCH, CPTR_SELF_DOMAIN, R) == ERR_OK, "one");
    CALL(STRETCH_CREATE, EMPTY, HOST_UNTYPED, HOST_RANGE, HOST_RANGE_VA + gib);
    CHECK(CALL(STRETCH_ATTACH, EMPTY, CPTR_SELF_DOMAIN, R) == ERR_NOTABLE,
          "no table for a third GiB");
    CHECK(CALL(STRETCH_ATTACH, HOST_ATTIC, CPTR_SELF_DOMAIN, R) == ERR_OK,
          "a neighbour shares the table");
    CHECK(CALL(STRETCH_DETACH, STRETCH, CPTR_SELF_DOMAIN) == ERR_OK &&
              CALL(STRETCH_ATTACH, EMPTY, CPTR_SELF_DOMAIN, R) == ERR_NOTABLE &&
              CALL(STRETCH_DETACH, HOST_ATTIC, CPTR_SELF_DOMAIN) == ERR_OK &&
              CALL(STRETCH_ATTACH, EMPTY, CPTR_SELF_DOMAIN, R) == ERR_OK,
          "it is free when the last has left");
}

static void test_map(void)
{
    setup();
    CHECK(MAP(PAGE, STRETCH, VA + 0x5000, RW) == ERR_OK && pte(5) != 0, "map");
    CHECK(MAP(PAGE, STRETCH, VA, R) == ERR_STATE, "twice");
    CHECK(MAP(COPY, STRETCH, VA, R) == ERR_PERM, "a copy");
    CHECK(MAP(BIG, STRETCH, VA, R) == ERR_BUSY, "over another");
    CHECK(MAP(BIG, STRETCH, VA + 0x8000, R) == ERR_ALIGN, "align");
    CHECK(MAP(BIG, STRETCH, VA + STRETCH_BYTES, R) == ERR_RANGE &&
              MAP(BIG, STRETCH, VA - 0x10000, R) == ERR_RANGE,
          "outside");
    CHECK(MAP(BIG, STRETCH, VA, RWX) == ERR_WX, "W and X");
    CHECK(MAP(BIG, STRETCH, VA, RIGHT_EXEC) == ERR_RANGE, "only X");
    CHECK(MAP(DEVICE, STRETCH, VA, RX) == ERR_DEVICE, "device X");
    CHECK(MAP(0, STRETCH, VA, R) == ERR_SLOT, "slot");
    CHECK(MAP(EMPTY, STRETCH, VA, R) == ERR_EMPTY, "empty");
    CHECK(MAP(STRETCH, STRETCH, VA, R) == ERR_TYPE, "type");
    CALL(CAP_COPY, EMPTY, STRETCH, R);
    CHECK(MAP(BIG, EMPTY, VA, RW) == ERR_RIGHTS, "stretch: rights");
    CHECK(MAP(COPY, EMPTY + 1, VA, R) == ERR_EMPTY, "no stretch");
    uint32_t syncs = host.syncs;
    CHECK(MAP(BIG, STRETCH, VA + 0x1f0000, RX) == ERR_OK && pte(496) != 0 &&
              pte(511) != 0 && host.syncs == syncs + 1,
          "64 KiB of code at the end");
    CHECK(MAP(DEVICE, STRETCH, VA, RW) == ERR_OK && (pte(0) >> 2 & 7) == 0 &&
              (pte(5) >> 2 & 7) == 1,
          "device memory is mapped as such");
}

static void test_protect(void)
{
    setup();
    MAP(PAGE, STRETCH, VA, RW);
    MAP(DEVICE, STRETCH, VA + 4096, RW);
    CHECK(PROTECT(PAGE, R) == ERR_OK && PROTECT(PAGE, RX) == ERR_OK &&
              host.tlb_pages >= 2,
          "protect breaks before it makes");
    CHECK(PROTECT(PAGE, RWX) == ERR_WX, "W and X");
    CHECK(PROTECT(PAGE, 0) == ERR_RANGE, "nothing");
    CHECK(PROTECT(DEVICE, RX) == ERR_DEVICE, "device X");
    CHECK(PROTECT(0, R) == ERR_SLOT, "slot");
    CHECK(PROTECT(EMPTY, R) == ERR_EMPTY, "empty");
    CHECK(PROTECT(STRETCH, R) == ERR_TYPE, "type");
    CHECK(PROTECT(BIG, R) == ERR_UNMAPPED, "not mapped");
    CHECK(PROTECT(COPY, R) == ERR_UNMAPPED, "a copy is not mapped");
    CALL(CAP_COPY, EMPTY, PAGE, R);
    CHECK(PROTECT(EMPTY, RW) == ERR_RIGHTS, "rights");
    CHECK(MAP(EMPTY, STRETCH, VA + 8192, RW) == ERR_RIGHTS, "map: rights");
    CHECK(UNMAP(0) == ERR_SLOT, "unmap: slot");
    CHECK(UNMAP(EMPTY + 1) == ERR_EMPTY, "unmap: empty");
    CHECK(UNMAP(STRETCH) == ERR_TYPE, "unmap: type");
    CHECK(UNMAP(BIG) == ERR_UNMAPPED, "unmap: not mapped");
    CHECK(UNMAP(PAGE) == ERR_OK && pte(0) == 0, "unmap");
    CHECK(CALL(CAP_DELETE, DEVICE) == ERR_OK && pte(1) == 0,
          "deleting a frame unmaps it");
}

static void make_pages(cptr_t first, uint64_t count)
{
    CALL(UNTYPED_RETYPE, HOST_UNTYPED, first, TYPE_FRAME, 12, count);
}

static uint32_t mapped_pages(void)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < 512; i++) {
        n += pte(i) != 0;
    }
    return n;
}

/* Frames in consecutive slots: in order, and how many is told. */
static void test_ranges(void)
{
    const cptr_t a = EMPTY, s = STRETCH;
    setup();
    make_pages(a, 8);
    CHECK(CALL(FRAME_MAP, a, s, VA, RW, 8) == ERR_OK && host_result[1] == 8 &&
              host_result[2] == VA + 0x8000 && mapped_pages() == 8 &&
              (pte(7) >> 12 & 1) == (host_slot(a + 7)->obj >> 7 & 1),
          "eight in one call");
    CHECK(CALL(FRAME_PROTECT, a + 1, R, 3) == ERR_OK && host_result[1] == 3 &&
              (pte(0) >> 7 & 1) == 0 && (pte(1) >> 7 & 1) == 1 &&
              (pte(3) >> 7 & 1) == 1 && (pte(4) >> 7 & 1) == 0,
          "three of them read-only");
    CHECK(CALL(FRAME_UNMAP, a + 2, 512) == ERR_OK && host_result[1] == 6 &&
              mapped_pages() == 2,
          "unmapping goes as far as there are frames");
    CHECK(CALL(FRAME_MAP, a + 2, s, VA + 0x1fe000, R, 4) == ERR_OK &&
              host_result[1] == 2 && host_result[2] == VA + STRETCH_BYTES &&
              mapped_pages() == 4,
          "mapping to the end of the stretch");
    CHECK(CALL(FRAME_MAP, a + 4, s, VA + STRETCH_BYTES, R, 4) == ERR_RANGE,
          "and no further");
    CHECK(CALL(FRAME_MAP, a + 4, s, VA, R, 0) == ERR_RANGE &&
              CALL(FRAME_MAP, a + 4, s, VA, R, 513) == ERR_RANGE &&
              CALL(FRAME_UNMAP, a, 0) == ERR_RANGE &&
              CALL(FRAME_PROTECT, a, R, 1ull << 32) == ERR_RANGE,
          "counts");
    CALL(CAP_MOVE, HOST_SLOTS - 1, a + 5);
    CHECK(CALL(FRAME_MAP, HOST_SLOTS - 1, s, VA + 0x5000, R, 2) == ERR_OK &&
              host_result[1] == 1,
          "slots end");
    host.interrupt = true;
    CHECK(CALL(FRAME_MAP, a + 6, s, VA + 0x6000, R, 2) == ERR_OK &&
              host_result[1] == 1 && CALL(FRAME_PROTECT, a, R, 2) == ERR_OK &&
              host_result[1] == 1,
          "an interrupt is looked for after each");
    host.interrupt = false;
    CALL(CAP_COPY, EMPTY + 9, BIG, R);
    CHECK(CALL(CAP_ROTATE, a + 7, EMPTY + 9, a + 7) == ERR_OK, "a copy");
    CHECK(CALL(FRAME_UNMAP, a, 2) == ERR_OK &&
              CALL(FRAME_UNMAP, a + 6, 2) == ERR_OK && host_result[1] == 1,
          "stops at what is not mapped");
}

/* Behind a CNode lies memory of a user, who can write into it what looks like a
 * capability. */
static void test_row_end(void)
{
    const cptr_t node = EMPTY, page = EMPTY + 1;
    host_boot(20);
    CALL(UNTYPED_RETYPE, HOST_UNTYPED, EMPTY + 2, TYPE_UNTYPED, 13, 1);
    CALL(UNTYPED_RETYPE, EMPTY + 2, node, TYPE_CNODE, 12, 1, 0, 1);
    CALL(UNTYPED_RETYPE, EMPTY + 2, page, TYPE_FRAME, 12, 1);
    CALL(STRETCH_CREATE, STRETCH, HOST_UNTYPED, HOST_RANGE, VA);
    make_pages(PAGE, 1);
    *slot_at(host_slot(page)->obj) = *host_slot(page);
    CALL(CAP_MOVE, CPTR(node, 127), PAGE);
    CHECK(CALL(FRAME_MAP, CPTR(node, 127), STRETCH, VA, R, 2) == ERR_OK &&
              host_result[1] == 1 && mapped_pages() == 1,
          "a row ends with its CNode");
}

static void test_remap(void)
{
    const cptr_t other = EMPTY, s = STRETCH;
    const uint64_t there = VA + STRETCH_BYTES;
    setup();
    CALL(STRETCH_CREATE, other, HOST_UNTYPED, HOST_RANGE, there);
    CHECK(REMAP(BIG, s, VA, RW) == ERR_UNMAPPED, "remap: not mapped");
    CHECK(REMAP(COPY, s, VA, R) == ERR_UNMAPPED, "nor is a copy");
    MAP(BIG, s, VA, RW);
    MAP(PAGE, s, VA + 0x18000, RW);
    uint32_t flushed = host.tlb_pages, syncs = host.syncs;
    CHECK(REMAP(BIG, s, VA, RX) == ERR_OK && (pte(15) >> 54 & 1) == 0 &&
              host.tlb_pages == flushed + 16 && host.syncs == syncs + 1,
          "where it is: other rights");
    CHECK(REMAP(BIG, s, VA + 0x10000, R) == ERR_BUSY, "to where another is");
    CHECK(REMAP(BIG, s, VA + 0x8000, R) == ERR_ALIGN, "remap: align");
    CHECK(REMAP(BIG, s, there, R) == ERR_RANGE, "remap: outside");
    CHECK(REMAP(BIG, s, VA, RWX) == ERR_WX, "remap: W and X");
    CHECK(REMAP(0, s, VA, R) == ERR_SLOT, "remap: slot");
    CHECK(REMAP(EMPTY + 1, s, VA, R) == ERR_EMPTY, "remap: empty");
    CHECK(REMAP(BIG, BIG, VA, R) == ERR_TYPE, "remap: type");
    CALL(CAP_COPY, EMPTY + 1, s, R);
    CHECK(REMAP(BIG, EMPTY + 1, VA, RW) == ERR_RIGHTS, "remap: rights");
    MAP(DEVICE, s, VA + 0x30000, RW);
    CHECK(REMAP(DEVICE, s, VA, RX) == ERR_DEVICE, "remap: device X");
    CHECK(REMAP(BIG, s, VA + 0x20000, RW) == ERR_OK && pte(0) == 0 &&
              pte(15) == 0 && pte(32) != 0 && pte(47) != 0 &&
              host_slot(BIG)->word == VA + 0x20000,
          "it moves");
    CHECK(REMAP(BIG, other, there, R) == ERR_OK && pte(32) == 0 &&
              CALL(CAP_REVOKE, STRETCH) == ERR_OK &&
              CALL(CAP_DELETE, STRETCH) == ERR_OK && UNMAP(BIG) == ERR_OK,
          "and to another stretch");
    CHECK(UNMAP(PAGE) == ERR_UNMAPPED &&
              REMAP(PAGE, other, there, R) == ERR_UNMAPPED,
          "what was in the old one is not mapped");
}

/* A frame remembers a mapping whose table is gone, and came again. */
static void test_generations(void)
{
    setup();
    CALL(CAP_MOVE, EMPTY + 1, STRETCH);
    CALL(UNTYPED_RETYPE, HOST_UNTYPED, EMPTY, TYPE_UNTYPED, 12, 1);
    CALL(CAP_DELETE, EMPTY + 1);
    CALL(STRETCH_CREATE, STRETCH, EMPTY, HOST_RANGE, VA);
    CHECK(MAP(PAGE, STRETCH, VA, RW) == ERR_OK, "map");
    uint32_t aux = host_slot(PAGE)->aux;
    CHECK(CALL(CAP_DELETE, STRETCH) == ERR_OK, "the stretch goes");
    CHECK(UNMAP(PAGE) == ERR_UNMAPPED, "the frame knows");
    *((uint32_t *)ram_at(kernel.directory) + (VA >> STRETCH_LOG2)) -= 1u << 19;
    CHECK(CALL(STRETCH_CREATE, STRETCH, EMPTY, HOST_RANGE, VA) == ERR_OK &&
              host_slot(STRETCH)->aux == aux,
          "the stretch comes again, after 2^13 others");
    CHECK(MAP(BIG, STRETCH, VA, RW) == ERR_OK && UNMAP(PAGE) == ERR_UNMAPPED &&
              pte(0) != 0,
          "the old mapping does not touch the new one");
}

/* Two stretches die at once, each in steps: both leave every domain. */
static void test_sweeps(void)
{
    enum { DOMAINS = 40 };
    cptr_t a = EMPTY, b = EMPTY + 1, first = EMPTY + 2;
    host_boot(20);
    bool made =
        CALL(STRETCH_CREATE, a, HOST_UNTYPED, HOST_RANGE, VA) == ERR_OK &&
        CALL(STRETCH_CREATE, b, HOST_UNTYPED, HOST_RANGE, VA + STRETCH_BYTES) ==
            ERR_OK &&
        CALL(UNTYPED_RETYPE, HOST_UNTYPED, first, TYPE_DOMAIN, 14, DOMAINS) ==
            ERR_OK;
    for (uint32_t i = 0; made && i < DOMAINS; i++) {
        made = CALL(STRETCH_ATTACH, a, first + i, R) == ERR_OK &&
               CALL(STRETCH_ATTACH, b, first + i, RW) == ERR_OK;
    }
    CHECK(made, "two stretches in 40 domains");
    struct slot *s = host_slot(a), *t = host_slot(b);
    uint32_t visited = 0;
    CHECK(!cap_delete_step(s), "one is dying");
    for (uint32_t i = 0; i < DOMAINS; i++) {
        visited += domain_at(host_slot(first + i)->obj)->visited != 0;
    }
    visited += domain_at(host_root_at()->domain)->visited != 0;
    CHECK(visited == 4, "four domains a step");
    CHECK(!cap_delete_step(t), "both are dying");
    check_all();
    bool gone_s = false, gone_t = false;
    for (uint32_t i = 0; i < 20 && !(gone_s && gone_t); i++) {
        gone_t = gone_t || cap_delete_step(t);
        gone_s = gone_s || cap_delete_step(s);
        check_all();
    }
    CHECK(gone_s && gone_t, "and die");
    CHECK(domain_at(host_slot(first)->obj)->table[0].used == 0, "detached");
}

#define TABLE_OF(s) (ref_address(host_slot(s)->obj) | 3ull | 1ull << 59)
#define PAGE_OF(s)                                                             \
    (ref_address(host_slot(s)->obj) | 3ull | 1ull << 6 | 1ull << 10 |          \
     1ull << 11 | 1ull << 53)

/* The entry of root's second-level table for VA. */
static uint64_t level2(void)
{
    const struct domain *d = domain_at(host_root_at()->domain);
    uint64_t table = d->level1[VA >> 30 & 511];
    const uint64_t *l2 = ram_at(ref_of(table & 0xfffffffff000));
    return (table & 3) == 3 ? l2[VA >> 21 & 511] : 0;
}

/* Descriptors, bit by bit (Arm DDI 0487, D5.3). */
static void test_bits(void)
{
    const uint64_t normal = 1ull << 2 | 3ull << 8, read_only = 1ull << 7,
                   uxn = 1ull << 54, t_uxn = 1ull << 60, t_ro = 1ull << 62;
    setup();
    CALL(STRETCH_ATTACH, STRETCH, CPTR_SELF_DOMAIN, R);
    CHECK(level2() == (TABLE_OF(STRETCH) | t_uxn | t_ro), "attach: read");
    CALL(STRETCH_ATTACH, STRETCH, CPTR_SELF_DOMAIN, RW);
    CHECK(level2() == (TABLE_OF(STRETCH) | t_uxn), "attach: write");
    CALL(STRETCH_ATTACH, STRETCH, CPTR_SELF_DOMAIN, RX);
    CHECK(level2() == (TABLE_OF(STRETCH) | t_ro), "attach: execute");
    MAP(PAGE, STRETCH, VA, R);
    CHECK(pte(0) == (PAGE_OF(PAGE) | normal | read_only | uxn), "map: read");
    PROTECT(PAGE, RW);
    CHECK(pte(0) == (PAGE_OF(PAGE) | normal | uxn), "map: write");
    PROTECT(PAGE, RX);
    CHECK(pte(0) == (PAGE_OF(PAGE) | normal | read_only), "map: execute");
    MAP(DEVICE, STRETCH, VA + 4096, RW);
    CHECK(pte(1) == (PAGE_OF(DEVICE) | uxn), "map: device");
    CALL(STRETCH_DETACH, STRETCH, CPTR_SELF_DOMAIN);
    CHECK(level2() == 0, "detach");
}

/* What the machine is told: tables before walks, and what to forget. */
static void test_barriers(void)
{
    setup();
    uint32_t told = host.publishes;
    CALL(STRETCH_ATTACH, STRETCH, CPTR_SELF_DOMAIN, RW);
    CHECK(host.publishes == told + 1, "attach publishes");
    MAP(BIG, STRETCH, VA, RW);
    CHECK(host.publishes == told + 2 && host.tlb_pages == 0,
          "map publishes; nothing was there to forget");
    PROTECT(BIG, R);
    CHECK(host.publishes == told + 2 && host.tlb_pages == 16 && host.syncs == 0,
          "protect flushes every page");
    PROTECT(BIG, RX);
    CHECK(host.syncs == 1, "code is made visible");
    UNMAP(BIG);
    CHECK(host.tlb_pages == 48 && host_slot(BIG)->aux == 0 &&
              host_slot(BIG)->word == 0,
          "unmap flushes every page");
    uint32_t flushed = host.tlb_domains;
    CALL(STRETCH_DETACH, STRETCH, CPTR_SELF_DOMAIN);
    CHECK(host.tlb_domains == flushed + 1, "detach flushes the domain");
    host_kid(0);
    CALL(CAP_DELETE, host_kid_slot(0, KID_DISPATCHER));
    CHECK(host.tlb_pages == 51, "a dispatcher that goes flushes its pages");
    flushed = host.tlb_domains;
    CALL(CAP_DELETE, host_kid_slot(0, KID_DOMAIN));
    CHECK(host.tlb_domains == flushed + 1, "a domain that goes is flushed");
}

/* The three pages of a dispatcher need room, and belong to their stretch. */
static void test_dispatcher_pages(void)
{
    setup();
    cptr_t disp = EMPTY, domain = EMPTY + 1;
    CALL(UNTYPED_RETYPE, HOST_UNTYPED, disp, TYPE_DISPATCHER, 14, 1);
    CALL(UNTYPED_RETYPE, HOST_UNTYPED, domain, TYPE_DOMAIN, 14, 1);
    for (uint64_t i = 0; i < 3; i++) {
        MAP(PAGE, STRETCH, VA + i * PAGE_BYTES, R);
        CHECK(CALL(DISPATCHER_BIND, disp, domain, HOST_CPU, STRETCH, VA) ==
                  ERR_BUSY,
              "a page is in the way");
        UNMAP(PAGE);
    }
    CHECK(CALL(DISPATCHER_BIND, disp, domain, HOST_CPU, STRETCH,
               VA - PAGE_BYTES) == ERR_RANGE,
          "before the stretch");
    uint32_t told = host.publishes;
    CHECK(CALL(DISPATCHER_BIND, disp, domain, HOST_CPU, STRETCH, VA) ==
                  ERR_OK &&
              host.publishes == told + 1 && (pte(0) >> 7 & 1) == 1 &&
              (pte(1) >> 7 & 1) == 0 && (pte(2) >> 7 & 1) == 0 && pte(3) == 0,
          "one read-only page, two to write");
    uint32_t entry = host_slot(STRETCH)->aux;
    CALL(CAP_DELETE, STRETCH);
    CALL(STRETCH_CREATE, STRETCH, HOST_UNTYPED, HOST_RANGE, VA);
    CHECK(MAP(PAGE, STRETCH, VA, R) == ERR_OK &&
              CALL(CAP_DELETE, disp) == ERR_OK && pte(0) != 0,
          "the stretch went first, and another is in its place");
    uint32_t flushed = host.tlb_pages;
    frame_unmap_pages(VA, entry, host_slot(PAGE)->obj, 3);
    CHECK(pte(0) != 0 && host.tlb_pages == flushed,
          "pages of an older table are not touched");
    frame_unmap_pages(VA, host_slot(STRETCH)->aux, 128, 3);
    CHECK(pte(0) != 0 && host.tlb_pages == flushed, "nor those of others");
}

static void test_boot_map(void)
{
    setup();
    space_boot_map(host_slot(STRETCH), VA + 0x3000, 0x123000, 2, RX);
    CHECK((pte(3) & 0xfffffffff000) == 0x123000 &&
              (pte(4) & 0xfffffffff000) == 0x124000 && pte(2) == 0 &&
              pte(5) == 0 && (pte(3) >> 54 & 1) == 0 && (pte(3) >> 7 & 1) == 1,
          "pages of the root server");
}

/* The number of a sweep starts anew, and is never that of a new domain. */
static void test_epochs(void)
{
    setup();
    kernel.epoch = UINT32_MAX;
    CALL(STRETCH_ATTACH, STRETCH, CPTR_SELF_DOMAIN, R);
    CALL(UNTYPED_RETYPE, HOST_UNTYPED, EMPTY, TYPE_DOMAIN, 14, 1);
    CALL(STRETCH_ATTACH, STRETCH, EMPTY, R);
    CHECK(CALL(CAP_DELETE, STRETCH) == ERR_OK && kernel.epoch == 1 &&
              kernel.sweep == 0,
          "the stretch leaves every domain");
}

/* Every domain goes, then the stretches. */
static void test_no_domains(void)
{
    setup();
    struct slot *s = host_slot(STRETCH);
    CALL(STRETCH_ATTACH, STRETCH, CPTR_SELF_DOMAIN, R);
    CHECK(host_try(SYS_CAP_DELETE, (uint64_t[8]){HOST_DOMAIN}) &&
              kernel.domains == 0,
          "root deletes its domain");
    CHECK(cap_delete_step(s) && (space_entry(VA) & 0x3ffff) == 0,
          "a stretch dies without any domain");
}

int main(void)
{
    test_stretch();
    test_attach();
    test_tables();
    test_map();
    test_protect();
    test_ranges();
    test_row_end();
    test_remap();
    test_generations();
    test_sweeps();
    test_bits();
    test_barriers();
    test_dispatcher_pages();
    test_boot_map();
    test_epochs();
    test_no_domains();
    CHECK(abi_unseen(SYS_STRETCH_ATTACH, SYS_FRAME_PROTECT) == 0 &&
              abi_unseen(SYS_FRAME_REMAP, SYS_FRAME_REMAP) == 0,
          "every promised error was seen");
    return tap_end();
}
