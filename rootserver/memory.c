/* SPDX-License-Identifier: BSL-1.0
 *
 * The policy for frames and addresses. Memory is cut from the kernel's untyped
 * capabilities into chunks of 16 to 256 KiB, and of 2 MiB for who wants a frame
 * of that size; a chunk given back is revoked, so that nothing of it is
 * left anywhere. Addresses are given away in blocks that come back to the end
 * of the line: a stale pointer faults as long as possible.
 */
#include "root.h"

#include <string.h>

#define HUGE_CLASS (CHUNK_LOG2_MAX - CHUNK_LOG2_MIN + 1u)
#define CLASSES    (HUGE_CLASS + 1u)
#define HUGE_PARTS (1u << (HUGE_FRAME_LOG2 - CHUNK_LOG2_MAX))
#define SLOTS      8192u
#define BLOCKS     1024u
#define DEVICES    32u

static struct boot_info boot;
/* Of each slot of the root CNode; a free one and a free chunk are in a list. */
static struct chunk chunk[SLOTS];
static uint32_t free_slot, free_chunk[CLASSES]; /* the first; 0: none */
static uint32_t free_slots, free_chunks[CLASSES];
static uint32_t cutting;     /* index into boot.untyped */
static uint64_t uncut_bytes; /* left in it and after it */
static uint64_t chunk_bytes; /* of free chunks */
static struct block {
    uint64_t address;
    uint32_t slot;
} block_line[BLOCKS];
uint32_t memory_changes;
uint64_t memory_kept_bytes;
static uint32_t block_head, block_count, blocks_made;
static struct device {
    uint64_t address;
    uint32_t slot;
} device[DEVICES];
static uint32_t devices;

struct chunk *chunk_of(uint32_t slot)
{
    return &chunk[slot];
}

static void list_put(uint32_t *first, uint32_t *count, uint32_t slot)
{
    chunk[slot].next = (uint16_t)*first;
    *first = slot;
    ++*count;
}

static uint32_t list_take(uint32_t *first, uint32_t *count)
{
    uint32_t slot = *first;
    if (slot != 0) {
        *first = chunk[slot].next;
        --*count;
    }
    return slot;
}

uint32_t slot_take(void)
{
    return list_take(&free_slot, &free_slots);
}

void slot_give(uint32_t slot)
{
    list_put(&free_slot, &free_slots, slot);
}

static bool usable(const struct boot_untyped *u)
{
    return !u->device && u->size_log2 >= CHUNK_LOG2_MAX;
}

static uint32_t class_of(uint32_t log2)
{
    return log2 == HUGE_FRAME_LOG2 ? HUGE_CLASS : log2 - CHUNK_LOG2_MIN;
}

static void add_free(uint32_t slot, uint32_t log2)
{
    uint32_t class = class_of(log2);
    chunk[slot].log2 = (uint8_t)log2;
    list_put(&free_chunk[class], &free_chunks[class], slot);
    chunk_bytes += 1ull << log2;
}

static uint32_t take_free(uint32_t log2)
{
    uint32_t class = class_of(log2);
    uint32_t slot = list_take(&free_chunk[class], &free_chunks[class]);
    chunk_bytes -= slot != 0 ? 1ull << log2 : 0;
    return slot;
}

/* Pieces that are too small to be cut from are chunks as they are. */
void memory_init(const struct boot_info *info)
{
    boot = *info;
    for (uint32_t s = boot.slot_count - 1; s >= boot.slot_free; s--) {
        slot_give(s);
    }
    for (uint32_t i = 0; i < boot.untyped_count; i++) {
        const struct boot_untyped *u = &boot.untyped[i];
        if (usable(u)) {
            uncut_bytes += 1ull << u->size_log2;
        } else if (!u->device && u->size_log2 >= CHUNK_LOG2_MIN) {
            add_free(u->slot, u->size_log2);
        }
    }
}

/* Cut one more chunk of 256 KiB from the boot memory. */
static uint32_t cut(void)
{
    uint32_t slot = slot_take();
    while (slot != 0 && cutting < boot.untyped_count) {
        const struct boot_untyped *u = &boot.untyped[cutting];
        if (usable(u) &&
            sys_untyped_retype(u->slot, slot, TYPE_UNTYPED, CHUNK_LOG2_MAX, 1,
                               0, 0) == ERR_OK) {
            uncut_bytes -= 1ull << CHUNK_LOG2_MAX;
            return slot;
        }
        cutting++;
    }
    if (slot != 0) {
        slot_give(slot);
    }
    return 0;
}

/* Cut so far that the next 2 MiB begin where they may. */
static bool align(const struct boot_untyped *u)
{
    uint64_t info, address, mark;
    while (sys_cap_identify(u->slot, &info, &address, &mark) == ERR_OK &&
           mark % STRETCH_BYTES != 0) {
        uint32_t slot = slot_take();
        if (slot == 0 ||
            sys_untyped_retype(u->slot, slot, TYPE_UNTYPED, CHUNK_LOG2_MAX, 1,
                               0, 0) != ERR_OK) {
            return false;
        }
        uncut_bytes -= 1ull << CHUNK_LOG2_MAX;
        add_free(slot, CHUNK_LOG2_MAX);
    }
    return true;
}

static uint32_t cut_huge(void)
{
    for (uint32_t i = cutting; i < boot.untyped_count; i++) {
        const struct boot_untyped *u = &boot.untyped[i];
        if (u->device || u->size_log2 < HUGE_FRAME_LOG2 || !align(u)) {
            continue;
        }
        uint32_t slot = slot_take();
        if (slot != 0 &&
            sys_untyped_retype(u->slot, slot, TYPE_UNTYPED, HUGE_FRAME_LOG2, 1,
                               0, 0) == ERR_OK) {
            uncut_bytes -= STRETCH_BYTES;
            return slot;
        }
        if (slot != 0) {
            slot_give(slot);
        }
    }
    return 0;
}

/* The boot memory is used up: a free chunk of 2 MiB falls into smaller ones. */
static uint32_t split_huge(void)
{
    if (free_chunks[HUGE_CLASS] == 0 || free_slots < HUGE_PARTS) {
        return 0;
    }
    uint32_t whole = take_free(HUGE_FRAME_LOG2);
    for (uint32_t i = 0; i < HUGE_PARTS; i++) {
        uint32_t slot = slot_take();
        (void)sys_untyped_retype(whole, slot, TYPE_UNTYPED, CHUNK_LOG2_MAX, 1,
                                 0, 0);
        add_free(slot, CHUNK_LOG2_MAX);
    }
    return take_free(CHUNK_LOG2_MAX);
}

static uint32_t made(uint32_t slot, uint32_t log2)
{
    chunk[slot].log2 = (uint8_t)log2;
    return slot;
}

static uint32_t take(uint32_t log2)
{
    memory_changes++;
    uint32_t free = take_free(log2);
    if (free != 0) {
        return free;
    }
    if (log2 == HUGE_FRAME_LOG2) {
        return made(cut_huge(), log2);
    }
    if (log2 == CHUNK_LOG2_MAX) {
        uint32_t slot = cut();
        return slot != 0 ? made(slot, log2) : split_huge();
    }
    if (free_slots < 2 * CLASSES) { /* the halves of each size, and the cut */
        return 0;
    }
    uint32_t whole = take(log2 + 1);
    if (whole == 0) {
        return 0;
    }
    uint32_t low = slot_take(), high = slot_take();
    (void)sys_untyped_retype(whole, low, TYPE_UNTYPED, log2, 1, 0, 0);
    (void)sys_untyped_retype(whole, high, TYPE_UNTYPED, log2, 1, 0, 0);
    add_free(high, log2);
    return made(low, log2);
}

uint32_t chunk_take(uint32_t log2)
{
    uint32_t slot = take(log2);
    while (slot == 0 && memory_give_back()) {
        slot = take(log2);
    }
    return slot;
}

void chunk_give(uint32_t slot)
{
    (void)sys_cap_revoke(slot);
    memory_changes++;
    add_free(slot, chunk[slot].log2);
}

uint64_t memory_free_bytes(void)
{
    return uncut_bytes + chunk_bytes + memory_kept_bytes;
}

void memory_ledger(uint64_t *free, uint64_t *small)
{
    *free = memory_free_bytes() - uncut_bytes;
    *small = 0;
    for (uint32_t i = 0; i < boot.untyped_count; i++) {
        const struct boot_untyped *u = &boot.untyped[i];
        uint64_t info, address, mark;
        if (!u->device &&
            sys_cap_identify(u->slot, &info, &address, &mark) == ERR_OK) {
            uint64_t left = (1ull << u->size_log2) - mark;
            *free += usable(u) ? left : 0;
            *small += u->size_log2 < CHUNK_LOG2_MIN ? left : 0;
        }
    }
}

uint64_t memory_total_bytes(void)
{
    return boot.ram_bytes;
}

const struct boot_info *memory_boot(void)
{
    return &boot;
}

uint64_t memory_kernel_bytes(void)
{
    return boot.kernel_bytes;
}

/* ---- addresses --------------------------------------------------------- */

uint32_t block_take(uint64_t *address)
{
    if (blocks_made < BLOCKS) {
        uint32_t slot = slot_take();
        if (slot != 0 && sys_untyped_retype(boot.slot_range, slot, TYPE_RANGE,
                                            BLOCK_LOG2, 1, 0, 0) == ERR_OK) {
            *address = boot.range_base + ((uint64_t)blocks_made << BLOCK_LOG2);
            blocks_made++;
            return slot;
        }
        if (slot != 0) {
            slot_give(slot);
        }
    }
    if (block_count == 0) {
        return 0;
    }
    struct block b = block_line[block_head];
    block_head = (block_head + 1) % BLOCKS;
    block_count--;
    *address = b.address;
    return b.slot;
}

void block_give(uint32_t slot, uint64_t address)
{
    (void)sys_cap_revoke(slot);
    block_line[(block_head + block_count++) % BLOCKS] =
        (struct block){address, slot};
}

/* ---- devices ----------------------------------------------------------- */

/* The untyped that holds the page now: one of the pieces of `cut_up`. */
static struct piece {
    uint64_t address;
    uint32_t slot;
    uint8_t log2;
} piece[DEVICES * 20];
static uint32_t pieces;

static void add_piece(uint64_t address, uint32_t slot, uint32_t log2)
{
    if (pieces < sizeof(piece) / sizeof(piece[0])) {
        piece[pieces++] = (struct piece){address, slot, (uint8_t)log2};
    }
}

/* Divide the piece in two; the half with the page stays in *p. */
static bool divide(struct piece *p, uint64_t address)
{
    uint32_t low = slot_take(), high = slot_take(), log2 = p->log2 - 1u;
    uint64_t middle = p->address + (1ull << log2);
    if (low == 0 || high == 0 ||
        sys_untyped_retype(p->slot, low, TYPE_UNTYPED, log2, 1, 0, 0) ||
        sys_untyped_retype(p->slot, high, TYPE_UNTYPED, log2, 1, 0, 0)) {
        return false;
    }
    bool upper = address >= middle;
    add_piece(upper ? p->address : middle, upper ? low : high, log2);
    *p = (struct piece){upper ? middle : p->address, upper ? high : low,
                        (uint8_t)log2};
    return true;
}

/* Pages can be wanted in any order, a watermark only rises: so the untyped is
 * divided in two until the page stands alone. */
static uint32_t make_device(uint64_t address)
{
    if (pieces == 0) {
        for (uint32_t i = 0; i < boot.untyped_count; i++) {
            const struct boot_untyped *u = &boot.untyped[i];
            if (u->device) {
                add_piece(u->address, u->slot, u->size_log2);
            }
        }
    }
    for (uint32_t i = 0; i < pieces; i++) {
        struct piece *p = &piece[i];
        if (address < p->address || address - p->address >= 1ull << p->log2) {
            continue;
        }
        while (p->log2 > PAGE_LOG2) {
            if (!divide(p, address)) {
                return 0;
            }
        }
        uint32_t frame = slot_take();
        return frame != 0 && sys_untyped_retype(p->slot, frame, TYPE_FRAME,
                                                PAGE_LOG2, 1, 0, 0) == ERR_OK
                   ? frame
                   : 0;
    }
    return 0;
}

uint32_t device_frame(uint64_t address)
{
    for (uint32_t i = 0; i < devices; i++) {
        if (device[i].address == address) {
            return device[i].slot;
        }
    }
    uint32_t slot = devices < DEVICES ? make_device(address) : 0;
    if (slot != 0) {
        device[devices++] = (struct device){address, slot};
    }
    return slot;
}

void device_unmap_range(uint64_t from, uint64_t to)
{
    uint64_t info, address, va;
    for (uint32_t i = 0; i < devices; i++) {
        if (sys_cap_identify(device[i].slot, &info, &address, &va) == ERR_OK &&
            va >= from && va < to) {
            (void)frames_unmap(device[i].slot, 1);
        }
    }
}

uint32_t memory_slot_cpu(void)
{
    return boot.slot_cpu;
}

uint32_t memory_slot_irq(void)
{
    return boot.slot_irq;
}
