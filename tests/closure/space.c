/* SPDX-License-Identifier: BSL-1.0
 *
 * Scope 2: the address space. Two domains, two addresses for stretches, three
 * pages in them, two frames, alone or in a row; tables and frames come from
 * untyped memory and go back to it. In one size a huge frame, of device memory,
 * which becomes a stretch at either address.
 *
 * A model of TLBs runs beside: whatever could be translated at any moment since
 * the last arch_tlb_* call that concerns it may still be. After an operation
 * none of that may differ from what the tables say now, and what they say must
 * have been published.
 */
#include "closure.h"

#include <string.h>

#include "kernel_check.h"

enum {
    D1 = 2,
    D2,
    RANGE,
    TABLES, /* untyped memory, two pages */
    MEMORY, /* the same, for frames */
    S1,
    S2,
    F1,
    F2,
    COPY,
    HUGE, /* from S1 to here: what the menu makes */
    DEVICE,
    ROOT_DOMAIN,
    SLOTS,
};

#define DOMAINS    2u
#define VAS        2u
#define PAGES      3u
#define SIGHTS     8u
#define MOVES_MAX  1024u
#define WRAP       SYS_COUNT /* not a call: generations come again */
#define PAGE_MASK  ((1u << 18) - 1u)
#define GEN_SHIFT  19u
#define LIVE_MASK  ((1u << GEN_SHIFT) - 1u) /* the page, and if it is huge */
#define STALE      3u /* stands for every generation of the past */
#define DEVICE_AT  0x3f200000ull
#define DIRT       0xa5a5a5a5a5a5a5a5u
#define ADDRESS    0x0000fffffffff000u
#define R          RIGHT_READ
#define RW         (RIGHT_READ | RIGHT_WRITE)
#define RX         (RIGHT_READ | RIGHT_EXEC)
#define RWX        (RIGHT_READ | RIGHT_WRITE | RIGHT_EXEC)
#define CELL_OF(w) ((w) / 4u)

static const struct {
    uint64_t second;        /* distance of the second stretch */
    uint32_t attach_rights; /* of rights[], so many */
    uint32_t map_rights;
    uint32_t frames;
    bool copies, huge;
} sizes[] = {
    {STRETCH_BYTES, 2, 2, 1, false, false},
    /* Two second-level tables; not closed yet */
    {1ull << 30, 2, 2, 1, true, false},
    {STRETCH_BYTES, 2, 1, 2, false, false},
    /* All rights; not closed yet */
    {STRETCH_BYTES, 3, 3, 2, false, false},
    {STRETCH_BYTES, 1, 1, 1, false, true},
    {STRETCH_BYTES, 1, 0, 0, false, true},
};

static const uint64_t rights[] = {RW, RX, R};

struct move {
    uint32_t nr;
    uint64_t x[8];
};

static const struct {
    uint32_t stretch, word; /* word of the table */
} page[PAGES] = {{0, 0}, {0, 511}, {1, 1}};
static struct move menu[MOVES_MAX];
static uint32_t n_menu;
static uint64_t va_at[VAS];
static ref_t domains[DOMAINS], root_domain, tables;

/* What may be in TLBs, and what was published. 0: no translation. */
static uint64_t sight[DOMAINS][PAGES][SIGHTS];
static uint32_t sights[DOMAINS][PAGES];
static uint64_t published[DOMAINS][PAGES];

static uint64_t page_va(uint32_t p)
{
    return va_at[page[p].stretch] + page[p].word * PAGE_BYTES;
}

/* ---- the menu ---------------------------------------------------------- */

static void add_row(uint32_t nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d,
                    uint64_t e)
{
    if (n_menu < MOVES_MAX) {
        menu[n_menu++] = (struct move){nr, {a, b, c, d, e}};
    }
}

static void add(uint32_t nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    add_row(nr, a, b, c, d, 1); /* of frames: one */
}

static void add_stretch_moves(cptr_t s)
{
    for (uint32_t i = 0; i < VAS; i++) {
        add_row(SYS_STRETCH_CREATE, s, TABLES, RANGE, va_at[i], 0);
    }
    for (cptr_t d = D1; d <= D2; d++) {
        for (uint32_t i = 0; i < sizes[scope_size].attach_rights; i++) {
            add(SYS_STRETCH_ATTACH, s, d, rights[i], 0);
        }
        add(SYS_STRETCH_DETACH, s, d, 0, 0);
    }
}

static void add_frame_moves(cptr_t f)
{
    add(SYS_FRAME_UNMAP, f, 1, 0, 0);
    add(SYS_UNTYPED_RETYPE, MEMORY, f, TYPE_FRAME, PAGE_LOG2);
    for (uint32_t k = 0; k < sizes[scope_size].map_rights; k++) {
        add(SYS_FRAME_PROTECT, f, rights[k], 1, 0);
        for (uint32_t v = 0; v < PAGES; v++) {
            uint64_t va = page_va(v);
            add(SYS_FRAME_MAP, f, S1, va, rights[k]);
            add(SYS_FRAME_MAP, f, S2, va, rights[k]);
            add(SYS_FRAME_REMAP, f, S1, va, rights[k]);
            add(SYS_FRAME_REMAP, f, S2, va, rights[k]);
        }
    }
}

/* Rows of frames; the scope's pages do not lie side by side, so that the second
 * of two that are mapped is refused, or is out of its sight. */
static void add_rows(void)
{
    add(SYS_FRAME_UNMAP, F1, 2, 0, 0);
    add(SYS_FRAME_UNMAP, F1, 3, 0, 0);
    add(SYS_FRAME_PROTECT, F1, R, 2, 0);
    add(SYS_FRAME_PROTECT, F1, RW, 2, 0);
    for (uint32_t k = 0; k < 2; k++) {
        uint32_t nr = k == 0 ? SYS_FRAME_MAP : SYS_FRAME_REMAP;
        add_row(nr, F1, S1, page_va(1), RW, 2);
        add_row(nr, F1, S2, page_va(1), RW, 2);
        add_row(nr, F1, S1, page_va(0), RW, 0);
        add_row(nr, F1, S1, page_va(0), RW, FRAME_RANGE_MAX + 1);
    }
}

static void add_huge_moves(void)
{
    add(SYS_UNTYPED_RETYPE, DEVICE, HUGE, TYPE_FRAME, HUGE_FRAME_LOG2);
    for (cptr_t s = S1; s <= S2; s++) {
        for (uint32_t i = 0; i < VAS; i++) {
            add_row(SYS_STRETCH_CREATE, s, HUGE, RANGE, va_at[i], RW);
            add_row(SYS_STRETCH_CREATE, s, HUGE, RANGE, va_at[i], RX);
        }
        add_row(SYS_STRETCH_CREATE, s, HUGE, RANGE, va_at[0], R);
        add_row(SYS_STRETCH_CREATE, s, HUGE, RANGE, va_at[0], 0);
        add_row(SYS_STRETCH_CREATE, s, TABLES, RANGE, va_at[0], R);
        add(SYS_STRETCH_ATTACH, s, D1, R, 0);
        add(SYS_FRAME_MAP, HUGE, s, va_at[0], R);
        add(SYS_FRAME_REMAP, HUGE, s, va_at[0], R);
        add(SYS_CAP_COPY, COPY, s, RIGHTS_ALL, 0);
    }
    add(SYS_FRAME_UNMAP, HUGE, 1, 0, 0);
    add(SYS_CAP_COPY, COPY, HUGE, RIGHTS_ALL, 0);
    add(SYS_CAP_DELETE, HUGE, 0, 0, 0);
    add(SYS_CAP_REVOKE, HUGE, 0, 0, 0);
    add(SYS_CAP_REVOKE, DEVICE, 0, 0, 0);
}

static void add_wrong_moves(void)
{
    static const struct {
        cptr_t dst, source, range;
    } create[] = {{S1, RANGE, TABLES}, {SLOTS, TABLES, RANGE}};
    const uint64_t va[] = {va_at[0] + PAGE_BYTES, va_at[0] - STRETCH_BYTES,
                           ~0ull << STRETCH_LOG2};
    for (uint32_t i = 0; i < 3; i++) {
        add_row(SYS_STRETCH_CREATE, S1, TABLES, RANGE, va[i], 0);
    }
    for (uint32_t i = 0; i < 2; i++) {
        add_row(SYS_STRETCH_CREATE, create[i].dst, create[i].source,
                create[i].range, va_at[0], 0);
    }
    add(SYS_STRETCH_ATTACH, F1, D1, R, 0);
    add(SYS_STRETCH_ATTACH, S1, F1, R, 0);
    add(SYS_FRAME_MAP, S1, S1, va_at[0], R);
    add(SYS_FRAME_MAP, F1, F2, va_at[0], R);
    add(SYS_FRAME_MAP, F1, S1, va_at[0] + 1, R);
    add(SYS_FRAME_MAP, F1, S1, ~0ull << PAGE_LOG2, R);
    add(SYS_FRAME_PROTECT, F1, 0, 1, 0);
    for (cptr_t s = S1; s <= F2; s++) {
        add(SYS_STRETCH_ATTACH, s, D1, RWX, 0);
        add(SYS_STRETCH_ATTACH, s, D2, RIGHT_WRITE, 0);
        add(SYS_FRAME_PROTECT, s, RWX, 1, 0);
        add(SYS_FRAME_MAP, s, S1, va_at[0], RWX);
    }
}

static void make_menu(void)
{
    static const cptr_t deletable[] = {D1, D2, S1, S2, F1, F2, COPY};
    static const cptr_t revocable[] = {TABLES, MEMORY, S1, S2, F1, F2};
    n_menu = 0;
    add_stretch_moves(S1);
    add_stretch_moves(S2);
    for (uint32_t i = 0; i < sizes[scope_size].frames; i++) {
        add_frame_moves(F1 + i);
        add_rows();
    }
    if (sizes[scope_size].huge) {
        add_huge_moves();
    }
    add_wrong_moves();
    for (uint32_t i = 0; i < sizeof(deletable) / sizeof(cptr_t); i++) {
        add(SYS_CAP_DELETE, deletable[i], 0, 0, 0);
    }
    for (uint32_t i = 0; i < sizeof(revocable) / sizeof(cptr_t); i++) {
        add(SYS_CAP_REVOKE, revocable[i], 0, 0, 0);
    }
    for (uint32_t i = 0; i < VAS; i++) {
        add(WRAP, i, 0, 0, 0);
    }
    for (cptr_t s = S1; sizes[scope_size].copies && s <= F2; s++) {
        add(SYS_CAP_COPY, COPY, s, RIGHTS_ALL, 0);
        add(SYS_CAP_COPY, COPY, s, R | RIGHT_ATTACH, 0);
    }
    if (sizes[scope_size].copies) {
        add(SYS_FRAME_MAP, COPY, S1, va_at[0], R);
        add(SYS_FRAME_MAP, F1, COPY, va_at[0], RW);
        add(SYS_FRAME_MAP, F2, COPY, va_at[0], RW);
        add(SYS_FRAME_PROTECT, COPY, R, 1, 0);
        add(SYS_FRAME_UNMAP, COPY, 1, 0, 0);
        add(SYS_STRETCH_ATTACH, COPY, D1, RW, 0);
        add(SYS_STRETCH_ATTACH, COPY, D1, R, 0);
    }
}

static uint32_t moves(void)
{
    return n_menu;
}

/* ---- the machine ------------------------------------------------------- */

static uint32_t *directory(uint32_t v)
{
    uint32_t *d = ram_at(kernel.directory);
    return &d[va_at[v] >> STRETCH_LOG2];
}

static uint64_t *table_word(uint32_t table, uint32_t word)
{
    return (uint64_t *)ram_at(tables + table * 128u) + word;
}

static uint64_t *level2(uint32_t d, uint32_t table)
{
    return ram_at(domains[d] + (2u + table) * 128u);
}

static void watch_domain(uint32_t i)
{
    struct domain *d = domain_at(domains[i]);
    watch(d, offsetof(struct domain, table) + 2 * sizeof(d->table[0]));
    for (uint32_t v = 0; v < VAS; v++) {
        watch(&d->level1[va_at[v] >> 30], 8);
        watch(level2(i, v), 2 * 8);
    }
}

static void watch_all(void)
{
    watch(ram_at(kernel.head), 32);
    watch(ram_at(root_cnode), SLOTS * sizeof(struct slot));
    watch(domain_at(root_domain), offsetof(struct domain, table));
    for (uint32_t i = 0; i < DOMAINS; i++) {
        watch_domain(i);
        for (uint32_t p = 0; p < PAGES; p++) {
            watch(table_word(i, page[p].word), 8);
        }
        watch((void *)((uintptr_t)directory(i) & ~(uintptr_t)7), 8);
    }
}

static void tlb_page(uint64_t va);
static void tlb_domain(uint32_t asid);
static void publish(void);

static void boot(void)
{
    machine_boot(SLOTS);
    va_at[0] = ROOT_RANGE_VA;
    va_at[1] = va_at[0] + sizes[scope_size].second;
    root_domain = dispatcher_at(root_dispatcher)->domain;
    machine_give(ROOT_DOMAIN, TYPE_DOMAIN, root_domain, 9);
    for (uint32_t i = 0; i < DOMAINS; i++) {
        domains[i] = machine_take(DOMAIN_LOG2_MIN);
        object_create(machine_give(D1 + i, TYPE_DOMAIN, domains[i], 9), 0);
    }
    machine_give(RANGE, TYPE_RANGE, (uint32_t)(ROOT_RANGE_VA >> PAGE_LOG2),
                 USER_VA_LOG2 - 1 - PAGE_LOG2);
    tables = machine_take(PAGE_LOG2 + 1);
    machine_give(TABLES, TYPE_UNTYPED, tables, 8);
    machine_give(MEMORY, TYPE_UNTYPED, machine_take(PAGE_LOG2 + 1), 8);
    machine_give(DEVICE, TYPE_UNTYPED, ref_of(DEVICE_AT),
                 HUGE_FRAME_LOG2 - CELL_LOG2)
        ->attr = ATTR_DEVICE;
    host_hooks = (struct host_hooks){tlb_page, tlb_domain, publish};
    watch_all();
    make_menu();
}

/* ---- the model of TLBs ------------------------------------------------- */

/* As the hardware walks: the frame and the rights, or 0. */
static uint64_t translate(uint32_t d, uint32_t v)
{
    uint64_t va = page_va(v);
    if (slot_at(root_cnode + D1 + d)->type != TYPE_DOMAIN) {
        return 0;
    }
    uint64_t l1 = domain_at(domains[d])->level1[va >> 30];
    if (l1 == 0) {
        return 0;
    }
    const uint64_t *t = ram_at(ref_of(l1 & ADDRESS));
    uint64_t l2 = t[va >> STRETCH_LOG2 & 511];
    if (l2 == 0) {
        return 0;
    }
    bool block = (l2 & 3) == 1;
    t = ram_at(ref_of(l2 & ADDRESS));
    uint64_t pte = block ? l2 + page[v].word * PAGE_BYTES : t[page[v].word];
    if (pte == 0) {
        return 0;
    }
    l2 = block ? 0 : l2;
    bool write = !(pte >> 7 & 1) && !(l2 >> 62 & 1);
    bool exec = !(pte >> 54 & 1) && !(l2 >> 60 & 1);
    return (pte & ADDRESS) | R | (write ? RIGHT_WRITE : 0) |
           (exec ? RIGHT_EXEC : 0);
}

static void see(uint32_t d, uint32_t v)
{
    uint64_t t = translate(d, v);
    published[d][v] = t;
    for (uint32_t i = 0; i < sights[d][v]; i++) {
        if (sight[d][v][i] == t) {
            return;
        }
    }
    if (t != 0) {
        sight[d][v][sights[d][v]++ % SIGHTS] = t;
    }
}

static void see_all(void)
{
    for (uint32_t d = 0; d < DOMAINS; d++) {
        for (uint32_t v = 0; v < PAGES; v++) {
            see(d, v);
        }
    }
}

/* Before an operation, a TLB holds what the tables say. */
static void start_sights(void)
{
    static uint64_t first[DOMAINS][PAGES], of_state;
    if (of_state != engine_state) {
        of_state = engine_state;
        for (uint32_t i = 0; i < DOMAINS * PAGES; i++) {
            first[i / PAGES][i % PAGES] = translate(i / PAGES, i % PAGES);
        }
    }
    memcpy(published, first, sizeof(first));
    for (uint32_t i = 0; i < DOMAINS * PAGES; i++) {
        uint64_t t = first[i / PAGES][i % PAGES];
        sight[i / PAGES][i % PAGES][0] = t;
        sights[i / PAGES][i % PAGES] = t != 0;
    }
}

static void tlb_page(uint64_t va)
{
    for (uint32_t v = 0; v < PAGES; v++) {
        if (va == page_va(v)) {
            sights[0][v] = sights[1][v] = 0;
        }
    }
    see_all();
}

static void tlb_domain(uint32_t asid)
{
    for (uint32_t d = 0; d < DOMAINS; d++) {
        if (asid == domain_asid(domains[d])) {
            memset(sights[d], 0, sizeof(sights[d]));
        }
    }
    see_all();
}

static void publish(void)
{
    see_all();
}

static void check_tlb(void)
{
    for (uint32_t d = 0; d < DOMAINS; d++) {
        for (uint32_t v = 0; v < PAGES; v++) {
            uint64_t now = translate(d, v);
            if (now != published[d][v]) {
                host_fail("domain %u, page %u: tables changed, and nothing was "
                          "published since",
                          d + 1, v);
            }
            for (uint32_t i = 0; i < sights[d][v]; i++) {
                if (sight[d][v][i] != now) {
                    host_fail("domain %u, page %u: a TLB may still hold %llx",
                              d + 1, v, (unsigned long long)sight[d][v][i]);
                }
            }
        }
    }
}

/* ---- what is done ------------------------------------------------------ */

static bool is_frame_of(const struct slot *s, uint32_t v)
{
    return s->type == TYPE_FRAME && s->aux != 0 &&
           (s->word & ~(STRETCH_BYTES - 1)) == va_at[v];
}

/* 2^13 stretches came and went there: the next has the generation that a frame
 * remembers. */
static enum outcome wrap(uint32_t v)
{
    bool remembered = false;
    for (uint32_t i = F1; i <= COPY; i++) {
        remembered = remembered || is_frame_of(slot_at(root_cnode + i), v);
    }
    if (!remembered || (*directory(v) & LIVE_MASK) != 0 ||
        *directory(v) == (STALE - 1) << GEN_SHIFT) {
        return CANNOT;
    }
    *directory(v) = (STALE - 1) << GEN_SHIFT;
    return DONE;
}

static enum outcome move(uint32_t i)
{
    const struct move *m = &menu[i];
    if (m->nr == WRAP) {
        return wrap((uint32_t)m->x[0]);
    }
    host.syncs = 0;
    start_sights();
    enum outcome o = outcome_of(machine_call(m->nr, m->x));
    if (o == REFUSED) {
        return o;
    }
    check_tlb();
    bool maps = m->nr == SYS_FRAME_MAP || m->nr == SYS_FRAME_REMAP;
    bool code = (maps && (m->x[3] & RIGHT_EXEC)) ||
                (m->nr == SYS_FRAME_PROTECT && (m->x[1] & RIGHT_EXEC));
    if (code && host.syncs == 0) {
        host_fail("a page became executable without cache maintenance");
    }
    return o;
}

/* ---- states that are alike --------------------------------------------- */

/* Only whether a generation is the present one matters. */
static void normal_generation(uint32_t v)
{
    uint32_t entry = *directory(v), live = entry & LIVE_MASK, fresh = 0;
    bool remembered = false;
    for (ref_t r = root_cnode + S1; r <= root_cnode + COPY; r++) {
        const struct slot *s = slot_at(r);
        remembered = remembered || is_frame_of(s, v);
    }
    if (live != 0) {
        fresh = 1u << GEN_SHIFT | live;
    } else if (remembered && entry == (STALE - 1) << GEN_SHIFT) {
        fresh = entry; /* the move WRAP was made */
    }
    for (ref_t r = root_cnode + S1; r <= root_cnode + COPY; r++) {
        struct slot *s = slot_at(r);
        bool mine = is_frame_of(s, v) ||
                    (s->type == TYPE_STRETCH && s->word == va_at[v]);
        if (mine && live != 0 && s->aux == entry) {
            s->aux = fresh;
        } else if (mine) {
            s->aux = STALE << GEN_SHIFT | (s->aux & LIVE_MASK);
        }
    }
    *directory(v) = fresh;
}

/* What untyped memory notes about its clean part is scope 1's: here it is as
 * the next retype would make it. */
static void normal_untyped(struct slot *u)
{
    uint32_t watermark = (uint32_t)u->word;
    if (watermark != 0 && !cap_derives(u, slot_at(u->next))) {
        u->word = 0;
        u->spare = 0;
    } else if (watermark == u->word >> 32) {
        u->spare = 0;
    }
}

static bool is_table(uint32_t t)
{
    for (ref_t r = root_cnode + S1; r <= root_cnode + COPY; r++) {
        const struct slot *s = slot_at(r);
        if (s->obj == tables + t * 128u &&
            (s->type == TYPE_STRETCH ||
             (s->type == TYPE_ZOMBIE && s->aux == TYPE_STRETCH))) {
            return true;
        }
    }
    return false;
}

static void make_dirty(void)
{
    const struct slot *u = slot_at(root_cnode + TABLES);
    for (uint32_t t = 0; t < 2; t++) {
        for (uint32_t p = 0; p < PAGES && !is_table(t); p++) {
            uint32_t cell = t * 128u + CELL_OF(page[p].word);
            bool clean = cell >= (uint32_t)u->word && cell >= u->spare &&
                         cell < u->word >> 32;
            if (!clean) {
                *table_word(t, page[p].word) = DIRT;
            }
        }
    }
}

static void normal(bool symmetry)
{
    if (symmetry) {
        rename_slots(root_cnode + S1, 2);
        rename_slots(root_cnode + F1, 2);
    }
    for (uint32_t v = 0; v < VAS; v++) {
        normal_generation(v);
    }
    normal_sweep(root_domain);
    normal_untyped(slot_at(root_cnode + TABLES));
    normal_untyped(slot_at(root_cnode + MEMORY));
    normal_untyped(slot_at(root_cnode + DEVICE));
    slot_at(root_cnode + HUGE)->word = 0; /* where it was: for people */
    make_dirty();
    normal_core();
}

/* Is there a dying stretch that another's deletion has swept already? No domain
 * sees its table, frames do not count as mapped there, and check_space does not
 * know what it still holds. */
static bool is_swept(void)
{
    for (ref_t r = root_cnode + S1; r <= root_cnode + COPY; r++) {
        const struct slot *s = slot_at(r);
        if (s->type == TYPE_ZOMBIE && s->aux == TYPE_STRETCH &&
            (space_entry(s->word) & PAGE_MASK) != s->obj >> 7) {
            return true;
        }
    }
    return false;
}

static void check(void)
{
    check_caps();
    if (!is_swept()) {
        check_space();
    }
}

/* ---- words ------------------------------------------------------------- */

static void show_move(uint32_t i, char *text, size_t size)
{
    if (menu[i].nr == WRAP) {
        say(text, size, "generations come again at stretch %u",
            (uint32_t)menu[i].x[0]);
    } else {
        say_call(text, size, menu[i].nr, menu[i].x);
    }
}

static void show_state(char *text, size_t size)
{
    for (uint32_t i = S1; i <= COPY; i++) {
        const struct slot *s = slot_at(root_cnode + i);
        if (s->type != TYPE_NULL) {
            say(text, size, "%u: type %u @%x va %llx aux %x; ", i, s->type,
                s->obj, (unsigned long long)s->word, s->aux);
        }
    }
    for (uint32_t d = 0; d < DOMAINS; d++) {
        for (uint32_t v = 0; v < PAGES; v++) {
            uint64_t t = translate(d, v);
            if (t != 0) {
                say(text, size, "D%u sees page %u as %llx; ", d + 1, v,
                    (unsigned long long)t);
            }
        }
    }
}

const struct scope scope = {
    .name = "space",
    .sizes = sizeof(sizes) / sizeof(sizes[0]),
    .boot = boot,
    .moves = moves,
    .move = move,
    .normal = normal,
    .check = check,
    .show_move = show_move,
    .show_state = show_state,
};
