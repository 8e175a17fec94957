/* SPDX-License-Identifier: BSL-1.0
 *
 * Upcalls (docs/abi.md). The mask defers upcalls, never preemption: contexts
 * are always kept in the dispatcher, and an upcall is made of them at the
 * moment before user mode is entered. Every field of the user's page is read
 * once.
 */
#include "syscall.h"

void upcall_enter(struct dispatcher *d, uint32_t slot, uint64_t now)
{
    struct upcall_page *p = upcall_page(d);
    const struct core_state *core = &kernel.core[0];
    p->mask = MASK_ON;
    p->saved_slot = slot;
    d->context.pc = p->entry;
    d->context.sp = p->sp;
    d->context.nzcv = 0;
    d->context.x[0] = d->pages + PAGE_BYTES;
    d->identity.now = now;
    d->identity.until = sched_last(core)->until;
}

/* It cannot even take its fault: its scheduler has to see to it. */
static void stop(struct dispatcher *d)
{
    sched_set_state(d, IS_STOPPED);
    sched_report(d);
}

void upcall_deliver(struct dispatcher *d)
{
    struct upcall_page *p = upcall_page(d);
    uint32_t slot = p->save_slot;
    if (slot >= SAVE_DOUBLE || p->entry == 0) {
        stop(d);
        return;
    }
    p->slots[slot] = d->context;
    upcall_enter(d, slot, arch_now());
}

void upcall_post(struct dispatcher *d, uint32_t reasons)
{
    if (d->pages == 0) {
        return;
    }
    if (d->state == IS_BLOCKED) {
        upcall_page(d)->pending |= reasons;
        sched_rouse(d);
        sched_wake(d);
    } else {
        sched_pend(d, reasons);
    }
}

void upcall_event(struct dispatcher *d, uint32_t bit)
{
    if (d->pages != 0) {
        upcall_page(d)->events |= 1ull << (bit & 63u);
        upcall_post(d, REASON_EVENT);
    }
}

void upcall_fault(struct dispatcher *d, uint32_t reason, uint64_t esr,
                  uint64_t far)
{
    struct upcall_page *p = upcall_page(d);
    uint32_t mask = p->mask, slot = p->save_slot;
    uint64_t entry = p->entry, double_entry = p->double_entry;
    d->esr = esr;
    d->far = far;
    if (d->pages == 0 || mask > MASK_ON ||
        (mask == MASK_OFF && (slot >= SAVE_DOUBLE || entry == 0)) ||
        (mask == MASK_ON && double_entry == 0)) {
        stop(d);
        return;
    }
    if (mask == MASK_ON) {
        slot = SAVE_DOUBLE;
    }
    p->slots[slot] = d->context;
    p->fault = (struct upcall_fault){esr, far, d->context.pc, slot, 0};
    p->pending |= reason;
    upcall_enter(d, slot, arch_now());
    if (mask == MASK_ON) {
        p->mask = MASK_DOUBLE;
        d->context.pc = double_entry;
        d->context.sp = p->double_sp;
    }
}

/* ---- leaving critical sections ----------------------------------------- */

static struct dispatcher *self(void)
{
    return dispatcher_at(kernel.core[0].current);
}

enum abi_error op_leave(uint64_t *x)
{
    upcall_page(self())->mask = MASK_OFF;
    x[0] = ERR_OK;
    if (upcall_due(self())) {
        upcall_deliver(self());
    }
    return ERR_SWITCHED;
}

enum abi_error op_resume(uint64_t *x)
{
    struct dispatcher *d = self();
    struct upcall_page *p = upcall_page(d);
    if (x[0] >= SAVE_SLOTS) {
        return ERR_RANGE;
    }
    uint32_t slot = (uint32_t)x[0];
    if (p->pending != 0) {
        upcall_enter(d, slot, arch_now());
        return ERR_SWITCHED;
    }
    p->mask = MASK_OFF;
    d->context = p->slots[slot];
    return ERR_SWITCHED;
}

enum abi_error op_event_signal(uint64_t *x)
{
    struct slot *s;
    enum abi_error e = cap_get(x[0], TYPE_EVENT, RIGHT_SIGNAL, &s);
    if (e == ERR_OK) {
        upcall_event(dispatcher_at(s->obj), (uint32_t)s->word);
    }
    return e;
}

enum abi_error op_event_mint(uint64_t *x)
{
    struct place src, dst;
    enum abi_error e = cap_place(x[0], &dst);
    if (e == ERR_OK) {
        e = cap_place(x[1], &src);
    }
    if (e != ERR_OK) {
        return e;
    }
    const struct slot *s = slot_at(src.ref);
    struct slot *d = slot_at(dst.ref);
    if (s->type != TYPE_DISPATCHER) {
        return s->type == TYPE_NULL ? ERR_EMPTY : ERR_TYPE;
    }
    if (!(s->rights & RIGHT_MANAGE)) {
        return ERR_RIGHTS;
    }
    if (x[2] > 63) {
        return ERR_RANGE;
    }
    e = cap_derive(src.ref, dst.ref, dst.rank, RIGHT_SIGNAL, 0, 0);
    if (e == ERR_OK) {
        d->type = TYPE_EVENT;
        d->rights = RIGHT_SIGNAL;
        d->word = x[2];
    }
    return e;
}

/* ---- interrupts -------------------------------------------------------- */

/* Within its caller's loop, which mostly goes round once, its constants would
 * be fetched ahead. */
__attribute__((noinline)) void irq_deliver(uint32_t irq)
{
    struct irq_line *line = &kernel.irq[irq % IRQ_COUNT];
    arch_irq_mask(irq);
    if (line->bound) {
        line->waiting = 1;
        upcall_event(dispatcher_at(line->dispatcher), line->bit);
    }
}

enum abi_error op_irq_bind(uint64_t *x)
{
    struct slot *irq, *event;
    enum abi_error e = cap_get(x[0], TYPE_IRQ, RIGHT_MANAGE, &irq);
    if (e == ERR_OK) {
        e = cap_get(x[1], TYPE_EVENT, RIGHT_SIGNAL, &event);
    }
    if (e != ERR_OK) {
        return e;
    }
    struct irq_line *line = &kernel.irq[irq->obj % IRQ_COUNT];
    if (line->bound) {
        return ERR_BUSY;
    }
    *line = (struct irq_line){event->obj, (uint8_t)event->word, 1, 0};
    arch_irq_unmask(irq->obj);
    return ERR_OK;
}

enum abi_error op_irq_ack(uint64_t *x)
{
    struct slot *irq;
    enum abi_error e = cap_get(x[0], TYPE_IRQ, RIGHT_MANAGE, &irq);
    if (e != ERR_OK) {
        return e;
    }
    struct irq_line *line = &kernel.irq[irq->obj % IRQ_COUNT];
    if (!line->bound || !line->waiting) {
        return ERR_STATE;
    }
    line->waiting = 0;
    arch_irq_unmask(irq->obj);
    return ERR_OK;
}
