/* SPDX-License-Identifier: BSL-1.0 */
/*
 * caps why: the chain of delegation of one object, from its holder through the
 * root server to the kernel at boot. Memory comes from the untyped memory that
 * contains it, addresses from the range that does: that is the kernel's own
 * rule of derivation. A copy comes from its original. Why the root server gave
 * it, the manifest says.
 */
#include "caps.h"
#include "owner.h"
#include "report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

__attribute__((format(printf, 1, 2))) static void step(const char *format, ...)
{
    va_list list;

    fputs("  ", stdout);
    va_start(list, format);
    vprintf(format, list);
    va_end(list);
    putchar('\n');
}

/* ---- where it came from ------------------------------------------------ */

static bool contains(const struct sys_cap *parent, const struct sys_cap *child,
                     bool equal)
{
    uint32_t type = child->type == TYPE_RANGE ? TYPE_RANGE : TYPE_UNTYPED;
    bool size = equal ? parent->size_log2 >= child->size_log2
                      : parent->size_log2 > child->size_log2;

    return parent->type == type && parent->depth == 0 && size &&
           child->address >= parent->address &&
           child->address - parent->address < 1ull << parent->size_log2;
}

/* The smallest in the domain's CSpace that the child can be made of. */
static bool parent_find(uint32_t domain, const struct sys_cap *child,
                        bool equal, struct sys_cap *out)
{
    struct sys_cap cap;
    uint32_t at = 0;
    bool found = false;

    while (sys_cap(domain, SYS_CSPACE, &at, &cap) == 0) {
        if (contains(&cap, child, equal) &&
            (!found || cap.size_log2 < out->size_log2)) {
            *out = cap;
            found = true;
        }
    }
    return found;
}

static void parent_print(uint32_t domain, const struct sys_cap *cap)
{
    char name[OWNER_BYTES];

    domain_name(domain, name);
    step("made from %s 0x%llx of %llu bytes: %s, slot:%u", cap_type(cap),
         (unsigned long long)cap->address, (unsigned long long)cap_bytes(cap),
         name, (unsigned)cap->slot);
}

/* From the holder's memory to the root server's, to the kernel's. */
static void ancestors_print(uint32_t domain, struct sys_cap cap)
{
    struct sys_cap parent;

    while (domain != 0 && parent_find(domain, &cap, false, &parent)) {
        parent_print(domain, &parent);
        cap = parent;
    }
    for (bool equal = domain != 0 || cap.type != TYPE_UNTYPED;
         parent_find(0, &cap, equal, &parent); equal = false) {
        parent_print(0, &parent);
        cap = parent;
    }
    step(cap.type == TYPE_UNTYPED || cap.type == TYPE_RANGE
             ? "given to the root server by the kernel, at boot"
             : "made for the root server by the kernel, at boot");
}

/* ---- the original of a copy -------------------------------------------- */

static bool same_in(uint32_t domain, enum sys_table table,
                    const struct sys_cap *cap, struct sys_cap *out)
{
    uint32_t at = 0;

    while (sys_cap(domain, table, &at, out) == 0) {
        if (out->type == cap->type && out->depth == 0 &&
            out->address == cap->address) {
            return true;
        }
    }
    return false;
}

static void original_print(const struct sys_cap *copy)
{
    char name[OWNER_BYTES];
    struct sys_cap cap;
    uint32_t holder = copy->owner == LEDGER_DOMAIN ? copy->id : 0;
    bool kept = holder != 0 && same_in(holder, SYS_KEPT, copy, &cap);

    if (!kept && !same_in(holder, SYS_CSPACE, copy, &cap)) {
        step("copied from an original that is not to be seen");
        return;
    }
    domain_name(kept ? 0 : holder, name);
    step("copied from the original: %s, %s:%u", name, kept ? "kept" : "slot",
         (unsigned)cap.slot);
    if (cap_is_memory(&cap)) {
        ancestors_print(kept ? 0 : holder, cap);
    } else {
        step("given to the root server by the kernel, at boot");
    }
}

/* ---- why it was given -------------------------------------------------- */

static void manifest_print(const struct sys_fact *fact, const char *what)
{
    struct sys_fact domain;

    if (!fact_domain((int32_t)fact->domain, &domain)) {
        return;
    }
    step("declared: system.manifest:%u, domain %s: %s", (unsigned)fact->line,
         domain.text, what);
}

/* A program: by whom it was started, up to a domain of the manifest. */
static void starters_print(uint32_t domain)
{
    struct sys_origin origin;
    struct sys_domain d;
    uint32_t at = domain;

    while (sys_origin(at, &origin) == 0 && origin.declared < 0) {
        char child[OWNER_BYTES], parent[OWNER_BYTES];
        int index = 0;
        uint32_t next = 0;

        while (domain_next(&index, &d)) {
            next = d.id == at ? d.parent : next;
        }
        domain_name(at, child);
        if (next == 0) {
            step("%s: its starter has ended", child);
            return;
        }
        domain_name(next, parent);
        step("%s was started by %s, and has its needs", child, parent);
        at = next;
    }
}

static void need_print(uint32_t domain, const char *service)
{
    struct sys_origin origin;
    struct sys_fact fact;
    char what[64];

    starters_print(domain);
    if (sys_origin(domain, &origin) != 0 ||
        !fact_need(origin.rights, service, &fact)) {
        step("NOT declared by the manifest");
        return;
    }
    snprintf(what, sizeof(what), "%s %s",
             fact.kind == FACT_STDIO ? "stdio" : "needs", service);
    manifest_print(&fact, what);
}

static void number_print(uint32_t domain, enum fact_kind kind, uint64_t value)
{
    struct sys_origin origin;
    struct sys_fact fact;
    char what[64];

    if (sys_origin(domain, &origin) != 0 ||
        !fact_number(origin.declared, kind, value, &fact)) {
        step("NOT declared by the manifest");
        return;
    }
    snprintf(what, sizeof(what),
             kind == FACT_IRQ ? "irq %llu" : "device 0x%llx",
             (unsigned long long)value);
    manifest_print(&fact, what);
}

static void channel_print(const struct sys_channel *c)
{
    char client[OWNER_BYTES], server[OWNER_BYTES];

    domain_name(c->client, client);
    domain_name(c->server, server);
    step("given by the root server with channel:%u: %s of %s for %s",
         (unsigned)c->id, c->service, server, client);
    if (c->client != 0) {
        need_print(c->client, c->service);
    }
}

static void event_print(uint32_t domain, const struct sys_cap *cap)
{
    struct sys_channel c;
    struct sys_cap dispatcher;
    char name[OWNER_BYTES];
    bool found = false;

    for (uint32_t i = 0; !found && sys_channel(i, &c) == 0; i++) {
        found = (c.client == domain && c.server == cap->id) ||
                (c.server == domain && c.client == cap->id);
    }
    if (found) {
        channel_print(&c);
    }
    domain_name(cap->id, name);
    step("made from the dispatcher of %s: root, kept:2", name);
    dispatcher = *cap;
    dispatcher.type = TYPE_DISPATCHER;
    dispatcher.size_log2 = DISPATCHER_LOG2;
    ancestors_print(0, dispatcher);
}

/* ---- one object -------------------------------------------------------- */

static void cap_head(uint32_t holder, const char *table,
                     const struct sys_cap *cap)
{
    char name[OWNER_BYTES], rights[CAP_RIGHTS_BYTES], note[CAP_NOTE_BYTES];

    domain_name(holder, name);
    cap_rights(cap, rights);
    cap_note(cap, note);
    printf("%s", cap_type(cap));
    if (cap_bytes(cap) > 0) {
        printf(" 0x%llx of %llu bytes", (unsigned long long)cap->address,
               (unsigned long long)cap_bytes(cap));
    }
    printf("%s%s: %s, %s:%u, rights %s\n", note[0] != '\0' ? ", " : "", note,
           name, table, (unsigned)cap->slot, rights);
}

static void cap_chain(uint32_t domain, enum sys_table table,
                      const struct sys_cap *cap)
{
    bool kept = table == SYS_KEPT;

    cap_head(kept ? 0 : domain, kept ? "kept" : "slot", cap);
    if (cap->type == TYPE_IRQ && domain != 0) {
        number_print(domain, FACT_IRQ, cap->address);
    }
    if (cap->type == TYPE_EVENT) {
        event_print(domain, cap);
    } else if (cap->depth > 0) {
        original_print(cap);
    } else if (cap_is_memory(cap) || cap->type == TYPE_RANGE) {
        ancestors_print(kept ? 0 : domain, *cap);
    } else {
        step("given to the root server by the kernel, at boot");
    }
}

static bool why_slot(uint32_t domain, enum sys_table table, uint64_t slot)
{
    struct sys_cap cap;
    uint32_t at = 0;

    while (sys_cap(domain, table, &at, &cap) == 0) {
        if (cap.slot == slot) {
            cap_chain(domain, table, &cap);
            return true;
        }
    }
    return false;
}

static bool why_irq(uint32_t domain, uint64_t line)
{
    struct sys_cap cap;
    uint32_t at = 0;

    while (sys_cap(domain, SYS_CSPACE, &at, &cap) == 0) {
        if (cap.type == TYPE_IRQ && cap.address == line) {
            cap_chain(domain, SYS_CSPACE, &cap);
            return true;
        }
    }
    return false;
}

static bool why_device(uint32_t domain, uint64_t address)
{
    struct sys_cap cap;
    uint32_t at = 0;

    while (sys_cap(0, SYS_CSPACE, &at, &cap) == 0) {
        if (cap_is_device_of(&cap, domain) && address >= cap.address &&
            address - cap.address < cap_bytes(&cap)) {
            char name[OWNER_BYTES];

            domain_name(domain, name);
            printf("device 0x%llx: mapped into %s at 0x%llx\n",
                   (unsigned long long)cap.address, name,
                   (unsigned long long)cap.word);
            number_print(domain, FACT_DEVICE, cap.address);
            cap_head(0, "slot", &cap);
            ancestors_print(0, cap);
            return true;
        }
    }
    return false;
}

static bool why_channel(uint32_t domain, uint64_t id)
{
    struct sys_channel c;

    for (uint32_t i = 0; sys_channel(i, &c) == 0; i++) {
        if (c.id == id && (c.client == domain || c.server == domain)) {
            printf("channel %u: %llu bytes at 0x%llx\n", (unsigned)c.id,
                   (unsigned long long)c.bytes, (unsigned long long)c.address);
            channel_print(&c);
            return true;
        }
    }
    return false;
}

static bool why_service(uint32_t domain, const char *name)
{
    struct sys_origin origin;
    struct sys_fact fact;
    char holder[OWNER_BYTES];

    if (sys_origin(domain, &origin) != 0 ||
        !fact_need(origin.rights, name, &fact)) {
        return false;
    }
    domain_name(domain, holder);
    printf("service %s: %s may connect to it\n", name, holder);
    need_print(domain, name);
    return true;
}

/* ---- names of objects -------------------------------------------------- */

/* The number after "PREFIX:"; false: it is none. */
static bool number_after(const char *object, const char *prefix, uint64_t *out)
{
    size_t n = strlen(prefix);
    char *end;

    if (strncmp(object, prefix, n) != 0 || object[n] < '0' || object[n] > '9') {
        return false;
    }
    *out = strtoull(object + n, &end, 0);
    return *end == '\0';
}

int caps_why(uint32_t domain, const char *object)
{
    uint64_t n;
    bool found;

    if (number_after(object, "slot:", &n)) {
        found = why_slot(domain, SYS_CSPACE, n);
    } else if (number_after(object, "kept:", &n)) {
        found = why_slot(domain, SYS_KEPT, n);
    } else if (number_after(object, "irq:", &n)) {
        found = why_irq(domain, n);
    } else if (number_after(object, "device:", &n)) {
        found = why_device(domain, n);
    } else if (number_after(object, "channel:", &n)) {
        found = why_channel(domain, n);
    } else if (strncmp(object, "service:", 8) == 0) {
        found = why_service(domain, object + 8);
    } else {
        return report_cause(object,
                            "not the name of an object (slot:N, kept:N, "
                            "irq:N, device:N, channel:N, service:NAME)");
    }
    return found ? 0 : report_cause(object, "the domain does not hold it");
}
