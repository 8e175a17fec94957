/* SPDX-License-Identifier: BSL-1.0
 *
 * A thread policy of one's own: lottery scheduling. Each slice is raffled among
 * the ready threads; a thread holds 1 + priority tickets. It replaces libos'
 * policy just by being linked into the program.
 */
#include <stddef.h>
#include <vesper/policy.h>

#define SLICE_NS 1000000u /* 1 ms */

static struct runnable *ready; /* in no order */
static uint32_t tickets;       /* of all that are ready */
static uint32_t seed = 2463534242u;

POLICY_CODE static uint32_t tickets_of(const struct runnable *r)
{
    return 1 + (uint32_t)r->priority;
}

/* xorshift: no libc here. */
POLICY_CODE static uint32_t draw(uint32_t n)
{
    seed ^= seed << 13;
    seed ^= seed >> 17;
    seed ^= seed << 5;
    return seed % n;
}

void policy_put(struct runnable *r, enum policy_why why)
{
    (void)why;
    r->next = ready;
    ready = r;
    tickets += tickets_of(r);
}

/* doc: take */
struct policy_choice policy_take(struct runnable *in, enum policy_why why)
{
    struct runnable **at = &ready;

    if (in != NULL) {
        policy_put(in, why);
    }
    if (ready == NULL) {
        return (struct policy_choice){NULL, POLICY_FOR_EVER};
    }
    for (uint32_t n = draw(tickets); n >= tickets_of(*at);) {
        n -= tickets_of(*at);
        at = &(*at)->next;
    }
    struct runnable *r = *at;

    *at = r->next;
    tickets -= tickets_of(r);
    return (struct policy_choice){r, policy_slice_ns(r)};
}
/* end */

uint64_t policy_slice_ns(const struct runnable *running)
{
    (void)running;
    return ready != NULL ? SLICE_NS : POLICY_FOR_EVER;
}
