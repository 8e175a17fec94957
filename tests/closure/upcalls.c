/* SPDX-License-Identifier: BSL-1.0
 *
 * Scope 4: upcalls and CPU time. Two children under a scheduler (root) that
 * runs them with limits of time and urgencies; they block, mask, leave, resume,
 * signal each other, take interrupts, ticks and faults, and one of them writes
 * nonsense into its upcall page.
 *
 * Time has three values: past, soon and never. The move `clock` lets what was
 * soon be past. A monitor compares before and after each move: news stay until
 * taken, an interrupted context is found where saved_slot says, and the
 * scheduler is told of what it must know.
 */
#include "family.h"

#include <string.h>

#include "kernel_check.h"

#define MOVES_MAX 512u
#define NOW       1000u
#define SOON      2000u
#define LATER     3000u
#define NEVER     (~0ull)
#define BUDGET    500u
#define LINE      3u     /* interrupt */
#define USER_PC   0x100u /* where programs are, by choice of normal() */
#define SAVED_PC  0x700u /* and what their save slots hold */
#define MARK      0x50u
#define SAVES     27u

enum {                       /* root's slots */
       EVENT = FAMILY_SLOTS, /* of each person */
       IRQ = EVENT + PEOPLE_MAX,
       CONTEXT,
       SLOTS,
};

enum { MY_EVENT = 1 /* of everybody */, MY_IRQ = MY_EVENT + PEOPLE_MAX };

enum what {
    CALL_BY_KID,
    CALL_BY_ROOT,
    STORE, /* into the own upcall page: x[0] which field, x[1] the value */
    FAULT,
    TICK,
    INTERRUPT,
    CLOCK,
};

enum field { TAKE, MASK, SAVE_SLOT, ENTRY, DOUBLE_ENTRY };

struct move {
    enum what what;
    uint32_t nr;
    uint64_t x[8];
};

static const struct {
    bool nonsense; /* kid 0 stores what it should not */
    bool budget, irq, urgency;
    bool lazy; /* root need not take its news */
    bool die;
    bool direct; /* kid 0 is let in by root */
} sizes[] = {
    {.urgency = true},
    {.nonsense = true},
    {.budget = true, .irq = true, .lazy = true},
    {.budget = true, .irq = true, .urgency = true, .lazy = true},
    {.irq = true, .urgency = true, .die = true},
    {.budget = true, .irq = true, .direct = true},
};

struct person { /* before a move */
    enum dispatcher_state state;
    uint32_t pending, word;
    uint64_t events;
};

static struct move menu[MOVES_MAX];
static uint32_t n_menu;
static ref_t context;
static struct person before[PEOPLE_MAX];
static bool line_masked_before;
static uint64_t asked_at; /* when root would have had the CPU back */
static bool makes_room;   /* who runs, if anybody */
static uint32_t room_by;  /* which kid made room for it, or NO_CHILD */

/* ---- the menu ---------------------------------------------------------- */

static void add(enum what what, uint32_t nr, uint64_t a, uint64_t b, uint64_t c)
{
    if (n_menu < MOVES_MAX) {
        menu[n_menu++] = (struct move){what, nr, {a, b, c}};
    }
}

static void add_kid_moves(void)
{
    add(CALL_BY_KID, SYS_LEAVE, 0, 0, 0);
    add(CALL_BY_KID, SYS_RESUME, 0, 0, 0);
    add(CALL_BY_KID, SYS_RESUME, SAVE_DOUBLE, 0, 0);
    add(CALL_BY_KID, SYS_RESUME, SAVE_SLOTS, 0, 0);
    add(CALL_BY_KID, SYS_BLOCK, NEVER, 0, 0);
    add(CALL_BY_KID, SYS_BLOCK, SOON, 0, 0);
    add(CALL_BY_KID, SYS_BLOCK, 0, 0, 0);
    add(CALL_BY_KID, SYS_RUN, 0, NEVER, 0);
    for (uint32_t i = 0; i < people; i++) {
        add(CALL_BY_KID, SYS_EVENT_SIGNAL, MY_EVENT + i, 0, 0);
    }
    add(CALL_BY_KID, SYS_EVENT_SIGNAL, 0, 0, 0);
    add(STORE, 0, TAKE, 0, 0);
    add(STORE, 0, MASK, MASK_OFF, 0);
    add(STORE, 0, MASK, MASK_ON, 0);
    add(FAULT, 0, 0, 0, 0);
    add(TICK, 0, 0, 0, 0);
}

static void add_nonsense(void)
{
    add(STORE, 0, MASK, MASK_DOUBLE, 0);
    add(STORE, 0, MASK, 77, 0);
    add(STORE, 0, SAVE_SLOT, 0, 0);
    add(STORE, 0, SAVE_SLOT, SAVE_DOUBLE, 0);
    add(STORE, 0, ENTRY, 0, 0);
    add(STORE, 0, ENTRY, HOST_ENTRY, 0);
    add(STORE, 0, DOUBLE_ENTRY, 0, 0);
    add(STORE, 0, DOUBLE_ENTRY, HOST_DOUBLE_ENTRY, 0);
}

static void add_root_moves(void)
{
    static const uint64_t untils[] = {NEVER, SOON, 0};
    bool direct = sizes[scope_size].direct;
    uint64_t urgency[] = {direct ? 1 | RUN_DIRECT : 0,
                          direct ? RUN_DIRECT : sizes[scope_size].urgency};
    for (uint32_t k = 0; k < kids; k++) {
        for (uint32_t i = 0; i < 3; i++) {
            add(CALL_BY_ROOT, SYS_RUN, k, untils[i], urgency[k]);
        }
        add(CALL_BY_ROOT, SYS_DISPATCHER_START, KID + k, USER_PC, 0);
        add(CALL_BY_ROOT, SYS_DISPATCHER_STOP, KID + k, 0, 0);
        add(CALL_BY_ROOT, SYS_EVENT_SIGNAL, EVENT + k, 0, 0);
        if (sizes[scope_size].die) {
            add(CALL_BY_ROOT, SYS_CAP_REVOKE, KID + k, 0, 0);
            add(CALL_BY_ROOT, SYS_CAP_DELETE, KID + k, 0, 0);
        }
    }
    add(CALL_BY_ROOT, SYS_RUN, kids, NEVER, 0);
    add(CALL_BY_ROOT, SYS_RUN, 0, NEVER, 2 * RUN_DIRECT);
    if (sizes[scope_size].direct) {
        add(CALL_BY_ROOT, SYS_RUN, 1, NEVER, 0);
    }
    add(CALL_BY_ROOT, SYS_BLOCK, NEVER, 0, 0);
    add(CALL_BY_ROOT, SYS_BLOCK, SOON, 0, 0);
    add(CALL_BY_ROOT, SYS_LEAVE, 0, 0, 0);
    add(CALL_BY_ROOT, SYS_DISPATCHER_START, KID, ~0ull, 0);
    if (sizes[scope_size].budget) {
        add(CALL_BY_ROOT, SYS_SCHED_REFILL, CONTEXT, 0, 0);
        add(CALL_BY_ROOT, SYS_SCHED_REFILL, CONTEXT, BUDGET, 0);
        add(CALL_BY_ROOT, SYS_SCHED_REFILL, CONTEXT, NEVER, 0);
    }
}

static void make_menu(void)
{
    n_menu = 0;
    add_kid_moves();
    add_root_moves();
    if (sizes[scope_size].nonsense) {
        add_nonsense();
    }
    if (sizes[scope_size].irq) {
        add(INTERRUPT, 0, 0, 0, 0);
        add(CALL_BY_KID, SYS_IRQ_ACK, MY_IRQ, 0, 0);
        add(CALL_BY_ROOT, SYS_IRQ_BIND, IRQ, EVENT, 0);
    }
    add(CLOCK, 0, 0, 0, 0);
}

static uint32_t moves(void)
{
    return n_menu;
}

/* ---- the machine ------------------------------------------------------- */

static void raise_kid(struct dispatcher *d)
{
    d->user.upcall.entry = HOST_ENTRY;
    d->user.upcall.double_entry = HOST_DOUBLE_ENTRY;
}

static void give_kid(uint32_t k)
{
    for (uint32_t i = 0; i < people; i++) {
        MUST(EVENT_MINT, CPTR(NODE + k, MY_EVENT + i),
             i < kids ? KID + i : ROOT, 0);
    }
    MUST(CAP_COPY, CPTR(NODE + k, MY_IRQ), IRQ, RIGHTS_ALL);
    MUST(DISPATCHER_START, KID + k, USER_PC, 0);
}

static void watch_all(void)
{
    family_watch(SLOTS, SAVES, SAVES);
    watch(ram_at(context), sizeof(struct sched_context));
    watch((void *)((uintptr_t)&host.masked[LINE] & ~(uintptr_t)7), 8);
}

static void boot(void)
{
    family_boot(SLOTS, 2, raise_kid);
    machine_give(IRQ, TYPE_IRQ, LINE, 0);
    context = machine_make(CONTEXT, TYPE_SCHED_CONTEXT, SCHED_CONTEXT_LOG2);
    for (uint32_t i = 0; i < people; i++) {
        MUST(EVENT_MINT, EVENT + i, i < kids ? KID + i : ROOT, 0);
    }
    for (uint32_t k = 0; k < kids; k++) {
        give_kid(k);
    }
    MUST(SCHED_BIND, CONTEXT, KID);
    MUST(IRQ_BIND, IRQ, EVENT);
    watch_all();
    make_menu();
}

/* It lives as long as there is a capability, be it for one of its events. */
static bool exists(uint32_t i)
{
    ref_t list[LIST_MAX];
    uint32_t n = walk_list(list);
    for (uint32_t k = 0; k < n; k++) {
        if (slot_at(list[k])->obj == person[i]) {
            return true;
        }
    }
    return false;
}

/* ---- states that are alike --------------------------------------------- */

/* A time as seen from a later now. */
static uint64_t aged(uint64_t t)
{
    return t <= host.now ? 0 : t;
}

static void normal_person(uint32_t i)
{
    struct dispatcher *d = dispatcher_at(person[i]);
    struct upcall_page *p = upcall_page(d);
    d->context = (struct saved_context){.pc = USER_PC};
    d->context.x[1] = MARK + i;
    p->slots[0] = d->context;
    p->slots[SAVE_DOUBLE] = d->context;
    p->slots[0].pc = p->slots[SAVE_DOUBLE].pc = SAVED_PC;
    d->until = d->state == IS_BLOCKED ? aged(d->until) : 0;
    d->esr = d->far = 0;
    p->fault = (struct upcall_fault){0};
    p->saved_slot = 0;
    p->child_changed[0] = 0;
    d->identity.now = d->identity.until = 0;
    d->identity.child_from = d->identity.child_to = 0;
    for (uint32_t k = 0; k < kids && i == kids; k++) {
        d->identity.child[k].until =
            exists(k) ? dispatcher_at(person[k])->until : 0;
    }
}

static void normal(bool symmetry)
{
    struct core_state *core = &kernel.core[0];
    (void)symmetry;
    for (uint32_t i = 0; i < people; i++) {
        normal_person(i);
        if (!exists(i)) {
            bury(i);
        }
    }
    struct upcall_page *p = upcall_page(dispatcher_at(root_dispatcher));
    if (!sizes[scope_size].lazy && core->current == root_dispatcher) {
        p->pending = 0; /* it takes its news as soon as it can */
        p->events = 0;
    }
    for (uint32_t i = 0; i < core->depth; i++) {
        core->chain[i].until = aged(core->chain[i].until);
    }
    OBJECT(struct sched_context, context)->consumed = 0;
    host.now = NOW;
    normal_core();
}

/* ---- the monitor ------------------------------------------------------- */

static void remember(void)
{
    const struct dispatcher *root = dispatcher_at(root_dispatcher);
    line_masked_before = host.masked[LINE];
    const struct chain_level *runs = &kernel.core[0].chain[1];
    bool idle = kernel.core[0].depth < 2;
    asked_at = idle ? root->until : runs->until;
    room_by = idle ? NO_CHILD : runs->displaced;
    makes_room = idle || runs->urgency & RUN_DIRECT;
    for (uint32_t i = 0; i < people; i++) {
        const struct dispatcher *d = dispatcher_at(person[i]);
        before[i] = (struct person){d->state, d->user.upcall.pending, 0,
                                    d->user.upcall.events};
        if (i < kids) {
            before[i].word = root->identity.child[i].state;
        }
    }
}

static void need(bool good, uint32_t i, const char *what)
{
    if (!good) {
        host_fail(i == kids ? "root: %s" : "child %2$u: %1$s", what, i);
    }
}

/* Where the context that person i had is now. */
static void check_context(uint32_t i, const struct move *m, bool acted)
{
    const struct dispatcher *d = dispatcher_at(person[i]);
    const struct upcall_page *p = &d->user.upcall;
    const struct saved_context *c = &d->context;
    bool resumed = acted && m->nr == SYS_RESUME;
    if (c->pc == p->entry || c->pc == HOST_DOUBLE_ENTRY) {
        need(p->mask == (c->pc == p->entry ? MASK_ON : MASK_DOUBLE), i,
             "an upcall comes unmasked");
        need(p->pending != 0, i, "an upcall for nothing");
        if (p->saved_slot == SAVE_NONE) {
            need(before[i].state == IS_BLOCKED ||
                     (acted && (m->nr == SYS_BLOCK || m->nr == SYS_RUN)),
                 i, "an upcall lost the interrupted context");
            return;
        }
        need(p->saved_slot < SAVE_SLOTS, i, "saved_slot is nonsense");
        c = &p->slots[p->saved_slot];
        need((c->pc == USER_PC || (resumed && c->pc == SAVED_PC)) &&
                 c->x[1] == MARK + i,
             i, "saved_slot does not name the interrupted context");
    } else if (resumed) {
        need(c->pc == SAVED_PC && c->x[1] == MARK + i, i, "resumed another");
    } else {
        need(c->pc == USER_PC, i, "its context was replaced");
    }
}

/* Kid k gave the CPU up: whom it displaced has it back, as it was. */
static bool room_is_back(uint32_t k)
{
    const struct chain_level *runs = &kernel.core[0].chain[1];
    uint64_t until = dispatcher_at(person[k])->until;
    return room_by < kids && before[kids].pending == 0 &&
           kernel.core[0].depth == 2 && runs->dispatcher == person[room_by] &&
           runs->displaced == NO_CHILD &&
           runs->until == (until < asked_at ? until : asked_at);
}

/* The scheduler has news, or has had its upcall for them. */
static bool root_knows(void)
{
    struct dispatcher *d = dispatcher_at(root_dispatcher);
    return (upcall_page(d)->pending & REASON_CHILD) != 0;
}

static void check_kid(uint32_t k, const struct move *m, bool acted)
{
    struct dispatcher *d = dispatcher_at(person[k]);
    struct dispatcher *root = dispatcher_at(root_dispatcher);
    const struct child_entry *entry = &root->identity.child[k];
    bool by_root = m->what == CALL_BY_ROOT && m->nr != SYS_EVENT_SIGNAL;
    need(entry->state == before[k].word ||
             (upcall_page(root)->child_changed[0] >> k & 1) != 0,
         k, "its state word changed, and child_changed does not say so");
    need(d->state != IS_BLOCKED || entry->until == d->until, k,
         "its entry has another `until`");
    if (before[k].state == IS_BLOCKED && d->state == IS_READY && !by_root) {
        need(root_knows() || kernel.core[0].current == d->self, k,
             "woke up, and its scheduler does not know");
    }
    if (d->state == IS_STOPPED && before[k].state != IS_STOPPED && !by_root) {
        need(root_knows(), k, "stopped, and its scheduler does not know");
    }
    if (acted && before[k].state == IS_READY && d->state == IS_BLOCKED) {
        need(root_knows() || room_is_back(k), k,
             "gave the CPU up, and its scheduler sleeps");
    }
}

/* News stay until they are taken. */
static void check_news(uint32_t i, bool by_itself, const struct move *m)
{
    const struct upcall_page *p = upcall_page(dispatcher_at(person[i]));
    if (by_itself && m->what == STORE) {
        return;
    }
    need((before[i].pending & ~p->pending) == 0, i, "pending news were lost");
    need((before[i].events & ~p->events) == 0, i, "an event was lost");
    need((p->events & ~before[i].events) == 0 ||
             (p->pending & REASON_EVENT) != 0,
         i, "an event came without news of it");
}

static void check_delivery(void)
{
    const struct core_state *core = &kernel.core[0];
    uint32_t i = index_of(core->current);
    if (core->current == 0) {
        const struct dispatcher *root = dispatcher_at(root_dispatcher);
        need(core->depth == 1 && root->state == IS_BLOCKED &&
                 root->user.upcall.pending == 0 && root->until > host.now,
             kids, "the CPU is idle, but not by its scheduler's will");
        return;
    }
    struct dispatcher *d = dispatcher_at(core->current);
    need(d->state == IS_READY, i, "runs but is not ready");
    need(upcall_page(d)->mask != MASK_OFF || upcall_page(d)->pending == 0, i,
         "goes to user mode with news and unmasked");
    for (uint32_t k = 1; k < core->depth; k++) {
        need(core->chain[k].until > host.now, k, "runs longer than its time");
    }
}

/* A child that became ready has the CPU's scheduler decide if it is urgent. */
static void check_urgency(const struct move *m)
{
    const struct core_state *core = &kernel.core[0];
    if (core->depth < 2 || m->what == CALL_BY_ROOT) {
        return;
    }
    for (uint32_t k = 0; k < kids; k++) {
        const struct dispatcher *d = dispatcher_at(person[k]);
        bool woke = exists(k) && before[k].state == IS_BLOCKED &&
                    d->state == IS_READY &&
                    core->chain[1].dispatcher != d->self;
        uint32_t its = core->chain[1].urgency & URGENCY_MAX;
        need(!woke || (d->urgency & URGENCY_MAX) <= its, k,
             "is more urgent than the one that runs");
    }
}

/* A direct child that wakes runs, and root sleeps on, but no longer. */
static void check_direct(const struct move *m)
{
    const struct core_state *core = &kernel.core[0];
    const struct dispatcher *d = dispatcher_at(person[0]);
    bool woke = before[0].state == IS_BLOCKED && d->state == IS_READY &&
                m->what == INTERRUPT && d->urgency & RUN_DIRECT &&
                OBJECT(struct sched_context, context)->remaining != 0;
    if (woke && makes_room && before[kids].state == IS_BLOCKED) {
        need(core->depth == 2 && core->chain[1].dispatcher == d->self &&
                 core->chain[1].until == asked_at,
             0, "was let in, and does not run as long as it may");
    }
}

static void check_after(const struct move *m, uint32_t actor)
{
    for (uint32_t i = 0; i < people; i++) {
        if (!exists(i)) {
            continue;
        }
        bool acted = actor == i;
        bool started = m->nr == SYS_DISPATCHER_START;
        if (dispatcher_at(person[i])->state == IS_READY && !started) {
            check_context(i, m, acted);
        }
        check_news(i, acted, m);
        if (i < kids) {
            check_kid(i, m, acted);
        }
    }
    check_delivery();
    check_urgency(m);
    check_direct(m);
}

static void check(void)
{
    check_all();
    if (kernel.irq[LINE].bound && !kernel.irq[LINE].waiting &&
        host.masked[LINE]) {
        host_fail("the interrupt line is masked, and nobody has to answer");
    }
}

/* ---- what is done ------------------------------------------------------ */

static enum outcome store(struct dispatcher *d, const struct move *m)
{
    struct upcall_page *p = upcall_page(d);
    bool nonsense = m->x[0] > MASK || m->x[1] > MASK_ON;
    if (nonsense && d->self != person[0]) {
        return CANNOT;
    }
    switch ((enum field)m->x[0]) {
    case TAKE:
        p->pending = 0;
        p->events = 0;
        break;
    case MASK:
        p->mask = (uint32_t)m->x[1];
        break;
    case SAVE_SLOT:
        p->save_slot = (uint32_t)m->x[1];
        break;
    case ENTRY:
        p->entry = m->x[1];
        break;
    case DOUBLE_ENTRY:
        p->double_entry = m->x[1];
        break;
    }
    return DONE;
}

static enum outcome from_outside(const struct move *m, struct dispatcher *d)
{
    switch (m->what) {
    case FAULT:
        upcall_fault(d, REASON_FAULT, 1, 2);
        return DONE;
    case TICK:
        upcall_post(d, REASON_TICK);
        return DONE;
    case INTERRUPT:
        if (host.masked[LINE]) {
            return CANNOT;
        }
        irq_deliver(LINE);
        return DONE;
    default: /* CLOCK */
        host.now = LATER;
        sched_unsettle(); /* the timer interrupt */
        return DONE;
    }
}

static enum outcome act(const struct move *m, uint32_t actor)
{
    struct dispatcher *d = actor < people ? dispatcher_at(person[actor]) : NULL;
    bool root = actor == kids;
    switch (m->what) {
    case CALL_BY_ROOT:
    case CALL_BY_KID:
        if (d == NULL || root != (m->what == CALL_BY_ROOT)) {
            return CANNOT;
        }
        return outcome_of(machine_call(m->nr, m->x));
    case STORE:
        sched_unsettle(); /* what nobody sees yet */
        return d == NULL || (root && m->x[0] != TAKE) ? CANNOT : store(d, m);
    case FAULT:
        return d == NULL || root ? CANNOT : from_outside(m, d);
    case TICK:
        return d == NULL ? CANNOT : from_outside(m, d);
    default:
        return from_outside(m, d);
    }
}

static enum outcome move(uint32_t i)
{
    uint32_t actor = index_of(kernel.core[0].current);
    const struct move *m = &menu[i];
    remember();
    enum outcome o = act(m, actor);
    if (o == DONE && m->what != STORE) {
        machine_settle();
        check_after(m, actor);
    }
    return o;
}

/* ---- words ------------------------------------------------------------- */

static void show_move(uint32_t i, char *text, size_t size)
{
    static const char *const names[] = {"",       "",      "stores",
                                        "faults", "ticks", "interrupt;",
                                        "clock;"};
    static const char *const fields[] = {"nothing: takes its news", "mask",
                                         "save_slot", "entry", "double_entry"};
    const struct move *m = &menu[i];
    uint32_t actor = index_of(kernel.core[0].current);
    if (m->what <= CALL_BY_ROOT) {
        say(text, size, actor == kids ? "root: " : "%u: ", actor);
        say_call(text, size, m->nr, m->x);
    } else {
        say(text, size, "%s %u", names[m->what], actor);
    }
    if (m->what == STORE) {
        say(text, size, ": %s %llx", fields[m->x[0]],
            (unsigned long long)m->x[1]);
    }
}

static void show_state(char *text, size_t size)
{
    for (uint32_t i = 0; i < people; i++) {
        const struct dispatcher *d = dispatcher_at(person[i]);
        const struct upcall_page *p = &d->user.upcall;
        if (exists(i)) {
            say(text, size, "%u %s mask %u pending %x events %llx; ", i,
                say_state(d), p->mask, p->pending,
                (unsigned long long)p->events);
        }
    }
    say(text, size, "runs: %u, depth %u", index_of(kernel.core[0].current),
        kernel.core[0].depth);
}

const struct scope scope = {
    .name = "upcalls",
    .sizes = sizeof(sizes) / sizeof(sizes[0]),
    .boot = boot,
    .moves = moves,
    .move = move,
    .normal = normal,
    .check = check,
    .show_move = show_move,
    .show_state = show_state,
};
