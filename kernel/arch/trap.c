/* SPDX-License-Identifier: BSL-1.0
 *
 * Entries from user mode, and the way back. The virtual timer is switched with
 * the dispatcher; FP registers when somebody uses them, by vectors.S.
 */
#include "../plat/plat.h"
#include "arch.h"
#include "asm.h"
#include "sysreg.h"

#define ESR_CLASS(esr) ((uint32_t)((esr) >> ESR_CLASS_SHIFT) & 0x3fu)

static struct core_state *self(void)
{
    return &kernel.core[0];
}

/* ---- what the CPU has of a dispatcher ---------------------------------- */

/* A timer that is off, as most are, is switched by its register alone. */
static inline void load_timer(uint64_t ctl, uint64_t cval)
{
    uint64_t was = READ_SYSREG(cntv_ctl_el0) & CNT_KEPT;
    if (self()->loaded != 0) {
        struct dispatcher *d = dispatcher_at(self()->loaded);
        d->cntv_ctl = was;
        d->cntv_cval = READ_SYSREG(cntv_cval_el0);
    }
    if ((was | ctl) != 0) {
        WRITE_SYSREG(cntv_ctl_el0, 0);
    }
    WRITE_SYSREG(cntv_cval_el0, cval);
    if (ctl != 0) {
        WRITE_SYSREG(cntv_ctl_el0, ctl);
    }
}

static void unload(void)
{
    load_timer(0, 0);
    self()->loaded = 0;
}

/* The CPU gets what d needs of it. Returns d. */
struct dispatcher *trap_load(struct dispatcher *d);
struct dispatcher *trap_load(struct dispatcher *d)
{
    struct core_state *core = self();
    ref_t domain = d->domain;
    if (core->loaded != d->self) {
        load_timer(d->cntv_ctl, d->cntv_cval);
        WRITE_SYSREG(cpacr_el1, d->cpacr);
        core->loaded = d->self;
    }
    if (core->loaded_domain != domain) {
        if (d->ttbr0 == 0) {
            d->ttbr0 = (ref_address(domain) + PAGE_BYTES) |
                       (uint64_t)domain_asid(domain) << 48;
        }
        /* eret synchronises; the kernel itself looks at no user address */
        WRITE_SYSREG(ttbr0_el1, d->ttbr0);
        core->loaded_domain = domain;
    }
    return d;
}

/* ---- entries ----------------------------------------------------------- */

void trap_sync(struct dispatcher *d);
void trap_sync(struct dispatcher *d)
{
    uint64_t esr = READ_SYSREG(esr_el1);
    uint32_t class = ESR_CLASS(esr);
    if (class != CLASS_SVC) {
        bool access = class == CLASS_FETCH || class == CLASS_DATA;
        upcall_fault(d, access ? REASON_FAULT : REASON_EXCEPTION, esr,
                     READ_SYSREG(far_el1));
    } else if (!syscall_dispatch(d, (uint32_t)esr & 0xffffu)) {
        d->context.pc -= 4; /* interrupts are taken, then it goes on */
    }
}

void trap_error(struct dispatcher *d);
void trap_error(struct dispatcher *d)
{
    upcall_fault(d, REASON_EXCEPTION, READ_SYSREG(esr_el1), 0);
}

/* The event `bit` of `to`, which waits: d had the right to signal it. */
void trap_event(struct dispatcher *d, struct dispatcher *to, uint32_t bit);
void trap_event(struct dispatcher *d, struct dispatcher *to, uint32_t bit)
{
    d->context.x[0] = ERR_OK;
    upcall_event(to, bit);
}

static void take_interrupts(void)
{
    /* Or the time is over that CNTP was set for: it goes quiet when trap_next
     * sets it for another. */
    sched_unsettle();
    uint32_t sources = plat_irq_sources();
    if (sources & PLAT_CNTV) {
        WRITE_SYSREG(cntv_ctl_el0, CNT_ENABLE | CNT_IMASK);
        if (self()->loaded != 0) {
            upcall_post(dispatcher_at(self()->loaded), REASON_TICK);
        }
    }
    if (!(sources & PLAT_GPU)) {
        return;
    }
#pragma GCC unroll 3
    for (uint32_t word = 0; word < PLAT_WORDS; word++) {
        for (uint32_t p = plat_irq_pending(word); p != 0; p &= p - 1) {
            irq_deliver(word * 32 + (uint32_t)__builtin_ctz(p));
        }
    }
}

void trap_irq(struct dispatcher *d);
void trap_irq(struct dispatcher *d)
{
    (void)d;
    take_interrupts();
}

/* ---- the way back ------------------------------------------------------ */

static void set_timer(uint64_t until)
{
    if (until != self()->timer) {
        self()->timer = until;
        WRITE_SYSREG(cntp_cval_el0, until);
        WRITE_SYSREG(cntp_ctl_el0, until != ~0ull ? CNT_ENABLE : 0);
    }
}

/* Nobody can run: until somebody can. */
static __attribute__((noinline)) struct dispatcher *idle(void)
{
    struct dispatcher *next;
    uint64_t until;
    if (self()->depth == 0) {
        panic("the root server is gone");
    }
    unload();
    do {
        wait_for_interrupt();
        take_interrupts();
        next = sched_settle(self(), &until);
        set_timer(until);
    } while (next == NULL);
    return trap_load(next);
}

struct dispatcher *trap_next(void)
{
    if (!self()->unsettled) {
        return dispatcher_at(self()->current);
    }
    uint64_t until;
    struct dispatcher *next = sched_settle(self(), &until);
    set_timer(until);
    return next != NULL ? trap_load(next) : idle();
}

/* ---- for the core ------------------------------------------------------ */

_Noreturn void arch_fatal(const char *why)
{
    panic(why);
}

/* No barrier: an exception synchronises, so what is read in an entry is no
 * older than that, and one reading is all that is charged by. */
uint64_t arch_now(void)
{
    return READ_SYSREG(cntvct_el0);
}

bool arch_interrupt_pending(void)
{
    return (READ_SYSREG(isr_el1) & ISR_IRQ) != 0;
}

void arch_irq_mask(uint32_t irq)
{
    plat_irq_mask(irq);
}

void arch_irq_unmask(uint32_t irq)
{
    plat_irq_unmask(irq);
}

void arch_forget(ref_t dispatcher)
{
    struct core_state *core = self();
    if (core->fp_owner == dispatcher) {
        core->fp_owner = 0;
        dispatcher_at(dispatcher)->cpacr = 0;
    }
    dispatcher_at(dispatcher)->ttbr0 = 0;
    core->loaded = core->loaded == dispatcher ? 0 : core->loaded;
    core->current = core->current == dispatcher ? 0 : core->current;
    core->loaded_domain = 0;
    mmu_no_user(); /* its tables may go next */
}
