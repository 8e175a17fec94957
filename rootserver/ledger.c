/* SPDX-License-Identifier: BSL-1.0
 *
 * The ledger: all RAM of the board, by owner and by what it has become. What an
 * owner was given is asked of the kernel (cap_identify), not calculated from
 * what the others have; so a chunk that the root server lost shows as bytes
 * that are missing in the sum. One row a call; a row of a domain looks at some
 * 2,000 slots.
 */
#include "image.h"
#include "shared.h"

#include <errno.h>
#include <string.h>

struct cap {
    uint32_t type, depth;
    bool device;
    uint64_t bytes, address, word;
};

#define PLACES (1u << (30 - CHUNK_LOG2_MIN)) /* of the smallest chunk */

/* One at a time: the root server has one thread. */
static struct account {
    uint64_t total;            /* of all chunks */
    uint64_t own[PLACES / 64]; /* a bit for each place: is it in a chunk? */
    uint64_t bytes[LEDGER_TYPES];
} a;

static bool identify(cptr_t slot, struct cap *c)
{
    uint64_t info;
    if (sys_cap_identify(slot, &info, &c->address, &c->word) != ERR_OK) {
        return false;
    }
    c->type = info & 0xff;
    c->bytes = 1ull << (info >> 16 & 0xff);
    c->depth = info >> 24 & 0xff;
    c->device = info >> 32 & 1;
    return true;
}

/* ---- one owner --------------------------------------------------------- */

static void begin(void)
{
    memset(&a, 0, sizeof(a));
}

static bool is_own(uint64_t address)
{
    uint64_t place = address >> CHUNK_LOG2_MIN;
    return place < PLACES && a.own[place / 64] >> place % 64 & 1;
}

static void add_chunk(uint32_t slot)
{
    struct cap c;
    if (slot != 0 && identify(slot, &c)) {
        for (uint64_t at = 0; at < c.bytes; at += 1u << CHUNK_LOG2_MIN) {
            uint64_t place = (c.address + at) >> CHUNK_LOG2_MIN;
            a.own[place / 64 % (PLACES / 64)] |= 1ull << place % 64;
        }
        a.total += c.bytes;
        a.bytes[LEDGER_RESERVE] += c.bytes - c.word;
    }
}

static enum ledger_type type_of(const struct cap *c)
{
    switch (c->type) {
    case TYPE_CNODE:
        return LEDGER_CNODE;
    case TYPE_FRAME:
        return c->word != 0 ? LEDGER_MAPPED : LEDGER_UNMAPPED;
    case TYPE_STRETCH: /* or a frame of 2 MiB, counted there */
        return c->bytes == PAGE_BYTES ? LEDGER_TABLE : LEDGER_TYPES;
    case TYPE_DOMAIN:
        return LEDGER_SPACE;
    case TYPE_DISPATCHER:
        return LEDGER_DISPATCHER;
    case TYPE_SCHED_CONTEXT:
    case TYPE_ENDPOINT:
        return LEDGER_SMALL;
    default:
        return LEDGER_TYPES;
    }
}

/* Originals only: a copy is no memory. Untyped counts for what is left in it;
 * the rest are objects of their own. Numbers and addresses (RANGE, EVENT, IRQ,
 * CPU) are none either; type_of() knows only what is. */
static void add_slot(cptr_t slot)
{
    struct cap c;
    if (!identify(slot, &c) || c.depth != 0 || c.device || !is_own(c.address)) {
        return;
    }
    enum ledger_type type = type_of(&c);
    if (c.type == TYPE_UNTYPED) {
        a.bytes[LEDGER_UNTYPED] += c.bytes - c.word;
    } else if (type != LEDGER_TYPES) {
        a.bytes[type] += c.bytes;
    }
}

static void add_slots(uint32_t cnode, uint32_t slots)
{
    if (cnode == 0) {
        return;
    }
    add_slot(cnode);
    for (uint32_t i = 1; i < slots; i++) {
        add_slot(CPTR(cnode, i));
    }
}

/* What is in no capability that lies here: alignment, objects that were
 * deleted, objects in CNodes that the domain made for itself. */
static void close_account(void)
{
    uint64_t known = 0;
    for (uint32_t i = 0; i < LEDGER_GAP; i++) {
        known += a.bytes[i];
    }
    a.bytes[LEDGER_GAP] = a.total > known ? a.total - known : 0;
}

static void answer(uint64_t w[8], uint32_t owner, uint32_t id)
{
    close_account();
    w[2] = owner | (uint64_t)id << 32;
    for (uint32_t i = 0; i < LEDGER_TYPES; i += 2) {
        w[3 + i / 2] = a.bytes[i] | a.bytes[i + 1] << 32;
    }
}

static void add_chunks(const struct domain *d)
{
    for (uint32_t s = d->newest; s != 0; s = chunk_of(s)->next) {
        add_chunk(s);
    }
}

static void domain_row(const struct domain *d, uint64_t w[8])
{
    begin();
    add_chunks(d);
    if (d->image != NULL) {
        add_chunks(&d->image->text);
        add_slots(d->image->text.objects, d->image->text.frames_end);
    }
    add_slots(d->objects, d->frames_end);
    add_slots(d->cnode, d->slots);
    answer(w, LEDGER_DOMAIN, d->id);
}

static void channel_row(const struct shared *m, uint64_t w[8])
{
    begin();
    add_chunk(m->chunk);
    add_slots(m->objects, SHARED_PLACES);
    answer(w, LEDGER_CHANNEL, m->id);
}

static void root_row(uint64_t w[8])
{
    uint32_t objects, places, stolen[2];
    begin();
    add_chunk(slot_chunk);
    add_slot(slot_endpoint);
    stolen_slots(stolen);
    add_slot(stolen[0]);
    add_slot(stolen[1]);
    add_chunk(trace_memory(&objects, &places));
    add_slots(objects, places);
    answer(w, LEDGER_ROOT, 0);
}

/* ---- what nobody has --------------------------------------------------- */

static void board_row(uint64_t w[8])
{
    w[2] = LEDGER_BOARD;
    w[3] = memory_boot()->board_bytes;
}

static void region_row(const struct boot_region *r, uint64_t w[8])
{
    w[2] = LEDGER_REGION;
    w[3] = r->kind;
    w[4] = r->address;
    w[5] = r->bytes;
}

static void free_row(uint64_t w[8])
{
    w[2] = LEDGER_FREE;
    memory_ledger(&w[3], &w[4]);
}

/* ---- rows -------------------------------------------------------------- */

static bool is_part(uint64_t *row, uint64_t count)
{
    if (*row < count) {
        return true;
    }
    *row -= count;
    return false;
}

static int fill(uint64_t row, uint64_t w[8])
{
    const struct boot_info *boot = memory_boot();
    if (is_part(&row, 1)) {
        board_row(w);
    } else if (is_part(&row, boot->region_count)) {
        region_row(&boot->region[row], w);
    } else if (is_part(&row, 1)) {
        free_row(w);
    } else if (is_part(&row, 1)) {
        root_row(w);
    } else if (is_part(&row, DOMAINS_MAX)) {
        domain_row(&domains[row], w);
    } else if (service_memory(row) != NULL) {
        channel_row(service_memory(row), w);
    } else {
        return ENOENT;
    }
    return 0;
}

/* Rows of the table of domains that hold none are passed over. */
static uint64_t used_row(uint64_t row)
{
    uint64_t first = 3ull + memory_boot()->region_count;
    while (row >= first && row < first + DOMAINS_MAX &&
           domains[row - first].newest == 0) {
        row++;
    }
    return row;
}

int ledger_row(uint64_t w[8])
{
    uint64_t row = used_row(w[1]);
    w[1] = (row + 1) | (uint64_t)memory_changes << 32;
    return fill(row, w);
}
