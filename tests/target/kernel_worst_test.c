/* SPDX-License-Identifier: BSL-1.0
 *
 * What a hostile domain would do to keep the kernel busy: revoke and delete as
 * much as its quota can hold, in tables that are full, while its timer fires as
 * fast as it can. Everything must come to its end and give all back. How long
 * the kernel stays with interrupts off meanwhile is counted from outside
 * (tests/paths/run.py). Prints TAP.
 */
#include "tests/unit/tap.h"

#include <vesper/root.h>
#include <vesper/root_call.h>
#include <vesper/start.h>

#include "libos/core/counter.h"
#include "libos/core/page.h"
#include "libos/core/slots.h"
#include "tests/target/kernel_objects.h"

#define PIECE_LOG2   18u /* the most that ROOT_MEMORY gives at once */
#define PIECES       18u
#define NODES        13u /* CNodes, a piece each */
#define NODE_ENTRIES ((1u << (PIECE_LOG2 - SLOT_LOG2)) - 1u)
#define PER_PIECE    (1u << (PIECE_LOG2 - DISPATCHER_LOG2))
#define DOMAINS      48u
#define RW           ((uint64_t)RIGHT_READ | RIGHT_WRITE)
#define RX           ((uint64_t)RIGHT_READ | RIGHT_EXEC)
#define STORM_TICKS  6250u /* 100 us on QEMU: longer than an upcall takes */

static cptr_t piece[PIECES];
static cptr_t object[CHILDREN_MAX + 1];

static bool pieces_take(void)
{
    for (uint32_t i = 0; i < PIECES; i++) {
        piece[i] = slot_take();
        uint64_t w[8] = {ROOT_MEMORY, PIECE_LOG2, piece[i]};
        if (root_call(w, 0) != 0) {
            return false;
        }
    }
    for (uint32_t i = 0; i <= CHILDREN_MAX; i++) {
        object[i] = slot_take();
    }
    return object[CHILDREN_MAX] != 0;
}

/* Take back all that was made of the pieces. */
static bool pieces_revoke(void)
{
    bool good = true;
    for (uint32_t i = 0; i < PIECES; i++) {
        good &= sys_cap_revoke(piece[i]) == ERR_OK;
    }
    return good;
}

/* `count` objects of 2^log2 bytes each from the pieces, one piece after the
 * other, into object[]. */
static bool objects_fill(uint32_t count, enum abi_type type, uint32_t log2)
{
    uint32_t each = 1u << (PIECE_LOG2 - log2);
    bool good = true;
    for (uint32_t i = 0; i < count; i++) {
        good &= sys_untyped_retype(piece[i / each], object[i], type, log2, 1, 0,
                                   0) == ERR_OK;
    }
    return good;
}

/* ---- 100,000 capabilities ---------------------------------------------- */

/* Nodes full of copies of one capability; how many there are. */
static uint32_t copies_make(cptr_t source)
{
    uint32_t made = 0;
    for (uint32_t k = 0; k < NODES; k++) {
        if (sys_untyped_retype(piece[k], object[k], TYPE_CNODE, PIECE_LOG2, 1,
                               0, 0) != ERR_OK) {
            return made;
        }
        for (uint32_t i = 1; i <= NODE_ENTRIES; i++) {
            made +=
                sys_cap_copy(CPTR(object[k], i), source, ~0ull, 0, 0) == ERR_OK;
        }
    }
    return made;
}

static uint32_t copies_left(void)
{
    uint32_t left = 0;
    for (uint32_t k = 0; k < NODES; k++) {
        for (uint32_t i = 1; i <= NODE_ENTRIES; i++) {
            left += slot_info(CPTR(object[k], i)) != 0;
        }
    }
    return left;
}

/* ---- a timer storm: upcalls as fast as this domain can have them --------- */

static volatile uint32_t storm_ticks;

/* Before libos' own, which gets all but interruptions by the timer. */
static _Noreturn __attribute__((target("general-regs-only"))) void storm_entry(
    struct upcall_page *page)
{
    uint32_t tick = REASON_TICK;
    bool only_tick =
        page->saved_slot != SAVE_NONE &&
        __atomic_compare_exchange_n(&page->pending, &tick, 0, false,
                                    __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
    timer_set(counter_now() + STORM_TICKS); /* from here it may come again */
    if (!only_tick) {
        upcall_main(page);
    }
    storm_ticks = storm_ticks + 1;
    (void)sys_resume(page->saved_slot);
    __builtin_trap();
}

static uint64_t storm_begin(void)
{
    uint64_t entry = upcall_page->entry;
    upcall_page->entry = (uintptr_t)storm_entry;
    timer_set(counter_now() + STORM_TICKS);
    return entry;
}

static void storm_end(uint64_t entry)
{
    timer_stop();
    upcall_page->entry = entry;
    upcall_page->pending |= REASON_EVENT | REASON_TICK; /* libos looks */
}

static void test_revoke_in_storm(void)
{
    uint64_t entry = storm_begin();
    uint32_t made = copies_make(N(P_ENDPOINT));
    storm_end(entry);
    CHECK(made >= 100000, "100,000 capabilities, derived in a timer storm");
    entry = storm_begin();
    bool good = sys_cap_revoke(N(P_ENDPOINT)) == ERR_OK;
    storm_end(entry);
    CHECK(good && copies_left() == 0, "... revoked in another");
    printf("# %u upcalls\n", (unsigned)storm_ticks);
    CHECK(storm_ticks > 100, "... with many upcalls");
    CHECK(pieces_revoke(), "... and their tables");
}

static void test_revoke(void)
{
    CHECK(copies_make(N(P_ENDPOINT)) >= 100000,
          "100,000 capabilities derived from one");
    CHECK(sys_cap_revoke(N(P_ENDPOINT)) == ERR_OK && copies_left() == 0 &&
              slot_type(N(P_ENDPOINT)) == TYPE_ENDPOINT,
          "... are revoked, the one stays");
    CHECK(pieces_revoke(), "... and their tables");
}

/* ---- full tables --------------------------------------------------------- */

static void test_full_node(void)
{
    uint32_t made = 0;
    CHECK(sys_untyped_retype(piece[0], object[0], TYPE_CNODE, PIECE_LOG2, 1, 0,
                             0) == ERR_OK,
          "a large table");
    for (uint32_t i = 1; i + 256 <= NODE_ENTRIES; i += 256) {
        made += sys_untyped_retype(piece[1 + made / 16], CPTR(object[0], i),
                                   TYPE_ENDPOINT, ENDPOINT_LOG2, 256, 0,
                                   0) == ERR_OK;
    }
    CHECK(made == NODE_ENTRIES / 256, "... full of endpoints, 256 a call");
    CHECK(sys_cap_delete(object[0]) == ERR_OK && slot_info(object[0]) == 0,
          "... is deleted with all of them");
    CHECK(pieces_revoke(), "... and the memory is free");
}

static void test_many_domains(void)
{
    uint32_t attached = 0;
    CHECK(objects_fill(DOMAINS, TYPE_DOMAIN, DOMAIN_LOG2_MIN), "many domains");
    for (uint32_t i = 0; i < DOMAINS; i++) {
        attached +=
            sys_stretch_attach(N(P_STRETCH), object[i], RIGHT_READ) == ERR_OK;
    }
    CHECK(attached == DOMAINS, "... share a stretch");
    CHECK(sys_cap_delete(N(P_STRETCH)) == ERR_OK &&
              sys_stretch_create(N(P_STRETCH), memory, SLOT_RANGE, objects_va(),
                                 0) == ERR_OK,
          "... which is deleted, and its address is free");
    CHECK(pieces_revoke(), "... and the domains go");
}

/* For docs/decisions: ticks, 16 instructions each under -icount shift=0. */
static void print_ticks(const char *what, uint64_t since)
{
    printf("# %s: %llu ticks\n", what,
           (unsigned long long)(counter_now() - since));
}

/* The same pages in one call and in many. */
static void time_rows(uint64_t va)
{
    uint64_t start = counter_now();
    bool good =
        frames_map(CPTR(object[0], 1), N(P_STRETCH), va, RW, 64) == ERR_OK;
    print_ticks("64 pages mapped in one call", start);
    good &= frames_unmap(CPTR(object[0], 1), 64) == ERR_OK;
    start = counter_now();
    for (uint32_t i = 0; i < 64; i++) {
        good &= frames_map(CPTR(object[0], i + 1), N(P_STRETCH),
                           va + i * PAGE_BYTES, RW, 1) == ERR_OK;
    }
    print_ticks("64 pages mapped in 64 calls", start);
    good &= frames_unmap(CPTR(object[0], 1), 64) == ERR_OK;
    CHECK(good, "64 pages come and go, in one call and in 64");
}

/* A frame of 2 MiB in place of 512 pages. */
static void test_huge(void)
{
    cptr_t memory_2m = slot_take(), frame = object[1], stretch = object[2];
    uint64_t w[8] = {ROOT_MEMORY, HUGE_FRAME_LOG2, memory_2m};
    bool good = root_call(w, 0) == 0;
    uint64_t start = counter_now();
    good &= sys_untyped_retype(memory_2m, frame, TYPE_FRAME, HUGE_FRAME_LOG2, 1,
                               0, 0) == ERR_OK;
    print_ticks("2 MiB zeroed as one frame", start);
    start = counter_now();
    good &= sys_stretch_create(stretch, frame, N(P_RANGE),
                               objects_va() + STRETCH_BYTES, RW) == ERR_OK &&
            sys_stretch_attach(stretch, CPTR_SELF_DOMAIN, RW) == ERR_OK;
    print_ticks("2 MiB mapped as one frame", start);
    CHECK(good, "a frame of 2 MiB is made and attached");
    CHECK(sys_cap_delete(frame) == ERR_OK && slot_info(stretch) == 0 &&
              sys_cap_delete(memory_2m) == ERR_OK,
          "... and goes with its stretch");
    slot_give(memory_2m);
}

/* As many pages as one call takes, then the largest frame that can be code. */
static void test_many_frames(void)
{
    uint64_t va = objects_va(), start = counter_now();
    bool made = sys_untyped_retype(piece[0], object[0], TYPE_CNODE,
                                   SLOT_LOG2 + 10, 1, 0, 0) == ERR_OK;
    for (uint32_t i = 0; made && i < FRAME_RANGE_MAX; i += 32) {
        made = sys_untyped_retype(piece[1 + i / 64], CPTR(object[0], i + 1),
                                  TYPE_FRAME, PAGE_LOG2, 32, 0, 0) == ERR_OK;
    }
    print_ticks("2 MiB zeroed as 512 frames", start);
    CHECK(made, "512 frames");
    time_rows(va);
    start = counter_now();
    made = frames_map(CPTR(object[0], 1), N(P_STRETCH), va, RW,
                      FRAME_RANGE_MAX) == ERR_OK;
    print_ticks("2 MiB mapped as 512 frames", start);
    CHECK(made &&
              frames_protect(CPTR(object[0], 1), RX, FRAME_RANGE_MAX) ==
                  ERR_OK &&
              frames_unmap(CPTR(object[0], 1), FRAME_RANGE_MAX) == ERR_OK,
          "... are mapped, become code, are unmapped");
    CHECK(frames_map(N(P_BIG), N(P_STRETCH), va, RX, 1) == ERR_OK &&
              frames_remap(N(P_BIG), N(P_STRETCH), va + 0x10000, RX, 1) ==
                  ERR_OK &&
              frames_protect(N(P_BIG), RX, 1) == ERR_OK &&
              frames_unmap(N(P_BIG), 1) == ERR_OK,
          "64 KiB of code come, move and go");
    CHECK(pieces_revoke(), "... and the memory is free");
}

static void test_many_children(void)
{
    uint32_t adopted = 0;
    CHECK(objects_fill(CHILDREN_MAX + 1, TYPE_DISPATCHER, DISPATCHER_LOG2),
          "as many dispatchers as one can schedule, and one");
    for (uint32_t i = 0; i < CHILDREN_MAX; i++) {
        adopted += sys_dispatcher_set_parent(object[i], object[CHILDREN_MAX],
                                             i) == ERR_OK;
    }
    CHECK(adopted == CHILDREN_MAX, "... which adopts them");
    CHECK(sys_cap_delete(object[CHILDREN_MAX]) == ERR_OK,
          "... and leaves them orphans");
    CHECK(sys_dispatcher_set_parent(object[1], object[0], 0) == ERR_OK,
          "... that others can adopt");
    CHECK(pieces_revoke(), "... and all go");
}

int main(void)
{
    if (!objects_make() || !pieces_take()) {
        CHECK(false, "memory for the test");
        return tap_end();
    }
    test_full_node();
    test_many_domains();
    test_many_children();
    test_many_frames();
    test_huge();
    test_revoke();
    test_revoke_in_storm();
    return tap_end();
}
