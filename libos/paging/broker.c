/* SPDX-License-Identifier: BSL-1.0
 *
 * The domain's side of the broker: memory for paged regions is lent where it
 * can be. When the root server wants some back, a thread of its own gives up
 * banks, those with the fewest dirty pages first; clean pages just go, dirty
 * ones are written out. It may be too late: then the root server has taken
 * banks itself.
 */
#include "paging.h"

#include <vesper/root.h>
#include <vesper/root_call.h>
#include <vesper/start.h>

#include "../core/threads.h"

static uint64_t owed_bytes(void)
{
    uint64_t w[8] = {ROOT_DEMAND};
    return root_call(w, 0) == 0 ? w[1] : 0;
}

static void *listen(void *unused)
{
    for (;;) {
        (void)event_wait(1ull << EVENT_REVOKE, ~0ull, NULL);
        mutex_lock(&paging_lock);
        banks_sweep();
        while (owed_bytes() > 0 && banks_give()) {
        }
        mutex_unlock(&paging_lock);
    }
    return unused;
}

bool broker_listen(void)
{
    static bool started; /* guarded by the paging lock */
    started = started || thread_start_own("broker", listen);
    return started;
}
