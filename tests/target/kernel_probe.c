/* SPDX-License-Identifier: BSL-1.0
 *
 * The handlers run on upcall stacks with the interrupted code's FP registers
 * live, so they do without those.
 */
#include "tests/target/kernel_probe.h"

#include <stddef.h>
#include <abi/calls.h>

#define HANDLER __attribute__((target("general-regs-only")))

/* As kernel_probe.S lays it out: x19..x30, sp, and whether a probe is on. */
struct probe_frame {
    uint64_t x[12], sp, on;
};
_Static_assert(offsetof(struct probe_frame, on) == 104, "kernel_probe.S");

extern struct probe_frame probe_frame;
struct probe_frame probe_frame;
struct upcall_fault probe_fault;
volatile uint64_t probe_upcalls;

static uint64_t libos_entry, libos_double;

_Noreturn void probe_recover(enum probe_end end);
void probe_entry(void);
void probe_double_entry(void);
void svc_at(uint64_t x[12], const uint32_t *stub);
extern const uint32_t svc_stubs[][2], svc_unknown_stubs[][2],
    svc_unknown_stubs_end[];

_Noreturn HANDLER void probe_upcall(struct upcall_page *page);
_Noreturn HANDLER void probe_upcall_double(struct upcall_page *page);

/* Go on as if the kernel had entered libos. */
_Noreturn HANDLER static void pass_on(uint64_t entry, struct upcall_page *page)
{
    ((void (*)(struct upcall_page *))entry)(page);
    __builtin_trap();
}

#define LIBOS_SLOT 0u /* UPCALL_SLOT of libos/core/page.h */
#define FAULTS     ((uint32_t)(REASON_FAULT | REASON_EXCEPTION))

_Noreturn HANDLER void probe_upcall(struct upcall_page *page)
{
    uint32_t pending = __atomic_load_n(&page->pending, __ATOMIC_RELAXED);
    probe_upcalls = probe_upcalls + 1;
    if (probe_frame.on && (pending & FAULTS) != 0) {
        probe_fault = page->fault;
        (void)__atomic_fetch_and(&page->pending, ~FAULTS, __ATOMIC_RELAXED);
        struct saved_context *c = &page->slots[page->saved_slot];
        c->pc = (uintptr_t)probe_recover;
        c->x[0] = pending & REASON_FAULT ? PROBE_FAULT : PROBE_EXCEPTION;
    } else if (probe_frame.on && page->saved_slot != LIBOS_SLOT) {
        probe_recover(PROBE_UPCALL);
    }
    pass_on(libos_entry, page);
}

_Noreturn HANDLER void probe_upcall_double(struct upcall_page *page)
{
    if (!probe_frame.on) {
        pass_on(libos_double, page);
    }
    probe_fault = page->fault;
    (void)__atomic_fetch_and(&page->pending, ~FAULTS, __ATOMIC_RELAXED);
    page->mask = MASK_ON;
    probe_recover(PROBE_DOUBLE);
}

void probe_init(void)
{
    libos_entry = upcall_page->entry;
    libos_double = upcall_page->double_entry;
    upcall_page->double_entry = (uintptr_t)probe_double_entry;
    upcall_page->entry = (uintptr_t)probe_entry;
}

/* ---- accesses ---------------------------------------------------------- */

struct access {
    uint64_t va, value;
};

static void load_body(void *argument)
{
    struct access *a = argument;
    a->value = *(volatile uint64_t *)a->va;
}

static void store_body(void *argument)
{
    const struct access *a = argument;
    *(volatile uint64_t *)a->va = a->value;
}

static void run_body(void *argument)
{
    struct access *a = argument;
    a->value = ((uint64_t(*)(void))a->va)();
}

enum probe_end probe_load(uint64_t va, uint64_t *value)
{
    struct access a = {va, 0};
    enum probe_end end = probe(load_body, &a);
    *value = end == PROBE_RETURNED ? a.value : *value;
    return end;
}

enum probe_end probe_store(uint64_t va, uint64_t value)
{
    struct access a = {va, value};
    return probe(store_body, &a);
}

enum probe_end probe_run(uint64_t va, uint64_t *value)
{
    struct access a = {va, 0};
    enum probe_end end = probe(run_body, &a);
    *value = end == PROBE_RETURNED ? a.value : *value;
    return end;
}

/* ---- system calls ------------------------------------------------------ */

uint64_t svc(uint32_t nr, uint64_t x[12])
{
    uint32_t stub = nr == SVC_CALL    ? SYS_COUNT
                    : nr == SVC_REPLY ? SYS_COUNT + 1
                                      : nr;
    svc_at(x, svc_stubs[stub]);
    return stub < SYS_COUNT ? x[0] : x[8];
}

static void svc_body(void *argument)
{
    struct raw_call *c = argument;
    c->error = svc(c->nr, c->x);
}

enum probe_end probe_svc(struct raw_call *c)
{
    return probe(svc_body, c);
}

bool svc_unknown(uint32_t i, uint64_t x[12], uint32_t *nr)
{
    if (svc_unknown_stubs[i] >= svc_unknown_stubs_end) {
        return false;
    }
    *nr = svc_unknown_stubs[i][0] >> 5 & 0xffffu;
    svc_at(x, svc_unknown_stubs[i]);
    return true;
}
