/* SPDX-License-Identifier: BSL-1.0
 *
 * The kernel core: objects, capabilities, derivation, address space as data,
 * and the state machines of upcalls, calls and CPU time. Freestanding C without
 * assembly, device access or absolute addresses: it compiles unchanged on the
 * host. All state that is not inside objects is in `struct kernel`.
 *
 * Rules: every operation decodes, checks, then commits; after the first store
 * nothing fails. Operations that take long go in bounded steps and look for
 * interrupts between them; if there is one they return ERR_AGAIN and are
 * started again by the caller. Progress is kept in the objects.
 * Context: interrupts masked, one core at a time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <abi/abi.h>
#include "ram.h"

/* A check of our own invariants, never of user input (option asserts). */
#if CONFIG_ASSERTS || CONFIG_HOST
#define ASSERT(claim)                                                          \
    do {                                                                       \
        if (!(claim)) {                                                        \
            arch_fatal("assertion failed: " #claim);                           \
        }                                                                      \
    } while (0)
#else
#define ASSERT(claim) ((void)0)
#endif

/* Internal: not finished, call again. Never seen by users. */
#define ERR_AGAIN ((enum abi_error)0x7fff)
/* Internal: the caller's context was replaced; there is no result to store. */
#define ERR_SWITCHED ((enum abi_error)0x7ffe)

#define TYPE_ZOMBIE   15u /* an object being destroyed in steps */
#define RANK_MAX      7u  /* of the root server's CNode */
#define CHAIN_MAX     5u  /* nested schedulers */
#define CALLS_MAX     8u  /* calls in a row, each served by the next caller */
#define CORES         4u
#define STEP_BYTES    4096u /* zeroed between two looks at interrupts */
#define STEP_SLOTS    32u   /* scanned between two looks at interrupts */
#define STEP_CHILDREN 48u   /* looked at likewise */
#define STEP_CALLS    1u    /* in line that fail before the callee runs */
#define STEPS         256u  /* of delete and revoke in one system call */
#define USER_SLOTS    (1u << (USER_VA_LOG2 - STRETCH_LOG2))

/* ---- capability slots -------------------------------------------------- */

struct slot {
    ref_t next, prev; /* derivation list, preorder, circular */
    uint64_t word; /* badge | watermark, cleaned | VA where mapped | cursor */
    uint32_t obj;  /* reference, or VA / 4096, or number */
    uint8_t type;
    uint8_t order; /* log2 of the size in cells; of a Range in pages */
    uint8_t attr, rights;
    uint32_t aux;   /* Frame, Stretch: directory entry | Zombie: type */
    uint32_t spare; /* Untyped: where the clean part starts */
};
_Static_assert(sizeof(struct slot) == 32, "a slot is one cell");

#define ATTR_DEPTH      0x03u
#define ATTR_FENCE      0x04u
#define ATTR_RANK_SHIFT 3u
#define ATTR_DEVICE     0x40u

/* Cell 0 of every CNode. Its type byte (as a slot) stays TYPE_NULL. */
struct cnode {
    ref_t domain; /* whose CSpace this is */
    uint32_t rank;
    uint32_t slots;
    uint32_t pad[5];
};
_Static_assert(sizeof(struct cnode) == 32, "the header is one cell");

/* ---- objects ----------------------------------------------------------- */

struct node { /* of a circular list whose head is a ref_t; see list.h */
    ref_t next, prev;
};

#define DOMAIN_TABLES 62u

struct domain {
    ref_t cnode;
    ref_t dispatcher[CORES];
    struct node all;  /* kernel.domains */
    uint32_t visited; /* kernel.epoch of the last sweep */
    uint32_t tables;  /* second-level tables that it has room for */
    struct domain_table {
        uint16_t gib;           /* index in the first level */
        uint16_t used;          /* attached stretches; 0: free */
    } table[DOMAIN_TABLES + 2]; /* six bits index it */
    uint8_t pad[4096 - 36 - 4 * (DOMAIN_TABLES + 2)];
    uint64_t level1[512];
    /* second-level tables follow */
};
_Static_assert(sizeof(struct domain) == 8192, "two pages before the tables");

enum dispatcher_state {
    IS_UNBOUND,
    IS_STOPPED,
    IS_READY,   /* context holds what to run */
    IS_BLOCKED, /* waits for an upcall or a call; has no context */
    IS_QUEUED,  /* its call waits in line at an endpoint */
    IS_CALLING, /* its call is being served: by a callee, or later (reply) */
    IS_DEAD,
};

struct fp_state {
    uint64_t q[64];
    uint64_t fpcr, fpsr;
};

/* Words that kernel/arch/vectors.S compares or stores as one stand in one row.
 */
struct dispatcher {
    struct saved_context context; /* first: the trap code saves here */
    uint16_t state, children; /* enum dispatcher_state; how many of child[] */
    ref_t caller;             /* whose call it serves */
    ref_t self, domain;
    enum dispatcher_state told; /* the state that its scheduler sees */
    ref_t ready;                /* head: endpoints of ours with waiters */
    uint64_t until;             /* of its last block, run or start */
    uint64_t lent;         /* by the caller: LOAN(), or 0; see space_lend */
    uint64_t entry, sp;    /* call_accept */
    uint64_t ttbr0, cpacr; /* the arch's: as trap_load sets them */
    uint64_t cntv_ctl, cntv_cval;
    uint64_t pages;       /* VA of the identity page; 0: not bound */
    uint32_t pages_entry; /* directory entry when mapped */
    ref_t parent, sched;
    uint32_t index;   /* in the parent's table */
    uint32_t urgency; /* of the last run(), with RUN_DIRECT */
    /* protected calls */
    ref_t callee;   /* QUEUED: the endpoint's dispatcher */
    ref_t endpoint; /* QUEUED: where */
    ref_t reply;    /* CALLING, no callee: slot of the right to answer */
    uint64_t badge; /* of the endpoint capability used */
    uint64_t call_flags, call_cap; /* as given; call_cap: slot reference */
    uint64_t call_receive;         /* own slot for a capability in the answer */
    uint64_t call_lend;            /* LOAN(), or 0: nothing is lent */
    uint64_t receive;              /* call_accept */
    struct node wait;              /* in endpoint.waiters */
    uint64_t esr, far;             /* last fault */
    ref_t cnode; /* object_set_cspace: the domain's, or 0; and its slots */
    uint32_t slots;
    ref_t bound; /* head: endpoints of ours */
    ref_t child[CHILDREN_MAX];
    struct fp_state fp __attribute__((aligned(16)));
    struct identity_page identity __attribute__((aligned(4096)));
    union {
        struct upcall_page upcall;
        uint8_t bytes[8192];
    } user;
};
_Static_assert(sizeof(struct dispatcher) == 1u << DISPATCHER_LOG2, "ABI");
_Static_assert(offsetof(struct dispatcher, identity) == 4096, "ABI");

struct endpoint {
    ref_t dispatcher;
    struct node bound, ready;
    ref_t waiters; /* head */
    uint32_t pad[10];
};
_Static_assert(sizeof(struct endpoint) == 64, "ABI");

struct sched_context {
    ref_t dispatcher;
    uint32_t pad;
    uint64_t remaining, consumed;
    uint64_t spare[5];
};
_Static_assert(sizeof(struct sched_context) == 64, "ABI");

/* ---- the state --------------------------------------------------------- */

#define NO_CHILD CHILDREN_MAX /* the index of no child */

struct chain_level {
    ref_t dispatcher;
    uint16_t urgency;   /* of its last run(), with RUN_DIRECT */
    uint16_t displaced; /* index of whom it took the CPU from, or NO_CHILD */
    uint64_t until;
};

struct core_state {
    ref_t loaded, loaded_domain; /* the arch's: whose timer and address space
                                    the CPU has; 0: nobody's */
    ref_t current;               /* whose context it has; 0: none */
    uint32_t depth;
    uint32_t unsettled; /* see sched_unsettle */
    ref_t fp_owner;
    struct chain_level chain[CHAIN_MAX];
    uint64_t charged; /* counter value up to which time is accounted */
    uint64_t idle;    /* ticks */
    uint64_t timer;   /* the arch's: when CNTP fires; ~0: it is off */
};

struct irq_line {
    ref_t dispatcher;
    uint8_t bit, bound, waiting;
};

struct kernel {
    ref_t head;      /* sentinel of the derivation list */
    ref_t domains;   /* list of all */
    ref_t directory; /* USER_SLOTS entries; see space.c */
    uint32_t epoch;
    uint64_t sweep; /* VA of the stretch being taken from all domains, or 0 */
    struct core_state core[CORES];
    struct irq_line irq[IRQ_COUNT];
};

extern struct kernel kernel;

/* ---- what the core asks of the machine (arch/, or the host harness) ---- */

_Noreturn void arch_fatal(const char *why);
uint64_t arch_now(void);
void arch_tlb_page(uint64_t va);     /* all domains; complete on return */
void arch_tlb_domain(uint32_t asid); /* complete on return */
void arch_publish(void);             /* table stores before later walks */
void arch_sync_code(ref_t ref, uint64_t bytes);
void arch_zero(ref_t ref, uint64_t bytes);
void arch_irq_mask(uint32_t irq);
void arch_irq_unmask(uint32_t irq);
void arch_forget(ref_t dispatcher); /* it dies: drop its FP state */
bool arch_interrupt_pending(void);

/* ---- references -------------------------------------------------------- */

static inline struct slot *slot_at(ref_t ref)
{
    return ram_at(ref);
}

/* A frame that fills a slot of addresses. It is never copied; its stretch is
 * made of it, as objects are of untyped memory. */
static inline bool is_huge_frame(const struct slot *s)
{
    return s->type == TYPE_FRAME && s->order == HUGE_FRAME_LOG2 - CELL_LOG2;
}

static inline struct dispatcher *dispatcher_at(ref_t ref)
{
    return OBJECT(struct dispatcher, ref);
}

static inline struct domain *domain_at(ref_t ref)
{
    return OBJECT(struct domain, ref);
}

static inline struct endpoint *endpoint_at(ref_t ref)
{
    return OBJECT(struct endpoint, ref);
}

static inline uint32_t domain_asid(ref_t domain)
{
    return domain >> (DOMAIN_LOG2_MIN - CELL_LOG2); /* unique while it lives */
}

/* ---- cap.c: slots and derivation --------------------------------------- */

struct place { /* where a capability is or may go */
    ref_t ref;
    uint32_t rank; /* of the CNode that holds it */
    uint32_t left; /* slots from here to the CNode's end */
};

/* Find a slot in the current dispatcher's CSpace, or in that of a CNode. */
enum abi_error cap_place(uint64_t cptr, struct place *out);
enum abi_error cap_place_in(ref_t cnode, uint64_t cptr, struct place *out);
/* Is the capability of this type, with these rights? */
enum abi_error cap_check(const struct slot *s, uint32_t type, uint32_t rights);
enum abi_error cap_get(uint64_t cptr, uint32_t type, uint32_t rights,
                       struct slot **out);
/* The object of a DOMAIN, DISPATCHER or CNODE capability, or of CPTR_SELF_x. */
enum abi_error cap_object(uint64_t cptr, uint32_t type, uint32_t rights,
                          ref_t *out);
bool cap_derives(const struct slot *a, const struct slot *b);
void cap_insert(ref_t after, ref_t slot);
void cap_unlink(struct slot *s);
/* Two slots change contents, one of which may be empty; derivations stay. */
void cap_exchange(ref_t a, ref_t b);
bool cap_final(const struct slot *s);
enum abi_error cap_derive(ref_t src, ref_t dst, uint32_t rank, uint64_t rights,
                          uint64_t badge, uint64_t flags);
bool cap_delete_step(struct slot *s);

/* ---- space.c ----------------------------------------------------------- */

/* Give or change the rights of a domain to the stretch in slot s. */
enum abi_error space_attach(ref_t domain, const struct slot *s,
                            uint64_t rights);
/* A loan: `to` gets what `from` has, no more, until it is taken back. Whoever
 * attaches the stretch to it or detaches it meanwhile ends the loan. */
enum abi_error space_lend(const struct dispatcher *from, struct dispatcher *to,
                          uint64_t loan);
/* The loan that there is ends, with all that it was lent on to. */
void space_take_back(struct dispatcher *to);
bool space_destroy_stretch(const struct slot *s);
enum abi_error space_check_rights(uint64_t rights);
uint32_t space_entry(uint64_t va);
/* Boot only: make the slot's stretch of a zeroed page; map pages into it. */
void space_boot_stretch(struct slot *s, ref_t table, uint64_t va);
void space_boot_map(const struct slot *s, uint64_t va, uint64_t address,
                    uint64_t pages, uint64_t rights);

/* ---- frame.c ----------------------------------------------------------- */

void frame_unmap(struct slot *s);
/* The pages of a dispatcher: one read-only, two read-write. */
enum abi_error frame_map_pages(uint64_t va, uint32_t entry, ref_t pages);
void frame_unmap_pages(uint64_t va, uint32_t entry, ref_t pages, uint32_t n);

/* ---- object.c: life and death of the other objects --------------------- */

void object_create(struct slot *s, uint32_t rank);
/* The CSpace of the domain is this CNode, which is nobody's, or 0: none. Its
 * dispatchers know it, for look-ups: also to be called when there is a new one.
 */
void object_set_cspace(ref_t domain, ref_t cnode);
/* One step; true when the object is gone. */
bool object_destroy_step(struct slot *zombie);

/* ---- upcall.c ---------------------------------------------------------- */

static inline struct upcall_page *upcall_page(struct dispatcher *d)
{
    return &d->user.upcall;
}
/* Add reasons; wake the dispatcher if it is blocked. */
void upcall_post(struct dispatcher *d, uint32_t reasons);
/* Is something pending, and not masked? Then deliver it before d goes on. */
static inline bool upcall_due(struct dispatcher *d)
{
    return upcall_page(d)->pending != 0 && upcall_page(d)->mask == MASK_OFF;
}
void upcall_deliver(struct dispatcher *d);
/* The context becomes that of an upcall; slot: where the interrupted one is. */
void upcall_enter(struct dispatcher *d, uint32_t slot, uint64_t now);
void upcall_fault(struct dispatcher *d, uint32_t reason, uint64_t esr,
                  uint64_t far);
void upcall_event(struct dispatcher *d, uint32_t bit);

/* ---- sched.c ----------------------------------------------------------- */

void sched_set_state(struct dispatcher *d, enum dispatcher_state state);
/* Leave reasons for an upcall, which is delivered on the way to d. */
void sched_pend(struct dispatcher *d, uint32_t reasons);
/* The last level of the chain, which has at least one. */
static inline const struct chain_level *sched_last(
    const struct core_state *core)
{
    uint32_t last = core->depth - 1u;
    return &core->chain[last < CHAIN_MAX ? last : 0];
}
static inline struct dispatcher *sched_top(const struct core_state *core)
{
    return dispatcher_at(sched_last(core)->dispatcher);
}
/* call.c does not tell of each call: tell the schedulers of d and of those that
 * its call made wait. Returns who serves it, of whom nothing was told. */
struct dispatcher *sched_tell_callers(struct dispatcher *d);
/* d, which is blocked, is ready with an upcall; its scheduler learns of it by
 * sched_wake, or when d has had the CPU. */
void sched_rouse(struct dispatcher *d);
/* A dispatcher that was not ready can run: tell its scheduler. */
void sched_wake(struct dispatcher *d);
/* Its scheduler must look at d, which cannot go on. */
void sched_report(struct dispatcher *d);
/* If d is in the chain, it and those that got the CPU from it give it back. */
void sched_take_back(struct dispatcher *d);
/* Account the time up to now, which all that happens in this entry happens at.
 */
void sched_account(struct core_state *core, uint64_t now);
/* What runs, until when, or what is pending changes: before user mode is
 * entered, sched_settle has to look. Whoever changes that says so, and does so
 * before the chain, a budget or its binding change: those who had the time
 * until now pay for it. */
static inline void sched_unsettle(void)
{
    if (kernel.core[0].unsettled == 0) {
        sched_account(&kernel.core[0], arch_now());
    }
}
/* Expire, and choose what runs, when something is unsettled. Returns it, or
 * NULL: idle. Sets *until to when to unsettle and call again. */
struct dispatcher *sched_settle(struct core_state *core, uint64_t *until);

/* ---- call.c ------------------------------------------------------------ */

/* svc #SVC_CALL and #SVC_REPLY of the current dispatcher. */
void call_enter(struct dispatcher *d);
void call_reply(struct dispatcher *d);
/* The same in the common case: the registers of the message go on as they are,
 * and the dispatcher that goes on with them is returned. NULL: nothing was
 * done, it needs the functions above. */
struct dispatcher *call_enter_fast(struct dispatcher *d);
struct dispatcher *call_reply_fast(struct dispatcher *d);
/* The next waiting call, if any, starts on d, which has become blocked. */
void call_next(struct dispatcher *d);
/* The call that d waits for, if any, ends with an error. */
void call_abort(struct dispatcher *d, enum abi_error error);
/* The call that a dying callee serves, if any, ends with PEER_DEAD. */
void call_drop(struct dispatcher *callee);
/* The call that this REPLY capability would have answered ends likewise. */
void call_forget(const struct slot *s);

/* ---- syscall.c --------------------------------------------------------- */

/* The system calls by number. x: the caller's registers, for arguments and
 * results; ERR_AGAIN: not finished, to be restarted. */
typedef enum abi_error (*syscall_handler)(uint64_t *x);
extern const syscall_handler syscalls[];
/* Carry out system call nr of dispatcher d; arguments and results are in its
 * context. False: not finished, to be restarted. */
bool syscall_dispatch(struct dispatcher *d, uint32_t nr);
void irq_deliver(uint32_t irq);
