/* SPDX-License-Identifier: BSL-1.0
 *
 * Scope 1: capabilities. A CNode with a few slots, all alike, and two pages of
 * untyped memory, of which untyped memory, frames, CNodes that hold each other
 * and endpoints are made, copied, minted, moved, deleted and revoked.
 *
 * Small objects may begin at the end of a page only (the menu says where): else
 * the watermark alone had hundreds of values. A page is watched in its first
 * cell and its last eight.
 */
#include "closure.h"

#include <string.h>

#include "kernel_check.h"

#define FIRST     2u
#define PAGES_MAX 2u
#define CELLS     128u /* of a page */
#define TAIL      120u /* first watched cell of its end */
#define DIRT      0xa5
#define MOVES_MAX 16384u

static const struct {
    uint32_t slots;        /* that are alike, from FIRST on */
    uint32_t pages, inner; /* inner: slots of a CNode that the menu names */
    uint32_t kinds;        /* of kinds[], so many */
} sizes[] = {
    {2, 2, 1, 5}, /* nested untyped memory that lies beside others */
    {3, 1, 1, 5}, /* copies of copies, and their fences */
    {2, 1, 2, 5}, /* CNodes in CNodes */
    {2, 2, 1, 7}, /* several endpoints, made at once */
    {3, 2, 1, 5}, /* for a long run: not closed after 50 s */
};

struct move {
    uint32_t nr;
    uint64_t x[8];
};

struct made { /* a kind of retype: type, log2, count, at, rank */
    uint64_t type, log2, count, at, rank;
};

static const struct made kinds[] = {
    /* sizes[] says how many of them */
    {TYPE_UNTYPED, 12, 1, 0, 0},     {TYPE_FRAME, 12, 1, 0, 0},
    {TYPE_CNODE, 7, 1, 0xf00, 0},    {TYPE_CNODE, 7, 1, 0xf00, 1},
    {TYPE_ENDPOINT, 6, 1, 0xfc0, 0}, {TYPE_ENDPOINT, 6, 1, 0xf80, 0},
    {TYPE_ENDPOINT, 6, 2, 0xf80, 0},
};
/* Never right, whatever the slots hold. */
static const struct made wrong_kinds[] = {
    {TYPE_FRAME, 13, 1, 0, 0},     {TYPE_UNTYPED, 6, 1, 0, 0},
    {TYPE_CNODE, 7, 1, 0xf00, 7},  {TYPE_EVENT, 12, 1, 0, 0},
    {TYPE_ENDPOINT, 6, 0, 0, 0},   {TYPE_ENDPOINT, 6, 257, 0, 0},
    {TYPE_FRAME, 12, 1, 0x800, 0}, {TYPE_RANGE, 21, 1, 0, 0},
    {TYPE_ENDPOINT, 64, 1, 0, 0},
};

static struct move menu[MOVES_MAX];
static uint32_t n_menu;
static cptr_t address[64];
static uint32_t n_address;
static ref_t arena;
static uint32_t slots, pages, inner;

/* ---- the menu ---------------------------------------------------------- */

static void add(uint32_t nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d,
                uint64_t e)
{
    if (n_menu < MOVES_MAX) {
        menu[n_menu++] = (struct move){nr, {a, b, c, d, e}};
    }
}

static void add_retype(cptr_t src, cptr_t dst, const struct made *k)
{
    add(SYS_UNTYPED_RETYPE, src, dst, k->type, k->log2, k->count);
    menu[n_menu - 1].x[5] = k->at;
    menu[n_menu - 1].x[6] = k->rank;
}

static void list_addresses(void)
{
    n_address = 0;
    for (uint32_t i = FIRST; i < FIRST + slots; i++) {
        address[n_address++] = i;
        for (uint32_t k = 1; k <= inner; k++) {
            address[n_address++] = CPTR(i, k);
        }
    }
    address[n_address++] = 0;             /* a header */
    address[n_address++] = FIRST + slots; /* the first beyond the end */
    address[n_address++] = CPTR(FIRST, 4);
}

static void add_copies(cptr_t dst, cptr_t src)
{
    static const uint64_t rights[] = {RIGHTS_ALL, RIGHT_READ | RIGHT_CALL};
    for (uint32_t k = 0; k < 8; k++) {
        add(SYS_CAP_COPY, dst, src, rights[k & 1], k & 2 ? 7 : 0, k >> 2);
    }
}

/* dst, pivot and src: all that are slots, and each that is none. */
static void add_rotations(void)
{
    uint32_t n = n_address - 3;
    for (uint32_t i = 0; i < n * n * n; i++) {
        add(SYS_CAP_ROTATE, address[i / (n * n)], address[i / n % n],
            address[i % n], 0, 0);
    }
    for (uint32_t i = n; i < n_address; i++) {
        add(SYS_CAP_ROTATE, address[i], address[0], address[1], 0, 0);
        add(SYS_CAP_ROTATE, address[0], address[i], address[1], 0, 0);
        add(SYS_CAP_ROTATE, address[0], address[1], address[i], 0, 0);
    }
}

static void make_menu(void)
{
    n_menu = 0;
    list_addresses();
    add_rotations();
    for (uint32_t i = 0; i < n_address; i++) {
        add(SYS_CAP_DELETE, address[i], 0, 0, 0, 0);
        add(SYS_CAP_REVOKE, address[i], 0, 0, 0, 0);
        add(SYS_CAP_COPY, address[i], address[0], RIGHTS_ALL, 0, 2);
        for (uint32_t k = 0; k < sizeof(wrong_kinds) / sizeof(kinds[0]); k++) {
            add_retype(address[i], address[0], &wrong_kinds[k]);
        }
        for (uint32_t j = 0; j < n_address; j++) {
            add(SYS_CAP_MOVE, address[i], address[j], 0, 0, 0);
            add_copies(address[i], address[j]);
            for (uint32_t k = 0; k < sizes[scope_size].kinds; k++) {
                add_retype(address[i], address[j], &kinds[k]);
            }
        }
    }
}

/* ---- memory ------------------------------------------------------------ */

static bool is_watched(uint32_t cell)
{
    return cell % CELLS == 0 || cell % CELLS >= TAIL;
}

static void boot(void)
{
    slots = sizes[scope_size].slots;
    pages = sizes[scope_size].pages;
    inner = sizes[scope_size].inner;
    machine_boot(FIRST + slots);
    arena = machine_take(PAGE_LOG2 + pages - 1);
    machine_give(FIRST, TYPE_UNTYPED, arena, 6 + pages);
    watch(ram_at(kernel.head), 32);
    watch(ram_at(root_cnode), (FIRST + slots) * sizeof(struct slot));
    for (uint32_t i = 0; i < pages * CELLS; i++) {
        if (is_watched(i)) {
            watch(ram_at(arena + i), 32);
        }
    }
    make_menu();
}

static void mark(bool *keep, const struct slot *s)
{
    uint32_t type = s->type == TYPE_ZOMBIE ? s->aux : s->type;
    uint64_t from = s->obj - arena, to = from + (1ull << s->order);
    if (type == TYPE_UNTYPED) {
        uint64_t clean = s->word >> 32, low = (uint32_t)s->word;
        to = from + clean;
        from += low < s->spare ? s->spare : low;
    } else if (type != TYPE_CNODE && type != TYPE_ENDPOINT) {
        return; /* its owner writes into a frame */
    }
    for (; from < to && from < pages * CELLS; from++) {
        keep[from] = true;
    }
}

/* What nobody's type says anything about could hold anything. */
static void make_dirty(const ref_t *list, uint32_t n)
{
    bool keep[PAGES_MAX * CELLS] = {0};
    for (uint32_t i = 0; i < n; i++) {
        mark(keep, slot_at(list[i]));
    }
    for (uint32_t i = 0; i < pages * CELLS; i++) {
        if (is_watched(i) && !keep[i]) {
            memset(ram_at(arena + i), DIRT, 32);
        }
    }
}

static void normal(bool symmetry)
{
    ref_t list[LIST_MAX];
    uint32_t n = walk_list(list);
    make_dirty(list, n);
    if (symmetry) {
        rename_slots(root_cnode + FIRST, slots);
    }
    normal_core();
}

/* ---- what is done and what holds --------------------------------------- */

static void check_new_frame(cptr_t dst)
{
    struct place p;
    if (cap_place(dst, &p) != ERR_OK || slot_at(p.ref)->type != TYPE_FRAME) {
        return;
    }
    uint32_t first = slot_at(p.ref)->obj - arena;
    for (uint32_t i = first; i < first + CELLS; i++) {
        const uint64_t *w = ram_at(arena + i);
        if ((w[0] | w[1] | w[2] | w[3]) != 0) {
            host_fail("a new frame holds what was there before");
        }
    }
}

static enum outcome move(uint32_t i)
{
    const struct move *m = &menu[i];
    enum outcome o = outcome_of(machine_call(m->nr, m->x));
    if (o == DONE && m->nr == SYS_UNTYPED_RETYPE && m->x[2] == TYPE_FRAME) {
        check_new_frame(m->x[1]);
    }
    return o;
}

static void check(void)
{
    static const unsigned char zero[64];
    ref_t list[LIST_MAX];
    uint32_t n = walk_list(list);
    check_caps();
    for (uint32_t i = 0; i < n; i++) {
        const struct slot *s = slot_at(list[i]);
        if (s->type == TYPE_ENDPOINT && memcmp(ram_at(s->obj), zero, 64)) {
            host_fail("an endpoint is not as it was made");
        }
    }
}

/* ---- words ------------------------------------------------------------- */

static const char *name_of(uint64_t type)
{
    static const char *const names[] = {
        [TYPE_NULL] = "nothing",      [TYPE_UNTYPED] = "untyped",
        [TYPE_CNODE] = "CNode",       [TYPE_FRAME] = "frame",
        [TYPE_ENDPOINT] = "endpoint", [TYPE_ZOMBIE] = "zombie"};
    const char *name =
        type < sizeof(names) / sizeof(names[0]) ? names[type] : NULL;
    return name == NULL ? "other" : name;
}

static void show_move(uint32_t i, char *text, size_t size)
{
    say_call(text, size, menu[i].nr, menu[i].x);
}

static void show_state(char *text, size_t size)
{
    ref_t list[LIST_MAX];
    uint32_t n = walk_list(list);
    for (uint32_t i = 0; i < n; i++) {
        const struct slot *s = slot_at(list[i]);
        bool root = list[i] - root_cnode < FIRST + slots;
        say(text, size, "%s%s%u %s", i ? ", " : "", root ? "" : "@",
            list[i] - (root ? root_cnode : arena), name_of(s->type));
        if (s->obj != root_cnode) {
            say(text, size, " @%u+%u depth %u%s", s->obj - arena,
                1u << s->order, s->attr & ATTR_DEPTH,
                s->attr & ATTR_FENCE ? " fence" : "");
        }
    }
}

static uint32_t moves(void)
{
    return n_menu;
}

const struct scope scope = {
    .name = "caps",
    .sizes = sizeof(sizes) / sizeof(sizes[0]),
    .boot = boot,
    .moves = moves,
    .move = move,
    .normal = normal,
    .check = check,
    .show_move = show_move,
    .show_state = show_state,
};
