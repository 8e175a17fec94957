/* SPDX-License-Identifier: BSL-1.0 */
/* Capabilities and facts of the manifest in words; see caps.h. */
#include "caps.h"
#include "owner.h"

#include <stdio.h>
#include <string.h>

const char *cap_type(const struct sys_cap *cap)
{
    static const char *const names[] = {
        [TYPE_NULL] = "null",
        [TYPE_UNTYPED] = "untyped",
        [TYPE_CNODE] = "cnode",
        [TYPE_FRAME] = "frame",
        [TYPE_RANGE] = "range",
        [TYPE_STRETCH] = "stretch",
        [TYPE_DOMAIN] = "domain",
        [TYPE_DISPATCHER] = "dispatcher",
        [TYPE_SCHED_CONTEXT] = "budget",
        [TYPE_CPU] = "cpu",
        [TYPE_ENDPOINT] = "endpoint",
        [TYPE_EVENT] = "event",
        [TYPE_REPLY] = "reply",
        [TYPE_IRQ] = "irq",
    };

    return cap->type < sizeof(names) / sizeof(names[0]) ? names[cap->type]
                                                        : "?";
}

void cap_rights(const struct sys_cap *cap, char out[CAP_RIGHTS_BYTES])
{
    static const char letters[] = "rwxcsma";

    for (size_t i = 0; i < sizeof(letters) - 1; i++) {
        out[i] = cap->rights >> i & 1 ? letters[i] : '-';
    }
    out[sizeof(letters) - 1] = '\0';
}

static void note_frame(const struct sys_cap *cap, char out[CAP_NOTE_BYTES])
{
    if (cap->word == 0) {
        snprintf(out, CAP_NOTE_BYTES, "not mapped");
        return;
    }
    snprintf(out, CAP_NOTE_BYTES, "mapped at 0x%llx",
             (unsigned long long)cap->word);
}

void cap_note(const struct sys_cap *cap, char out[CAP_NOTE_BYTES])
{
    char owner[OWNER_BYTES];
    unsigned long long word = cap->word;

    out[0] = '\0';
    switch (cap->type) {
    case TYPE_FRAME:
        note_frame(cap, out);
        break;
    case TYPE_UNTYPED:
        snprintf(out, CAP_NOTE_BYTES, "%llu used", word);
        break;
    case TYPE_STRETCH:
        snprintf(out, CAP_NOTE_BYTES, "of addresses 0x%llx", word);
        break;
    case TYPE_ENDPOINT:
        snprintf(out, CAP_NOTE_BYTES, "badge %llu", word);
        break;
    case TYPE_EVENT:
        owner_name(cap->owner, cap->id, owner);
        snprintf(out, CAP_NOTE_BYTES, "bit %llu of %s", word, owner);
        break;
    case TYPE_REPLY:
        owner_name(cap->owner, cap->id, owner);
        snprintf(out, CAP_NOTE_BYTES, "to %s", owner);
        break;
    case TYPE_IRQ:
        snprintf(out, CAP_NOTE_BYTES, "line %llu",
                 (unsigned long long)cap->address);
        break;
    default:
        break;
    }
}

bool cap_is_memory(const struct sys_cap *cap)
{
    return cap->type != TYPE_RANGE && cap->type != TYPE_CPU &&
           cap->type != TYPE_IRQ && cap->type != TYPE_EVENT &&
           cap->type != TYPE_REPLY;
}

bool cap_is_device_of(const struct sys_cap *cap, uint32_t domain)
{
    return cap->type == TYPE_FRAME && cap->device && cap->word != 0 &&
           cap->owner == LEDGER_DOMAIN && cap->id == domain;
}

uint64_t cap_bytes(const struct sys_cap *cap)
{
    return cap_is_memory(cap) || cap->type == TYPE_RANGE
               ? 1ull << cap->size_log2
               : 0;
}

/* ---- facts ------------------------------------------------------------- */

bool fact_number(int32_t declared, enum fact_kind kind, uint64_t value,
                 struct sys_fact *out)
{
    for (uint32_t i = 0; sys_fact(i, out) == 0; i++) {
        uint64_t past = out->bytes != 0 ? out->bytes : 1;

        if ((int32_t)out->domain == declared && out->kind == kind &&
            value >= out->value && value - out->value < past) {
            return true;
        }
    }
    return false;
}

bool fact_text(int32_t declared, enum fact_kind kind, const char *text,
               struct sys_fact *out)
{
    for (uint32_t i = 0; sys_fact(i, out) == 0; i++) {
        if ((int32_t)out->domain == declared && out->kind == kind &&
            strcmp(out->text, text) == 0) {
            return true;
        }
    }
    return false;
}

bool fact_need(int32_t rights, const char *service, struct sys_fact *out)
{
    return fact_text(rights, FACT_NEEDS, service, out) ||
           fact_text(rights, FACT_STDIO, service, out);
}

bool fact_domain(int32_t declared, struct sys_fact *out)
{
    for (uint32_t i = 0; sys_fact(i, out) == 0; i++) {
        if ((int32_t)out->domain == declared && out->kind == FACT_DOMAIN) {
            return true;
        }
    }
    return false;
}
