/* SPDX-License-Identifier: BSL-1.0
 *
 * Pages: what lies at which address of a stretch. A frame is mapped once at
 * most, and its slot remembers where; so do dispatchers of their pages.
 */
#include "syscall.h"
#include "table.h"

/* Not asked of a huge frame, which has no pages in a table. */
static uint32_t frame_pages(const struct slot *s)
{
    return s->order == BIG_FRAME_LOG2 - CELL_LOG2
               ? 1u << (BIG_FRAME_LOG2 - PAGE_LOG2)
               : 1;
}

static uint64_t frame_bytes(const struct slot *s)
{
    return (uint64_t)frame_pages(s) << PAGE_LOG2;
}

/* The table entries of a mapped frame, or NULL if its stretch is gone. The
 * address is compared too, since generations come again after 2^13. */
static uint64_t *frame_ptes(const struct slot *s)
{
    if (s->aux == 0 || space_entry(s->word) != s->aux) {
        return NULL;
    }
    uint64_t *pte = pte_at(s->aux, s->word);
    return (*pte & PTE_ADDRESS) == ref_address(s->obj) && *pte != 0 ? pte
                                                                    : NULL;
}

/* Write a frame's table entries, where its slot says; new ones unpublished. */
static void frame_set(const struct slot *s, uint64_t rights)
{
    uint64_t to = ref_address(s->obj);
    uint64_t entry = pte_of(to, rights, s->attr & ATTR_DEVICE);
    for (uint32_t i = 0; i < frame_pages(s); i++) {
        uint64_t va = s->word + i * PAGE_BYTES;
        uint64_t *pte = pte_at(s->aux, va), was = *pte;
        *pte = rights ? entry + i * PAGE_BYTES : 0;
        if (was != 0) { /* the same frame: no break before make */
            arch_tlb_page(va);
        }
    }
}

void frame_unmap(struct slot *s)
{
    if (frame_ptes(s) != NULL) {
        frame_set(s, 0);
    }
    s->word = 0;
    s->aux = 0;
}

static bool is_free(uint32_t entry, uint64_t va, uint32_t pages)
{
    if (entry & ENTRY_BLOCK) {
        return false;
    }
    for (uint32_t i = 0; i < pages; i++) {
        if (*pte_at(entry, va + i * PAGE_BYTES) != 0) {
            return false;
        }
    }
    return true;
}

/* What is asked for frames in consecutive slots. */
struct request {
    const struct slot *stretch; /* where they go; NULL: they stay */
    uint64_t va;                /* of the next one */
    uint64_t rights;            /* 0: none, unmap */
    uint64_t count;
    bool mapped; /* that they must be already, or must not be */
};

static enum abi_error check_place(const struct request *r, const struct slot *f)
{
    const struct slot *s = r->stretch;
    if (r->va % frame_bytes(f) != 0) {
        return ERR_ALIGN;
    }
    if (r->va < s->word || r->va - s->word >= STRETCH_BYTES) {
        return ERR_RANGE;
    }
    bool here = r->mapped && f->aux == s->aux && f->word == r->va;
    return here || is_free(s->aux, r->va, frame_pages(f)) ? ERR_OK : ERR_BUSY;
}

static enum abi_error check_frame(const struct request *r, const struct slot *f)
{
    enum abi_error e = cap_check(f, TYPE_FRAME, (uint32_t)r->rights);
    if (e != ERR_OK) {
        return e;
    }
    if (is_huge_frame(f)) {
        return ERR_TYPE;
    }
    if ((f->attr & ATTR_DEVICE) && (r->rights & RIGHT_EXEC)) {
        return ERR_DEVICE;
    }
    if ((frame_ptes(f) != NULL) != r->mapped) {
        return r->mapped ? ERR_UNMAPPED : ERR_STATE;
    }
    if (r->stretch == NULL) {
        return ERR_OK;
    }
    if ((f->attr & ATTR_DEPTH) != 0) {
        return ERR_PERM; /* only originals: a frame is mapped once at most */
    }
    return check_place(r, f);
}

static void change_frame(const struct request *r, struct slot *f)
{
    if (r->stretch != NULL || r->rights == 0) {
        frame_unmap(f); /* from where it was */
    }
    if (r->stretch != NULL) {
        f->word = r->va;
        f->aux = r->stretch->aux;
    }
    if (r->rights & RIGHT_EXEC) {
        arch_sync_code(f->obj, frame_bytes(f));
    }
    if (r->rights != 0) {
        frame_set(f, r->rights);
    }
}

/* One after the other, each checked and done: up to one that cannot be, or to
 * an interrupt. At least one, or nothing has changed. */
static enum abi_error change_frames(struct request *r, uint64_t *x)
{
    struct place first;
    uint64_t done = 0;
    if (r->count < 1 || r->count > FRAME_RANGE_MAX) {
        return ERR_RANGE;
    }
    enum abi_error e = cap_place(x[0], &first);
    while (e == ERR_OK) {
        struct slot *f = slot_at(first.ref + (ref_t)done);
        e = check_frame(r, f);
        if (e != ERR_OK) {
            break;
        }
        change_frame(r, f);
        r->va += frame_bytes(f);
        done++;
        if (done == r->count || done == first.left ||
            arch_interrupt_pending()) {
            break;
        }
    }
    if (done == 0) {
        return e;
    }
    x[1] = done;
    if (r->stretch != NULL) {
        arch_publish();
        x[2] = r->va;
    }
    return ERR_OK;
}

static enum abi_error place_frames(uint64_t *x, bool mapped)
{
    struct slot *s = NULL;
    enum abi_error e = space_check_rights(x[3]);
    if (e == ERR_OK) {
        e = cap_get(x[1], TYPE_STRETCH, (uint32_t)x[3], &s);
    }
    struct request r = {s, x[2], x[3], x[4], mapped};
    return e == ERR_OK ? change_frames(&r, x) : e;
}

enum abi_error op_frame_map(uint64_t *x)
{
    return place_frames(x, false);
}

enum abi_error op_frame_remap(uint64_t *x)
{
    return place_frames(x, true);
}

enum abi_error op_frame_unmap(uint64_t *x)
{
    struct request r = {.count = x[1], .mapped = true};
    return change_frames(&r, x);
}

enum abi_error op_frame_protect(uint64_t *x)
{
    struct request r = {.rights = x[1], .count = x[2], .mapped = true};
    enum abi_error e = space_check_rights(x[1]);
    return e == ERR_OK ? change_frames(&r, x) : e;
}

/* ---- the pages of a dispatcher: one read-only, two read-write ---------- */

enum abi_error frame_map_pages(uint64_t va, uint32_t entry, ref_t pages)
{
    if (page_index(va) > 512 - 3) {
        return ERR_RANGE;
    }
    if (!is_free(entry, va, 3)) {
        return ERR_BUSY;
    }
    for (uint32_t i = 0; i < 3; i++) {
        *pte_at(entry, va + i * PAGE_BYTES) =
            pte_of(ref_address(pages) + i * PAGE_BYTES,
                   i == 0 ? RIGHT_READ : RIGHT_READ | RIGHT_WRITE, false);
    }
    arch_publish();
    return ERR_OK;
}

void frame_unmap_pages(uint64_t va, uint32_t entry, ref_t pages, uint32_t n)
{
    if (space_entry(va) != entry) {
        return; /* the stretch went first */
    }
    for (uint32_t i = 0; i < n; i++) {
        uint64_t address = ref_address(pages) + i * PAGE_BYTES;
        uint64_t *pte = pte_at(entry, va + i * PAGE_BYTES);
        if ((*pte & PTE_ADDRESS) == address) {
            *pte = 0;
            arch_tlb_page(va + i * PAGE_BYTES);
        }
    }
}
