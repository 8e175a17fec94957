/* SPDX-License-Identifier: BSL-1.0
 *
 * The root program: makes the members, runs the most urgent that can go on, and
 * judges what they said.
 */
#include "tests/board/board.h"

#include <string.h>

#include "rootserver/root.h"
#include "tests/hostile/kcheck.h"

#define MEMORY_LOG2 18u
#define LINE_LOG2   HUGE_FRAME_LOG2 /* of memory for the others in line */
#define SLOTS_LOG2  4u              /* of a member */
#define RUNS_MAX    2000u /* until all wait, far above what a case needs */
#define EVERYBODY   (~0ull)

uint32_t memory, event[ALL];
static uint32_t line_memory, gate;
uint64_t slice, run_flags;
bool run_callers;
void (*meanwhile)(void);
static uint64_t watch; /* what the checker looks at in a case */
static const char *title;

/* ---- who runs ----------------------------------------------------------- */

static bool is_ready(const struct identity_page *own, uint32_t child)
{
    return own->child[child].state == CHILD_READY;
}

/* Who calls can go on if the server can: it has the caller's time. */
static bool can_go_on(uint32_t m)
{
    const struct identity_page *own = identity_of_root();
    return is_ready(own, m) ||
           (run_callers && own->child[m].state == CHILD_CALLING &&
            is_ready(own, SERVER));
}

static uint64_t ticks_now(void)
{
    uint64_t t;
    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(t));
    return t;
}

static void act(void)
{
    void (*what)(void) = meanwhile;
    if (what != NULL) {
        meanwhile = NULL;
        what();
    }
}

/* The most urgent who can; a caller whose reply is saved cannot. */
static bool run_one(void)
{
    uint64_t until = slice == ~0ull ? slice : ticks_now() + slice;
    for (uint32_t m = ALL; m-- > 0;) {
        if (can_go_on(m) && run_child(m, until, m | run_flags) >= ERR_COUNT) {
            return true;
        }
    }
    return false;
}

uint32_t settle(void)
{
    uint32_t runs = 0;
    while (runs < RUNS_MAX && run_one()) {
        runs++;
        act();
    }
    if (runs == RUNS_MAX) {
        note(SERVER, "does not get on");
    }
    return runs;
}

uint32_t wake(uint32_t m)
{
    expect(sys_event_signal(event[m]), "signal");
    return settle();
}

/* ---- a case ------------------------------------------------------------- */

cptr_t slot_in(uint32_t m, uint32_t slot)
{
    return CPTR(set[m].cnode, slot);
}

static void equip(uint32_t m)
{
    for (uint32_t to = 0; to < MEMBERS; to++) {
        expect(sys_event_mint(slot_in(m, S_EVENT + to), set[to].dispatcher, 0),
               "event");
    }
    expect(sys_event_mint(event[m], set[m].dispatcher, 0), "event");
    expect(sys_cap_copy(slot_in(m, S_GATE), gate, RIGHT_CALL, m, 0), "gate");
}

/* What a scheduler between the root and a member does: run it, or sleep. */
static void run_only_child(uint32_t m)
{
    uintptr_t page = (uintptr_t)page_of(m);
    if (is_ready((const struct identity_page *)(page - PAGE_BYTES), 0)) {
        (void)sys_run(0, ~0ull, 0);
    }
}

/* Member m below so many schedulers. */
static void make_below(uint32_t m, uint32_t levels, uint32_t from)
{
    cptr_t parent = CPTR_SELF_DISPATCHER;
    for (uint32_t i = 0; i < levels; i++) {
        uint32_t scheduler = MEMBERS + LINE + m * LEVELS + i;
        woken[scheduler] = run_only_child;
        member_make_below(parent, i == 0 ? scheduler : 0, scheduler, from,
                          SLOTS_LOG2, member_main);
        parent = set[scheduler].dispatcher;
    }
    woken[m] = ask;
    member_make_below(parent, levels == 0 ? m : 0, m, from, SLOTS_LOG2,
                      member_main);
}

static void begin_with(const char *text, uint32_t count, uint32_t levels,
                       uint32_t from)
{
    title = text;
    said[0] = '\0';
    slice = ~0ull;
    run_flags = ask_flags = target_flags = 0;
    run_callers = false;
    for (uint32_t m = 0; m < count; m++) {
        make_below(m, levels, from);
    }
    gate_make(&gate, SERVER, memory);
    for (uint32_t m = 0; m < count; m++) {
        equip(m);
    }
    (void)settle();
    kcheck(KCHECK_WATCH, watch, 0);
}

void begin(const char *text)
{
    begin_with(text, MEMBERS, 0, memory);
}

void begin_line(const char *text, uint32_t levels)
{
    begin_with(text, MEMBERS + LINE, levels, line_memory);
}

void end(const char *expected)
{
    expect(sys_cap_revoke(memory), "revoke");
    expect(sys_cap_revoke(line_memory), "revoke");
    kcheck(KCHECK_WATCH, 0, 0);
    kcheck(KCHECK_LEDGER, 0, 0);
    bool good = strcmp(said, expected) == 0;
    if (!good) {
        print("# said:     %s\n# expected: %s\n", said, expected);
    }
    print("%sok - %s\n", good ? "" : "not ", title);
}

/* ---- the start ---------------------------------------------------------- */

_Noreturn void root_main(const struct boot_info *info);
_Noreturn void root_main(const struct boot_info *info)
{
    extern char stack_top[];
    struct upcall_page *page = (void *)(uintptr_t)(ROOT_PAGES_VA + PAGE_BYTES);
    page->entry = (uintptr_t)wait_entry;
    page->sp = (uintptr_t)stack_top;
    domains_init(info);
    memory = chunk_take(MEMORY_LOG2);
    line_memory = chunk_take(LINE_LOG2);
    for (uint32_t m = 0; m < ALL; m++) {
        event[m] = slot_take();
    }
    loan_prepare();
    kcheck(KCHECK_BEGIN, 0, memory);
    watch = *(const uint64_t *)info->archive != 0 ? EVERYBODY : 0;
    kcheck(KCHECK_LEDGER, 0, 0);
    urgency_cases();
    late_cases();
    loan_cases();
    line_cases();
    kcheck(KCHECK_END, 0, 0);
    print("end\n"); /* on a kernel without the checker */
    for (;;) {
    }
}
