/* SPDX-License-Identifier: BSL-1.0
 *
 * Entries from user mode, and the way back. FP registers are switched when
 * somebody uses them; the virtual timer is switched with the dispatcher.
 */
#include "../plat/plat.h"
#include "arch.h"
#include "asm.h"
#include "sysreg.h"

#define ESR_CLASS(esr) ((uint32_t)((esr) >> 26) & 0x3fu)
#define CLASS_FP       0x07u
#define CLASS_FETCH    0x20u
#define CLASS_DATA     0x24u

static ref_t loaded; /* whose timer and address space the CPU has */
static ref_t loaded_domain;

static struct core_state *self(void)
{
    return &kernel.core[0];
}

/* ---- what the CPU has of a dispatcher ---------------------------------- */

static void unload(void)
{
    if (loaded != 0) {
        struct dispatcher *d = dispatcher_at(loaded);
        d->cntv_ctl = READ_SYSREG(cntv_ctl_el0) & (CNT_ENABLE | CNT_IMASK);
        d->cntv_cval = READ_SYSREG(cntv_cval_el0);
    }
    WRITE_SYSREG(cntv_ctl_el0, 0);
    loaded = 0;
}

static void load(struct dispatcher *d)
{
    if (loaded != d->self) {
        unload();
        WRITE_SYSREG(cntv_cval_el0, d->cntv_cval);
        WRITE_SYSREG(cntv_ctl_el0, d->cntv_ctl);
        loaded = d->self;
    }
    if (loaded_domain != d->domain) {
        uint64_t table = ref_address(d->domain) + PAGE_BYTES;
        WRITE_SYSREG(ttbr0_el1, table | (uint64_t)domain_asid(d->domain) << 48);
        barrier_isb();
        loaded_domain = d->domain;
    }
    WRITE_SYSREG(cpacr_el1, self()->fp_owner == d->self ? CPACR_FP : 0);
}

static void fp_take(struct dispatcher *d)
{
    struct core_state *core = self();
    WRITE_SYSREG(cpacr_el1, CPACR_FP);
    barrier_isb();
    if (core->fp_owner != 0) {
        fp_save(&dispatcher_at(core->fp_owner)->fp);
    }
    fp_load(&d->fp);
    core->fp_owner = d->self;
}

/* ---- entries ----------------------------------------------------------- */

/* A system call of which only x0 to x18 and x30 are saved; those may have been
 * changed in the context, the rest not. True: what runs must be chosen anew. */
bool trap_syscall(struct dispatcher *d, uint32_t nr);
bool trap_syscall(struct dispatcher *d, uint32_t nr)
{
    if (!syscall_dispatch(d, nr)) {
        /* interrupts are taken, then it goes on */
        WRITE_SYSREG(elr_el1, READ_SYSREG(elr_el1) - 4);
    }
    return self()->unsettled != 0;
}

/* A call or an answer in the common case: who goes on, with the message in the
 * registers; NULL: it is one for trap_sync. */
struct dispatcher *trap_call(struct dispatcher *d);
struct dispatcher *trap_call(struct dispatcher *d)
{
    struct dispatcher *to = call_enter_fast(d);
    if (to != NULL) {
        load(to);
    }
    return to;
}

struct dispatcher *trap_reply(struct dispatcher *d);
struct dispatcher *trap_reply(struct dispatcher *d)
{
    struct dispatcher *to = call_reply_fast(d);
    if (to != NULL) {
        load(to);
    }
    return to;
}

void trap_sync(struct dispatcher *d);
void trap_sync(struct dispatcher *d)
{
    uint64_t esr = READ_SYSREG(esr_el1);
    switch (ESR_CLASS(esr)) {
    case CLASS_SVC:
        if (!syscall_dispatch(d, (uint32_t)esr & 0xffffu)) {
            d->context.pc -= 4; /* interrupts are taken, then it goes on */
        }
        break;
    case CLASS_FP:
        fp_take(d);
        break;
    case CLASS_FETCH:
    case CLASS_DATA:
        upcall_fault(d, REASON_FAULT, esr, READ_SYSREG(far_el1));
        break;
    default:
        upcall_fault(d, REASON_EXCEPTION, esr, READ_SYSREG(far_el1));
        break;
    }
}

void trap_error(struct dispatcher *d);
void trap_error(struct dispatcher *d)
{
    upcall_fault(d, REASON_EXCEPTION, READ_SYSREG(esr_el1), 0);
}

static void take_interrupts(void)
{
    uint32_t sources = plat_irq_sources();
    if (sources & PLAT_CNTP) {
        WRITE_SYSREG(cntp_ctl_el0, 0); /* trap_next sets it anew */
    }
    if (sources & PLAT_CNTV) {
        WRITE_SYSREG(cntv_ctl_el0, CNT_ENABLE | CNT_IMASK);
        if (loaded != 0) {
            upcall_post(dispatcher_at(loaded), REASON_TICK);
        }
    }
    if (sources & PLAT_GPU) {
        for (int irq = plat_irq_next(); irq >= 0; irq = plat_irq_next()) {
            irq_deliver((uint32_t)irq);
        }
    }
}

void trap_irq(struct dispatcher *d);
void trap_irq(struct dispatcher *d)
{
    (void)d;
    take_interrupts();
    sched_unsettle(); /* time may be over */
}

/* ---- the way back ------------------------------------------------------ */

static void set_timer(uint64_t until)
{
    WRITE_SYSREG(cntp_cval_el0, until);
    WRITE_SYSREG(cntp_ctl_el0, until != ~0ull ? CNT_ENABLE : 0);
}

struct dispatcher *trap_next(void)
{
    if (!self()->unsettled) {
        return dispatcher_at(self()->current);
    }
    for (;;) {
        uint64_t until;
        ref_t next = sched_settle(self(), arch_now(), &until);
        if (self()->depth == 0 ||
            dispatcher_at(self()->chain[0].dispatcher)->state == IS_STOPPED) {
            panic("the root server is gone");
        }
        set_timer(until);
        if (next != 0) {
            load(dispatcher_at(next));
            return dispatcher_at(next);
        }
        unload();
        wait_for_interrupt();
        take_interrupts();
    }
}

/* ---- for the core ------------------------------------------------------ */

_Noreturn void arch_fatal(const char *why)
{
    panic(why);
}

uint64_t arch_now(void)
{
    barrier_isb();
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
    core->fp_owner = core->fp_owner == dispatcher ? 0 : core->fp_owner;
    loaded = loaded == dispatcher ? 0 : loaded;
    core->current = core->current == dispatcher ? 0 : core->current;
    loaded_domain = 0;
    mmu_no_user(); /* its tables may go next */
}
