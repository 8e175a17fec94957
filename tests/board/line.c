/* SPDX-License-Identifier: BSL-1.0
 *
 * A line of callers that each lend something and send a capability, for which
 * the server has no place: the loan goes back, and one is refused at a time.
 * Below schedulers of their own, which are woken, too, this is the longest way
 * that an answer can take.
 */
#include "tests/board/board.h"

static struct call owed;

/* The server goes to sleep in the midst of a call. */
static void keep(const struct call *c)
{
    owed = words_for(c);
}

static void answer_owed(uint32_t m)
{
    uint64_t flags = owed.badge == LOW ? REPLY_CAP : 0;
    enum abi_error e = answer(owed.w, flags, S_EVENT);
    note_error(m, e); /* only if it is refused */
}

/* The low one is served, the others wait in line. */
static void stand_in_line(const char *title, uint32_t levels)
{
    begin_line(title, levels);
    called = keep;
    woken[SERVER] = answer_owed;
    lent_make();
    lent_show(LOW);
    ask_flags = CALL_RECEIVE | CALL_LEND;
    wake(LOW);
    ask_flags = CALL_CAP | CALL_LEND;
    for (uint32_t m = MEMBERS; m < MEMBERS + LINE; m++) {
        lent_show(m);
        wake(m);
    }
    said[0] = '\0';
}

/* S_RECEIVE of the server is full. */
static void all_refused(const char *title, uint32_t levels)
{
    stand_in_line(title, levels);
    expect(sys_cap_copy(slot_in(SERVER, S_RECEIVE), event[SERVER], RIGHTS_ALL,
                        0, 0),
           "copy");
    wake(SERVER);
    end("first FULL, low answered, low has a capability, server NOREPLY, "
        "second FULL, server NOREPLY, third FULL");
}

/* The first brings what fills the slot. */
static void first_served(void)
{
    stand_in_line("of a line the first is served, and what it brought is kept",
                  0);
    wake(SERVER);
    wake(SERVER);
    end("low answered, low has a capability, second FULL, first answered, "
        "server NOREPLY, third FULL");
}

void line_cases(void)
{
    all_refused("of a line one is refused, then the server looks again", 0);
    all_refused("the same of a line below other schedulers", LEVELS);
    first_served();
}
