/* SPDX-License-Identifier: BSL-1.0
 *
 * The hostile domain: one system call after another, of which VALID in 100 are
 * shaped so that they could be right (arguments.h, made from abi.toml, says
 * what each argument is), and in between what a domain can do without calls.
 *
 * A slot's number modulo TYPES is the type of what it mostly holds.
 */
#include <stdbool.h>
#include <stdint.h>

#include "arguments.h"
#include "programs.h"

#define VALID      60u
#define STUBS      72u /* of entry.S */
#define TYPES      16u
#define KERNEL_RAM 0xffffff8000000000
#define KERNEL_VA  0xffffffc000080000
#define UNALIGNED  (HOSTILE_DATA + 1)
#define DEVICE     0x3f00b000
#define DATA       ((struct hostile *)HOSTILE_DATA)
#define PAGE       ((struct upcall_page *)(HOSTILE_VA + PAGE_BYTES))

struct hostile {
    uint64_t x[12], sp, stub, random;
    uint32_t type; /* that this call is about */
};
_Static_assert(offsetof(struct hostile, sp) == HOSTILE_SP, "layout.h");
_Static_assert(offsetof(struct hostile, stub) == HOSTILE_STUB, "layout.h");
_Static_assert(offsetof(struct hostile, random) == HOSTILE_RANDOM, "layout.h");
_Static_assert(SYS_COUNT <= STUB_CALL, "entry.S has a stub for each call");

extern const uint32_t hostile_stubs[STUBS][2];

static uint64_t any(void) /* xorshift64* */
{
    uint64_t r = DATA->random;
    r ^= r >> 12;
    r ^= r << 25;
    r ^= r >> 27;
    DATA->random = r;
    return r * 0x2545f4914f6cdd1dull;
}

static uint32_t below(uint32_t n)
{
    return (uint32_t)((any() >> 32) * n >> 32);
}

#define PICK(table) ((table)[below(sizeof(table) / sizeof((table)[0]))])

/* ---- arguments -------------------------------------------------------- */

static uint64_t odd_value(void)
{
    static const uint64_t odd[] = {
        0,          1,          6,           7,          15,         63,
        64,         239,        240,         255,        256,        4095,
        0x7f,       0xffff,     1u << 16,    1u << 21,   0x7fffffff, 1ull << 32,
        0xfffffffc, 0xfffffffd, 0xfffffffe,  0xffffffff, 1ull << 39, 1ull << 63,
        ~0ull,      KERNEL_VA,  ~0ull << 12, KERNEL_RAM, UNALIGNED,  DEVICE,
    };
    uint64_t r = any();
    return r & 1 ? PICK(odd) : any() >> (r >> 58);
}

static uint64_t slot_of(uint32_t type)
{
    uint32_t r = below(32);
    uint64_t slot = type + (r < 8 ? r % 4 * TYPES : 0);
    if (r == 8) {
        slot = CPTR(TYPE_CNODE, 1 + below(7)); /* inside another CNode */
    }
    return slot;
}

static uint64_t size_of(uint32_t type)
{
    static const uint8_t log2[TYPES] = {
        [TYPE_UNTYPED] = PAGE_LOG2,
        [TYPE_CNODE] = SLOT_LOG2 + 3,
        [TYPE_FRAME] = PAGE_LOG2,
        [TYPE_RANGE] = STRETCH_LOG2,
        [TYPE_DOMAIN] = DOMAIN_LOG2_MIN,
        [TYPE_DISPATCHER] = DISPATCHER_LOG2,
        [TYPE_SCHED_CONTEXT] = SCHED_CONTEXT_LOG2,
        [TYPE_ENDPOINT] = ENDPOINT_LOG2,
    };
    return log2[type % TYPES];
}

static uint64_t self_or(uint32_t type)
{
    uint32_t r = below(4);
    return type == TYPE_DOMAIN && r == 0       ? CPTR_SELF_DOMAIN
           : type == TYPE_DISPATCHER && r == 0 ? CPTR_SELF_DISPATCHER
                                               : slot_of(type);
}

/* A value that argument `a` could have. */
static uint64_t good_value(struct argument a)
{
    static const uint8_t rights[] = {1, 3, 5, 1, 3, 5, 3, 7};
    switch (a.kind) {
    case ARG_SLOT:
        return slot_of(DATA->type);
    case ARG_EMPTY:
        return DATA->type + TYPES * (1 + below(3));
    case ARG_RIGHTS:
        return PICK(rights);
    case ARG_MASK:
        return below(2) ? ~0ull : below(128);
    case ARG_TYPE:
        return DATA->type;
    case ARG_SIZE:
        return size_of(DATA->type);
    case ARG_VA:
        return HOSTILE_FREE_VA + below(3) * STRETCH_BYTES +
               (below(2) ? below(32) * 16 * PAGE_BYTES : 0);
    case ARG_CODE:
        return (uintptr_t)hostile_child;
    case ARG_STACK:
        return HOSTILE_DATA + CALL_TOP;
    case ARG_TIME:
        return now() + below(4000);
    case ARG_NUMBER:
        return a.low + below(4) * below(2);
    default: /* a type, or another one */
        return self_or(a.low == DATA->type ? a.low : a.kind);
    }
}

/* What a call of this number is about: mostly what its name says. */
static uint32_t type_for(const struct call *c)
{
    static const uint8_t makeable[] = {TYPE_UNTYPED,  TYPE_CNODE,
                                       TYPE_FRAME,    TYPE_FRAME,
                                       TYPE_DOMAIN,   TYPE_DISPATCHER,
                                       TYPE_ENDPOINT, TYPE_SCHED_CONTEXT,
                                       TYPE_RANGE};
    if (c->type != TYPE_NULL && c->type != TYPE_UNTYPED) {
        return c->type;
    }
    return c->type == TYPE_UNTYPED ? PICK(makeable) : 1 + below(TYPE_COUNT - 1);
}

static void arguments(uint32_t nr)
{
    const struct call *c = &calls[nr];
    DATA->type = type_for(c);
    for (uint32_t i = 0; i < c->count; i++) {
        DATA->x[i] = good_value(c->argument[i]);
    }
}

/* Of its own memory, or of stretches that it made. */
static uint64_t loan(void)
{
    uint64_t va =
        below(2) ? HOSTILE_DATA : HOSTILE_FREE_VA + below(3) * STRETCH_BYTES;
    return LOAN(va, below(2) ? RIGHT_READ : below(8));
}

static void message(bool call)
{
    uint64_t flags = below(4) == 0 ? CALL_CAP : 0;
    if (call) {
        flags |= below(4) == 0 ? CALL_RECEIVE : 0;
        flags |= below(2) ? CALL_NOWAIT : 0;
        flags |= below(2) ? CALL_LEND : 0;
        flags |= slot_of(TYPE_ENDPOINT);
    }
    DATA->type = 1 + below(TYPE_COUNT - 1);
    DATA->x[8] = flags;
    DATA->x[9] = slot_of(DATA->type);
    DATA->x[10] = DATA->type + TYPES * (1 + below(3));
    DATA->x[11] = loan();
}

/* Deleting is rarer than in life, or there would be nothing left to do. */
static bool spares(uint32_t nr)
{
    bool ends = nr == SYS_CAP_DELETE || nr == SYS_CAP_REVOKE ||
                nr == SYS_CAP_MOVE || nr == SYS_DISPATCHER_STOP ||
                nr == SYS_BLOCK || nr == SYS_RUN;
    return ends && below(16) != 0;
}

static uint32_t choose(void)
{
    uint32_t nr = below(SYS_COUNT + 4);
    while (nr < SYS_COUNT && spares(nr)) {
        nr = below(SYS_COUNT + 4);
    }
    return nr < SYS_COUNT ? nr : STUB_CALL + nr % 2;
}

/* ---- without calls ---------------------------------------------------- */

static void fault(uint32_t how)
{
    uint64_t at = odd_value();
    switch (how) {
    case 0:
        *(volatile uint64_t *)at = at;
        break;
    case 1:
        (void)*(volatile uint64_t *)at;
        break;
    case 2:
        ((void (*)(void))at)();
        break;
    case 3:
        __asm__ volatile("udf #1");
        break;
    case 4:
        __asm__ volatile("brk #1; mrs x0, sctlr_el1; msr daifset, #15");
        break;
    default:
        __asm__ volatile("mov sp, %0; stp x0, x1, [sp]" : : "r"(at));
        break;
    }
}

static void timer_set(void)
{
    __asm__ volatile("msr cntv_cval_el0, %0; msr cntv_ctl_el0, %1"
                     :
                     : "r"(now() + below(2000)), "r"((uint64_t)below(4)));
}

/* The upcall page as a sound domain has it, mask held or not. */
static void page_repair(void)
{
    PAGE->entry = PAGE->double_entry = (uintptr_t)hostile_again;
    PAGE->sp = PAGE->double_sp = HOSTILE_DATA + DOUBLE_TOP;
    PAGE->save_slot = 0;
    PAGE->pending = 0;
    PAGE->events = 0;
    PAGE->mask = below(4) == 0 ? MASK_ON : MASK_OFF;
}

static void misbehave(void)
{
    uint32_t what = below(64);
    if (what < 6) {
        fault(what);
    } else if (what < 10) {
        timer_set();
    } else if (what < 14) {
        ((volatile uint64_t *)PAGE)[below(16)] = odd_value();
    } else if (what < 16) {
        ((volatile uint64_t *)PAGE)[below(1024)] = any();
    }
}

/* ---- one call --------------------------------------------------------- */

static void spoil(void)
{
    uint32_t r = below(8);
    if (r == 0) {
        for (uint32_t i = 0; i < 12; i++) {
            DATA->x[i] = odd_value();
        }
    } else if (r == 1) {
        DATA->stub = (uintptr_t)hostile_stubs[below(STUBS)];
    } else if (r == 2) {
        DATA->sp = odd_value();
    } else {
        DATA->x[below(4)] = odd_value();
        DATA->x[8 + below(4)] = odd_value();
    }
}

void hostile_step(void);
void hostile_step(void)
{
    if (below(8) != 0) {
        page_repair();
    }
    uint32_t nr = choose();
    DATA->sp = HOSTILE_DATA + STACK_TOP;
    DATA->stub = (uintptr_t)hostile_stubs[nr];
    if (nr < SYS_COUNT) {
        arguments(nr);
    } else {
        message(nr == STUB_CALL);
    }
    if (below(100) >= VALID) {
        spoil();
        misbehave();
    }
}
