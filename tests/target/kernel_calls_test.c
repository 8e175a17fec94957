/* SPDX-License-Identifier: BSL-1.0
 *
 * Every system call of the kernel from an ordinary domain: bad capabilities in
 * every place where a capability is named (from one table), numbers that are no
 * calls, and the errors of capabilities and of making objects. Prints TAP.
 */
#include "tests/unit/tap.h"

#include <string.h>
#include <vesper/start.h>

#include "tests/target/kernel_objects.h"
#include "tests/target/kernel_probe.h"

#define T(n) N(P_FREE + (n)) /* for what a test makes */

/* ---- capability arguments, of all calls --------------------------------- */

/* One capability argument: what type and right it must have. ANY: any
 * type; DST: an empty slot. */
#define ANY 0xfeu
#define DST 0xfdu

struct argument {
    uint32_t type, right;
};

struct call {
    uint8_t nr;
    const char *name;
    uint64_t x[7];          /* good arguments; 0 in place of capabilities */
    struct argument cap[4]; /* type 0: x[i] is no capability */
};

#define M  RIGHT_MANAGE
#define RW (RIGHT_READ | RIGHT_WRITE)

static const struct call calls[] = {
    {SYS_CAP_COPY, "cap_copy", {0, 0, RIGHTS_ALL}, {{DST, 0}, {ANY, 0}}},
    {SYS_CAP_MOVE, "cap_move", {0}, {{DST, 0}, {ANY, 0}}},
    {SYS_CAP_ROTATE, "cap_rotate", {0}, {{DST, 0}, {ANY, 0}, {ANY, 0}}},
    {SYS_CAP_DELETE, "cap_delete", {0}, {{ANY, 0}}},
    {SYS_CAP_REVOKE, "cap_revoke", {0}, {{ANY, 0}}},
    {SYS_CAP_IDENTIFY, "cap_identify", {0}, {{ANY, 0}}},
    {SYS_UNTYPED_RETYPE,
     "untyped_retype",
     {0, 0, TYPE_FRAME, PAGE_LOG2, 1},
     {{TYPE_UNTYPED, 0}, {DST, 0}}},
    {SYS_STRETCH_CREATE,
     "stretch_create",
     {0},
     {{DST, 0}, {TYPE_UNTYPED, 0}, {TYPE_RANGE, 0}}},
    {SYS_STRETCH_ATTACH,
     "stretch_attach",
     {0, 0, RW},
     {{TYPE_STRETCH, RIGHT_ATTACH}, {TYPE_DOMAIN, RIGHT_ATTACH}}},
    {SYS_STRETCH_DETACH,
     "stretch_detach",
     {0},
     {{TYPE_STRETCH, RIGHT_ATTACH}, {TYPE_DOMAIN, RIGHT_ATTACH}}},
    {SYS_FRAME_MAP,
     "frame_map",
     {0, 0, 0, RW, 1},
     {{TYPE_FRAME, RIGHT_WRITE}, {TYPE_STRETCH, RIGHT_WRITE}}},
    {SYS_FRAME_REMAP,
     "frame_remap",
     {0, 0, 0, RW, 1},
     {{TYPE_FRAME, RIGHT_WRITE}, {TYPE_STRETCH, RIGHT_WRITE}}},
    {SYS_FRAME_UNMAP, "frame_unmap", {0, 1}, {{TYPE_FRAME, 0}}},
    {SYS_FRAME_PROTECT,
     "frame_protect",
     {0, RW, 1},
     {{TYPE_FRAME, RIGHT_WRITE}}},
    {SYS_DOMAIN_SET_CSPACE,
     "domain_set_cspace",
     {0},
     {{TYPE_DOMAIN, M}, {TYPE_CNODE, M}}},
    /* Nobody but the root server has a CPU: its place is always wrong. */
    {SYS_DISPATCHER_BIND,
     "dispatcher_bind",
     {0},
     {{TYPE_DISPATCHER, M}, {TYPE_DOMAIN, M}, {TYPE_CPU, 0}}},
    {SYS_DISPATCHER_SET_PARENT,
     "dispatcher_set_parent",
     {0},
     {{TYPE_DISPATCHER, M}, {TYPE_DISPATCHER, M}}},
    {SYS_DISPATCHER_START, "dispatcher_start", {0}, {{TYPE_DISPATCHER, M}}},
    {SYS_DISPATCHER_STOP, "dispatcher_stop", {0}, {{TYPE_DISPATCHER, M}}},
    {SYS_DISPATCHER_INSPECT, "dispatcher_inspect", {0}, {{TYPE_DISPATCHER, M}}},
    {SYS_DISPATCHER_CANCEL, "dispatcher_cancel", {0}, {{TYPE_DISPATCHER, M}}},
    {SYS_ENDPOINT_BIND,
     "endpoint_bind",
     {0},
     {{TYPE_ENDPOINT, M}, {TYPE_DISPATCHER, M}}},
    {SYS_EVENT_MINT, "event_mint", {0}, {{DST, 0}, {TYPE_DISPATCHER, M}}},
    {SYS_EVENT_SIGNAL, "event_signal", {0}, {{TYPE_EVENT, RIGHT_SIGNAL}}},
    /* Interrupts belong to drivers. */
    {SYS_IRQ_BIND, "irq_bind", {0}, {{TYPE_IRQ, M}}},
    {SYS_IRQ_ACK, "irq_ack", {0}, {{TYPE_IRQ, M}}},
    {SYS_SCHED_BIND,
     "sched_bind",
     {0},
     {{TYPE_SCHED_CONTEXT, M}, {TYPE_DISPATCHER, M}}},
    {SYS_SCHED_REFILL, "sched_refill", {0}, {{TYPE_SCHED_CONTEXT, M}}},
};

/* The object of a type in the node. */
static cptr_t good(uint32_t type)
{
    static const uint8_t place[TYPE_COUNT] = {
        [TYPE_UNTYPED] = P_UNTYPED,       [TYPE_CNODE] = P_CNODE,
        [TYPE_FRAME] = P_FRAME,           [TYPE_RANGE] = P_RANGE,
        [TYPE_STRETCH] = P_STRETCH,       [TYPE_DOMAIN] = P_DOMAIN,
        [TYPE_DISPATCHER] = P_DISPATCHER, [TYPE_SCHED_CONTEXT] = P_SCHED,
        [TYPE_ENDPOINT] = P_ENDPOINT,     [TYPE_EVENT] = P_EVENT,
    };
    if (type == DST) {
        return T(0);
    }
    return type == ANY ? N(P_FRAME) : type < TYPE_COUNT ? N(place[type]) : 0;
}

static bool failed; /* of the row being tested */

/* Make the call with argument i replaced; it must fail and change nothing. */
static void expect(const struct call *c, uint32_t i, cptr_t bad,
                   enum abi_error expected)
{
    uint64_t x[12] = {0}, before[12];
    memcpy(x, c->x, sizeof(c->x));
    for (uint32_t k = 0; k < 4; k++) {
        x[k] = c->cap[k].type != 0 ? good(c->cap[k].type) : x[k];
    }
    x[i] = bad;
    memcpy(before, x, sizeof(x));
    uint64_t error = svc(c->nr, x);
    bool kept = memcmp(&x[1], &before[1], sizeof(x) - 8) == 0;
    if (error != expected || !kept || slot_type(T(0)) != TYPE_NULL) {
        printf("# %s, argument %u = 0x%llx: %s, expected %s%s\n", c->name, i,
               (unsigned long long)bad, abi_error_name(error),
               abi_error_name(expected), kept ? "" : "; registers changed");
        failed = true;
    }
}

/* What is no slot at all, on either level, and what is empty. */
static void slots_row(const struct call *c, uint32_t i)
{
    const cptr_t no_slot[] = {0,
                              ~0ull,
                              1ull << 32,
                              1ull << 63,
                              0xfffffffbull,
                              CPTR_SELF_CNODE,
                              start_self->slot_count,
                              CPTR(node, 0),
                              CPTR(node, NODE_SLOTS),
                              CPTR(node, 0xfffffffdu),
                              CPTR(CPTR_SELF_CNODE, 0),
                              CPTR(CPTR_SELF_CNODE, start_self->slot_count),
                              CPTR(0, 1),
                              CPTR(start_self->slot_count, 1)};
    for (uint32_t k = 0; k < sizeof(no_slot) / sizeof(no_slot[0]); k++) {
        expect(c, i, no_slot[k], ERR_SLOT);
    }
    expect(c, i, CPTR(start_self->slot_count - 1, 1), ERR_EMPTY);
    expect(c, i, CPTR(SLOT_UNTYPED, 1), ERR_TYPE);
    if (c->cap[i].type == DST) {
        expect(c, i, N(P_ENDPOINT), ERR_FULL);
    } else {
        expect(c, i, T(1), ERR_EMPTY);
        expect(c, i, CPTR(CPTR_SELF_CNODE, start_self->slot_count - 1),
               ERR_EMPTY);
    }
}

/* The wrong type; the right type with every right but the one needed. */
static void types_row(const struct call *c, uint32_t i)
{
    uint32_t type = c->cap[i].type, right = c->cap[i].right;
    if (type == ANY || type == DST) {
        return;
    }
    expect(c, i, N(type == TYPE_ENDPOINT ? P_FRAME : P_ENDPOINT), ERR_TYPE);
    if (type != TYPE_DOMAIN) {
        expect(c, i, CPTR_SELF_DOMAIN, ERR_SLOT);
    }
    if (type != TYPE_DISPATCHER || c->nr == SYS_EVENT_MINT) {
        expect(c, i, CPTR_SELF_DISPATCHER, ERR_SLOT);
    }
    if (right != 0 && good(type) != N(0)) {
        enum abi_error e =
            sys_cap_copy(T(2), good(type), RIGHTS_ALL & ~right, 0, 0);
        if (!error_is(e, ERR_OK)) {
            failed = true;
        }
        expect(c, i, T(2), ERR_RIGHTS);
        (void)sys_cap_delete(T(2));
    }
}

static void arguments_test(void)
{
    for (uint32_t k = 0; k < sizeof(calls) / sizeof(calls[0]); k++) {
        const struct call *c = &calls[k];
        char what[80];
        failed = false;
        for (uint32_t i = 0; i < 4; i++) {
            if (c->cap[i].type != 0) {
                slots_row(c, i);
                types_row(c, i);
            }
        }
        (void)snprintf(what, sizeof(what), "%s refuses bad capabilities",
                       c->name);
        CHECK(!failed, what);
    }
}

/* ---- numbers ------------------------------------------------------------- */

static void numbers_test(void)
{
    uint32_t nr = 0, i;
    bool refused = true, kept = true;
    uint64_t before[12];
    for (i = 0; i < 12; i++) {
        before[i] = 0x0101010101010101ull * (i + 1);
    }
    for (i = 0;; i++) {
        uint64_t x[12];
        memcpy(x, before, sizeof(x));
        if (!svc_unknown(i, x, &nr)) {
            break;
        }
        refused &= x[0] == ERR_NOSYS;
        kept &= memcmp(&x[1], &before[1], sizeof(x) - 8) == 0;
    }
    printf("# %u numbers that are no calls, last 0x%x\n", i, nr);
    CHECK(i > 1000 && refused, "numbers that are no calls are NOSYS");
    CHECK(kept, "and change no register but x0");
    CHECK(sys_null() == ERR_OK, "null does nothing");
}

/* ---- capabilities -------------------------------------------------------- */

static void copy_test(void)
{
    CHECK(sys_cap_copy(T(0), N(P_FRAME), RIGHT_READ | RIGHT_EXEC, 0, 0) ==
                  ERR_OK &&
              slot_rights(T(0)) == (RIGHT_READ | RIGHT_EXEC),
          "a copy has the rights asked for");
    CHECK(sys_cap_copy(T(1), T(0), RIGHTS_ALL, 0, 0) == ERR_OK &&
              slot_rights(T(1)) == (RIGHT_READ | RIGHT_EXEC),
          "a copy of it no more than it has");
    CHECK(sys_cap_copy(T(2), T(1), RIGHTS_ALL, 0, 0) == ERR_OK &&
              sys_cap_copy(T(3), T(0), RIGHTS_ALL, 0, COPY_SIBLING) == ERR_OK,
          "copies of copies, and a sibling");
    CHECK(sys_cap_revoke(T(0)) == ERR_OK && slot_info(T(1)) == 0 &&
              slot_info(T(2)) == 0 && slot_type(T(3)) == TYPE_FRAME &&
              slot_type(T(0)) == TYPE_FRAME,
          "revoking the first spares itself and its sibling");
    CHECK(sys_cap_revoke(N(P_FRAME)) == ERR_OK && slot_info(T(0)) == 0 &&
              slot_info(T(3)) == 0 && slot_type(N(P_FRAME)) == TYPE_FRAME,
          "revoking the original takes all copies");
    CHECK(error_is(sys_cap_copy(T(0), N(P_UNTYPED), RIGHTS_ALL, 0, 0),
                   ERR_TYPE) &&
              error_is(sys_cap_copy(T(0), N(P_RANGE), RIGHTS_ALL, 0, 0),
                       ERR_TYPE),
          "memory and addresses cannot be copied");
    CHECK(error_is(sys_cap_copy(T(0), N(P_FRAME), RIGHTS_ALL, 0, 2), ERR_RANGE),
          "unknown flags of cap_copy are RANGE");
    CHECK(error_is(sys_cap_copy(T(0), N(P_FRAME), RIGHTS_ALL, 1, 0), ERR_PERM),
          "only endpoints have badges");
    CHECK(error_is(sys_cap_copy(N(P_FRAME), N(P_FRAME), RIGHTS_ALL, 0, 0),
                   ERR_FULL),
          "nothing can be copied onto itself");
}

static void badge_test(void)
{
    uint64_t info, address, word = 0;
    CHECK(sys_cap_copy(T(0), N(P_ENDPOINT), RIGHT_CALL, 77, 0) == ERR_OK &&
              sys_cap_identify(T(0), &info, &address, &word) == ERR_OK &&
              word == 77,
          "an endpoint can be minted with a badge");
    CHECK(error_is(sys_cap_copy(T(1), T(0), RIGHTS_ALL, 78, 0), ERR_PERM),
          "but not twice");
    CHECK(sys_cap_copy(T(1), T(0), RIGHTS_ALL, 0, 0) == ERR_OK &&
              sys_cap_identify(T(1), &info, &address, &word) == ERR_OK &&
              word == 77,
          "its copies keep the badge");
    (void)sys_cap_revoke(N(P_ENDPOINT));
    CHECK(slot_info(T(0)) == 0 && slot_info(T(1)) == 0,
          "revoking the endpoint takes the minted ones");
}

static void move_test(void)
{
    uint64_t before = slot_info(N(P_FRAME));
    CHECK(sys_cap_copy(T(1), N(P_FRAME), RIGHTS_ALL, 0, 0) == ERR_OK &&
              sys_cap_move(T(0), N(P_FRAME)) == ERR_OK &&
              slot_info(N(P_FRAME)) == 0 && slot_info(T(0)) == before,
          "cap_move moves");
    CHECK(sys_cap_revoke(T(0)) == ERR_OK && slot_info(T(1)) == 0,
          "and what was derived is still its own");
    CHECK(sys_cap_move(N(P_FRAME), T(0)) == ERR_OK, "and moves back");
    CHECK(error_is(sys_cap_move(N(P_FRAME), N(P_FRAME)), ERR_FULL),
          "a capability cannot be moved onto itself");
    CHECK(error_is(sys_cap_copy(T(0), node, RIGHTS_ALL, 0, 0), ERR_RANK) &&
              error_is(sys_cap_move(T(0), node), ERR_RANK),
          "a CNode cannot go into itself");
    CHECK(sys_cap_copy(T(0), N(P_CNODE), RIGHTS_ALL, 0, 0) == ERR_OK &&
              sys_cap_delete(T(0)) == ERR_OK &&
              slot_type(N(P_CNODE)) == TYPE_CNODE,
          "one of lower rank can; deleting a copy leaves the CNode");
    CHECK(error_is(sys_untyped_retype(N(P_UNTYPED), T(0), TYPE_CNODE, 8, 1, 0,
                                      NODE_RANK),
                   ERR_RANK) &&
              error_is(sys_untyped_retype(N(P_UNTYPED), T(0), TYPE_CNODE, 8, 1,
                                          0, NODE_RANK - 1),
                       ERR_OK),
          "one of the same rank cannot be made in it, of the next lower can");
    (void)sys_cap_revoke(N(P_UNTYPED));
}

static void identify_test(void)
{
    uint64_t info, address, word, inner;
    CHECK(sys_cap_identify(N(P_BIG), &info, &address, &word) == ERR_OK &&
              info == (TYPE_FRAME | RIGHTS_ALL << 8 | BIG_FRAME_LOG2 << 16) &&
              word == 0,
          "cap_identify: type, rights, size; not mapped");
    (void)sys_cap_identify(memory, &info, &inner, &word);
    CHECK((info & 0xff) == TYPE_UNTYPED && address >= inner &&
              address < inner + (1ull << 18) && word > BIG_FRAME_LOG2,
          "its memory lies in the untyped that it was made of");
    CHECK(sys_cap_identify(N(P_STRETCH), &info, &address, &word) == ERR_OK &&
              word == objects_va(),
          "of a stretch: its address");
    CHECK(sys_cap_identify(N(P_EVENT), &info, &address, &word) == ERR_OK &&
              word == 5 && (info >> 8 & 0xff) == RIGHT_SIGNAL,
          "of an event: its bit; it can only be signalled");
    CHECK(sys_cap_identify(SLOT_RANGE, &info, &address, &word) == ERR_OK &&
              (info & 0xff) == TYPE_RANGE && address <= start_self->range_base,
          "of a range: its start");
}

/* ---- making -------------------------------------------------------------- */

static enum abi_error make(uint64_t type, uint64_t log2, uint64_t count,
                           uint64_t offset, uint64_t rank)
{
    return sys_untyped_retype(N(P_UNTYPED), T(0), type, log2, count, offset,
                              rank);
}

static void sizes_test(void)
{
    static const struct {
        uint64_t type, log2;
        enum abi_error error;
    } row[] = {
        {TYPE_FRAME, 13, ERR_RANGE},
        {TYPE_FRAME, 11, ERR_RANGE},
        {TYPE_FRAME, 17, ERR_RANGE},
        {TYPE_FRAME, 0, ERR_RANGE},
        {TYPE_FRAME, ~0ull, ERR_RANGE},
        {TYPE_FRAME, 1ull << 32, ERR_RANGE},
        {TYPE_FRAME, 1ull << 63, ERR_RANGE},
        {TYPE_FRAME, 64, ERR_RANGE},
        {TYPE_UNTYPED, 11, ERR_RANGE},
        {TYPE_UNTYPED, 31, ERR_RANGE},
        {TYPE_UNTYPED, 17, ERR_NOMEM},
        {TYPE_CNODE, 6, ERR_RANGE},
        {TYPE_CNODE, 25, ERR_RANGE},
        {TYPE_CNODE, 24, ERR_NOMEM},
        {TYPE_DOMAIN, 13, ERR_RANGE},
        {TYPE_DOMAIN, 19, ERR_RANGE},
        {TYPE_DISPATCHER, 13, ERR_RANGE},
        {TYPE_DISPATCHER, 15, ERR_RANGE},
        {TYPE_ENDPOINT, 5, ERR_RANGE},
        {TYPE_ENDPOINT, 7, ERR_RANGE},
        {TYPE_SCHED_CONTEXT, 5, ERR_RANGE},
        {TYPE_SCHED_CONTEXT, 7, ERR_RANGE},
        {TYPE_NULL, 12, ERR_TYPE},
        {TYPE_STRETCH, 12, ERR_TYPE},
        {TYPE_RANGE, 21, ERR_TYPE},
        {TYPE_CPU, 12, ERR_TYPE},
        {TYPE_EVENT, 12, ERR_TYPE},
        {TYPE_REPLY, 12, ERR_TYPE},
        {TYPE_IRQ, 12, ERR_TYPE},
        {TYPE_COUNT, 12, ERR_TYPE},
        {15, 12, ERR_TYPE},
        {~0ull, 12, ERR_TYPE},
        {1ull << 32 | TYPE_FRAME, 12, ERR_TYPE},
    };
    bool right = true;
    for (uint32_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        enum abi_error e = make(row[i].type, row[i].log2, 1, 0, 0);
        if (!error_is(e, row[i].error)) {
            printf("# type %llu, log2 %llu\n", (unsigned long long)row[i].type,
                   (unsigned long long)row[i].log2);
            right = false;
        }
    }
    CHECK(right && slot_info(T(0)) == 0,
          "objects of wrong sizes and types cannot be made");
}

static void counts_test(void)
{
    CHECK(error_is(make(TYPE_FRAME, 12, 0, 0, 0), ERR_RANGE) &&
              error_is(make(TYPE_FRAME, 12, 257, 0, 0), ERR_RANGE) &&
              error_is(make(TYPE_FRAME, 12, ~0ull, 0, 0), ERR_RANGE),
          "0, 257 or -1 objects are RANGE");
    CHECK(error_is(make(TYPE_FRAME, 12, 17, 0, 0), ERR_NOMEM) &&
              slot_info(T(0)) == 0,
          "17 pages of 16: NOMEM, and none is made");
    CHECK(error_is(make(TYPE_FRAME, 12, NODE_SLOTS - P_FREE + 1, 0, 0),
                   ERR_SLOT),
          "more objects than the CNode has slots from there");
    CHECK(error_is(sys_untyped_retype(N(P_UNTYPED), N(P_FREE - 1), TYPE_FRAME,
                                      12, 2, 0, 0),
                   ERR_OK) &&
              sys_cap_delete(N(P_FREE - 1)) == ERR_OK &&
              error_is(sys_untyped_retype(N(P_UNTYPED), N(P_FREE - 1),
                                          TYPE_FRAME, 12, 2, 0, 0),
                       ERR_FULL) &&
              slot_info(N(P_FREE - 1)) == 0,
          "the second slot is occupied: FULL, and none is made");
    CHECK(error_is(make(TYPE_CNODE, 8, 1, 0, 7), ERR_RANK) &&
              error_is(make(TYPE_CNODE, 8, 1, 0, ~0ull), ERR_RANK),
          "a CNode of rank 7 or -1 is RANK");
    CHECK(error_is(make(TYPE_CNODE, 8, 1, 0, 0), ERR_FULL) &&
              sys_cap_delete(T(0)) == ERR_OK,
          "where a capability is, nothing is made");
}

static void offsets_test(void)
{
    uint64_t info, base, at, word;
    (void)sys_cap_revoke(N(P_UNTYPED));
    (void)sys_cap_identify(N(P_UNTYPED), &info, &base, &word);
    CHECK(word == 0, "revoked memory is all free again");
    CHECK(error_is(make(TYPE_FRAME, 12, 1, 100, 0), ERR_ALIGN) &&
              error_is(make(TYPE_FRAME, 12, 1, 65536, 0), ERR_NOMEM) &&
              error_is(make(TYPE_FRAME, 12, 1, 1ull << 63, 0), ERR_NOMEM) &&
              error_is(make(TYPE_FRAME, 12, 1, -4096ull, 0), ERR_NOMEM),
          "offsets: ALIGN, and NOMEM beyond the end");
    CHECK(make(TYPE_FRAME, 12, 2, 0x8000, 0) == ERR_OK &&
              sys_cap_identify(T(1), &info, &at, &word) == ERR_OK &&
              at == base + 0x9000,
          "two frames at an offset lie there");
    CHECK(error_is(sys_untyped_retype(N(P_UNTYPED), T(2), TYPE_FRAME, 12, 1,
                                      0x9000, 0),
                   ERR_RANGE),
          "memory below the watermark is not given out again");
    (void)sys_cap_revoke(N(P_UNTYPED));
    CHECK(make(TYPE_FRAME, 12, 16, 0, 0) == ERR_OK &&
              sys_cap_identify(T(15), &info, &at, &word) == ERR_OK &&
              at == base + 0xf000,
          "16 pages of 16 in one call");
    for (uint32_t i = 0; i < 16; i++) {
        (void)sys_cap_delete(T(i));
    }
    CHECK(make(TYPE_DOMAIN, 15, 1, 0, 0) == ERR_OK,
          "when the last is deleted, all can be made anew");
    (void)sys_cap_revoke(N(P_UNTYPED));
}

static void ranges_test(void)
{
    CHECK(error_is(sys_untyped_retype(N(P_RANGE), T(0), TYPE_FRAME, 12, 1, 0,
                                      0),
                   ERR_TYPE) &&
              error_is(sys_untyped_retype(N(P_RANGE), T(0), TYPE_RANGE, 20, 1,
                                          0, 0),
                       ERR_RANGE) &&
              error_is(sys_untyped_retype(N(P_RANGE), T(0), TYPE_RANGE, 40, 1,
                                          0, 0),
                       ERR_RANGE) &&
              error_is(sys_untyped_retype(N(P_RANGE), T(0), TYPE_RANGE, 39, 1,
                                          0, 0),
                       ERR_NOMEM),
          "ranges are made of ranges, of 2 MiB and more");
    CHECK(sys_untyped_retype(N(P_RANGE), T(0), TYPE_RANGE, 21, 2, 0, 0) ==
                  ERR_OK &&
              error_is(sys_untyped_retype(N(P_RANGE), T(2), TYPE_RANGE, 21, 1,
                                          0, 0),
                       ERR_NOMEM),
          "two of 2 MiB fit into 4");
    (void)sys_cap_revoke(N(P_RANGE));
    CHECK(slot_info(T(0)) == 0 && slot_info(T(1)) == 0,
          "revoking the range takes them back");
}

/* A CNode with a domain inside dies with all in it, and so does what depends
 * on it; over and over, so that what is not given back would be missed. */
static void teardown_test(void)
{
    bool right = true;
    for (uint32_t i = 0; i < 100 && right; i++) {
        right = make(TYPE_CNODE, 8, 1, 0, 1) == ERR_OK && objects_renew();
    }
    CHECK(right, "100 times all objects are made and revoked");
}

int main(void)
{
    if (!objects_make()) {
        printf("Bail out! no objects\n");
        return 1;
    }
    arguments_test();
    numbers_test();
    copy_test();
    badge_test();
    move_test();
    identify_test();
    sizes_test();
    counts_test();
    offsets_test();
    ranges_test();
    teardown_test();
    return tap_end();
}
