/* SPDX-License-Identifier: BSL-1.0
 *
 * The memory comes from the root server, the addresses from the upper end of
 * the domain's range, which libos reaches last.
 */
#include "tests/target/kernel_objects.h"

#include <stdio.h>
#include <vesper/root.h>
#include <vesper/root_call.h>
#include <vesper/start.h>

#include "libos/core/slots.h"

cptr_t node, memory;
static cptr_t range; /* the same as P_RANGE, which a random caller may delete */

uint64_t objects_va(void)
{
    uint64_t end = start_self->range_base + start_self->range_bytes;
    return (end - 2 * STRETCH_BYTES) & ~(2 * STRETCH_BYTES - 1);
}

uint64_t slot_info(cptr_t slot)
{
    uint64_t info, address, word;
    return sys_cap_identify(slot, &info, &address, &word) == ERR_OK ? info : 0;
}

bool error_is(uint64_t error, enum abi_error expected)
{
    if (error != expected) {
        printf("# %s, expected %s\n", abi_error_name(error),
               abi_error_name(expected));
    }
    return error == expected;
}

static enum abi_error make(cptr_t from, uint32_t place, enum abi_type type,
                           uint32_t log2)
{
    return sys_untyped_retype(from, N(place), type, log2, 1, 0, 0);
}

static enum abi_error fill_node(void)
{
    static const struct {
        uint8_t place, type, log2;
    } row[] = {
        {P_BIG, TYPE_FRAME, BIG_FRAME_LOG2},
        {P_UNTYPED, TYPE_UNTYPED, 16},
        {P_DOMAIN, TYPE_DOMAIN, DOMAIN_LOG2_MIN},
        {P_DISPATCHER, TYPE_DISPATCHER, DISPATCHER_LOG2},
        {P_FULL, TYPE_UNTYPED, PAGE_LOG2},
        {P_FRAME, TYPE_FRAME, PAGE_LOG2},
        {P_CNODE, TYPE_CNODE, SLOT_LOG2 + 3},
        {P_ENDPOINT, TYPE_ENDPOINT, ENDPOINT_LOG2},
        {P_SCHED, TYPE_SCHED_CONTEXT, SCHED_CONTEXT_LOG2},
    };
    enum abi_error e = sys_untyped_retype(memory, node, TYPE_CNODE,
                                          SLOT_LOG2 + 6, 1, 0, NODE_RANK);
    for (uint32_t i = 0; i < sizeof(row) / sizeof(row[0]) && e == ERR_OK; i++) {
        e = make(memory, row[i].place, (enum abi_type)row[i].type, row[i].log2);
    }
    if (e == ERR_OK) {
        e = make(N(P_FULL), P_FULL_FRAME, TYPE_FRAME, PAGE_LOG2);
    }
    if (e == ERR_OK) {
        e = sys_event_mint(N(P_EVENT), N(P_DISPATCHER), 5);
    }
    if (e == ERR_OK) {
        e = sys_stretch_create(N(P_STRETCH), memory, SLOT_RANGE, objects_va(),
                               0);
    }
    return e;
}

bool objects_renew(void)
{
    enum abi_error e = sys_cap_revoke(memory);
    if (e == ERR_OK && slot_info(node) != 0) {
        e = ERR_FULL; /* it should have gone with its memory */
    }
    if (e == ERR_OK) {
        e = fill_node();
    }
    if (e == ERR_OK) {
        (void)sys_cap_revoke(range);
        e = sys_untyped_retype(range, N(P_RANGE), TYPE_RANGE, STRETCH_LOG2 + 1,
                               1, 0, 0);
    }
    return error_is(e, ERR_OK);
}

bool objects_make(void)
{
    node = slot_take();
    memory = slot_take();
    range = slot_take();
    uint64_t w[8] = {ROOT_MEMORY, 18, memory};
    int error = root_call(w, 0);
    if (error != 0) {
        printf("# no memory from the root server: error %d\n", error);
        return false;
    }
    /* Offset 0 would mean: where there is room. */
    uint64_t offset = objects_va();
    uint64_t base, word, info;
    (void)sys_cap_identify(SLOT_RANGE, &info, &base, &word);
    enum abi_error e =
        sys_untyped_retype(SLOT_RANGE, range, TYPE_RANGE, STRETCH_LOG2 + 1, 1,
                           offset - base, 0);
    return error_is(e, ERR_OK) && objects_renew();
}
