/* SPDX-License-Identifier: BSL-1.0
 *
 * Protected calls, events, and the scheduler of domains.
 */
#include "tests/bench/root/rows.h"

/* Nothing but the svc, from registers that are ready, to ones that are used up.
 */
static inline uint64_t call_bare(void)
{
    register uint64_t x8 __asm__("x8") = C_ENDPOINT;
    __asm__ volatile("svc #0x8000"
                     : "+r"(x8)
                     :
                     : "memory", "cc", "x0", "x1", "x2", "x3", "x4", "x5", "x6",
                       "x7", "x9", "x10", "x11", "x12", "x13", "x14", "x15",
                       "x16", "x17", "x18", "x19", "x20", "x21", "x22", "x23",
                       "x24", "x25", "x26", "x27", "x28", "x30");
    return x8;
}

void call_rows(void)
{
    ROW("call and reply, bare svc", NOTHING, e = call_bare(), NOTHING);
    uint64_t w[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    ROW("call and reply, 8 words, from C", NOTHING,
        e = call_endpoint(w, C_ENDPOINT, 0, 0), NOTHING);
    ROW("call with a capability, refused", NOTHING,
        e = call_endpoint(w, C_ENDPOINT | CALL_CAP, C_EVENT, 0) != ERR_FULL,
        NOTHING);
    ROW("call and reply, both sides use FP", NOTHING,
        e = call_floating(w, C_FLOATER, 0, 0), NOTHING);
    page_of(PEER)->entry = (uintptr_t)peer_call;
    uint64_t wake[8] = {0}, save[8] = {1};
    ROW("two calls, the second of a more urgent domain in line", NOTHING,
        e = call_endpoint(wake, C_WAKER, 0, 0), NOTHING);
    for (unsigned run = 0; run < RUNS; run++) { /* the server marks */
        expect(call_endpoint(save, C_WAKER, 0, 0), "save");
        save[0] = 1;
    }
    row_end("reply_save");
}

/* ---- events ------------------------------------------------------------ */

static void go_on(struct upcall_page *page)
{
    take(page);
    (void)sys_resume(0);
}

static void first(struct upcall_page *page)
{
    mark_end();
    go_on(page);
}

static void leave_rows(void)
{
    handle_with(go_on);
    ROW("event_signal, no switch", NOTHING, e = sys_event_signal(C_OWN_EVENT),
        NOTHING);
    take(page_of(CLIENT));
    ROW("leave, nothing pending", NOTHING, e = sys_leave(), mask(MASK_ON));
    ROW("leave, an event pending: handler, back",
        (void)sys_event_signal(C_OWN_EVENT), e = sys_leave(), mask(MASK_ON));
    handle_with(first);
    ROW("upcall, to the handler's first instruction",
        (void)sys_event_signal(C_OWN_EVENT), e = sys_leave(), mask(MASK_ON));
}

/* The peer's handler decides where the region ends. */
static void switch_rows(void)
{
    struct upcall_page *peer = page_of(PEER);
    peer->entry = (uintptr_t)peer_first;
    ROW("event that wakes a more urgent domain", NOTHING,
        e = sys_event_signal(C_EVENT), NOTHING);
    peer->entry = (uintptr_t)peer_block;
    ROW("scheduler of domains: block, decide, run the next", NOTHING,
        e = sys_event_signal(C_EVENT), NOTHING);
    peer->entry = (uintptr_t)peer_yield;
    ROW("yield to another domain", NOTHING, e = sys_event_signal(C_EVENT),
        NOTHING);
    peer->entry = (uintptr_t)peer_back;
    page_of(CLIENT)->entry = (uintptr_t)wait_entry;
    ROW(
        "event round trip: both signal and wait", NOTHING,
        {
            e = sys_event_signal(C_EVENT);
            wait_upcall();
        },
        NOTHING);
}

/* The same when the root lets domains make room for each other. */
static void direct_rows(void)
{
    struct upcall_page *peer = page_of(PEER);
    direct = RUN_DIRECT;
    peer->entry = (uintptr_t)peer_first;
    expect(sys_event_signal(C_EVENT), "once more by the root");
    ROW("event straight into a more urgent domain", NOTHING,
        e = sys_event_signal(C_EVENT), NOTHING);
    peer->entry = (uintptr_t)peer_block;
    ROW("block, and on goes who was interrupted", NOTHING,
        e = sys_event_signal(C_EVENT), NOTHING);
    direct = 0;
}

/* ---- interrupts: compare register 1 of the system timer ----------------- */

#define TIMER_CS  0u /* in words */
#define TIMER_CLO 1u
#define TIMER_C1  4u
#define SOON_US   50u

static void interrupt_row(const char *name)
{
    volatile uint32_t *timer = (void *)TIMER_VA;
    ROW(
        name, timer[TIMER_C1] = timer[TIMER_CLO] + SOON_US,
        {
            interrupted = 0;
            mark_begin_at_interrupt();
            while (interrupted == 0) {
            }
        },
        {
            timer[TIMER_CS] = 2;
            (void)sys_irq_ack(C_IRQ);
        });
}

static void interrupt_rows(void)
{
    volatile uint32_t *timer = (void *)TIMER_VA;
    ROW("irq_bind", NOTHING, e = sys_irq_bind(C_IRQS + run, C_OWN_EVENT),
        NOTHING);
    expect(sys_irq_bind(C_IRQ, C_EVENT), "irq_bind");
    page_of(PEER)->entry = (uintptr_t)peer_interrupt;
    interrupt_row("interrupt, to the driver's first instruction");
    direct = RUN_DIRECT; /* once the peer has been run again */
    ROW(
        "irq_ack",
        {
            timer[TIMER_C1] = timer[TIMER_CLO] + SOON_US;
            interrupted = 0;
            while (interrupted == 0) {
            }
            timer[TIMER_CS] = 2;
        },
        e = sys_irq_ack(C_IRQ), NOTHING);
    interrupt_row("interrupt straight into the driver");
    direct = 0;
}

void event_rows(void)
{
    leave_rows();
    switch_rows();
    interrupt_rows();
    direct_rows();
}
