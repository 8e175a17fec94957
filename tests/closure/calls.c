/* SPDX-License-Identifier: BSL-1.0
 *
 * Scope 3: protected calls. A scheduler (root) and its children call each other
 * through two endpoints, queue, call on while they serve, answer, at once or
 * later by a saved reply, pass capabilities, lend a stretch and lend it on, are
 * cancelled, stopped, started again, and die, at any moment.
 *
 * A monitor watches every call: it ends with an answer from him who served it,
 * or with an error that says why; the callee sees message and badge of that
 * caller; nobody waits for himself, or for somebody dead.
 */
#include "family.h"

#include <string.h>

#include "kernel_check.h"

#define ENDPOINTS 2u
#define USER_PC   0x100u
#define MOVES_MAX 512u

enum { /* root's slots */
       ENDPOINT = FAMILY_SLOTS,
       CPU = ENDPOINT + ENDPOINTS,
       FREE, /* where root takes a capability */
       KEPT, /* where it saves a reply */
       RANGE,
       TABLE,   /* untyped memory, a page */
       STRETCH, /* made of it; what is lent */
       SLOTS,
};

#define LIVE_MASK 0x7ffffu /* of a word of the directory: no generation */

enum { MY_ENDPOINT = 1, THING = MY_ENDPOINT + ENDPOINTS, TAKEN, HELD };

enum who { A_KID, THE_ROOT, A_FAULT, AN_INTERRUPT };

struct move {
    enum who who;
    uint32_t nr;
    uint64_t x[8]; /* of SVC_CALL, SVC_REPLY: x8 to x11 */
};

enum { THE_SCHEDULER = KIDS_MAX };

static const struct {
    uint32_t kids;
    uint32_t serves[ENDPOINTS]; /* which kid, or who else, answers at first */
    bool root_calls, caps, binds, domains_die, saves, lends, dies;
} sizes[] = {
    /* capabilities travel */
    {2, {1, 0}, .caps = true, .binds = true, .domains_die = true},
    /* three wait for each other */
    {3, {1, 2}, .root_calls = false},
    /* long: not closed yet */
    {2, {1, THE_SCHEDULER}, true, .caps = true, .domains_die = true},
    /* the scheduler serves too */
    {2, {1, THE_SCHEDULER}, .root_calls = true},
    /* long: not closed yet */
    {3, {1, 2}, .caps = true, .binds = true, .domains_die = true},
    /* answers come later; with capabilities; from the scheduler; of three */
    {2, {1, 0}, .saves = true, .domains_die = true},
    {2, {1, 0}, .saves = true, .caps = true, .domains_die = true},
    {2, {1, THE_SCHEDULER}, .saves = true, .root_calls = true},
    {3, {1, 2}, .saves = true},
    /* a stretch is lent; by three, who lend on */
    {2, {1, 0}, .lends = true, .dies = true},
    /* long: not closed yet */
    {3, {1, 2}, .lends = true},
};

static struct move menu[MOVES_MAX];
static uint32_t n_menu;
static ref_t endpoint[ENDPOINTS], table;

struct waiting { /* a person, before a move */
    enum dispatcher_state state;
    ref_t callee, caller, reply;
};
static struct waiting before[PEOPLE_MAX];

/* ---- the menu ---------------------------------------------------------- */

static void add(enum who who, uint32_t nr, uint64_t a, uint64_t b, uint64_t c)
{
    if (n_menu < MOVES_MAX) {
        menu[n_menu++] = (struct move){who, nr, {a, b, c}};
    }
}

static void add_caller(enum who who, uint64_t first, uint64_t thing,
                       uint64_t taken)
{
    static const uint64_t flags[] = {0, CALL_NOWAIT, CALL_CAP, CALL_RECEIVE,
                                     CALL_CAP | CALL_RECEIVE};
    for (uint32_t e = 0; e < ENDPOINTS; e++) {
        for (uint32_t f = 0; f < (sizes[scope_size].caps ? 5u : 2u); f++) {
            add(who, SVC_CALL, (first + e) | flags[f], thing, taken);
        }
    }
    add(who, SVC_CALL, first | 1ull << 40, thing, taken);
    add(who, SVC_CALL, first | CALL_CAP, taken, taken);
    add(who, SVC_CALL, first | CALL_RECEIVE, thing, thing);
    add(who, SVC_CALL, thing, 0, 0);
    add(who, SVC_CALL, 0xffff, 0, 0);
    add(who, SVC_REPLY, 0, 0, 0);
    if (sizes[scope_size].caps) {
        add(who, SVC_REPLY, REPLY_CAP, thing, 0);
        add(who, SYS_CALL_ACCEPT, HOST_CALL_ENTRY, 0x8000, 0);
        add(who, SYS_CALL_ACCEPT, HOST_CALL_ENTRY, 0x8000, taken);
        add(who, SYS_CAP_DELETE, taken, 0, 0);
    }
    add(who, SVC_REPLY, REPLY_CAP, 0xffff, 0);
    add(who, SVC_REPLY, 1ull << 32, 0, 0);
    add(who, SYS_CALL_ACCEPT, HOST_CALL_ENTRY, 0x8001, 0);
    add(who, SYS_BLOCK, ~0ull, 0, 0);
}

/* Rights that there are, and some that there are not. */
static const uint64_t rights[] = {RIGHT_READ, RIGHT_READ | RIGHT_WRITE,
                                  RIGHT_READ | RIGHT_EXEC, RIGHT_WRITE};

static void add_lender(enum who who, uint64_t first)
{
    for (uint32_t e = 0; e < ENDPOINTS; e++) {
        for (uint32_t i = 0; i < sizeof(rights) / sizeof(rights[0]); i++) {
            add(who, SVC_CALL, (first + e) | CALL_LEND, 0, 0);
            menu[n_menu - 1].x[3] = LOAN(ROOT_RANGE_VA, rights[i]);
        }
    }
    add(who, SVC_CALL, first | CALL_LEND, 0, 0);
    menu[n_menu - 1].x[3] = LOAN(ROOT_RANGE_VA + STRETCH_BYTES, RIGHT_READ);
}

/* The stretch is given, changed, taken away; it dies and comes again. Of three
 * only kid 0 ever gets it so. */
static void add_giver(void)
{
    uint32_t owners = sizes[scope_size].dies ? kids : 1;
    for (uint32_t k = 0; k < owners; k++) {
        for (uint32_t i = 0; i < 2; i++) {
            add(THE_ROOT, SYS_STRETCH_ATTACH, STRETCH, DOMAIN + k, rights[i]);
        }
        add(THE_ROOT, SYS_STRETCH_DETACH, STRETCH, DOMAIN + k, 0);
    }
    if (sizes[scope_size].dies) {
        add(THE_ROOT, SYS_CAP_DELETE, STRETCH, 0, 0);
        add(THE_ROOT, SYS_STRETCH_CREATE, STRETCH, TABLE, RANGE);
        menu[n_menu - 1].x[3] = ROOT_RANGE_VA;
    }
}

static void add_saver(enum who who, uint64_t held, uint64_t thing)
{
    add(who, SYS_REPLY_SAVE, held, 0, 0);
    add(who, SYS_REPLY_SAVE, thing, 0, 0);
    add(who, SVC_REPLY, REPLY_STAY, 0, 0);
    add(who, SVC_REPLY, held, 0, 0);
    add(who, SVC_REPLY, held | REPLY_STAY, 0, 0);
    add(who, SVC_REPLY, thing, 0, 0);
    if (sizes[scope_size].caps) {
        add(who, SVC_REPLY, held | REPLY_CAP, thing, 0);
        add(who, SVC_REPLY, REPLY_CAP, held, 0);
    }
    add(who, SYS_CAP_COPY, FREE, held, RIGHTS_ALL);
    add(who, SYS_CAP_REVOKE, held, 0, 0);
    add(who, SYS_CAP_DELETE, held, 0, 0);
}

/* Root takes a reply from one kid and gives it to the next one, or keeps it. */
static void add_movers(void)
{
    for (uint32_t k = 0; k < kids; k++) {
        uint64_t from = CPTR(NODE + k, HELD);
        add(THE_ROOT, SYS_CAP_MOVE, CPTR(NODE + (k + 1) % kids, HELD), from, 0);
        add(THE_ROOT, SYS_CAP_DELETE, from, 0, 0);
        if (sizes[scope_size].root_calls) {
            add(THE_ROOT, SYS_CAP_MOVE, KEPT, from, 0);
            add(THE_ROOT, SYS_CAP_MOVE, from, KEPT, 0);
        }
    }
}

static void add_scheduler(void)
{
    for (uint32_t k = 0; k < kids; k++) {
        add(THE_ROOT, SYS_RUN, k, ~0ull, 1);
        add(THE_ROOT, SYS_DISPATCHER_START, KID + k, USER_PC, 0x8000);
        add(THE_ROOT, SYS_DISPATCHER_STOP, KID + k, 0, 0);
        add(THE_ROOT, SYS_DISPATCHER_CANCEL, KID + k, 0, 0);
        add(THE_ROOT, SYS_CAP_DELETE, KID + k, 0, 0);
        if (sizes[scope_size].domains_die) {
            add(THE_ROOT, SYS_CAP_DELETE, DOMAIN + k, 0, 0);
            add(THE_ROOT, SYS_CAP_DELETE, NODE + k, 0, 0);
        }
        for (uint32_t e = 0; sizes[scope_size].binds && e < ENDPOINTS; e++) {
            add(THE_ROOT, SYS_ENDPOINT_BIND, ENDPOINT + e, KID + k, 0);
        }
    }
    for (uint32_t e = 0; e < ENDPOINTS; e++) {
        add(THE_ROOT, SYS_CAP_DELETE, ENDPOINT + e, 0, 0);
        add(THE_ROOT, SYS_CAP_REVOKE, ENDPOINT + e, 0, 0);
    }
    add(THE_ROOT, SYS_RUN, kids, ~0ull, 1);
    add(THE_ROOT, SYS_DISPATCHER_STOP, ENDPOINT, 0, 0);
    add(THE_ROOT, SYS_CAP_REVOKE, CPU, 0, 0);
}

static void make_menu(void)
{
    n_menu = 0;
    add_caller(A_KID, MY_ENDPOINT, THING, TAKEN);
    if (sizes[scope_size].root_calls) {
        add_caller(THE_ROOT, ENDPOINT, CPU, FREE);
    }
    if (sizes[scope_size].lends) {
        add_lender(A_KID, MY_ENDPOINT);
        add_giver();
    }
    if (sizes[scope_size].saves) {
        add_saver(A_KID, HELD, THING);
        add_movers();
    }
    if (sizes[scope_size].saves && sizes[scope_size].root_calls) {
        add_saver(THE_ROOT, KEPT, CPU);
    }
    add_scheduler();
    add(A_FAULT, 0, 0, 0, 0);
    add(AN_INTERRUPT, 0, 0, 0, 0);
}

static uint32_t moves(void)
{
    return n_menu;
}

/* ---- the machine ------------------------------------------------------- */

static void raise_kid(struct dispatcher *d)
{
    d->entry = HOST_CALL_ENTRY; /* as call_accept would */
    d->sp = 0x8000;
    d->urgency = 1;
}

static void give_kid(uint32_t k)
{
    for (uint32_t e = 0; e < ENDPOINTS; e++) {
        MUST(CAP_COPY, CPTR(NODE + k, MY_ENDPOINT + e), ENDPOINT + e,
             RIGHTS_ALL, k + 1);
    }
    MUST(CAP_COPY, CPTR(NODE + k, THING), CPU, RIGHTS_ALL);
}

static uint32_t *directory(void)
{
    uint32_t *d = ram_at(kernel.directory);
    return &d[ROOT_RANGE_VA >> STRETCH_LOG2];
}

/* The stretch's part of the tables of kid k's domain. */
static void watch_tables(uint32_t k)
{
    struct domain *d = domain_at(kid_domain[k]);
    watch(&d->table[1], sizeof(d->table[1]));
    watch(&d->level1[ROOT_RANGE_VA >> 30], 8);
    watch(ram_at(kid_domain[k] + 2u * 128u), 8);
}

static void watch_all(void)
{
    family_watch(SLOTS, 1, 0);
    for (uint32_t k = 0; k < kids && sizes[scope_size].lends; k++) {
        watch_tables(k);
    }
    if (sizes[scope_size].lends) {
        watch(directory(), 8);
    }
    watch(domain_at(dispatcher_at(root_dispatcher)->domain),
          offsetof(struct domain, table));
    for (uint32_t e = 0; e < ENDPOINTS; e++) {
        watch(endpoint_at(endpoint[e]), sizeof(struct endpoint));
    }
}

/* Kid 0 has it at first, to read and write. */
static void boot_stretch(void)
{
    table = machine_take(PAGE_LOG2);
    machine_give(TABLE, TYPE_UNTYPED, table, PAGE_LOG2 - CELL_LOG2);
    machine_give(RANGE, TYPE_RANGE, (uint32_t)(ROOT_RANGE_VA >> PAGE_LOG2),
                 STRETCH_LOG2 - PAGE_LOG2);
    MUST(STRETCH_CREATE, STRETCH, TABLE, RANGE, ROOT_RANGE_VA);
    MUST(STRETCH_ATTACH, STRETCH, DOMAIN, RIGHT_READ | RIGHT_WRITE);
}

static void boot(void)
{
    family_boot(SLOTS, sizes[scope_size].kids, raise_kid);
    machine_give(CPU, TYPE_CPU, 0, 0);
    for (uint32_t e = 0; e < ENDPOINTS; e++) {
        endpoint[e] = machine_make(ENDPOINT + e, TYPE_ENDPOINT, ENDPOINT_LOG2);
        uint32_t server = sizes[scope_size].serves[e];
        MUST(ENDPOINT_BIND, ENDPOINT + e,
             server == THE_SCHEDULER ? ROOT : KID + server);
    }
    for (uint32_t k = 0; k < kids; k++) {
        give_kid(k);
        MUST(DISPATCHER_START, KID + k, USER_PC, 0x8000);
    }
    if (sizes[scope_size].root_calls) {
        MUST(CALL_ACCEPT, HOST_CALL_ENTRY, 0x8000, FREE);
    }
    if (sizes[scope_size].lends) {
        boot_stretch();
    }
    watch_all();
    make_menu();
}

/* ---- states that are alike --------------------------------------------- */

static bool is_alive(ref_t obj, uint32_t type)
{
    ref_t list[LIST_MAX];
    uint32_t n = walk_list(list);
    for (uint32_t i = 0; i < n; i++) {
        const struct slot *s = slot_at(list[i]);
        if (s->obj == obj &&
            (s->type == type || (s->type == TYPE_ZOMBIE && s->aux == type))) {
            return true;
        }
    }
    return false;
}

static bool is_waiting(const struct dispatcher *d)
{
    return d->state == IS_CALLING || d->state == IS_QUEUED;
}

/* What registers hold is the program's affair, and it may do anything next;
 * only what a waiting caller said matters. */
static void normal_person(uint32_t i)
{
    struct dispatcher *d = dispatcher_at(person[i]);
    d->context = (struct saved_context){.pc = USER_PC};
    d->until = ~0ull;
    d->esr = d->far = 0;
    d->urgency = 1;
    if (is_waiting(d)) {
        d->context.x[0] = 0x10 + i;
    } else {
        d->call_flags = d->call_cap = d->call_receive = d->badge = 0;
        d->call_lend = 0;
    }
    d->user.upcall.fault = (struct upcall_fault){0};
    d->user.upcall.saved_slot = 0;
    d->identity.now = d->identity.until = 0;
    d->identity.child_from = d->identity.child_to = 0;
    for (uint32_t k = 0; k < kids && i == kids; k++) {
        d->identity.child[k].until = 0;
    }
}

static void bury_dead(void)
{
    for (uint32_t k = 0; k < kids; k++) {
        if (!is_alive(person[k], TYPE_DISPATCHER)) {
            bury(k);
        }
        if (!is_alive(kid_domain[k], TYPE_DOMAIN)) {
            memset(domain_at(kid_domain[k]), DIRT, 8); /* CSpace, dispatcher */
        }
        if (!is_alive(kid_node[k], TYPE_CNODE)) {
            memset(ram_at(kid_node[k]), DIRT,
                   (HELD + 1u) * sizeof(struct slot));
        }
    }
    for (uint32_t e = 0; e < ENDPOINTS; e++) {
        if (!is_alive(endpoint[e], TYPE_ENDPOINT)) {
            memset(endpoint_at(endpoint[e]), DIRT, sizeof(struct endpoint));
        }
    }
}

/* Root, when it has the CPU, is in its handler and has taken its news. */
static void normal_root(void)
{
    struct upcall_page *p = upcall_page(dispatcher_at(root_dispatcher));
    p->child_changed[0] = 0;
    p->slots[0] = (struct saved_context){0};
    if (kernel.core[0].current == root_dispatcher) {
        p->mask = MASK_ON;
        p->pending = 0;
        p->events = 0;
    }
}

/* Generations are scope 2's; a sweep's number is nothing between sweeps. */
static void normal_stretch(void)
{
    struct slot *s = slot_at(root_cnode + STRETCH);
    uint32_t *entry = directory();
    *entry &= LIVE_MASK;
    if (s->type == TYPE_STRETCH) {
        s->aux = *entry;
    }
    normal_sweep(dispatcher_at(root_dispatcher)->domain);
}

static void normal(bool symmetry)
{
    (void)symmetry;
    if (sizes[scope_size].lends) {
        normal_stretch();
    }
    for (uint32_t i = 0; i < people; i++) {
        normal_person(i);
    }
    normal_root();
    bury_dead();
    normal_core();
}

/* ---- the monitor ------------------------------------------------------- */

static bool exists(uint32_t i)
{
    return i == kids ||
           (i < kids && slot_at(root_cnode + KID + i)->type == TYPE_DISPATCHER);
}

static void remember(void)
{
    for (uint32_t i = 0; i < people; i++) {
        if (exists(i)) {
            const struct dispatcher *d = dispatcher_at(person[i]);
            before[i] =
                (struct waiting){d->state, d->callee, d->caller, d->reply};
        } else {
            before[i] = (struct waiting){IS_DEAD, 0, 0, 0};
        }
    }
}

/* Was it for the actor to answer person i, and did it do so? */
static bool is_answer(uint32_t i, const struct move *m, uint32_t actor)
{
    ref_t slot = (uint32_t)m->x[0], held = 0;
    if (m->nr != SVC_REPLY) {
        return false;
    }
    if (slot == 0) {
        return before[i].callee == person[actor] &&
               before[actor].caller == person[i];
    }
    held = (actor == kids ? root_cnode : kid_node[actor]) + slot;
    return before[i].callee == 0 && before[i].reply == held &&
           slot_at(held)->type == TYPE_NULL;
}

/* A call of person i ended: with an answer, or an error that is possible. */
static void check_end(uint32_t i, const struct move *m, uint32_t actor)
{
    const uint64_t *x = dispatcher_at(person[i])->context.x;
    bool was_queued = before[i].state == IS_QUEUED;
    switch (x[8]) {
    case ERR_OK:
        if (!is_answer(i, m, actor) || x[0] != 0x20 + actor ||
            x[9] != ((m->x[0] & REPLY_CAP) != 0)) {
            host_fail("the call of %u ends with no answer to it", i);
        }
        return;
    case ERR_PEER_DEAD:
    case ERR_TIMEOUT:
        break;
    default:
        if (!was_queued || x[8] >= ERR_COUNT) {
            host_fail("the call of %u ends with error %llu", i,
                      (unsigned long long)x[8]);
        }
    }
    if (x[0] != 0x10 + i || x[9] != 0) {
        host_fail("the call of %u failed and changed its registers", i);
    }
}

/* A call starts on person i: what it sees is what the caller said. */
static void check_start(uint32_t i)
{
    const struct dispatcher *d = dispatcher_at(person[i]);
    const struct dispatcher *c = dispatcher_at(d->caller);
    uint32_t caller = index_of(d->caller);
    bool cap = (c->call_flags & CALL_CAP) != 0;
    uint64_t badge = caller == kids ? 0 : caller + 1;
    if (d->context.x[0] != 0x10 + caller || d->context.x[8] != badge ||
        d->context.x[9] != cap || d->context.x[10] != d->lent ||
        d->context.pc != HOST_CALL_ENTRY) {
        host_fail("the call of %u arrives at %u as another", caller, i);
    }
}

static void check_calls(const struct move *m, uint32_t actor)
{
    for (uint32_t i = 0; i < people; i++) {
        if (!exists(i)) {
            continue;
        }
        const struct dispatcher *d = dispatcher_at(person[i]);
        bool waited =
            before[i].state == IS_QUEUED || before[i].state == IS_CALLING;
        if (waited && d->state == IS_READY) {
            check_end(i, m, actor);
        } else if (waited && !is_waiting(d) && d->state != IS_STOPPED) {
            host_fail("the call of %u is lost", i);
        }
        if (d->caller != 0 && d->caller != before[i].caller) {
            check_start(i);
        }
    }
}

/* Nobody waits in a ring; who is queued is in a queue. */
static void check_waiting(void)
{
    uint32_t queued = 0, in_queues = 0;
    for (uint32_t i = 0; i < people; i++) {
        ref_t at = exists(i) ? person[i] : 0;
        queued += at != 0 && dispatcher_at(at)->state == IS_QUEUED;
        for (uint32_t n = 0; at != 0; n++) {
            if (n == people || !exists(index_of(at))) {
                host_fail("%u waits in a ring, or for somebody dead", i);
            }
            const struct dispatcher *d = dispatcher_at(at);
            at = is_waiting(d) ? d->callee : 0;
        }
    }
    for (uint32_t e = 0; e < ENDPOINTS; e++) {
        ref_t first = endpoint_at(endpoint[e])->waiters, at = first;
        for (; is_alive(endpoint[e], TYPE_ENDPOINT) && at != 0; in_queues++) {
            at = dispatcher_at(at)->wait.next;
            at = at == first ? 0 : at;
        }
    }
    if (queued != in_queues) {
        host_fail("%u are queued, %u in queues", queued, in_queues);
    }
}

static void check(void)
{
    check_all();
    check_waiting();
}

/* ---- what is done ------------------------------------------------------ */

/* Does the way of those who wait lead from the endpoint to person i? */
static bool is_ring(uint32_t i, ref_t ep)
{
    ref_t at = endpoint_at(ep)->dispatcher;
    for (uint32_t n = 0; n < people && at != 0; n++) {
        if (at == person[i]) {
            return true;
        }
        const struct dispatcher *d = dispatcher_at(at);
        at = is_waiting(d) ? d->callee : 0;
    }
    return false;
}

static enum outcome refuse(struct dispatcher *d, const struct dispatcher *was)
{
    d->context = was->context;
    d->call_flags = was->call_flags;
    d->call_cap = was->call_cap;
    d->call_receive = was->call_receive;
    d->call_lend = was->call_lend;
    d->badge = was->badge;
    return REFUSED;
}

static enum outcome invoke(uint32_t i, const struct move *m)
{
    struct dispatcher *d = dispatcher_at(person[i]);
    struct dispatcher was; /* the front of it */
    memcpy(&was, d, offsetof(struct dispatcher, child));
    for (uint32_t k = 0; k < 8; k++) {
        d->context.x[k] = (m->nr == SVC_CALL ? 0x10 : 0x20) + i;
    }
    memcpy(&d->context.x[8], m->x, 4 * sizeof(uint64_t));
    syscall_dispatch(d, m->nr);
    if (m->nr == SVC_CALL && d->state == IS_READY) {
        uint64_t e = d->context.x[8];
        struct slot *s = NULL;
        bool ring = cap_get((uint32_t)m->x[0], TYPE_ENDPOINT, RIGHT_CALL, &s) ==
                        ERR_OK &&
                    is_ring(i, s->obj);
        if (e == ERR_OK || (e == ERR_DEADLOCK && !ring)) {
            host_fail("a call fails with error %llu", (unsigned long long)e);
        }
        return refuse(d, &was);
    }
    bool stays = d->state == IS_READY && d->context.pc == was.context.pc;
    if (m->nr == SVC_REPLY && stays && d->context.x[8] != ERR_OK) {
        return refuse(d, &was);
    }
    return DONE;
}

static enum outcome act(const struct move *m, uint32_t actor)
{
    struct core_state *core = &kernel.core[0];
    if (m->who == AN_INTERRUPT) {
        if (core->current == root_dispatcher) {
            return CANNOT;
        }
        upcall_event(dispatcher_at(root_dispatcher), 0);
        return DONE;
    }
    if (core->current == 0 ||
        (m->who == THE_ROOT) != (core->current == root_dispatcher)) {
        return CANNOT;
    }
    if (m->nr == SVC_CALL && m->who == THE_ROOT && core->depth > 1 &&
        !(m->x[0] & CALL_NOWAIT)) {
        return CANNOT; /* check_chain forbids schedulers that queue */
    }
    if (m->who == A_FAULT) {
        upcall_fault(dispatcher_at(core->current), REASON_FAULT, 1, 2);
        return DONE;
    }
    if (m->nr == SVC_CALL || m->nr == SVC_REPLY) {
        return invoke(actor, m);
    }
    return outcome_of(machine_call(m->nr, m->x));
}

static enum outcome move(uint32_t i)
{
    uint32_t actor = index_of(kernel.core[0].current);
    remember();
    enum outcome o = act(&menu[i], actor);
    if (o == DONE) {
        check_calls(&menu[i], actor);
        machine_settle();
    }
    return o;
}

/* ---- words ------------------------------------------------------------- */

static void show_move(uint32_t i, char *text, size_t size)
{
    const struct move *m = &menu[i];
    uint32_t actor = index_of(kernel.core[0].current);
    if (m->who == AN_INTERRUPT || m->who == A_FAULT) {
        say(text, size, m->who == A_FAULT ? "%u faults" : "interrupt (%u ran)",
            actor);
        return;
    }
    say(text, size, actor == kids ? "root: " : "%u: ", actor);
    if (m->nr == SVC_CALL || m->nr == SVC_REPLY) {
        say(text, size, "%s slot %u%s%s%s",
            m->nr == SVC_CALL ? "call" : "reply", (uint32_t)m->x[0],
            m->x[0] & CALL_CAP ? " with capability" : "",
            m->x[0] & CALL_RECEIVE ? " to receive" : "",
            m->x[0] & CALL_NOWAIT ? " at once" : "");
        if (m->nr == SVC_CALL && (m->x[0] & CALL_LEND)) {
            say(text, size, " lends %llx", (unsigned long long)m->x[3]);
        }
    } else {
        say_call(text, size, m->nr, m->x);
    }
}

static void show_state(char *text, size_t size)
{
    for (uint32_t i = 0; i < people; i++) {
        if (!exists(i)) {
            continue;
        }
        const struct dispatcher *d = dispatcher_at(person[i]);
        say(text, size, "%u %s", i, say_state(d));
        if (d->callee != 0) {
            say(text, size, " (%u)", index_of(d->callee));
        }
        if (d->caller != 0) {
            say(text, size, " serves %u", index_of(d->caller));
        }
        if (d->lent != 0) {
            say(text, size, " has on loan %llx", (unsigned long long)d->lent);
        }
        say(text, size, "; ");
    }
    say(text, size, "runs: %u", index_of(kernel.core[0].current));
}

const struct scope scope = {
    .name = "calls",
    .sizes = sizeof(sizes) / sizeof(sizes[0]),
    .boot = boot,
    .moves = moves,
    .move = move,
    .normal = normal,
    .check = check,
    .show_move = show_move,
    .show_state = show_state,
};
