/* SPDX-License-Identifier: BSL-1.0
 *
 * Both sides of a doorbell: the call, and what it is to the threads of a
 * server.
 */
#include "doorbell.h"

#include <stddef.h>

#include <abi/calls.h>
#include <vesper/call.h>
#include <vesper/start.h>

#include "event.h"
#include "page.h"
#include "sched.h"
#include "switch.h"

/* Guarded by the mask. */
static struct {
    uint64_t caller; /* whose answer is owed; 0: nobody's */
    void (*unheard)(uint64_t caller);
} door;

bool doorbell_ring(cptr_t bell)
{
    uint64_t w[8]; /* one by one: without memset and its FP registers */
    w[0] = w[1] = w[2] = w[3] = w[4] = w[5] = w[6] = w[7] = 0;
    return bell != 0 && call_endpoint(w, bell | CALL_NOWAIT, 0, 0) == ERR_OK;
}

void doorbell_open(void (*unheard)(uint64_t caller))
{
    door.unheard = unheard;
    (void)sys_call_accept((uintptr_t)doorbell_entry, upcall_page->sp, 0);
}

uint64_t doorbell_caller(void)
{
    return door.caller;
}

void doorbell_rung(uint64_t caller)
{
    door.caller = caller;
    event_arrived(1ull << EVENT_RUNG);
}

/* Called by upcall.S, masked, on the upcall stack: no thread runs. */
_Noreturn void doorbell_main(uint64_t caller)
{
    sched_idled();
    sched_expire();
    doorbell_rung(caller);
    sched_dispatch();
}

void doorbell_answer(bool stay)
{
    uint64_t caller = door.caller;
    if (caller == 0) {
        return;
    }
    door.caller = 0;
    if (call_answer(stay ? REPLY_STAY : 0) != ERR_OK) {
        door.unheard(caller);
    }
}
