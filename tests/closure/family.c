/* SPDX-License-Identifier: BSL-1.0
 *
 * The family of family.h.
 */
#include "family.h"

#include <string.h>

ref_t person[PEOPLE_MAX], kid_domain[KIDS_MAX], kid_node[KIDS_MAX];
uint32_t kids, people;

static struct dispatcher *make_kid(uint32_t k)
{
    person[k] = machine_make(KID + k, TYPE_DISPATCHER, DISPATCHER_LOG2);
    kid_domain[k] = machine_make(DOMAIN + k, TYPE_DOMAIN, DOMAIN_LOG2_MIN);
    kid_node[k] = machine_make(NODE + k, TYPE_CNODE, KID_LOG2);
    MUST(DOMAIN_SET_CSPACE, DOMAIN + k, NODE + k);
    struct dispatcher *d = dispatcher_at(person[k]);
    d->state = IS_STOPPED; /* as dispatcher_bind would */
    d->domain = kid_domain[k];
    d->pages = ROOT_RANGE_VA + (k + 1) * STRETCH_BYTES;
    d->pages_entry = 1;
    domain_at(kid_domain[k])->dispatcher[0] = person[k];
    object_set_cspace(kid_domain[k], domain_at(kid_domain[k])->cnode);
    MUST(DISPATCHER_SET_PARENT, KID + k, ROOT, k);
    return d;
}

void family_boot(uint32_t slots, uint32_t n, void (*raise)(struct dispatcher *))
{
    machine_boot(slots);
    kids = n;
    people = n + 1;
    person[kids] = root_dispatcher;
    machine_give(ROOT_DOMAIN, TYPE_DOMAIN,
                 dispatcher_at(root_dispatcher)->domain, 9);
    machine_give(ROOT, TYPE_DISPATCHER, root_dispatcher, 9);
    for (uint32_t k = 0; k < kids; k++) {
        raise(make_kid(k));
    }
}

void family_watch(uint32_t slots, uint32_t root_saves, uint32_t kid_saves)
{
    watch(ram_at(kernel.head), 32);
    watch(ram_at(root_cnode), slots * sizeof(struct slot));
    watch_dispatcher(root_dispatcher, KIDS_MAX, root_saves);
    for (uint32_t k = 0; k < kids; k++) {
        watch_dispatcher(person[k], 0, kid_saves);
        watch(domain_at(kid_domain[k]), offsetof(struct domain, table));
        watch(ram_at(kid_node[k]), 1u << KID_LOG2);
    }
}

uint32_t index_of(ref_t d)
{
    uint32_t i = 0;
    while (i < people && person[i] != d) {
        i++;
    }
    return i;
}

void bury(uint32_t k)
{
    struct dispatcher *d = dispatcher_at(person[k]);
    memset(&d->state, DIRT,
           offsetof(struct dispatcher, child) -
               offsetof(struct dispatcher, state));
    d->user.upcall.mask = d->user.upcall.pending = 0xa5a5a5a5;
}

const char *say_state(const struct dispatcher *d)
{
    static const char *const words[] = {"unbound", "stopped", "ready",
                                        "blocked", "queued",  "calling",
                                        "dead"};
    return words[d->state % 7u];
}
