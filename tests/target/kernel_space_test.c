/* SPDX-License-Identifier: BSL-1.0
 *
 * Stretches and frames: every error of the calls on them, and after each call
 * what the CPU lets this domain do, by real accesses. Prints TAP.
 */
#include "tests/unit/tap.h"

#include <string.h>
#include <vesper/root.h>
#include <vesper/root_call.h>
#include <vesper/start.h>

#include "libos/core/slots.h"
#include "tests/target/kernel_objects.h"
#include "tests/target/kernel_probe.h"

#define T(n) N(P_FREE + (n)) /* for what a test makes */

#define R_  ((uint64_t)RIGHT_READ)
#define RW  ((uint64_t)RIGHT_READ | RIGHT_WRITE)
#define RX  ((uint64_t)RIGHT_READ | RIGHT_EXEC)
#define RWX ((uint64_t)RIGHT_READ | RIGHT_WRITE | RIGHT_EXEC)

static uint64_t va; /* of the stretch; P_FRAME is mapped here */

/* Rights that are no rights of a mapping, and what is said of them. */
static const struct {
    uint64_t rights;
    enum abi_error error;
} bad_rights[] = {
    {RWX, ERR_WX},
    {0, ERR_RANGE},
    {RIGHT_WRITE, ERR_RANGE},
    {RIGHT_EXEC, ERR_RANGE},
    {RIGHT_WRITE | RIGHT_EXEC, ERR_RANGE},
    {R_ | RIGHT_ATTACH, ERR_RANGE},
    {R_ | 1ull << 32, ERR_RANGE},
    {~0ull, ERR_RANGE},
};
#define BAD_RIGHTS (sizeof(bad_rights) / sizeof(bad_rights[0]))

/* ---- what the CPU says --------------------------------------------------- */

#define CODE_RET    0xd65f03c0u                        /* ret */
#define CODE_MOV(n) (0xd2800000u | (uint32_t)(n) << 5) /* mov x0, #n */
#define CODE(n)     ((uint64_t)CODE_RET << 32 | CODE_MOV(n))

/* Bits 2 (read), 1 (write), 0 (execute): what works at an address. Faults must
 * name the address and the kind of access. Writing keeps what was there. */
static uint32_t access_of(uint64_t at)
{
    uint64_t value = CODE(7), got = 0;
    bool read = probe_load(at, &value) == PROBE_RETURNED;
    bool named = read || (probe_fault.far == at &&
                          (probe_fault.esr >> 26 & 0x3f) == 0x24 &&
                          !(probe_fault.esr & 1u << 6));
    bool write = probe_store(at, value) == PROBE_RETURNED;
    named &= write ||
             (probe_fault.far == at && (probe_fault.esr >> 26 & 0x3f) == 0x24 &&
              (probe_fault.esr & 1u << 6));
    bool run = probe_run(at, &got) == PROBE_RETURNED;
    named &= run || (probe_fault.far == at && probe_fault.pc == at &&
                     (probe_fault.esr >> 26 & 0x3f) == 0x20);
    return named ? (uint32_t)(read * 4 + write * 2 + run) : 99;
}

static bool access_is(uint64_t at, uint32_t expected)
{
    uint32_t got = access_of(at);
    if (got != expected) {
        printf("# at 0x%llx: rwx %u%u%u, expected %u%u%u%s\n",
               (unsigned long long)at, got >> 2 & 1, got >> 1 & 1, got & 1,
               expected >> 2 & 1, expected >> 1 & 1, expected & 1,
               got == 99 ? " (a fault says something wrong)" : "");
    }
    return got == expected;
}

#define NONE    0u
#define READ    4u
#define WRITE   6u
#define EXECUTE 5u

static bool ok(enum abi_error e)
{
    return error_is(e, ERR_OK);
}

/* ---- stretches ----------------------------------------------------------- */

static void create_test(void)
{
    uint64_t next = va + STRETCH_BYTES;
    CHECK(error_is(sys_stretch_create(T(0), N(P_UNTYPED), N(P_RANGE), va, 0),
                   ERR_BUSY),
          "a slot has one stretch: the second is BUSY");
    CHECK(error_is(sys_stretch_create(T(0), N(P_UNTYPED), N(P_RANGE),
                                      next + PAGE_BYTES, 0),
                   ERR_ALIGN) &&
              error_is(sys_stretch_create(T(0), N(P_UNTYPED), N(P_RANGE), 1, 0),
                       ERR_ALIGN),
          "inside a slot there is none: ALIGN");
    CHECK(error_is(sys_stretch_create(T(0), N(P_UNTYPED), N(P_RANGE),
                                      va - STRETCH_BYTES, 0),
                   ERR_RANGE) &&
              error_is(sys_stretch_create(T(0), N(P_UNTYPED), N(P_RANGE),
                                          next + STRETCH_BYTES, 0),
                       ERR_RANGE) &&
              error_is(sys_stretch_create(T(0), N(P_UNTYPED), N(P_RANGE), 0, 0),
                       ERR_RANGE) &&
              error_is(sys_stretch_create(T(0), N(P_UNTYPED), N(P_RANGE),
                                          USER_VA_END + va, 0),
                       ERR_RANGE) &&
              error_is(sys_stretch_create(T(0), N(P_UNTYPED), N(P_RANGE),
                                          ~(STRETCH_BYTES - 1), 0),
                       ERR_RANGE),
          "addresses outside the range: RANGE");
    CHECK(error_is(sys_stretch_create(T(0), N(P_FULL), N(P_RANGE), next, 0),
                   ERR_NOMEM) &&
              error_is(sys_stretch_create(T(0), N(P_UNTYPED), N(P_RANGE), next,
                                          0),
                       ERR_OK) &&
              sys_cap_delete(T(0)) == ERR_OK &&
              error_is(sys_stretch_create(T(0), N(P_UNTYPED), N(P_RANGE), next,
                                          0),
                       ERR_OK) &&
              sys_cap_delete(T(0)) == ERR_OK,
          "a table needs memory; after its death the slot is free");
}

static void attach_test(void)
{
    bool right = true;
    for (uint32_t i = 0; i < BAD_RIGHTS; i++) {
        right &= error_is(sys_stretch_attach(N(P_STRETCH), CPTR_SELF_DOMAIN,
                                             bad_rights[i].rights),
                          bad_rights[i].error);
    }
    CHECK(right, "attaching W+X is WX, other wrong rights RANGE");
    CHECK(error_is(sys_stretch_detach(N(P_STRETCH), CPTR_SELF_DOMAIN),
                   ERR_UNMAPPED) &&
              error_is(sys_stretch_detach(N(P_STRETCH), N(P_DOMAIN)),
                       ERR_UNMAPPED),
          "what is not attached cannot be detached");
    CHECK(ok(sys_stretch_attach(N(P_STRETCH), N(P_DOMAIN), RX)) &&
              ok(sys_stretch_detach(N(P_STRETCH), N(P_DOMAIN))),
          "a domain of one's own can be attached and detached");
    CHECK(ok(sys_cap_copy(T(0), N(P_STRETCH), R_ | RIGHT_ATTACH, 0, 0)) &&
              error_is(sys_stretch_attach(T(0), CPTR_SELF_DOMAIN, RW),
                       ERR_RIGHTS) &&
              error_is(sys_stretch_attach(T(0), CPTR_SELF_DOMAIN, RX),
                       ERR_RIGHTS) &&
              error_is(frames_map(N(P_FRAME), T(0), va, RW, 1), ERR_RIGHTS) &&
              ok(sys_stretch_attach(T(0), CPTR_SELF_DOMAIN, R_)) &&
              ok(sys_stretch_detach(T(0), CPTR_SELF_DOMAIN)) &&
              ok(sys_cap_delete(T(0))),
          "a read-only stretch attaches and maps only for reading");
}

/* ---- frames -------------------------------------------------------------- */

static void map_errors_test(void)
{
    bool right = true;
    for (uint32_t i = 0; i < BAD_RIGHTS; i++) {
        right &= error_is(frames_map(N(P_FRAME), N(P_STRETCH), va,
                                     bad_rights[i].rights, 1),
                          bad_rights[i].error);
        right &= error_is(frames_protect(N(P_FRAME), bad_rights[i].rights, 1),
                          bad_rights[i].error);
    }
    CHECK(right, "mapping W+X is WX, other wrong rights RANGE");
    CHECK(error_is(frames_map(N(P_FRAME), N(P_STRETCH), va + 8, RW, 1),
                   ERR_ALIGN) &&
              error_is(frames_map(N(P_BIG), N(P_STRETCH), va + PAGE_BYTES, RW,
                                  1),
                       ERR_ALIGN),
          "a frame lies at a multiple of its size");
    CHECK(error_is(frames_map(N(P_FRAME), N(P_STRETCH), va - PAGE_BYTES, RW, 1),
                   ERR_RANGE) &&
              error_is(frames_map(N(P_FRAME), N(P_STRETCH), va + STRETCH_BYTES,
                                  RW, 1),
                       ERR_RANGE) &&
              error_is(frames_map(N(P_FRAME), N(P_STRETCH), va + USER_VA_END,
                                  RW, 1),
                       ERR_RANGE) &&
              error_is(frames_map(N(P_FRAME), N(P_STRETCH), 0, RW, 1),
                       ERR_RANGE),
          "and inside the stretch");
    CHECK(error_is(frames_unmap(N(P_FRAME), 1), ERR_UNMAPPED) &&
              error_is(frames_protect(N(P_FRAME), R_, 1), ERR_UNMAPPED),
          "what is not mapped cannot be unmapped or protected");
    CHECK(ok(sys_cap_copy(T(0), N(P_FRAME), RIGHTS_ALL, 0, 0)) &&
              error_is(frames_map(T(0), N(P_STRETCH), va, R_, 1), ERR_PERM) &&
              ok(sys_cap_delete(T(0))),
          "a copy of a frame cannot be mapped");
}

static void map_test(void)
{
    CHECK(ok(frames_map(N(P_FRAME), N(P_STRETCH), va, RW, 1)) &&
              error_is(frames_map(N(P_FRAME), N(P_STRETCH), va + PAGE_BYTES, RW,
                                  1),
                       ERR_STATE),
          "a frame is mapped once");
    CHECK(error_is(frames_map(N(P_BIG), N(P_STRETCH), va, RW, 1), ERR_BUSY) &&
              ok(frames_map(N(P_BIG), N(P_STRETCH), va + 0x10000, RW, 1)) &&
              error_is(frames_map(N(P_FULL_FRAME), N(P_STRETCH), va + 0x1f000,
                                  RW, 1),
                       ERR_BUSY),
          "where a frame is, there is no room for another");
    CHECK(access_is(va, NONE), "not attached: no access");
    CHECK(ok(sys_stretch_attach(N(P_STRETCH), CPTR_SELF_DOMAIN, RW)) &&
              access_is(va, WRITE) && access_is(va + 0x10000, WRITE) &&
              access_is(va + 0x1f000, WRITE),
          "attached RW: reading and writing");
    CHECK(access_is(va + PAGE_BYTES, NONE) && access_is(va + 0x20000, NONE),
          "but where no frame is: no access");
    uint64_t sum = 0;
    for (uint64_t i = 8; i < 0x10000; i += 8) {
        sum |= *(volatile uint64_t *)(va + 0x10000 + i);
    }
    CHECK(ok(frames_unmap(N(P_BIG), 1)) && access_is(va + 0x10000, NONE) &&
              access_is(va + 0x1f000, NONE),
          "an unmapped frame of 64 KiB is gone");
    (void)sum;
}

static void rights_test(void)
{
    uint64_t got = 0;
    *(volatile uint64_t *)va = CODE(42);
    CHECK(ok(frames_protect(N(P_FRAME), R_, 1)) && access_is(va, READ),
          "a read-only frame in a RW stretch: reading");
    CHECK(ok(frames_protect(N(P_FRAME), RX, 1)) && access_is(va, READ),
          "an executable one in a RW stretch: reading, not running");
    CHECK(ok(sys_stretch_attach(N(P_STRETCH), CPTR_SELF_DOMAIN, RX)) &&
              access_is(va, EXECUTE) && probe_run(va, &got) == PROBE_RETURNED &&
              got == 42,
          "in a stretch attached RX it runs");
    CHECK(ok(frames_protect(N(P_FRAME), RW, 1)) && access_is(va, READ),
          "a RW frame in a RX stretch: reading only");
    CHECK(ok(sys_stretch_attach(N(P_STRETCH), CPTR_SELF_DOMAIN, R_)) &&
              access_is(va, READ),
          "in a stretch attached R: reading only");
    CHECK(ok(sys_stretch_attach(N(P_STRETCH), CPTR_SELF_DOMAIN, RW)) &&
              access_is(va, WRITE),
          "attached RW again: writing");
    bool fresh = true;
    for (uint32_t i = 0; i < 200; i++) {
        *(volatile uint64_t *)va = CODE(i);
        fresh &=
            frames_protect(N(P_FRAME), RX, 1) == ERR_OK &&
            sys_stretch_attach(N(P_STRETCH), CPTR_SELF_DOMAIN, RX) == ERR_OK &&
            probe_run(va, &got) == PROBE_RETURNED && got == i &&
            frames_protect(N(P_FRAME), RW, 1) == ERR_OK &&
            sys_stretch_attach(N(P_STRETCH), CPTR_SELF_DOMAIN, RW) == ERR_OK;
    }
    CHECK(fresh, "200 times new code in a page: the new code runs");
}

static void moves_test(void)
{
    *(volatile uint64_t *)va = CODE(99);
    CHECK(ok(frames_unmap(N(P_FRAME), 1)) && access_is(va, NONE) &&
              ok(frames_map(N(P_FRAME), N(P_STRETCH), va + 0x5000, RW, 1)) &&
              access_is(va, NONE) && access_is(va + 0x5000, WRITE) &&
              *(volatile uint64_t *)(va + 0x5000) == CODE(99),
          "a frame mapped elsewhere takes its contents along");
    CHECK(ok(frames_map(N(P_FULL_FRAME), N(P_STRETCH), va, RW, 1)) &&
              *(volatile uint64_t *)va == 0,
          "at the old address another one shows");
    CHECK(ok(sys_stretch_detach(N(P_STRETCH), CPTR_SELF_DOMAIN)) &&
              access_is(va, NONE) && access_is(va + 0x5000, NONE),
          "detached: no access");
    CHECK(ok(sys_stretch_attach(N(P_STRETCH), CPTR_SELF_DOMAIN, RW)) &&
              access_is(va, WRITE) && ok(sys_cap_delete(N(P_FULL_FRAME))) &&
              access_is(va, NONE),
          "a deleted frame is unmapped");
    CHECK(ok(sys_cap_move(T(0), N(P_FRAME))) && access_is(va + 0x5000, WRITE) &&
              ok(frames_unmap(T(0), 1)) && access_is(va + 0x5000, NONE) &&
              ok(frames_map(T(0), N(P_STRETCH), va, RW, 1)) &&
              ok(sys_cap_move(N(P_FRAME), T(0))),
          "a capability that moves keeps its mapping");
    CHECK(ok(sys_cap_delete(N(P_STRETCH))) && access_is(va, NONE) &&
              error_is(frames_unmap(N(P_FRAME), 1), ERR_UNMAPPED),
          "a deleted stretch takes all mappings");
    CHECK(ok(sys_stretch_create(N(P_STRETCH), N(P_UNTYPED), N(P_RANGE), va,
                                0)) &&
              ok(sys_stretch_attach(N(P_STRETCH), CPTR_SELF_DOMAIN, RW)) &&
              access_is(va, NONE) &&
              ok(frames_map(N(P_FRAME), N(P_STRETCH), va, RW, 1)) &&
              access_is(va, WRITE),
          "a new one in its place starts empty");
}

static bool all_zero(uint64_t from, uint64_t bytes)
{
    uint64_t sum = 0;
    for (uint64_t i = 0; i < bytes; i += 8) {
        sum |= *(volatile uint64_t *)(from + i);
    }
    return sum == 0;
}

/* Memory that had contents, as frames and as other objects, comes back zero. */
static void zero_test(void)
{
    bool right = true;
    for (uint32_t i = 0; i < 10 && right; i++) {
        right = objects_renew() &&
                ok(sys_stretch_attach(N(P_STRETCH), CPTR_SELF_DOMAIN, RW)) &&
                ok(sys_untyped_retype(N(P_UNTYPED), T(0), TYPE_FRAME, 16, 1, 0,
                                      0)) &&
                ok(frames_map(T(0), N(P_STRETCH), va, RW, 1)) &&
                ok(frames_map(N(P_BIG), N(P_STRETCH), va + 0x10000, RW, 1)) &&
                all_zero(va, 0x20000);
        if (right) {
            memset((void *)va, 0xa5, 0x20000);
            right = ok(sys_cap_revoke(N(P_UNTYPED))) && access_is(va, NONE) &&
                    ok(sys_untyped_retype(N(P_UNTYPED), T(0), TYPE_FRAME, 12,
                                          16, 0, 0)) &&
                    ok(frames_map(T(15), N(P_STRETCH), va, RW, 1)) &&
                    all_zero(va, PAGE_BYTES);
        }
    }
    CHECK(right, "memory is zero when it becomes a frame again");
    (void)objects_renew();
    CHECK(access_is(va, NONE), "and gone when all is revoked");
}

/* ---- several at once, and elsewhere -------------------------------------- */

static bool row_is(uint64_t at, uint32_t n, uint32_t expected)
{
    bool right = true;
    for (uint32_t i = 0; i < n; i++) {
        right &= access_is(at + i * PAGE_BYTES, expected);
    }
    return right;
}

static void ranges_test(void)
{
    uint64_t done = 0, next = 0, value = 0;
    (void)objects_renew();
    (void)sys_stretch_attach(N(P_STRETCH), CPTR_SELF_DOMAIN, RW);
    CHECK(ok(sys_untyped_retype(N(P_UNTYPED), T(0), TYPE_FRAME, PAGE_LOG2, 8, 0,
                                0)) &&
              ok(sys_frame_map(T(0), N(P_STRETCH), va, RW, 8, &done, &next)) &&
              done >= 1 && next == va + done * PAGE_BYTES &&
              ok(frames_map(T(done), N(P_STRETCH), next, RW, 8 - done)) &&
              row_is(va, 8, WRITE) && access_is(va + 8 * PAGE_BYTES, NONE),
          "eight frames side by side");
    CHECK(ok(frames_protect(T(2), R_, 3)) && row_is(va, 2, WRITE) &&
              row_is(va + 2 * PAGE_BYTES, 3, READ) &&
              row_is(va + 5 * PAGE_BYTES, 3, WRITE),
          "three of them only read");
    CHECK(error_is(frames_unmap(T(6), 3), ERR_EMPTY) &&
              row_is(va + 6 * PAGE_BYTES, 2, NONE) && row_is(va, 2, WRITE),
          "a row goes as far as it can");
    CHECK(error_is(sys_frame_map(T(6), N(P_STRETCH), va, RW, 0, &done, &next),
                   ERR_RANGE) &&
              error_is(sys_frame_unmap(T(0), FRAME_RANGE_MAX + 1, &done),
                       ERR_RANGE),
          "of none, and of too many");
    CHECK(probe_store(va, 77) == PROBE_RETURNED &&
              ok(sys_frame_remap(T(0), N(P_STRETCH), va + 0x20000, R_, 1, &done,
                                 &next)) &&
              access_is(va, NONE) && access_is(va + 0x20000, READ) &&
              probe_load(va + 0x20000, &value) == PROBE_RETURNED && value == 77,
          "a frame moves with its content");
    CHECK(error_is(sys_frame_remap(T(0), N(P_STRETCH), va + PAGE_BYTES, R_, 1,
                                   &done, &next),
                   ERR_BUSY) &&
              access_is(va + 0x20000, READ) &&
              error_is(sys_frame_remap(T(7), N(P_STRETCH), va, R_, 1, &done,
                                       &next),
                       ERR_UNMAPPED),
          "not to where another is, and not if it is nowhere");
    CHECK(ok(sys_cap_rotate(T(8), T(0), T(1))) && slot_info(T(1)) == 0 &&
              ok(frames_unmap(T(8), 1)) && access_is(va + 0x20000, NONE) &&
              ok(sys_cap_rotate(T(8), T(0), T(8))) &&
              ok(frames_unmap(T(8), 1)) && access_is(va + PAGE_BYTES, NONE),
          "rotated capabilities keep their mappings");
}

/* ---- 2 MiB in one piece -------------------------------------------------- */

#define HUGE  T(20)
#define WHOLE T(21) /* the stretch made of it, at `high` */

static uint64_t high; /* the slot behind va */

static enum abi_error huge_make(uint64_t rights)
{
    return sys_stretch_create(WHOLE, HUGE, N(P_RANGE), high, rights);
}

static bool huge_is(uint32_t expected)
{
    return access_is(high, expected) && access_is(high + 0x100000, expected) &&
           access_is(high + STRETCH_BYTES - 8, expected);
}

static void huge_content_test(void)
{
    uint64_t value = 0;
    bool right = true;
    for (uint64_t at = 0; at < STRETCH_BYTES; at += PAGE_BYTES) {
        right &= probe_store(high + at, at + 1) == PROBE_RETURNED;
    }
    CHECK(right && ok(sys_stretch_detach(WHOLE, CPTR_SELF_DOMAIN)) &&
              huge_is(NONE) &&
              ok(sys_stretch_attach(WHOLE, CPTR_SELF_DOMAIN, R_)) &&
              huge_is(READ),
          "detached, and attached for reading");
    for (uint64_t at = 0; at < STRETCH_BYTES; at += PAGE_BYTES) {
        right &=
            probe_load(high + at, &value) == PROBE_RETURNED && value == at + 1;
    }
    CHECK(right, "each of its 512 pages holds what was written");
}

static void huge_test(cptr_t piece)
{
    CHECK(ok(sys_untyped_retype(piece, HUGE, TYPE_FRAME, HUGE_FRAME_LOG2, 1, 0,
                                0)) &&
              error_is(huge_make(RX), ERR_RANGE) &&
              error_is(huge_make(RWX), ERR_WX) &&
              error_is(huge_make(0), ERR_RANGE) && ok(huge_make(RW)),
          "a frame of 2 MiB becomes a stretch, never of code");
    CHECK(huge_is(NONE) &&
              ok(sys_stretch_attach(WHOLE, CPTR_SELF_DOMAIN, RW)) &&
              huge_is(WRITE) && all_zero(high, STRETCH_BYTES),
          "attached, it is there as a whole, and zero");
    huge_content_test();
    CHECK(error_is(sys_stretch_attach(WHOLE, CPTR_SELF_DOMAIN, RX),
                   ERR_RIGHTS) &&
              huge_is(READ),
          "it is not code");
    CHECK(error_is(frames_map(N(P_FRAME), WHOLE, high, R_, 1), ERR_BUSY) &&
              error_is(frames_map(HUGE, N(P_STRETCH), va, R_, 1), ERR_TYPE) &&
              error_is(sys_cap_copy(T(22), HUGE, R_, 0, 0), ERR_TYPE) &&
              error_is(huge_make(RW), ERR_STATE),
          "it has no room for pages, is not one, and not copied");
    CHECK(ok(sys_cap_copy(T(22), WHOLE, RIGHTS_ALL, 0, 0)) &&
              ok(sys_cap_revoke(HUGE)) && huge_is(NONE) &&
              slot_info(T(22)) == 0 && slot_info(WHOLE) == 0 &&
              ok(huge_make(R_)) &&
              error_is(sys_stretch_attach(WHOLE, CPTR_SELF_DOMAIN, RW),
                       ERR_RIGHTS) &&
              ok(sys_stretch_attach(WHOLE, CPTR_SELF_DOMAIN, R_)) &&
              huge_is(READ),
          "revoked it is gone; made again for reading, nobody writes");
    CHECK(ok(sys_cap_delete(HUGE)) && slot_info(WHOLE) == 0 && huge_is(NONE),
          "without its frame it is gone, too");
    CHECK(ok(sys_stretch_create(WHOLE, N(P_UNTYPED), N(P_RANGE), high, 0)) &&
              ok(sys_stretch_attach(WHOLE, CPTR_SELF_DOMAIN, RW)) &&
              huge_is(NONE) && ok(frames_map(N(P_FRAME), WHOLE, high, RW, 1)) &&
              access_is(high, WRITE) && access_is(high + PAGE_BYTES, NONE) &&
              ok(sys_cap_delete(WHOLE)) && access_is(high, NONE),
          "a table can follow it");
    CHECK(ok(sys_cap_revoke(piece)) &&
              ok(sys_untyped_retype(piece, HUGE, TYPE_FRAME, HUGE_FRAME_LOG2, 1,
                                    0, 0)) &&
              ok(huge_make(R_)) &&
              ok(sys_stretch_attach(WHOLE, CPTR_SELF_DOMAIN, R_)) &&
              all_zero(high, STRETCH_BYTES),
          "and it that; zero again");
    CHECK(ok(sys_cap_delete(piece)) && ok(sys_cap_delete(HUGE)) &&
              huge_is(NONE),
          "the end");
}

/* ---- what never belongs to a domain -------------------------------------- */

static void foreign_test(void)
{
    static const uint64_t foreign[] = {
        0,
        0x80000,      /* where the kernel's image lies */
        ROOT_TEXT_VA, /* the root server */
        ROOT_DATA_VA,
        ROOT_PAGES_VA,
        0x3f201000, /* the UART */
        USER_VA_END - 8,
        USER_VA_END,
        0x0000fffffffffff8,
        0x0001000000000000,
        0x8000000000000000,
        0xffffff8000000000, /* the kernel's window */
        0xffffff8000080000,
        0xffffffffc0000000,
        0xfffffffffffffff8,
    };
    bool right = true;
    for (uint32_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
        right &= access_is(foreign[i], NONE);
    }
    CHECK(right, "nothing outside the domain can be read, written or run");
    CHECK(access_is(start_self->dispatcher, READ),
          "its identity page can only be read");
    uint64_t value = 0;
    CHECK(probe_load(start_self->image, &value) == PROBE_RETURNED &&
              probe_store(start_self->image, value) == PROBE_FAULT,
          "its code cannot be written");
    static uint64_t data = CODE(1);
    CHECK(probe_run((uintptr_t)&data, &value) == PROBE_FAULT,
          "its data cannot be run");
    uint64_t stack = CODE(1);
    CHECK(probe_run((uintptr_t)&stack, &value) == PROBE_FAULT, "nor its stack");
    CHECK(probe_run((uintptr_t)access_of + 2, &value) == PROBE_EXCEPTION,
          "code at an odd address is an exception");
}

int main(void)
{
    if (!objects_make()) {
        printf("Bail out! no objects\n");
        return 1;
    }
    probe_init();
    va = objects_va();
    create_test();
    attach_test();
    map_errors_test();
    map_test();
    rights_test();
    moves_test();
    zero_test();
    ranges_test();
    cptr_t piece = slot_take();
    uint64_t w[8] = {ROOT_MEMORY, HUGE_FRAME_LOG2, piece};
    high = va + STRETCH_BYTES;
    if (root_call(w, 0) == 0 && objects_renew()) {
        huge_test(piece);
    } else {
        CHECK(false, "2 MiB from the root server");
    }
    foreign_test();
    return tap_end();
}
