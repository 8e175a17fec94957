/* SPDX-License-Identifier: BSL-1.0 */
/* Jobs on the terminal; the contract is in foreground.h. */
#include "foreground.h"

#include <errno.h>
#include <vesper/root.h>
#include <vesper/root_call.h>
#include <vesper/system.h>

#define DOMAINS_MAX   128
#define ANCESTORS_MAX 32 /* deeper nesting is not followed */

/* 0: no such domain. */
static struct {
    uint32_t owner; /* who named the leader */
    uint32_t leader;
    uint32_t mark; /* owner's children up to this id are in the background */
} front;

static struct sys_domain domains[DOMAINS_MAX];
static uint32_t domain_count;

static void domains_update(void)
{
    int n = sys_domains(domains, DOMAINS_MAX);

    domain_count = n > 0 ? (uint32_t)n : 0;
}

static const struct sys_domain *domain_find(uint32_t id)
{
    for (uint32_t i = 0; i < domain_count; i++) {
        if (domains[i].id == id && domains[i].state != SYS_ZOMBIE) {
            return &domains[i];
        }
    }
    return NULL;
}

static uint32_t domain_last(void)
{
    uint32_t last = 0;

    for (uint32_t i = 0; i < domain_count; i++) {
        last = domains[i].id > last ? domains[i].id : last;
    }
    return last;
}

/* Children that the owner started since it last named itself, and the leader. A
 * dead leader is known as its children's father. The owner as leader stands for
 * itself alone: its older children are the background. */
static bool job_roots(const struct sys_domain *d)
{
    if (d->parent == front.owner && d->id > front.mark) {
        return true;
    }
    return front.leader != front.owner &&
           (d->id == front.leader || d->parent == front.leader);
}

static bool job_contains(const struct sys_domain *d)
{
    if (d->id == front.leader) {
        return true;
    }
    for (int i = 0; d != NULL && i < ANCESTORS_MAX; i++) {
        if (job_roots(d)) {
            return true;
        }
        d = domain_find(d->parent);
    }
    return false;
}

static bool job_lives(void)
{
    for (uint32_t i = 0; i < domain_count; i++) {
        if (domains[i].state != SYS_ZOMBIE && job_contains(&domains[i])) {
            return true;
        }
    }
    return false;
}

/* Forget the dead. On return leader is 0, or its job has a living member. */
static void front_update(void)
{
    domains_update();
    if (front.leader == 0 || job_lives()) {
        return;
    }
    front.leader = domain_find(front.owner) != NULL ? front.owner : 0;
    front.owner = front.leader;
    front.mark = domain_last();
}

static bool front_has(uint32_t id)
{
    const struct sys_domain *d;

    if (front.leader == 0) {
        return true;
    }
    d = domain_find(id);
    return d != NULL && job_contains(d);
}

int foreground_set(uint32_t caller, uint32_t domain)
{
    front_update();
    if (caller != front.owner && !front_has(caller)) {
        return EPERM;
    }
    if (domain_find(domain) == NULL) {
        return ESRCH;
    }
    if (caller == domain) {
        front.mark = domain_last();
    } else if (front.owner != caller || front.mark >= domain) {
        /* An owner that never named itself, or fetches an older job. */
        front.mark = domain - 1;
    }
    front.owner = caller;
    front.leader = domain;
    return 0;
}

bool foreground_contains(uint32_t domain)
{
    /* The usual case, in which the list says nothing new: the leader asks. */
    if (front.leader == domain || front.leader == 0) {
        return true;
    }
    front_update();
    return front_has(domain);
}

void foreground_signal(int number)
{
    front_update();
    for (uint32_t i = 0; i < domain_count && front.leader != 0; i++) {
        if (domains[i].state != SYS_ZOMBIE && job_contains(&domains[i])) {
            uint64_t words[8] = {ROOT_KILL, domains[i].id, (uint64_t)number};

            (void)root_call(words, 0); /* it may have ended just now */
        }
    }
}
