/* SPDX-License-Identifier: BSL-1.0
 *
 * A server that answers late: it saves the reply, takes other calls, and
 * answers in any order, elsewhere, or not at all.
 */
#include "tests/board/board.h"

static void answer_now(const struct call *c)
{
    struct call to = words_for(c);
    note_error(SERVER, answer(to.w, 0, 0));
}

static void save_but_urgent(const struct call *c)
{
    (c->badge == URGENT ? answer_now : save)(c);
}

/* The server saves the replies to all but the urgent. */
static void begin_late(const char *title)
{
    begin(title);
    called = save_but_urgent;
    woken[SERVER] = answer_target;
}

static void answer_late(uint32_t m, uint64_t flags)
{
    target = m;
    target_flags = flags;
    wake(SERVER);
}

/* ---- order -------------------------------------------------------------- */

static void order(void)
{
    begin_late("three callers are answered in another order");
    wake(LOW);
    wake(MIDDLE);
    wake(URGENT);
    answer_late(MIDDLE, 0);
    answer_late(LOW, REPLY_STAY);
    end("low calls, server saves, middle calls, server saves, "
        "urgent calls, urgent answered, "
        "server answers, middle answered, server answers, low answered");
}

static void again(void)
{
    begin_late("the same caller and the same slot, twice");
    for (uint32_t i = 0; i < 2; i++) {
        wake(LOW);
        answer_late(LOW, 0);
    }
    end("low calls, server saves, server answers, low answered, "
        "low calls, server saves, server answers, low answered");
}

static void twice(void)
{
    begin_late("answered once: the slot is empty then");
    wake(LOW);
    answer_late(LOW, 0);
    answer_late(LOW, 0);
    end("low calls, server saves, server answers, low answered, "
        "server answers, server EMPTY");
}

/* ---- what is refused ---------------------------------------------------- */

static void refuse(const struct call *c)
{
    note_error(SERVER, answer_saved(c->badge, 0, 0));
    note_error(SERVER, sys_reply_save(S_GATE));
    save(c);
    note_error(SERVER, sys_reply_save(S_RECEIVE));
    note_error(SERVER, answer(c->w, 0, 0));
    note_error(SERVER,
               sys_cap_copy(S_RECEIVE, S_SAVED + c->badge, RIGHTS_ALL, 0, 0));
}

static void refused(void)
{
    begin_late("saved into a free slot, when an answer is owed; not copied");
    called = refuse;
    wake(LOW);
    answer_late(LOW, 0);
    end("low calls, server EMPTY, server FULL, server saves, server NOREPLY, "
        "server NOREPLY, server TYPE, server answers, low answered");
}

/* The low one waits for a late answer, the middle one is served. */
static void answer_both(const struct call *c)
{
    note_error(SERVER, answer_saved(LOW, 0, 0));
    note_error(SERVER, answer_saved(LOW, REPLY_STAY, 0));
    answer_now(c);
}

static void while_serving(void)
{
    begin_late("who owes an answer gives a late one only if it goes on");
    wake(LOW);
    called = answer_both;
    wake(MIDDLE);
    end("low calls, server saves, middle calls, server STATE, "
        "server answered, middle answered, low answered");
}

/* ---- elsewhere ---------------------------------------------------------- */

static void elsewhere(void)
{
    begin_late("a reply that moved to another domain is answered there");
    wake(LOW);
    expect(sys_cap_move(slot_in(URGENT, S_SAVED + LOW),
                        slot_in(SERVER, S_SAVED + LOW)),
           "move");
    answer_late(LOW, 0);
    woken[URGENT] = answer_target;
    wake(URGENT);
    end("low calls, server saves, server answers, server EMPTY, "
        "urgent answers, low answered");
}

/* ---- the caller goes ---------------------------------------------------- */

enum abi_error kill(cptr_t dispatcher)
{
    enum abi_error e = sys_cap_revoke(dispatcher);
    return e == ERR_OK ? sys_cap_delete(dispatcher) : e;
}

static void caller_goes(const char *title,
                        enum abi_error (*end_it)(cptr_t dispatcher),
                        const char *expected)
{
    begin_late(title);
    wake(LOW);
    expect(end_it(set[LOW].dispatcher), "caller");
    (void)settle();
    answer_late(LOW, 0);
    wake(MIDDLE);
    answer_late(MIDDLE, 0);
    end(expected);
}

static void callers_end(void)
{
    const char *silent = "low calls, server saves, server answers, "
                         "server EMPTY, middle calls, server saves, "
                         "server answers, middle answered";
    caller_goes("a caller that dies: the slot is empty", kill, silent);
    caller_goes("a caller that is stopped: the slot is empty",
                sys_dispatcher_stop, silent);
    caller_goes("a caller that gives up: TIMEOUT, the slot is empty",
                sys_dispatcher_cancel,
                "low calls, server saves, low TIMEOUT, server answers, "
                "server EMPTY, middle calls, server saves, server answers, "
                "middle answered");
}

static void calls_again(void)
{
    begin_late("who gave up calls again, and gets the answer to that");
    wake(LOW);
    expect(sys_dispatcher_cancel(set[LOW].dispatcher), "cancel");
    (void)settle();
    wake(LOW);
    answer_late(LOW, 0);
    end("low calls, server saves, low TIMEOUT, low calls, server saves, "
        "server answers, low answered");
}

static void domain_of_caller(void)
{
    begin_late("a caller whose domain dies: the slot is empty");
    wake(LOW);
    expect(sys_cap_delete(set[LOW].domain), "domain");
    answer_late(LOW, 0);
    end("low calls, server saves, server answers, server EMPTY");
}

/* ---- the holder goes ---------------------------------------------------- */

static void deleted(void)
{
    begin_late("a saved reply that is deleted: PEER_DEAD");
    wake(LOW);
    wake(MIDDLE);
    expect(sys_cap_delete(slot_in(SERVER, S_SAVED + LOW)), "delete");
    (void)settle();
    answer_late(MIDDLE, 0);
    end("low calls, server saves, middle calls, server saves, low PEER_DEAD, "
        "server answers, middle answered");
}

static void table_deleted(void)
{
    begin_late("the table of a server with two of them is deleted: PEER_DEAD");
    wake(LOW);
    wake(MIDDLE);
    expect(sys_cap_delete(set[SERVER].cnode), "delete");
    (void)settle();
    end("low calls, server saves, middle calls, server saves, "
        "middle PEER_DEAD, low PEER_DEAD");
}

static void sleep_owing(const struct call *c)
{
    (void)c;
}

/* One was saved, one is served, one is in line. */
static void server_dies(void)
{
    begin_late("a server dies: PEER_DEAD to all that wait for it");
    wake(LOW);
    called = sleep_owing;
    wake(MIDDLE);
    wake(URGENT);
    expect(kill(set[SERVER].dispatcher), "delete");
    expect(sys_cap_delete(set[SERVER].domain), "delete");
    (void)settle();
    note(SERVER, "is dead");
    expect(sys_cap_delete(set[SERVER].cnode), "delete");
    (void)settle();
    end("low calls, server saves, middle calls, urgent calls, "
        "urgent PEER_DEAD, middle PEER_DEAD, server is dead, low PEER_DEAD");
}

static void server_restarts(void)
{
    begin_late("a server that is started anew still has what it saved");
    wake(LOW);
    expect(sys_dispatcher_stop(set[SERVER].dispatcher), "stop");
    (void)settle();
    member_start(SERVER, member_main);
    (void)settle();
    answer_late(LOW, 0);
    end("low calls, server saves, server answers, low answered");
}

void late_cases(void)
{
    order();
    again();
    twice();
    refused();
    while_serving();
    elsewhere();
    callers_end();
    calls_again();
    domain_of_caller();
    deleted();
    table_deleted();
    server_dies();
    server_restarts();
}
