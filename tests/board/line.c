/* SPDX-License-Identifier: BSL-1.0
 *
 * A line of callers that each lend something and send a capability, for which
 * the server has no place: the loan goes back, and four are refused at a time.
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
    enum abi_error e = answer(owed.w, 0, 0); /* back only if refused */
    note_error(m, e);
}

/* The low one is served, the others wait in line; S_RECEIVE is `full`. */
static void stand_in_line(const char *title, bool full)
{
    begin_line(title);
    called = keep;
    woken[SERVER] = answer_owed;
    if (full) {
        expect(sys_cap_copy(slot_in(SERVER, S_RECEIVE), event[SERVER],
                            RIGHTS_ALL, 0, 0),
               "copy");
    }
    wake(LOW);
    lent_make();
    ask_flags = CALL_CAP | CALL_LEND;
    for (uint32_t m = MEMBERS; m < ALL; m++) {
        lent_show(m);
        wake(m);
    }
    said[0] = '\0';
}

static void all_refused(void)
{
    stand_in_line("of a line four are refused, then the server looks again",
                  true);
    wake(SERVER);
    end("fourth FULL, third FULL, second FULL, first FULL, low answered, "
        "server NOREPLY, fifth FULL");
}

/* The first brings what fills the slot. */
static void first_served(void)
{
    stand_in_line("of a line the first is served, and what it brought is kept",
                  false);
    wake(SERVER);
    wake(SERVER);
    end("low answered, fifth FULL, fourth FULL, third FULL, second FULL, "
        "first answered");
}

void line_cases(void)
{
    all_refused();
    first_served();
}
