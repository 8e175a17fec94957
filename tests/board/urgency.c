/* SPDX-License-Identifier: BSL-1.0
 *
 * Urgency goes along with calls. The server is the least urgent; while it works
 * the middle is woken, and may go on only if nobody more urgent waits for the
 * server.
 */
#include "tests/board/board.h"

#include "rootserver/root.h"

#define TIMER_IRQ 1u /* compare register 1 of the system timer */
#define TIMER_CS  0u /* in words */
#define TIMER_CLO 1u
#define TIMER_C1  4u
#define SOON_US   20u
#define WORK      10000000u /* passes of a loop */
#define SLICE     250000u   /* ticks: several of them in WORK */
#define NOBODY    MEMBERS

static volatile uint32_t *const timer = (void *)TIMER_VA;
static uint32_t wakes[MEMBERS]; /* the server, while it works for each */

static void only_note(uint32_t m)
{
    note(m, "runs");
}

static void work_for(uint64_t m)
{
    note(SERVER, "begins");
    if (wakes[m] != NOBODY) {
        (void)sys_event_signal(S_EVENT + wakes[m]);
    }
    note(SERVER, "ends");
}

static void work_and_answer(const struct call *c)
{
    work_for(c->badge);
    struct call to = words_for(c);
    (void)answer(to.w, 0, 0);
}

/* It is woken by its own event, and works for itself. */
static void work_alone(uint32_t m)
{
    work_for(m);
}

/* The middle says when it runs, whoever the server works for wakes `who`. */
static void begin_work(const char *title, uint32_t who)
{
    begin(title);
    called = work_and_answer;
    woken[SERVER] = work_alone;
    woken[MIDDLE] = only_note;
    for (uint32_t m = 0; m < MEMBERS; m++) {
        wakes[m] = who;
    }
}

/* ---- the middle is woken by an event ------------------------------------ */

static void without_call(void)
{
    begin_work("control: the middle goes before a server on its own", MIDDLE);
    wake(SERVER);
    end("server begins, middle runs, server ends");
}

static void less_urgent_client(void)
{
    begin_work("control: and before one that works for the less urgent",
               MIDDLE);
    wake(LOW);
    end("low calls, server begins, middle runs, server ends, low answered");
}

static void urgent_client(void)
{
    begin_work("a server that works for the urgent goes before the middle",
               MIDDLE);
    wake(URGENT);
    end("urgent calls, server begins, server ends, urgent answered, "
        "middle runs");
}

/* Members that were run so make room for each other without the root. */
static void enter_directly(void)
{
    run_flags = RUN_DIRECT;
    wake(MIDDLE);
    wake(URGENT); /* now all were run so */
    said[0] = '\0';
}

static void direct_control(void)
{
    begin_work("control: the middle, entered directly, goes before a server",
               MIDDLE);
    enter_directly();
    wake(LOW);
    end("low calls, server begins, middle runs, server ends, low answered");
}

static void direct_urgent(void)
{
    begin_work("but not before one that works for the urgent", MIDDLE);
    enter_directly();
    wake(URGENT);
    end("urgent calls, server begins, server ends, urgent answered, "
        "middle runs");
}

/* ---- a caller in line --------------------------------------------------- */

static void ask_and_wake_middle(uint32_t m)
{
    (void)sys_event_signal(S_EVENT + MIDDLE);
    ask(m);
}

static void urgent_in_line(void)
{
    begin_work("an urgent caller in line helps the server with the one before",
               URGENT);
    wakes[URGENT] = NOBODY;
    woken[URGENT] = ask_and_wake_middle;
    wake(LOW);
    end("low calls, server begins, urgent calls, server ends, server begins, "
        "server ends, urgent answered, middle runs, low answered");
}

static void wake_later(const struct call *c)
{
    note(SERVER, "begins");
    (void)sys_event_signal(S_EVENT + (c->badge == LOW ? URGENT : MIDDLE));
    if (c->badge == LOW) {
        note(SERVER, "goes on");
        (void)sys_event_signal(S_EVENT + MIDDLE);
    }
    note(SERVER, "ends");
    struct call to = words_for(c);
    (void)answer(to.w, 0, 0);
}

static void woken_while_in_line(void)
{
    begin_work("and is not held up by who wakes while it waits", NOBODY);
    called = wake_later;
    wake(LOW);
    end("low calls, server begins, urgent calls, server goes on, server ends, "
        "server begins, server ends, urgent answered, middle runs, "
        "low answered");
}

/* ---- an interrupt, and the end of a slice ------------------------------- */

static void serve_long(const struct call *c)
{
    note(SERVER, "begins");
    timer[TIMER_C1] = timer[TIMER_CLO] + SOON_US;
    for (uint32_t i = 0; i < WORK; i++) {
        __asm__ volatile("nop");
    }
    note(SERVER, "ends");
    struct call to = words_for(c);
    (void)answer(to.w, 0, 0);
}

/* The middle is woken by an interrupt in the midst of the work. */
static void begin_long(const char *title)
{
    begin_work(title, NOBODY);
    called = serve_long;
    expect(sys_irq_bind(memory_slot_irq() + TIMER_IRQ, event[MIDDLE]), "irq");
}

static void end_long(const char *expected)
{
    timer[TIMER_CS] = 1u << TIMER_IRQ;
    end(expected);
}

static void interrupt_control(void)
{
    begin_long("control: an interrupt brings the middle before the server");
    wake(LOW);
    end_long("low calls, server begins, middle runs, server ends, "
             "low answered");
}

static void interrupt_urgent(void)
{
    begin_long("but not if it works for the urgent");
    wake(URGENT);
    end_long("urgent calls, server begins, server ends, urgent answered, "
             "middle runs");
}

/* The root has the CPU many times meanwhile. */
static void wake_in_slices(void)
{
    slice = SLICE;
    if (wake(URGENT) < WORK / SLICE / 16) {
        note(SERVER, "was not interrupted");
    }
}

static void slices_control(void)
{
    begin_long("control: a scheduler that runs no callers prefers the middle");
    wake_in_slices();
    end_long("urgent calls, server begins, middle runs, server ends, "
             "urgent answered");
}

/* The time of the urgent goes to the server. */
static void slices_urgent(void)
{
    begin_long("but one that goes on with the urgent caller helps the server");
    run_callers = true;
    wake_in_slices();
    end_long("urgent calls, server begins, server ends, urgent answered, "
             "middle runs");
}

/* ---- saved replies ------------------------------------------------------ */

static void answer_and_go_on(uint32_t m)
{
    answer_target(m);
    note(m, "goes on");
}

static void late_answer(void)
{
    begin_work("an answer that comes late brings an urgent caller at once",
               NOBODY);
    called = save;
    woken[SERVER] = answer_and_go_on;
    target = URGENT;
    target_flags = REPLY_STAY;
    wake(URGENT);
    wake(SERVER);
    end("urgent calls, server saves, server answers, urgent answered, "
        "server goes on");
}

static void save_and_wake_middle(const struct call *c)
{
    save(c);
    (void)sys_event_signal(S_EVENT + MIDDLE);
    note(SERVER, "goes on");
}

/* Whoever may answer a saved reply: nobody works for the caller. */
static void saved_is_not_helped(void)
{
    begin_work("a server that saved the reply is as urgent as it is itself",
               NOBODY);
    called = save_and_wake_middle;
    wake(URGENT);
    end("urgent calls, server saves, middle runs, server goes on");
}

void urgency_cases(void)
{
    without_call();
    less_urgent_client();
    urgent_client();
    direct_control();
    direct_urgent();
    urgent_in_line();
    woken_while_in_line();
    interrupt_control();
    interrupt_urgent();
    slices_control();
    slices_urgent();
    late_answer();
    saved_is_not_helped();
}
