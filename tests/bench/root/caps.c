/* SPDX-License-Identifier: BSL-1.0
 *
 * Capabilities, and the calls that bind objects to each other.
 */
#include "tests/bench/root/rows.h"

#define A        C_FREE
#define B        (C_FREE + 1)
#define CHILDREN 64u

static void nothing_rows(void)
{
    ROW(
        "null system call", NOTHING,
        {
            e = sys_null();
#if BENCH_PLANT
            __asm__ volatile(".rept 4\n\tnop\n\t.endr");
#endif
        },
        NOTHING);
    uint64_t info, address, word;
    ROW("cap_identify", NOTHING,
        e = sys_cap_identify(C_EVENT, &info, &address, &word), NOTHING);
}

static void copy_rows(void)
{
    expect(make_one(0, A, TYPE_FRAME, PAGE_LOG2), "frame");
    ROW("cap_copy", NOTHING, e = sys_cap_copy(B, A, RIGHTS_ALL, 0, 0),
        sys_cap_delete(B));
    ROW("cap_copy, mint", NOTHING,
        e = sys_cap_copy(B, C_GATE, RIGHT_CALL, 5, 0), sys_cap_delete(B));
    ROW("cap_copy, two levels deep", NOTHING,
        e = sys_cap_copy(CPTR(C_SPARE_CNODE, 2), A, RIGHTS_ALL, 0, 0),
        sys_cap_delete(CPTR(C_SPARE_CNODE, 2)));
    ROW("cap_move", NOTHING, e = sys_cap_move(B, A), sys_cap_move(A, B));
}

static void delete_rows(void)
{
    ROW("cap_rotate", (void)sys_cap_copy(B + 1, A, RIGHTS_ALL, 0, 0),
        e = sys_cap_rotate(B, A, B + 1), {
            (void)sys_cap_rotate(B + 1, A, B);
            (void)sys_cap_delete(B + 1);
        });
    ROW("cap_delete, a copy", sys_cap_copy(B, A, RIGHTS_ALL, 0, 0),
        e = sys_cap_delete(B), NOTHING);
    ROW("cap_delete, the last: a frame", make_one(1, B, TYPE_FRAME, PAGE_LOG2),
        e = sys_cap_delete(B), NOTHING);
    ROW("cap_revoke, nothing derived", NOTHING, e = sys_cap_revoke(A), NOTHING);
    ROW(
        "cap_revoke, 64 copies",
        for (uint32_t i = 0; i < CHILDREN; i++) {
            expect(sys_cap_copy(B + i, A, RIGHTS_ALL, 0, 0), "copies");
        },
        e = sys_cap_revoke(A), NOTHING);
    (void)sys_cap_revoke(C_MEMORY);
}

static void retype_rows(void)
{
    ROW("untyped_retype, one frame", NOTHING,
        e = make_one(0, A, TYPE_FRAME, PAGE_LOG2), sys_cap_revoke(C_MEMORY));
    ROW("untyped_retype, 16 frames", NOTHING,
        e = sys_untyped_retype(C_MEMORY, A, TYPE_FRAME, PAGE_LOG2, 16, 0, 0),
        sys_cap_revoke(C_MEMORY));
    ROW("untyped_retype, one endpoint", NOTHING,
        e = make_one(0, A, TYPE_ENDPOINT, ENDPOINT_LOG2),
        sys_cap_revoke(C_MEMORY));
}

static void object_rows(void)
{
    ROW("domain_set_cspace",
        expect(make_one(0, A, TYPE_CNODE, SLOT_LOG2 + 2), "cnode"),
        e = sys_domain_set_cspace(C_SPARE_DOMAIN, A), sys_cap_delete(A));
    ROW("endpoint_bind",
        expect(make_one(1, A, TYPE_ENDPOINT, ENDPOINT_LOG2), "endpoint"),
        e = sys_endpoint_bind(A, C_SPARE_DISPATCHER), sys_cap_delete(A));
    ROW("sched_bind",
        expect(make_one(2, A, TYPE_SCHED_CONTEXT, SCHED_CONTEXT_LOG2), "sched"),
        e = sys_sched_bind(A, C_SPARE_DISPATCHER), sys_cap_delete(A));
    uint64_t left, used;
    ROW("sched_refill", NOTHING,
        e = sys_sched_refill(C_PEER_SCHED, ~0ull, &left, &used), NOTHING);
    ROW("event_mint", NOTHING, e = sys_event_mint(A, C_SPARE_DISPATCHER, 3),
        sys_cap_delete(A));
    ROW("call_accept", NOTHING,
        e = sys_call_accept((uintptr_t)server_entry, 4096, 0), NOTHING);
    ROW(
        "dispatcher_inspect", NOTHING,
        {
            uint64_t w[4];
            e = sys_dispatcher_inspect(C_SPARE_DISPATCHER, 0, &w[0], &w[1],
                                       &w[2], &w[3]);
        },
        NOTHING);
}

static void refused_row(void)
{
    ROW("dispatcher_cancel, no call to give up", NOTHING,
        e = sys_dispatcher_cancel(C_CHILD) != ERR_STATE, NOTHING);
}

/* A dispatcher that is placed, started, stopped, and goes. */
static void dispatcher_rows(void)
{
    for (uint32_t i = 0; i < 3; i++) {
        (void)sys_cap_revoke(C_MEMORY + i);
    }
    expect(sys_stretch_create(B, C_MEMORY + 1, C_RANGE, client_range, 0),
           "stretch");
    ROW("dispatcher_set_parent",
        expect(make_one(2, A, TYPE_DISPATCHER, DISPATCHER_LOG2), "dispatcher"),
        e = sys_dispatcher_set_parent(A, CPTR_SELF_DISPATCHER, 9),
        (void)sys_cap_revoke(C_MEMORY + 2));
    ROW("dispatcher_bind",
        expect(make_one(2, A, TYPE_DISPATCHER, DISPATCHER_LOG2), "dispatcher");
        expect(make_one(2, A + 2, TYPE_DOMAIN, DOMAIN_LOG2_MIN), "domain"),
        e = sys_dispatcher_bind(A, A + 2, C_CPU, B, client_range),
        (void)sys_cap_revoke(C_MEMORY + 2));
    expect(make_one(2, A, TYPE_DISPATCHER, DISPATCHER_LOG2), "dispatcher");
    expect(make_one(2, A + 2, TYPE_DOMAIN, DOMAIN_LOG2_MIN), "domain");
    expect(sys_dispatcher_bind(A, A + 2, C_CPU, B, client_range), "bind");
    ROW("dispatcher_start", NOTHING, e = sys_dispatcher_start(A, 4096, 4096, 0),
        (void)sys_dispatcher_stop(A));
    ROW("dispatcher_stop",
        expect(sys_dispatcher_start(A, 4096, 4096, 0), "start"),
        e = sys_dispatcher_stop(A), NOTHING);
    (void)sys_cap_revoke(C_MEMORY + 2);
    (void)sys_cap_revoke(C_MEMORY + 1);
}

void cap_rows(void)
{
    nothing_rows();
    copy_rows();
    delete_rows();
    retype_rows();
    object_rows();
    dispatcher_rows();
    refused_row();
}
