/* SPDX-License-Identifier: BSL-1.0
 *
 * Frames of 2 MiB: they become stretches, and domains map them as blocks. Most
 * are of device memory here, which is not zeroed and needs no RAM.
 */
#include "kernel_abi.h"
#include "kernel_check.h"
#include "kernel_host.h"
#include "tap.h"

#define R       RIGHT_READ
#define RW      (RIGHT_READ | RIGHT_WRITE)
#define RX      (RIGHT_READ | RIGHT_EXEC)
#define HUGE    ((cptr_t)HOST_FREE)     /* two of them */
#define STRETCH ((cptr_t)HOST_FREE + 2) /* of HUGE, at VA */
#define PAGE    ((cptr_t)HOST_FREE + 3) /* a frame of 4 KiB */
#define EMPTY   ((cptr_t)HOST_FREE + 8) /* from here on: empty */
#define VA      (HOST_RANGE_VA + STRETCH_BYTES)

static enum abi_error create(cptr_t dst, cptr_t source, uint64_t va,
                             uint64_t rights)
{
    return CALL(STRETCH_CREATE, dst, source, HOST_RANGE, va, rights);
}

static void setup(void)
{
    host_boot(20);
    bool made =
        CALL(UNTYPED_RETYPE, HOST_DEVICE, HUGE, TYPE_FRAME, HUGE_FRAME_LOG2,
             2) == ERR_OK &&
        CALL(UNTYPED_RETYPE, HOST_UNTYPED, PAGE, TYPE_FRAME, 12, 1) == ERR_OK;
    CHECK(made, "frames of 2 MiB");
}

/* The entry of root's second-level table for VA. */
static uint64_t level2(void)
{
    const struct domain *d = domain_at(host_root_at()->domain);
    uint64_t table = d->level1[VA >> 30 & 511];
    const uint64_t *l2 = ram_at(ref_of(table & 0xfffffffff000));
    return (table & 3) == 3 ? l2[VA >> 21 & 511] : 0;
}

static void test_create(void)
{
    setup();
    CHECK(create(EMPTY, HUGE, VA, 0) == ERR_RANGE, "no rights");
    CHECK(create(EMPTY, HUGE, VA, RW | RIGHT_EXEC) == ERR_WX, "W and X");
    CHECK(create(EMPTY, HUGE, VA, RX) == ERR_RANGE, "no code");
    CHECK(create(EMPTY, HUGE, VA, RIGHT_WRITE) == ERR_RANGE, "only writing");
    CHECK(create(EMPTY, PAGE, VA, RW) == ERR_TYPE, "of a small frame");
    CHECK(create(EMPTY, HOST_UNTYPED, VA, R) == ERR_RANGE,
          "a table gives no rights away");
    CHECK(create(EMPTY, EMPTY, VA, R) == ERR_EMPTY, "of nothing");
    CHECK(create(EMPTY, HUGE, VA + PAGE_BYTES, R) == ERR_ALIGN, "align");
    CHECK(create(EMPTY, HUGE, HOST_ATTIC_VA, R) == ERR_BUSY, "busy");
    CHECK(create(PAGE, HUGE, VA, R) == ERR_FULL, "full");
    CHECK(create(STRETCH, HUGE, VA, R) == ERR_OK, "read-only");
    CHECK(create(EMPTY, HUGE, VA + STRETCH_BYTES, R) == ERR_STATE,
          "one frame, one stretch");
    CHECK(create(EMPTY, HUGE + 1, VA, RW) == ERR_BUSY, "one slot, one stretch");
    CHECK(create(EMPTY, HOST_UNTYPED, VA, 0) == ERR_BUSY, "nor a table there");
    CHECK(CALL(CAP_IDENTIFY, STRETCH) == ERR_OK &&
              host_result[1] == (TYPE_STRETCH | (R | RIGHT_ATTACH) << 8 |
                                 HUGE_FRAME_LOG2 << 16 | 1ull << 32) &&
              host_result[2] == HOST_DEVICE_ADDRESS && host_result[3] == VA,
          "what it is");
    CHECK(CALL(CAP_IDENTIFY, HUGE) == ERR_OK && host_result[3] == VA,
          "the frame tells where");
    CHECK(CALL(STRETCH_ATTACH, STRETCH, CPTR_SELF_DOMAIN, RW) == ERR_RIGHTS,
          "no more rights than it was made with");
    host_slot(HUGE + 1)->rights =
        R | RIGHT_ATTACH; /* no call takes rights off it */
    CHECK(create(EMPTY, HUGE + 1, VA + STRETCH_BYTES, RW) == ERR_RIGHTS &&
              create(EMPTY, HUGE + 1, VA + STRETCH_BYTES, R) == ERR_OK,
          "nor than its frame has");
}

/* Descriptors, bit by bit (Arm DDI 0487, D5.3). */
static void test_bits(void)
{
    const uint64_t block = HOST_DEVICE_ADDRESS | 1ull | 1ull << 6 | 1ull << 10 |
                           1ull << 11 | 1ull << 53 | 1ull << 54;
    setup();
    create(STRETCH, HUGE, VA, RW);
    CALL(STRETCH_ATTACH, STRETCH, CPTR_SELF_DOMAIN, R);
    CHECK(level2() == (block | 1ull << 7), "attach: read");
    uint32_t flushed = host.tlb_domains;
    CALL(STRETCH_ATTACH, STRETCH, CPTR_SELF_DOMAIN, RW);
    CHECK(level2() == block && host.tlb_domains == flushed + 1, "then write");
    CHECK(CALL(STRETCH_DETACH, STRETCH, CPTR_SELF_DOMAIN) == ERR_OK &&
              level2() == 0 && host.tlb_domains == flushed + 2,
          "detach");
}

/* Every page of it is in use, and it is no frame for a table. */
static void test_pages(void)
{
    cptr_t disp = EMPTY, domain = EMPTY + 1, table = EMPTY + 2;
    setup();
    create(STRETCH, HUGE, VA, RW);
    create(table, HOST_UNTYPED, VA + STRETCH_BYTES, 0);
    CALL(UNTYPED_RETYPE, HOST_UNTYPED, disp, TYPE_DISPATCHER, 14, 1);
    CALL(UNTYPED_RETYPE, HOST_UNTYPED, domain, TYPE_DOMAIN, 14, 1);
    CHECK(MAP(PAGE, STRETCH, VA, R) == ERR_BUSY, "no page in it");
    CHECK(CALL(DISPATCHER_BIND, disp, domain, HOST_CPU, STRETCH, VA) ==
              ERR_BUSY,
          "nor a dispatcher's");
    CHECK(MAP(HUGE + 1, table, VA + STRETCH_BYTES, R) == ERR_TYPE &&
              UNMAP(HUGE) == ERR_TYPE && PROTECT(HUGE, R) == ERR_TYPE &&
              REMAP(HUGE, table, VA + STRETCH_BYTES, R) == ERR_TYPE,
          "it is not mapped like small ones");
}

static void test_caps(void)
{
    const cptr_t copy = EMPTY, deep = EMPTY + 1;
    setup();
    create(STRETCH, HUGE, VA, RW);
    CHECK(CALL(CAP_COPY, EMPTY, HUGE, ~0ull) == ERR_TYPE, "it is not copied");
    CHECK(CALL(CAP_COPY, copy, STRETCH, R | RIGHT_ATTACH) == ERR_OK &&
              CALL(CAP_COPY, deep, copy, ~0ull) == ERR_OK &&
              CALL(STRETCH_ATTACH, deep, CPTR_SELF_DOMAIN, R) == ERR_OK,
          "its stretch is");
    CHECK(CALL(CAP_REVOKE, copy) == ERR_OK &&
              host_slot(deep)->type == TYPE_NULL &&
              host_slot(copy)->type == TYPE_STRETCH,
          "and taken back");
    CHECK(CALL(CAP_DELETE, STRETCH) == ERR_OK && level2() != 0,
          "another capability keeps it");
    CHECK(CALL(CAP_DELETE, copy) == ERR_OK && level2() == 0 &&
              host_slot(HUGE)->type == TYPE_FRAME,
          "the last takes it along, not the frame");
    CHECK(create(STRETCH, HUGE, VA, RW) == ERR_OK, "which can be one again");
    CALL(STRETCH_ATTACH, STRETCH, CPTR_SELF_DOMAIN, RW);
    CALL(CAP_MOVE, EMPTY + 4, HUGE);
    CHECK(CALL(CAP_REVOKE, EMPTY + 4) == ERR_OK && level2() == 0 &&
              host_slot(STRETCH)->type == TYPE_NULL,
          "revoking the frame takes the stretch");
    create(STRETCH, EMPTY + 4, VA, RW);
    CALL(CAP_COPY, copy, STRETCH, ~0ull);
    CALL(STRETCH_ATTACH, copy, CPTR_SELF_DOMAIN, RW);
    CHECK(CALL(CAP_DELETE, EMPTY + 4) == ERR_OK && level2() == 0 &&
              host_slot(copy)->type == TYPE_NULL &&
              host_slot(STRETCH)->type == TYPE_NULL,
          "so does deleting it");
    CHECK(create(EMPTY + 5, HUGE + 1, VA, R) == ERR_OK &&
              CALL(STRETCH_ATTACH, EMPTY + 5, CPTR_SELF_DOMAIN, R) == ERR_OK &&
              CALL(CAP_REVOKE, HOST_DEVICE) == ERR_OK && level2() == 0 &&
              host_slot(EMPTY + 5)->type == TYPE_NULL,
          "and revoking the memory");
}

/* The frame lies as deep as CNodes go. */
static void test_deep(void)
{
    setup();
    for (uint64_t rank = 0; rank < RANK_MAX; rank++) {
        CALL(UNTYPED_RETYPE, HOST_UNTYPED, EMPTY + rank, TYPE_CNODE, 7, 1, 0,
             rank);
    }
    create(STRETCH, HUGE, VA, RW);
    CALL(STRETCH_ATTACH, STRETCH, CPTR_SELF_DOMAIN, RW);
    bool moved = CALL(CAP_MOVE, CPTR(EMPTY, 1), HUGE) == ERR_OK;
    for (cptr_t rank = 1; rank < RANK_MAX; rank++) {
        moved &=
            CALL(CAP_MOVE, CPTR(EMPTY + rank, 1), EMPTY + rank - 1) == ERR_OK;
    }
    CHECK(moved, "a huge frame in seven CNodes");
    CHECK(CALL(CAP_DELETE, EMPTY + RANK_MAX - 1) == ERR_OK && level2() == 0 &&
              host_slot(STRETCH)->type == TYPE_NULL,
          "goes with them, and its stretch before it");
}

/* A small frame remembers a table of the slot that a huge frame has now: the
 * same page, the same generation. */
static void test_generations(void)
{
    uint32_t *entry = (uint32_t *)ram_at(kernel.directory) + (VA >> 21);
    setup();
    create(STRETCH, HUGE, VA, RW);
    uint32_t was = *entry;
    CALL(CAP_DELETE, STRETCH);
    struct slot *f = host_slot(PAGE);
    f->word = VA;
    f->aux = was & ~(1u << 18);
    *entry = (was - (1u << 19)) & ~0x7ffffu;
    create(STRETCH, HUGE, VA, RW);
    CHECK(*entry == was && UNMAP(PAGE) == ERR_UNMAPPED,
          "a block is never taken for a table");
    CHECK(PROTECT(PAGE, R) == ERR_UNMAPPED, "nor written to");
}

/* In RAM: zeroed in steps, and free again afterwards. */
static void test_ram(void)
{
    host_boot(22);
    host.quick = true;
    uint64_t *last = NULL;
    CHECK(CALL(UNTYPED_RETYPE, HOST_UNTYPED, HUGE, TYPE_FRAME, HUGE_FRAME_LOG2,
               1) == ERR_OK,
          "of RAM");
    last = (uint64_t *)ram_at(host_slot(HUGE)->obj) + STRETCH_BYTES / 8 - 1;
    CHECK(*last == 0, "zeroed to the end");
    *last = ~0ull;
    CHECK(create(STRETCH, HUGE, VA, RW) == ERR_OK &&
              CALL(STRETCH_ATTACH, STRETCH, CPTR_SELF_DOMAIN, RW) == ERR_OK &&
              (level2() >> 2 & 7) == 1 && (level2() >> 8 & 3) == 3,
          "normal memory, shared");
    CHECK(CALL(UNTYPED_RETYPE, HOST_UNTYPED, EMPTY, TYPE_FRAME, 12, 1) ==
              ERR_NOMEM,
          "all is used");
    CHECK(CALL(CAP_DELETE, HUGE) == ERR_OK && level2() == 0 &&
              CALL(CAP_REVOKE, HOST_UNTYPED) == ERR_OK &&
              CALL(UNTYPED_RETYPE, HOST_UNTYPED, HUGE, TYPE_UNTYPED, 22, 1) ==
                  ERR_OK,
          "and free");
}

int main(void)
{
    test_create();
    test_bits();
    test_pages();
    test_caps();
    test_deep();
    test_generations();
    test_ram();
    CHECK(abi_unseen(SYS_STRETCH_CREATE, SYS_STRETCH_CREATE) <= 3,
          "errors of stretch_create"); /* the others: kernel_space_test.c */
    return tap_end();
}
