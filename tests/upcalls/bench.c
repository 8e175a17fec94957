/* SPDX-License-Identifier: BSL-1.0
 *
 * A kernel that is out to get libos. It single-steps the program under test
 * and, at instruction boundaries drawn at random, posts events and lets time
 * jump, so that upcalls hit every instruction of the switch, lock and resume
 * paths. Its upcall semantics are those of docs/abi.md; memory calls succeed on
 * the spot (no MMU, addresses are what they are); protected calls scrub the FP
 * registers. While the program idles somebody may ring its doorbell, and may
 * give up before the answer.
 *
 * It checks one thing itself: that no upcall is ever pending while a thread
 * runs unmasked, but for the few instructions between unmasking and the look at
 * it.
 */
#include <stdbool.h>
#include <stdint.h>

#include <abi/abi.h>
#include <vesper/root.h>
#include <vesper/start.h>

#define RANGE_BASE  0x10000000ull
#define RANGE_BYTES 0x10000000ull
#define STALE_MAX   8u /* instructions from the unmasking store to sys_leave */

struct frame {
    uint64_t x[31], sp, pc, spsr, pad[2];
};
_Static_assert(sizeof(struct frame) == 288, "boot.S");

#define SPSR_STEP      (1ull << 21)
#define NZCV           0xf0000000ull
#define ESR_CLASS(esr) ((esr) >> 26)

void bench_main(void);
void bench_trap(struct frame *f);
_Noreturn void bench_return(struct frame *f);
void _start(void);

/* Where the dispatcher's pages and what the root server gives would be. */
static _Alignas(4096) struct {
    struct identity_page identity;
    struct upcall_page upcall;
    uint8_t pad[4096];
} pages;
static _Alignas(4096) struct {
    uint8_t upcalls[START_UPCALL_BYTES];
    union {
        struct start_info info;
        uint8_t bytes[4096];
    };
} start;
static _Alignas(4096) uint8_t stack[262144];

static struct {
    uint64_t steps, interrupts, upcalls, deferred, blocks, calls, stale;
    uint64_t in_resume;
    uint64_t offset; /* CNTVOFF_EL2 */
    uint64_t random;
    uint64_t slots_used;
    uint32_t events; /* bits 40.. that the program waits for */
    bool stepping;
} bench = {.random = BENCH_SEED};

/* Who calls the program. */
static struct {
    uint64_t entry, sp;
    uint64_t until;  /* that the program sleeps, unless something comes */
    uint64_t caller; /* badge; 0: nobody, or it gave up */
    uint64_t rings, answers, unheard, wrong;
    bool owed; /* the program has not answered yet */
} door;

/* For the program: how many system calls it has made, and that no upcalls shall
 * be injected for a while, but for one, with these events, when so many more
 * instructions were stepped; then it is rung only when it would sleep for ever.
 */
volatile uint64_t bench_system_calls, bench_after, bench_events;
volatile bool bench_quiet;

/* ---- console and end --------------------------------------------------- */

static volatile uint32_t *const uart = (volatile uint32_t *)0x3f201000;

static void put(const char *s)
{
    for (; *s != '\0'; s++) {
        while (uart[6] & 0x20) {
        }
        uart[0] = (uint8_t)*s;
    }
}

static void put_number(uint64_t v)
{
    char digits[24], *p = digits + sizeof(digits) - 1;
    *p = '\0';
    do {
        *--p = (char)('0' + v % 10);
        v /= 10;
    } while (v != 0);
    put(p);
}

static void put_count(const char *name, uint64_t v)
{
    put("# ");
    put(name);
    put(" ");
    put_number(v);
    put("\n");
}

/* ---- where: instructions of the image ----------------------------------- */

#define IMAGE_INSTRUCTIONS 65536u

extern const char image_start[], resume_begin[], resume_end[];
extern const char doorbell_entry[], doorbell_masked[];

static uint64_t stepped_at[IMAGE_INSTRUCTIONS / 64];
static uint64_t injected_at[IMAGE_INSTRUCTIONS / 64];

static uint64_t place_of(uintptr_t pc)
{
    return (pc - (uintptr_t)image_start) / 4 % IMAGE_INSTRUCTIONS;
}

static void mark(uint64_t *at, uintptr_t pc)
{
    at[place_of(pc) / 64] |= 1ull << place_of(pc) % 64;
}

static bool marked(const uint64_t *at, uint64_t i)
{
    return (at[i / 64] >> i % 64 & 1) != 0;
}

static bool is_resume(uintptr_t pc)
{
    return pc >= (uintptr_t)resume_begin && pc < (uintptr_t)resume_end;
}

static bool is_doorbell(uintptr_t pc)
{
    return pc >= (uintptr_t)doorbell_entry && pc < (uintptr_t)doorbell_masked;
}

/* Has every instruction from..end that was stepped been injected at? */
static bool covered(const char *what, uint64_t from, uint64_t end)
{
    uint64_t all = 0, hit = 0;
    for (uint64_t i = from; i < end; i++) {
        bool stepped = marked(stepped_at, i);
        all += stepped;
        hit += stepped && marked(injected_at, i);
    }
    put_count(what, all);
    put_count("of them injected at", hit);
    return all == hit && all != 0;
}

static bool verdict(bool good, const char *what)
{
    put(good ? "ok - " : "not ok - ");
    put(what);
    put("\n");
    return good;
}

static bool paths_covered(void)
{
    covered("instructions that were stepped", 0, IMAGE_INSTRUCTIONS);
    bool resume =
        covered("of the resume path", place_of((uintptr_t)resume_begin),
                place_of((uintptr_t)resume_end));
    bool bell = covered("of the doorbell", place_of((uintptr_t)doorbell_entry),
                        place_of((uintptr_t)doorbell_masked));
    return verdict(resume, "an upcall came at every instruction of the resume "
                           "path") &
           verdict(bell, "and between a ring and the mask");
}

static bool door_closed(void)
{
    put_count("rings", door.rings);
    put_count("given up before the answer", door.unheard);
    return verdict(door.wrong == 0 && door.unheard > 0 &&
                       door.rings == door.answers + door.unheard + door.owed,
                   "whoever rings is answered, once, before the domain sleeps");
}

static _Noreturn void finish(uint64_t status)
{
    static uint64_t block[2] = {0x20026, 0};
    put_count("steps", bench.steps);
    put_count("interrupts", bench.interrupts);
    put_count("upcalls", bench.upcalls);
    put_count("deferred", bench.deferred);
    put_count("upcalls in resume path", bench.in_resume);
    put_count("calls", bench.calls);
    put_count("blocks", bench.blocks);
    bool good = verdict(bench.stale == 0, "no upcall stays pending while a "
                                          "thread runs unmasked") &
                paths_covered() & door_closed();
    block[1] = status != 0 || !good;
    register uint64_t x0 __asm__("x0") = 0x18;
    register uint64_t x1 __asm__("x1") = (uintptr_t)block;
    __asm__ volatile("hlt #0xf000" : : "r"(x0), "r"(x1) : "memory");
    for (;;) {
    }
}

/* ---- randomness and time ----------------------------------------------- */

static uint64_t draw(uint64_t n)
{
    bench.random ^= bench.random << 13;
    bench.random ^= bench.random >> 7;
    bench.random ^= bench.random << 17;
    return (bench.random >> 16) % n;
}

static uint64_t now(void)
{
    uint64_t t;
    __asm__ volatile("isb\n\tmrs %0, cntvct_el0" : "=r"(t));
    return t;
}

/* Virtual time = physical - offset. */
static void time_jump(uint64_t ticks)
{
    bench.offset -= ticks;
    register uint64_t x0 __asm__("x0") = bench.offset;
    __asm__ volatile("hvc #0" : "+r"(x0) : : "memory");
}

/* ---- exclusive accesses ------------------------------------------------
 * A debug exception clears the exclusive monitor, so under single step no store
 * would ever succeed: the bench executes those itself, with a monitor that
 * upcalls and resumes clear, as the return from an exception would. */

static bool monitor;

static bool is_exclusive(uint32_t code, bool load)
{
    return (code & 0x3fe00000) == (load ? 0x08400000u : 0x08000000u);
}

/* stxr/stlxr Ws, Xt, [Xn] */
static void store_exclusive(struct frame *f, uint32_t code)
{
    uint32_t to = code >> 5 & 31, value = code & 31, status = code >> 16 & 31;
    uint64_t address = to == 31 ? f->sp : f->x[to];
    uint64_t v = value == 31 ? 0 : f->x[value];
    if (monitor) {
        switch (code >> 30) {
        case 0:
            *(volatile uint8_t *)address = (uint8_t)v;
            break;
        case 2:
            *(volatile uint32_t *)address = (uint32_t)v;
            break;
        case 3:
            *(volatile uint64_t *)address = v;
            break;
        }
    }
    if (status != 31) {
        f->x[status] = !monitor;
    }
    monitor = false;
    f->pc += 4;
}

static void exclusives(struct frame *f)
{
    uint32_t code = *(const volatile uint32_t *)f->pc;
    if (is_exclusive(code, false)) {
        store_exclusive(f, code);
    } else if (is_exclusive(code, true)) {
        monitor = true;
    }
}

/* ---- upcalls ----------------------------------------------------------- */

static void upcall(struct frame *f, uint32_t slot)
{
    struct upcall_page *p = &pages.upcall;
    p->mask = MASK_ON;
    p->saved_slot = slot;
    f->x[0] = (uintptr_t)p;
    f->sp = p->sp;
    f->pc = p->entry;
    f->spsr = 0;
    monitor = false;
    for (int i = 1; i < 31; i++) {
        f->x[i] = 0xdead0000ull + (uint64_t)i;
    }
    bench.upcalls++;
}

static void context_save(const struct frame *f, struct saved_context *c)
{
    for (int i = 0; i < 31; i++) {
        c->x[i] = f->x[i];
    }
    c->sp = f->sp;
    c->pc = f->pc;
    c->nzcv = f->spsr & NZCV;
    __asm__ volatile("mrs %0, tpidr_el0" : "=r"(c->tpidr));
}

static void context_load(struct frame *f, const struct saved_context *c)
{
    for (int i = 0; i < 31; i++) {
        f->x[i] = c->x[i];
    }
    f->sp = c->sp;
    f->pc = c->pc;
    f->spsr = c->nzcv & NZCV;
    monitor = false;
    __asm__ volatile("msr tpidr_el0, %0" : : "r"(c->tpidr));
}

static void deliver(struct frame *f)
{
    struct upcall_page *p = &pages.upcall;
    if (p->pending == 0) {
        return;
    }
    if (p->mask != MASK_OFF) {
        bench.deferred++;
        return;
    }
    context_save(f, &p->slots[p->save_slot]);
    upcall(f, p->save_slot);
}

static void fault(struct frame *f, uint64_t esr)
{
    struct upcall_page *p = &pages.upcall;
    bool masked = p->mask != MASK_OFF;
    uint32_t slot = masked ? SAVE_DOUBLE : p->save_slot;
    if (p->mask == MASK_DOUBLE || p->double_entry == 0) {
        put("not ok - fault in the fault handler\n");
        finish(1);
    }
    context_save(f, &p->slots[slot]);
    p->fault.esr = esr;
    __asm__ volatile("mrs %0, far_el1" : "=r"(p->fault.far));
    p->fault.pc = f->pc;
    p->fault.slot = slot;
    p->pending |= REASON_FAULT;
    upcall(f, slot);
    if (masked) {
        p->mask = MASK_DOUBLE;
        f->pc = p->double_entry;
        f->sp = p->double_sp;
    }
    bench.stepping = false;
}

/* Every bit the program may wait for, now and then; time jumps now and then. */
static void inject(void)
{
    struct upcall_page *p = &pages.upcall;
    uint64_t kind = draw(4);
    if (kind < 2) {
        p->events |= 1ull << (EVENT_FREE + draw(8));
        p->pending |= REASON_EVENT;
    }
    if (draw(200) == 0) {
        p->events |= 1ull << EVENT_SIGNAL;
        p->pending |= REASON_EVENT;
    }
    if (kind > 0) {
        time_jump(draw(2000000));
        p->pending |= REASON_TICK;
    }
    if (draw(100) == 0) {
        door.caller = 0;
    }
}

/* Unmasked with something pending: allowed just after unmasking, and where the
 * bench itself has not come round to delivering. */
static void stale_check(void)
{
    static uint32_t run;
    struct upcall_page *p = &pages.upcall;
    run = p->mask == MASK_OFF && p->pending != 0 ? run + 1 : 0;
    if (run == STALE_MAX) {
        bench.stale++;
    }
}

static void inject_at(struct frame *f)
{
    bench.in_resume += is_resume(f->pc);
    mark(injected_at, f->pc);
    inject();
    deliver(f);
}

static void inject_wanted(struct frame *f)
{
    if (bench_after != 0 && --bench_after == 0) {
        pages.upcall.events |= bench_events;
        pages.upcall.pending |= REASON_EVENT;
        deliver(f);
    }
}

static void step(struct frame *f)
{
    bench.steps++;
    stale_check();
    mark(stepped_at, f->pc);
    /* Dense in the resume path, sparse in other critical sections. */
    bool hot = is_resume(f->pc) || is_doorbell(f->pc);
    bool masked = pages.upcall.mask != MASK_OFF;
    /* By turns so dense that hardly a thread gets on, and sparse. */
    uint64_t gap = bench.steps >> 18 & 1 ? 32 : 400;
    if (bench_quiet) {
        inject_wanted(f);
        return;
    }
    if (draw(hot ? 8 : masked ? 4 * gap : gap) == 0) {
        inject_at(f);
    }
}

/* ---- interrupts: the same at full speed ---------------------------------- */

static volatile uint32_t *const core_timers = (volatile uint32_t *)0x40000040;

/* Ticks of 16 instructions; by turns so that a thread gets a few of its own
 * between two upcalls, and many. */
static void interrupt_set(void)
{
    uint64_t most = bench.interrupts >> 14 & 1 ? 40 : 200;
    uint64_t ticks = 1 + draw(most);
    __asm__ volatile("msr cntp_tval_el0, %0\n\tisb" : : "r"(ticks));
}

static void interrupts_begin(void)
{
    *core_timers = 2; /* CNTP */
    interrupt_set();
    __asm__ volatile("msr cntp_ctl_el0, %0\n\tisb" : : "r"(1ull));
}

static void interrupts_end(void)
{
    __asm__ volatile("msr cntp_ctl_el0, xzr\n\tisb");
    put("# enough: the program ends\n");
    pages.upcall.events |= 1ull << 63;
    pages.upcall.pending |= REASON_EVENT;
}

void bench_interrupt(struct frame *f)
{
    if (++bench.interrupts == BENCH_INTERRUPTS) {
        interrupts_end();
        deliver(f);
    } else {
        interrupt_set();
        if (!bench_quiet) {
            inject_at(f);
        }
    }
    f->spsr = f->spsr & NZCV;
}

/* ---- system calls ------------------------------------------------------ */

/* A call starts: what it finds in its registers is nobody's. */
static void ring(struct frame *f)
{
    for (int i = 0; i < 31; i++) {
        f->x[i] = 0;
    }
    door.caller = f->x[8] = ++door.rings;
    door.owed = true;
    f->pc = door.entry;
    f->sp = door.sp;
    f->spsr = 0;
    monitor = false;
}

/* Nothing is pending: until something is, or somebody rings. */
static void idle(struct frame *f)
{
    struct upcall_page *p = &pages.upcall;
    p->mask = MASK_OFF;
    while (p->pending == 0) {
        bool ever = door.until == ~0ull;
        if (door.entry != 0 && (bench_quiet ? ever : draw(3) == 0)) {
            ring(f);
            return;
        }
        if (!bench_quiet) {
            inject();
        } else if (!ever) {
            time_jump(door.until - now());
        }
        if (door.until <= now()) {
            p->pending |= REASON_TICK;
        }
    }
    upcall(f, SAVE_NONE);
}

static void sys_block_op(struct frame *f)
{
    bench.blocks++;
    door.wrong += door.owed;
    door.until = f->x[0];
    if (pages.upcall.pending != 0) {
        upcall(f, SAVE_NONE);
    } else {
        idle(f);
    }
}

static void reply_op(struct frame *f)
{
    bool heard = door.caller != 0;
    bool stay = !heard || (f->x[8] & REPLY_STAY) != 0;
    door.wrong += !door.owed;
    door.owed = false;
    door.answers += heard;
    door.unheard += !heard;
    door.caller = 0;
    f->x[8] = heard ? ERR_OK : ERR_NOREPLY;
    if (!stay && pages.upcall.pending != 0) {
        upcall(f, SAVE_NONE);
    } else if (!stay) {
        idle(f);
    }
}

static void sys_resume_op(struct frame *f)
{
    struct upcall_page *p = &pages.upcall;
    uint32_t slot = (uint32_t)f->x[0];
    if (p->pending != 0) {
        upcall(f, slot);
        return;
    }
    p->mask = MASK_OFF;
    context_load(f, &p->slots[slot]);
}

static void zero(uint64_t va, uint64_t bytes)
{
    for (uint64_t i = 0; i < bytes / 8; i++) {
        ((volatile uint64_t *)va)[i] = 0;
    }
}

/* Sizes of what sits in a slot, so that frame_map zeroes the right number. */
static uint8_t slot_log2[4096];

static void system_call(struct frame *f, uint64_t number)
{
    uint64_t *x = f->x;
    switch (number) {
    case SYS_LEAVE:
        x[0] = ERR_OK;
        pages.upcall.mask = MASK_OFF;
        deliver(f);
        break;
    case SYS_RESUME:
        sys_resume_op(f);
        break;
    case SYS_BLOCK:
        sys_block_op(f);
        break;
    case SYS_CALL_ACCEPT:
        door.entry = x[0];
        door.sp = x[1];
        x[0] = ERR_OK;
        break;
    case SYS_UNTYPED_RETYPE:
        slot_log2[x[1] % 4096] = (uint8_t)x[3];
        x[0] = ERR_OK;
        break;
    case SYS_FRAME_MAP:
        zero(x[2], 1ull << slot_log2[x[0] % 4096]);
        x[2] += 1ull << slot_log2[x[0] % 4096];
        x[1] = 1; /* done, of count */
        x[0] = ERR_OK;
        break;
    case SYS_STRETCH_CREATE:
        zero(x[3], x[4] != 0 ? STRETCH_BYTES : 0); /* of a frame */
        x[0] = ERR_OK;
        break;
    default:
        x[0] = ERR_OK;
        break;
    }
}

static void log_text(const uint64_t *x)
{
    char text[49] = {0};
    for (uint64_t i = 0; i < x[1] && i < 48; i++) {
        text[i] = (char)(x[2 + i / 8] >> i % 8 * 8);
    }
    put(text);
}

static void root_op(struct frame *f)
{
    uint64_t *x = f->x, op = x[0];
    bench.calls++;
    x[0] = 0;
    switch (op) {
    case ROOT_EXIT:
        finish(x[1]);
    case ROOT_CRASH:
        put_count("crash, signal", x[1]);
        finish(1);
    case ROOT_LOG:
        log_text(x);
        break;
    case ROOT_SIGNALS:
        x[1] = 1u << 2; /* SIGINT */
        break;
    }
    for (int i = 2; i < 31; i++) {
        x[i] = i == 8 ? ERR_OK : 0xbad0000ull + (uint64_t)i;
    }
}

void bench_trap(struct frame *f)
{
    uint64_t esr;
    __asm__ volatile("mrs %0, esr_el1" : "=r"(esr));
    uint64_t class = ESR_CLASS(esr);
    bench_system_calls += class == 0x15;
    if (class == 0x32) {
        step(f);
        exclusives(f);
    } else if (class == 0x15 && (esr & 0xffff) == SVC_CALL) {
        root_op(f);
    } else if (class == 0x15 && (esr & 0xffff) == SVC_REPLY) {
        reply_op(f);
    } else if (class == 0x15) {
        system_call(f, esr & 0xffff);
    } else {
        fault(f, esr);
    }
    if (bench.steps >= BENCH_STEPS && bench.stepping) {
        bench.stepping = false;
        put("# enough steps: on at full speed, with interrupts\n");
        interrupts_begin();
    }
    f->spsr = f->spsr & NZCV;
    if (bench.stepping) {
        f->spsr |= SPSR_STEP;
    } else {
        __asm__ volatile("msr mdscr_el1, xzr\n\tisb");
    }
}

void bench_main(void)
{
    struct frame f = {.x = {0}}; /* the top of the bench's own stack */
    start.info = (struct start_info){
        .magic = START_MAGIC,
        .abi_version = ABI_VERSION,
        .id = 1,
        .image = 0x80000,
        .image_bytes = 0x100000,
        .dispatcher = (uintptr_t)&pages,
        .range_base = RANGE_BASE,
        .range_bytes = RANGE_BYTES,
        .stack = (uintptr_t)stack,
        .stack_bytes = sizeof(stack),
        .slot_count = 4096,
        .argc = 1,
        .strings = sizeof(struct start_info),
        .strings_bytes = 6,
        .name = "bench",
    };
    char *strings = (char *)&start.info + sizeof(struct start_info);
    const char name[6] = "bench";
    for (int i = 0; i < 6; i++) {
        strings[i] = name[i];
    }
    pages.upcall.mask = MASK_ON;
    bench.stepping = true;
    f.pc = (uintptr_t)_start;
    f.sp = (uintptr_t)stack + sizeof(stack);
    f.x[0] = (uintptr_t)&start.info;
    f.spsr = SPSR_STEP;
    bench_return(&f);
}
