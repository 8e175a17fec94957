/* SPDX-License-Identifier: BSL-1.0
 *
 * Who holds which capability, and what the manifest says of it: one fact a
 * call. A search through a table looks at SCAN slots at most.
 */
#include "image.h"
#include "shared.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "authority.h"

#define SCAN 256u

/* ---- whose is it? ------------------------------------------------------ */

static uint64_t owner(uint32_t kind, uint32_t id)
{
    return kind | (uint64_t)id << 32;
}

static bool holds(const struct domain *d, uint64_t address)
{
    if (d->image != NULL && holds(&d->image->text, address)) {
        return true;
    }
    for (uint32_t s = d->newest; s != 0; s = chunk_of(s)->next) {
        uint64_t base = (uint64_t)chunk_of(s)->place << CHUNK_LOG2_MIN;
        if (address >= base && address - base < 1ull << chunk_of(s)->log2) {
            return true;
        }
    }
    return false;
}

static bool in_untyped(uint32_t slot, uint64_t address)
{
    uint64_t info, base, mark;
    return sys_cap_identify(slot, &info, &base, &mark) == ERR_OK &&
           address >= base && address - base < 1ull << (info >> 16 & 0xff);
}

static uint64_t owner_of_memory(uint64_t address)
{
    const struct shared *m;
    for (uint32_t i = 0; i < DOMAINS_MAX; i++) {
        if (holds(&domains[i], address)) {
            return owner(LEDGER_DOMAIN, domains[i].id);
        }
    }
    for (uint64_t i = 0; (m = service_memory(i)) != NULL; i++) {
        if (in_untyped(m->chunk, address)) {
            return owner(LEDGER_CHANNEL, m->id);
        }
    }
    return owner(in_untyped(slot_chunk, address) ? LEDGER_ROOT : LEDGER_NOBODY,
                 0);
}

static uint64_t owner_of_address(uint64_t va)
{
    for (uint32_t i = 0; i < DOMAINS_MAX; i++) {
        const struct domain *d = &domains[i];
        if (d->phase == DOMAIN_LIVE && va >= d->block_address &&
            va - d->block_address < 1ull << BLOCK_LOG2) {
            return owner(LEDGER_DOMAIN, d->id);
        }
    }
    return va >= ROOT_TEXT_VA && va < ROOT_RANGE_VA ? owner(LEDGER_ROOT, 0)
                                                    : owner(LEDGER_NOBODY, 0);
}

/* w3..w5: what cap_identify said. */
static uint64_t owner_of(const uint64_t w[8])
{
    switch (w[3] & 0xff) {
    case TYPE_IRQ:
    case TYPE_CPU:
        return owner(LEDGER_NOBODY, 0);
    case TYPE_RANGE:
        return owner_of_address(w[4]);
    case TYPE_FRAME:
        return w[3] >> 32 & 1 ? owner_of_address(w[5]) : owner_of_memory(w[4]);
    default:
        return owner_of_memory(w[4]);
    }
}

/* ---- tables of capabilities -------------------------------------------- */

struct table {
    bool own; /* the root server's own CNode: slots are not behind another */
    uint32_t cnode, slots;
    uint32_t behind, first; /* from that slot on: an image's objects */
};

static int find_table(uint64_t id, uint32_t which, struct table *t)
{
    const struct domain *d =
        id <= UINT32_MAX ? domain_find((uint32_t)id) : NULL;
    if (id == 0 && which == 0) {
        *t = (struct table){.own = true, .slots = memory_boot()->slot_count};
        return 0;
    }
    if (d == NULL) {
        return ESRCH;
    }
    if (which > 1) {
        return EINVAL;
    }
    *t = which == 0
             ? (struct table){.cnode = d->cnode, .slots = d->slots}
             : (struct table){.cnode = d->objects, .slots = d->frames_end};
    if (which == 1 && d->image != NULL) {
        t->behind = d->image->text.objects;
        t->slots += d->image->text.frames_end;
        t->first = d->frames_end;
    }
    return 0;
}

static cptr_t slot_of(const struct table *t, uint32_t slot)
{
    if (t->behind != 0 && slot >= t->first) {
        return CPTR(t->behind, slot - t->first);
    }
    return t->own ? slot : CPTR(t->cnode, slot);
}

int caps_next(uint64_t w[8])
{
    struct table t;
    uint32_t which = (uint32_t)(w[2] >> 32), slot = (uint32_t)w[2];
    int e = find_table(w[1], which, &t);
    if (e != 0) {
        return e;
    }
    if (slot >= t.slots) {
        return EINVAL;
    }
    w[2] = 0;
    uint32_t end = t.slots - slot < SCAN ? t.slots : slot + SCAN;
    for (slot = slot == 0 ? 1 : slot; slot < end && w[2] == 0; slot++) {
        if ((t.own || t.cnode != 0) &&
            sys_cap_identify(slot_of(&t, slot), &w[3], &w[4], &w[5]) ==
                ERR_OK) {
            w[2] = slot;
            w[6] = owner_of(w);
        }
    }
    w[1] = slot < t.slots ? slot | (uint64_t)which << 32 : 0;
    return 0;
}

/* ---- what the manifest says -------------------------------------------- */

static uint32_t running(uint32_t index)
{
    for (uint32_t i = 0; i < DOMAINS_MAX; i++) {
        if (domains[i].phase == DOMAIN_LIVE &&
            domains[i].manifest == (int32_t)index) {
            return domains[i].id;
        }
    }
    return 0;
}

int caps_declared(uint64_t w[8])
{
    struct authority_fact f;
    if (w[1] > UINT32_MAX || !authority_fact(&manifest, (uint32_t)w[1], &f)) {
        return ENOENT;
    }
    char text[32];
    (void)snprintf(text, sizeof(text), "%s", f.text);
    w[1] = f.kind | f.domain << 16 | (uint64_t)f.line << 32;
    w[2] = f.kind == FACT_DOMAIN ? running(f.domain) : f.value;
    w[3] = f.bytes;
    memcpy(&w[4], text, sizeof(text));
    return 0;
}

int caps_origin(uint64_t w[8])
{
    const struct domain *d =
        w[1] <= UINT32_MAX ? domain_find((uint32_t)w[1]) : NULL;
    if (d == NULL) {
        return ESRCH;
    }
    w[1] = (uint64_t)d->manifest + 1;
    w[2] = (uint64_t)d->origin + 1;
    w[3] = d->block_address;
    w[4] = 1ull << BLOCK_LOG2;
    return 0;
}
