/* SPDX-License-Identifier: BSL-1.0 */
/* caps: a line for each domain; caps DOMAIN: a line for each capability. */
#include "caps.h"
#include "owner.h"
#include "report.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* ---- one domain -------------------------------------------------------- */

/* Frames that follow each other and differ only in where they are: one line. */
struct run {
    struct sys_cap first;
    uint32_t count;
};

static const char *how_held(const struct sys_cap *cap)
{
    return cap->type == TYPE_EVENT ? "mint" : cap->depth > 0 ? "copy" : "-";
}

static void run_print(const struct run *run, const char *table)
{
    char object[32], rights[CAP_RIGHTS_BYTES], note[CAP_NOTE_BYTES];
    const struct sys_cap *cap = &run->first;

    if (run->count == 0) {
        return;
    }
    if (run->count == 1) {
        snprintf(object, sizeof(object), "%s:%u", table, (unsigned)cap->slot);
    } else {
        snprintf(object, sizeof(object), "%s:%u-%u", table, (unsigned)cap->slot,
                 (unsigned)(cap->slot + run->count - 1));
    }
    cap_rights(cap, rights);
    cap_note(cap, note);
    printf("%-14s %-10s %s %-4s %10llu%s%s%s\n", object, cap_type(cap), rights,
           how_held(cap), (unsigned long long)cap_bytes(cap) * run->count,
           note[0] != '\0' ? "  " : "", run->count > 1 ? "the first " : "",
           note);
}

static bool run_takes(const struct run *run, const struct sys_cap *cap)
{
    const struct sys_cap *first = &run->first;

    return run->count > 0 && cap->type == TYPE_FRAME &&
           first->type == TYPE_FRAME && cap->slot == first->slot + run->count &&
           cap->rights == first->rights && cap->depth == first->depth &&
           cap->size_log2 == first->size_log2 && cap->device == first->device &&
           (cap->word == 0) == (first->word == 0);
}

static int table_print(uint32_t domain, enum sys_table table, const char *name)
{
    struct run run = {.count = 0};
    struct sys_cap cap;
    uint32_t at = 0;

    while (sys_cap(domain, table, &at, &cap) == 0) {
        if (run_takes(&run, &cap)) {
            run.count++;
        } else {
            run_print(&run, name);
            run = (struct run){cap, 1};
        }
    }
    run_print(&run, name);
    return errno == ENOENT ? 0 : report_errno(name);
}

static void devices_print(uint32_t domain)
{
    struct sys_cap cap;
    uint32_t at = 0;

    while (sys_cap(0, SYS_CSPACE, &at, &cap) == 0) {
        if (cap_is_device_of(&cap, domain)) {
            char note[CAP_NOTE_BYTES];

            cap_note(&cap, note);
            printf("device:0x%llx   %s\n", (unsigned long long)cap.address,
                   note);
        }
    }
}

static bool is_said_twice(const struct sys_fact *fact)
{
    struct sys_fact need;

    return fact->kind == FACT_STDIO &&
           fact_text((int32_t)fact->domain, FACT_NEEDS, fact->text, &need);
}

static void services_print(uint32_t domain)
{
    struct sys_origin origin;
    struct sys_fact fact;

    if (sys_origin(domain, &origin) != 0) {
        return;
    }
    for (uint32_t i = 0; sys_fact(i, &fact) == 0; i++) {
        if ((int32_t)fact.domain == origin.rights &&
            (fact.kind == FACT_NEEDS || fact.kind == FACT_STDIO) &&
            !is_said_twice(&fact)) {
            printf("service:%-6s may connect\n", fact.text);
        }
    }
}

static void channels_print(uint32_t domain)
{
    struct sys_channel c;

    for (uint32_t i = 0; sys_channel(i, &c) == 0; i++) {
        if (c.client == domain || c.server == domain) {
            char client[OWNER_BYTES], server[OWNER_BYTES];

            domain_name(c.client, client);
            domain_name(c.server, server);
            printf("channel:%-6u %s of %s for %s\n", (unsigned)c.id, c.service,
                   server, client);
        }
    }
}

int caps_of(uint32_t domain)
{
    int status;

    puts("OBJECT         TYPE       RIGHTS  HOW       BYTES");
    status = table_print(domain, SYS_CSPACE, "slot");
    if (status == 0 && domain != 0) {
        status = table_print(domain, SYS_KEPT, "kept");
    }
    if (domain != 0) {
        devices_print(domain);
        services_print(domain);
    }
    channels_print(domain);
    return status;
}

/* ---- all --------------------------------------------------------------- */

struct counts {
    unsigned all, memory, event, irq, other;
};

static void count_table(uint32_t domain, enum sys_table table,
                        struct counts *out)
{
    struct sys_cap cap;
    uint32_t at = 0;

    *out = (struct counts){0};
    while (sys_cap(domain, table, &at, &cap) == 0) {
        out->all++;
        if (cap.type == TYPE_UNTYPED || cap.type == TYPE_FRAME ||
            cap.type == TYPE_STRETCH) {
            out->memory++;
        } else if (cap.type == TYPE_EVENT) {
            out->event++;
        } else if (cap.type == TYPE_IRQ) {
            out->irq++;
        } else {
            out->other++;
        }
    }
}

static unsigned count_devices(uint32_t domain)
{
    struct sys_cap cap;
    uint32_t at = 0;
    unsigned n = 0;

    while (sys_cap(0, SYS_CSPACE, &at, &cap) == 0) {
        n += cap_is_device_of(&cap, domain);
    }
    return n;
}

static unsigned count_channels(uint32_t domain)
{
    struct sys_channel c;
    unsigned n = 0;

    for (uint32_t i = 0; sys_channel(i, &c) == 0; i++) {
        n += c.client == domain || c.server == domain;
    }
    return n;
}

static void line_print(uint32_t domain)
{
    struct counts own, kept = {0};
    char name[OWNER_BYTES];

    count_table(domain, SYS_CSPACE, &own);
    if (domain != 0) {
        count_table(domain, SYS_KEPT, &kept);
    }
    domain_name(domain, name);
    printf("%5u %6u %5u %5u %5u %6u %7u %8u  %s\n", own.all, own.memory,
           own.event, own.irq, own.other, kept.all,
           domain != 0 ? count_devices(domain) : 0, count_channels(domain),
           name);
}

int caps_all(void)
{
    struct sys_domain d;
    int index = 0;

    puts(" CAPS MEMORY EVENT   IRQ OTHER   KEPT DEVICES CHANNELS  DOMAIN");
    line_print(0);
    while (domain_next(&index, &d)) {
        line_print(d.id);
    }
    return 0;
}
