/* SPDX-License-Identifier: BSL-1.0 */
/*
 * caps diff: the running system against what the manifest declares. What is
 * allowed and not used (a service nobody connected to yet) is no difference.
 */
#include "caps.h"
#include "owner.h"
#include "report.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static unsigned differences;

__attribute__((format(printf, 2, 3))) static void difference(uint32_t domain,
                                                             const char *format,
                                                             ...)
{
    char name[OWNER_BYTES];
    va_list list;

    domain_name(domain, name);
    printf("%s: ", name);
    va_start(list, format);
    vprintf(format, list);
    va_end(list);
    putchar('\n');
    differences++;
}

/* ---- declared, and not so ---------------------------------------------- */

static bool has_device(uint32_t domain, uint64_t address)
{
    struct sys_cap cap;
    uint32_t at = 0;

    while (sys_cap(0, SYS_CSPACE, &at, &cap) == 0) {
        if (cap_is_device_of(&cap, domain) && cap.address == address) {
            return true;
        }
    }
    return false;
}

static bool has_irq(uint32_t domain, uint64_t line)
{
    struct sys_cap cap;
    uint32_t at = 0;

    while (sys_cap(domain, SYS_CSPACE, &at, &cap) == 0) {
        if (cap.type == TYPE_IRQ && cap.address == line) {
            return true;
        }
    }
    return false;
}

static bool provides(uint32_t domain, const char *service)
{
    struct sys_service s;

    for (uint32_t i = 0; sys_service(i, &s) == 0; i++) {
        if (strcmp(s.name, service) == 0) {
            return s.server == domain;
        }
    }
    return false;
}

static void check_fact(const struct sys_fact *fact, uint32_t domain)
{
    unsigned line = fact->line;

    if (fact->kind == FACT_DEVICE) {
        for (uint64_t at = 0; at < fact->bytes; at += PAGE_BYTES) {
            if (!has_device(domain, fact->value + at)) {
                difference(domain,
                           "does not hold device 0x%" PRIx64
                           " (system.manifest:%u)",
                           fact->value + at, line);
            }
        }
    } else if (fact->kind == FACT_IRQ && !has_irq(domain, fact->value)) {
        difference(domain, "does not hold irq %" PRIu64 " (system.manifest:%u)",
                   fact->value, line);
    } else if (fact->kind == FACT_PROVIDES && !provides(domain, fact->text)) {
        difference(domain, "does not provide %s (system.manifest:%u)",
                   fact->text, line);
    }
}

static void check_declared(void)
{
    struct sys_fact fact;
    uint32_t domain = 0;

    for (uint32_t i = 0; sys_fact(i, &fact) == 0; i++) {
        if (fact.kind == FACT_DOMAIN) {
            domain = (uint32_t)fact.value;
            if (domain == 0) {
                printf("%s: is not running (system.manifest:%u)\n", fact.text,
                       (unsigned)fact.line);
                differences++;
            }
        } else if (domain != 0) {
            check_fact(&fact, domain);
        }
    }
}

/* ---- so, and not declared ---------------------------------------------- */

static bool are_peers(uint32_t one, uint32_t other)
{
    struct sys_channel c;

    for (uint32_t i = 0; sys_channel(i, &c) == 0; i++) {
        if ((c.client == one && c.server == other) ||
            (c.client == other && c.server == one)) {
            return true;
        }
    }
    return false;
}

/* The doorbell of the server of a channel of its own. */
static bool rings(uint32_t domain, const struct sys_cap *cap)
{
    struct sys_channel c;

    for (uint32_t i = 0; sys_channel(i, &c) == 0; i++) {
        if (c.id == cap->word && c.client == domain && c.server == cap->id) {
            return true;
        }
    }
    return false;
}

/* Memory of its own, its own range, the gate of the root server, a doorbell, an
 * event of somebody it shares a channel with, a declared interrupt, the right
 * to answer a call: nothing else. */
static bool is_expected(const struct sys_cap *cap, uint32_t domain,
                        int32_t declared)
{
    struct sys_fact fact;
    bool own = cap->owner == LEDGER_DOMAIN && cap->id == domain;

    switch (cap->type) {
    case TYPE_IRQ:
        return fact_number(declared, FACT_IRQ, cap->address, &fact);
    case TYPE_ENDPOINT:
        return own || (cap->owner == LEDGER_ROOT && cap->word == domain) ||
               (cap->owner == LEDGER_DOMAIN && rings(domain, cap));
    case TYPE_EVENT:
        return own || are_peers(domain, cap->id);
    case TYPE_REPLY: /* its caller gave it, by calling */
        return true;
    default:
        return own;
    }
}

static void check_caps(uint32_t domain, int32_t declared)
{
    struct sys_cap cap;
    uint32_t at = 0;

    while (sys_cap(domain, SYS_CSPACE, &at, &cap) == 0) {
        if (!is_expected(&cap, domain, declared)) {
            char note[CAP_NOTE_BYTES], owner[OWNER_BYTES];

            cap_note(&cap, note);
            owner_name(cap.owner, cap.id, owner);
            difference(domain, "holds %s %s of %s in slot:%u, undeclared",
                       cap_type(&cap), note, owner, (unsigned)cap.slot);
        }
    }
}

static void check_devices(uint32_t domain, int32_t declared)
{
    struct sys_cap cap;
    struct sys_fact fact;
    uint32_t at = 0;

    while (sys_cap(0, SYS_CSPACE, &at, &cap) == 0) {
        if (cap_is_device_of(&cap, domain) &&
            !fact_number(declared, FACT_DEVICE, cap.address, &fact)) {
            difference(domain, "holds device 0x%" PRIx64 ", undeclared",
                       cap.address);
        }
    }
}

static void check_channels(uint32_t domain, int32_t rights)
{
    struct sys_channel c;
    struct sys_fact fact;

    for (uint32_t i = 0; sys_channel(i, &c) == 0; i++) {
        if (c.client == domain && !fact_need(rights, c.service, &fact)) {
            difference(domain, "uses %s by channel:%u, undeclared", c.service,
                       (unsigned)c.id);
        }
    }
}

static void check_services(void)
{
    struct sys_service s;
    struct sys_origin origin;
    struct sys_fact fact;

    for (uint32_t i = 0; sys_service(i, &s) == 0; i++) {
        if (s.server != 0 && sys_origin(s.server, &origin) == 0 &&
            !fact_text(origin.declared, FACT_PROVIDES, s.name, &fact)) {
            difference(s.server, "provides %s, undeclared", s.name);
        }
    }
}

int caps_diff(void)
{
    struct sys_domain d;
    struct sys_origin origin;
    int index = 0;

    check_declared();
    check_services();
    while (domain_next(&index, &d)) {
        if (sys_origin(d.id, &origin) == 0) {
            check_caps(d.id, origin.declared);
            check_devices(d.id, origin.declared);
            check_channels(d.id, origin.rights);
        }
    }
    if (differences > 0) {
        return 1;
    }
    puts("no differences");
    return 0;
}
