/* SPDX-License-Identifier: BSL-1.0
 *
 * What goes along with a call that is answered late: a capability with the
 * answer, and a loan, which ends when the reply is saved or given, or when the
 * lender or what it lends goes.
 */
#include "tests/board/board.h"

#include "rootserver/root.h"

#define WORD 0x5aull /* in the first byte of what is lent */

static uint64_t lent_va;
static uint32_t lent, lent_frame, lent_range;

/* ---- capabilities ------------------------------------------------------- */

static void begin_saving(const char *title)
{
    begin(title);
    called = save;
    woken[SERVER] = answer_target;
    target = LOW;
    target_flags = REPLY_CAP;
}

static void with_capability(void)
{
    begin_saving("a capability comes with a late answer");
    ask_flags = CALL_RECEIVE;
    wake(LOW);
    wake(SERVER);
    uint64_t info, address, word;
    expect(sys_cap_identify(slot_in(LOW, S_RECEIVE), &info, &address, &word),
           "identify");
    note(LOW, (info & 0xff) == TYPE_EVENT ? "has an event" : "has a wonder");
    end("low calls, server saves, server answers, low answered, "
        "low has a capability, low has an event");
}

static void refused_capability(void)
{
    begin_saving(
        "one that the caller has no place for is refused, the reply kept");
    wake(LOW);
    wake(SERVER);
    target_flags = 0;
    wake(SERVER);
    end("low calls, server saves, server answers, server FULL, "
        "server answers, low answered");
}

/* ---- loans -------------------------------------------------------------- */

/* A page with WORD in it, which nobody sees yet. */
void lent_make(void)
{
    const uint64_t rw = RIGHT_READ | RIGHT_WRITE;
    expect(sys_stretch_create(lent, memory, lent_range, lent_va, 0), "stretch");
    object_make(&lent_frame, memory, TYPE_FRAME, PAGE_LOG2, 0);
    expect(frames_map(lent_frame, lent, lent_va, rw, 1), "map");
    expect(sys_stretch_attach(lent, CPTR_SELF_DOMAIN, rw), "attach");
    *(volatile uint8_t *)lent_va = WORD;
    expect(sys_stretch_detach(lent, CPTR_SELF_DOMAIN), "detach");
    ask_loan = LOAN(lent_va, RIGHT_READ);
}

void lent_show(uint32_t m)
{
    expect(sys_stretch_attach(lent, set[m].domain, RIGHT_READ), "attach");
}

static void look(void)
{
    note(SERVER, touch((const void *)lent_va) == WORD ? "sees it" : "faults");
}

static void begin_lending(const char *title)
{
    begin_saving(title);
    target_flags = 0;
    lent_make();
    lent_show(LOW);
    ask_flags = CALL_LEND;
}

static void save_and_look(const struct call *c)
{
    note(SERVER, c->loan == ask_loan ? "is lent it" : "is lent something");
    look();
    save(c);
    look();
}

static void until_saved(void)
{
    begin_lending("what is lent goes back when the reply is saved");
    called = save_and_look;
    wake(LOW);
    wake(SERVER);
    end("low calls, server is lent it, server sees it, server saves, "
        "server faults, server answers, low answered");
}

static void answer_and_look(const struct call *c)
{
    look();
    struct call to = words_for(c);
    (void)answer(to.w, REPLY_STAY, 0);
    look();
}

static void until_answered(void)
{
    begin_lending("and when the answer is given");
    called = answer_and_look;
    wake(LOW);
    end("low calls, server sees it, low answered, server faults");
}

/* ---- taken in the midst of the call ------------------------------------- */

static void (*then)(void); /* what the root does then */

static void look_and_lose(const struct call *c)
{
    look();
    meanwhile = then;
    (void)sys_event_signal(S_EVENT + MIDDLE);
    look();
    note_error(SERVER, answer(words_for(c).w, 0, 0));
}

static void sleep_on(uint32_t m)
{
    (void)m;
}

static void lender_gives_up(void)
{
    expect(sys_dispatcher_cancel(set[LOW].dispatcher), "cancel");
}

static void lender_dies(void)
{
    expect(kill(set[LOW].dispatcher), "dispatcher");
}

static void its_domain_dies(void)
{
    expect(sys_cap_delete(set[LOW].domain), "domain");
}

static void lender_stops(void)
{
    expect(sys_dispatcher_stop(set[LOW].dispatcher), "stop");
}

static void lender_loses_it(void)
{
    expect(sys_stretch_detach(lent, set[LOW].domain), "detach");
}

static void stretch_dies(void)
{
    expect(sys_cap_delete(lent), "stretch");
}

static void page_dies(void)
{
    expect(sys_cap_delete(lent_frame), "frame");
}

static void until_taken(void)
{
#define GOES "low calls, server sees it, server faults, "
    static const struct {
        const char *title;
        void (*then)(void);
        const char *said;
    } way[] = {
        {"and when the lender gives up", lender_gives_up,
         "low calls, server sees it, low TIMEOUT, server faults, "
         "server NOREPLY"},
        {"and when it dies", lender_dies, GOES "server NOREPLY"},
        {"and when its domain dies", its_domain_dies, GOES "server NOREPLY"},
        {"and when it is stopped", lender_stops, GOES "server NOREPLY"},
        {"and when it loses what it lends", lender_loses_it,
         GOES "low answered"},
        {"a stretch that is lent dies", stretch_dies, GOES "low answered"},
        {"a page that is lent dies", page_dies, GOES "low answered"},
    };
    for (uint32_t i = 0; i < sizeof(way) / sizeof(way[0]); i++) {
        begin_lending(way[i].title);
        called = look_and_lose;
        woken[MIDDLE] = sleep_on;
        then = way[i].then;
        wake(LOW);
        end(way[i].said);
    }
}

void loan_prepare(void)
{
    lent_range = block_take(&lent_va);
    lent = slot_take();
}

void loan_cases(void)
{
    with_capability();
    refused_capability();
    until_saved();
    until_answered();
    until_taken();
}
