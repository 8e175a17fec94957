/* SPDX-License-Identifier: BSL-1.0
 *
 * What a root program of tests needs: domains, their pages, and text on the
 * UART. All domains run the root program's image and see its data, each with an
 * address space, a CSpace and upcall pages of its own; the root schedules them,
 * under the index that is their number. What fails prints a line `failed` and
 * ends the run.
 */
#pragma once

#include <stdint.h>
#include <abi/calls.h>
#include <vesper/call.h>
#include <vesper/frames.h>

#define MEMBERS_MAX 236u
#define TIMER_VA    (ROOT_PAGES_VA + 0x30000) /* the system timer's registers */

extern struct member_slots { /* in the root's CNode */
    uint32_t cnode, domain, dispatcher, sched;
} set[MEMBERS_MAX];

/* First of all. */
void domains_init(const struct boot_info *info);
/* An object in *slot; in a new one if that is 0. */
void object_make(uint32_t *slot, uint32_t from, uint32_t type, uint32_t log2,
                 uint32_t rank);
/* Of untyped memory, with 1 << slots_log2 slots in its CNode; entry is given
 * its number. Its objects can go, and it be made again. */
void member_make(uint32_t m, uint32_t chunk, uint32_t slots_log2,
                 void (*entry)(uint64_t m));
/* The same, scheduled by another dispatcher, under another index. */
void member_make_below(cptr_t parent, uint32_t index, uint32_t m,
                       uint32_t chunk, uint32_t slots_log2,
                       void (*entry)(uint64_t m));
void member_start(uint32_t m, void (*entry)(uint64_t m));
/* An endpoint of it, as object_make does. */
void gate_make(uint32_t *gate, uint32_t m, uint32_t chunk);

static inline const struct identity_page *identity_of_root(void)
{
    return (const void *)(uintptr_t)ROOT_PAGES_VA;
}

struct upcall_page *page_of(uint32_t m);
uint32_t member_of(const struct upcall_page *page);
__attribute__((format(printf, 1, 2))) void print(const char *f, ...);

/* As each upcall handler begins: no reason is pending any more. */
static inline void take(struct upcall_page *page)
{
    (void)__atomic_exchange_n(&page->pending, 0, __ATOMIC_RELAXED);
}

/* start.S. Of one domain, whose upcalls come at wait_entry: block until one
 * comes; run a child until the CPU comes back, but for an error, which is less
 * than ERR_COUNT. */
void wait_upcall(void);
uint64_t run_child(uint64_t child, uint64_t until, uint64_t urgency);
void wait_entry(void);
uint64_t touch(const void *address);
