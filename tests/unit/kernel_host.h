/* SPDX-License-Identifier: BSL-1.0
 *
 * A machine for the kernel core on the host: RAM is an array, time stands still
 * until a test moves it, interrupt lines are flags. host_boot makes a root
 * domain as kernel/arch/boot.c does; domains for tests are made by system
 * calls.
 *
 * Rules: the machine always is between two traps. Every system call goes
 * through host_call or host_try, which fail the program if a refused call
 * changed any state but the registers of its caller.
 */
#pragma once

#include <setjmp.h>
#include <stdio.h>

#include "core.h"
#include "list.h"

/* Slots of the root domain. */
enum host_slot {
    HOST_CNODE = 1,
    HOST_DOMAIN,
    HOST_DISPATCHER,
    HOST_CPU,
    HOST_CPU1, /* a parked core */
    HOST_IRQ,  /* HOST_IRQS of them */
    HOST_IRQS = 4,
    HOST_RANGE = HOST_IRQ + HOST_IRQS,
    HOST_PAGES,     /* stretch with root's own pages */
    HOST_UNTYPED,   /* the arena */
    HOST_DEVICE,    /* untyped, 4 MiB, not RAM */
    HOST_ATTIC,     /* a stretch for the pages of dispatchers of tests */
    HOST_FREE = 16, /* from here on: empty */
    HOST_KID = 64,  /* HOST_KID_SLOTS for each domain of host_kid */
    HOST_KID_SLOTS = 8,
    HOST_SLOTS = 1024,
};

/* Where a kid's capabilities are among its HOST_KID_SLOTS. */
enum { KID_CNODE, KID_DOMAIN, KID_DISPATCHER, KID_ENDPOINT };

/* In a kid of a ring: the next one's endpoint; from here on: empty. */
enum { HOST_GATE = 5, HOST_SPARE = 9 };

#define HOST_DEVICE_ADDRESS 0x3f000000ull
#define HOST_RANGE_VA       ROOT_RANGE_VA
#define HOST_ATTIC_VA       HOST_RANGE_VA
#define HOST_ENTRY          0x1000u /* where upcalls of test domains go */
#define HOST_DOUBLE_ENTRY   0x2000u
#define HOST_CALL_ENTRY     0x3000u
#define HOST_KID_LOG2       10u /* bytes of a kid's CNode: 32 slots */

struct host {
    uint64_t now;   /* the counter */
    uint64_t until; /* when sched_settle wants to be called again */
    uint32_t tlb_pages, tlb_domains, publishes, syncs, forgotten;
    bool masked[IRQ_COUNT];
    bool interrupt;           /* arch_interrupt_pending */
    ref_t end;                /* RAM below is compared, the directory apart */
    uint32_t calls, readings; /* of the counter */
    bool quick;               /* of the directory compare only what tests use */
    bool follow;              /* check nothing; host_boot leaves it */
};
extern struct host host;

/* Called in the middle of an operation, by the core; each may be NULL. */
struct host_hooks {
    void (*tlb_page)(uint64_t va);
    void (*tlb_domain)(uint32_t asid);
    void (*publish)(void);
};
extern struct host_hooks host_hooks;

/* A new machine: root runs, with 2^arena_log2 bytes of untyped memory. */
void host_boot(uint32_t arena_log2);

/* Make domain i (0..) with a dispatcher that root schedules under index i: not
 * started. Its CNode has a capability to itself in no slot; it is empty. */
void host_kid(uint32_t i);
/* The same, but dispatcher `parent` schedules it under index 0. */
void host_kid_under(uint32_t i, cptr_t parent);
/* Start it: at pc 0x100, upcalls unmasked and prepared. */
void host_kid_start(uint32_t i);
cptr_t host_kid_slot(uint32_t i, uint32_t which);
struct dispatcher *host_kid_at(uint32_t i);
/* Root lets it run; it is current on return, or the program fails. */
void host_run(uint32_t i);
/* The current dispatcher is root again, by an interrupt that wakes it. */
void host_root(void);

/* A new machine with `n` kids, started; each answers calls at an endpoint of
 * its own and can call the next one, with badge 100 + i, by its slot HOST_GATE.
 */
void host_ring(uint32_t n);
/* Kid i accepts calls, a capability in `receive`, and waits. */
void host_serve(uint32_t i, cptr_t receive);

/* Keep this machine; make it again as it was. Of the directory only what tests
 * use. */
void host_save(void);
void host_restore(void);

struct dispatcher *host_current(void);
struct dispatcher *host_root_at(void);
/* A slot in the current dispatcher's CSpace. */
struct slot *host_slot(cptr_t cptr);

/* One entry into the kernel by the current dispatcher; false: to be restarted.
 */
bool host_try(uint32_t nr, const uint64_t x[8]);
/* A whole system call and the way back; the error. */
enum abi_error host_call(uint32_t nr, const uint64_t x[8]);
/* The way back to user mode: sets kernel.core[0].current. */
void host_settle(void);
/* As user code: mask off, nothing pending. */
void host_unmask(struct dispatcher *d);
/* System calls refused since the program started. */
extern uint32_t host_refusals;
/* Results of the last host_call. */
extern uint64_t host_result[8];

/* The current dispatcher makes a protected call, or answers one. */
void host_invoke(uint64_t slot_flags, uint64_t cap, uint64_t receive);
void host_reply(uint64_t flags, uint64_t cap);
/* It calls, and lends something. */
void host_lend(uint64_t slot_flags, uint64_t loan);

/* System call NAME with up to eight arguments. */
#define CALL(name, ...) host_call(SYS_##name, (uint64_t[8]){__VA_ARGS__})
/* On one frame. */
#define MAP(frame, stretch, va, rights)                                        \
    CALL(FRAME_MAP, frame, stretch, va, rights, 1)
#define REMAP(frame, stretch, va, rights)                                      \
    CALL(FRAME_REMAP, frame, stretch, va, rights, 1)
#define UNMAP(frame)           CALL(FRAME_UNMAP, frame, 1)
#define PROTECT(frame, rights) CALL(FRAME_PROTECT, frame, rights, 1)

/* Remember the state; does it differ from what was remembered, but for the
 * registers of dispatcher `but`? */
void host_remember(void);
bool host_changed(struct dispatcher *but);

/* End the program, saying why: a broken invariant or a broken test. */
_Noreturn void host_fail(const char *format, ...)
    __attribute__((format(printf, 1, 2)));
