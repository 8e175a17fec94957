/* SPDX-License-Identifier: BSL-1.0
 *
 * Pages and stretches; faults; and the tests of Appel and Li, "Virtual Memory
 * Primitives for User Programs" (1991), page by page and by stretch.
 */
#include "tests/bench/root/rows.h"

#define STRETCH C_FREE
#define FRAMES  (C_FREE + 8) /* PAGES of them */
#define PAGES   100u
#define PAGE(i) (client_range + (i)*PAGE_BYTES)

static enum abi_error map(uint32_t i, uint64_t rights)
{
    return frames_map(FRAMES + i, STRETCH, PAGE(i), rights, 1);
}

static enum abi_error protect_all(uint64_t rights)
{
    return frames_protect(FRAMES, rights, PAGES);
}

static void pages_make(void)
{
    expect(sys_stretch_create(STRETCH, C_MEMORY, C_RANGE, client_range, 0),
           "stretch");
    expect(sys_stretch_attach(STRETCH, CPTR_SELF_DOMAIN, READ_WRITE), "attach");
    for (uint32_t i = 0; i < PAGES; i++) {
        expect(make_one(1 + i / 50, FRAMES + i, TYPE_FRAME, PAGE_LOG2),
               "frames");
        expect(map(i, READ_WRITE), "map");
    }
}

static void pages_end(void)
{
    for (uint32_t i = 0; i < 3; i++) {
        (void)sys_cap_revoke(C_MEMORY + i);
    }
}

static void page_rows(void)
{
    ROW("frame_map, one page", (void)frames_unmap(FRAMES, 1),
        e = map(0, READ_WRITE), NOTHING);
    ROW("frame_unmap, one page", NOTHING, e = frames_unmap(FRAMES, 1),
        expect(map(0, READ_WRITE), "map"));
    ROW("frame_protect, one page", NOTHING,
        e = frames_protect(FRAMES, READ_ONLY, 1),
        (void)frames_protect(FRAMES, READ_WRITE, 1));
    ROW("frame_remap, one page", NOTHING,
        e = frames_remap(FRAMES, STRETCH, PAGE(PAGES), READ_WRITE, 1),
        (void)frames_remap(FRAMES, STRETCH, PAGE(0), READ_WRITE, 1));
    ROW(
        "map, touch and unmap one page", (void)frames_unmap(FRAMES, 1),
        {
            e = map(0, READ_WRITE);
            (void)touch((void *)PAGE(0));
            e |= frames_unmap(FRAMES, 1);
        },
        expect(map(0, READ_WRITE), "map"));
}

static void stretch_rows(void)
{
    ROW("stretch_attach, another domain", NOTHING,
        e = sys_stretch_attach(STRETCH, C_PEER, READ_ONLY),
        (void)sys_stretch_detach(STRETCH, C_PEER));
    ROW("stretch_attach, other rights",
        (void)sys_stretch_attach(STRETCH, C_PEER, READ_ONLY),
        e = sys_stretch_attach(STRETCH, C_PEER, READ_WRITE),
        (void)sys_stretch_detach(STRETCH, C_PEER));
    ROW("stretch_detach", (void)sys_stretch_attach(STRETCH, C_PEER, READ_ONLY),
        e = sys_stretch_detach(STRETCH, C_PEER), NOTHING);
    ROW("stretch_create", NOTHING,
        e = sys_stretch_create(STRETCH + 1, C_MEMORY + 4, C_RANGE,
                               client_range + STRETCH_BYTES, 0),
        (void)sys_cap_revoke(C_MEMORY + 4));
}

static void huge_rows(void)
{
    const cptr_t frame = FRAMES, huge = FRAMES + 1;
    expect(sys_untyped_retype(C_HUGE, frame, TYPE_FRAME, 21, 1, 0, 0), "huge");
    ROW("stretch_create, of a frame of 2 MiB", (void)sys_cap_revoke(frame),
        e = sys_stretch_create(huge, frame, C_RANGE,
                               client_range + STRETCH_BYTES, READ_WRITE),
        NOTHING);
    ROW("map 512 pages of 2 MiB for another domain", NOTHING,
        e = sys_stretch_attach(huge, C_PEER, READ_ONLY),
        (void)sys_stretch_detach(huge, C_PEER));
    ROW("protect 512 pages of 2 MiB for another domain",
        (void)sys_stretch_attach(huge, C_PEER, READ_WRITE),
        e = sys_stretch_attach(huge, C_PEER, READ_ONLY), NOTHING);
    (void)sys_cap_revoke(C_HUGE);
}

void memory_rows(void)
{
    pages_make();
    page_rows();
    stretch_rows();
    pages_end();
    huge_rows();
}

/* ---- faults ------------------------------------------------------------ */

static void skip(struct upcall_page *page)
{
    take(page);
    page->slots[0].pc += 4;
    (void)sys_resume(0);
}

static void first(struct upcall_page *page)
{
    mark_end();
    skip(page);
}

static void begin_resume(struct upcall_page *page)
{
    take(page);
    page->slots[0].pc += 4;
    mark_begin();
    (void)sys_resume(0);
}

static void map_it(struct upcall_page *page)
{
    take(page);
    (void)map((uint32_t)(page->fault.far - client_range) / 4096, READ_WRITE);
    (void)sys_resume(0);
}

static void allow(struct upcall_page *page)
{
    take(page);
    (void)frames_protect(FRAMES +
                             (uint32_t)(page->fault.far - client_range) / 4096,
                         READ_WRITE, 1);
    (void)sys_resume(0);
}

static void allow_stretch(struct upcall_page *page)
{
    take(page);
    (void)sys_stretch_attach(STRETCH, CPTR_SELF_DOMAIN, READ_WRITE);
    (void)sys_resume(0);
}

/* appel1: let the page that faulted be written, and protect another */
static void allow_and_protect(struct upcall_page *page)
{
    take(page);
    uint32_t i = (uint32_t)(page->fault.far - client_range) / 4096;
    (void)frames_protect(FRAMES + i, READ_WRITE, 1);
    (void)frames_protect(FRAMES + (i + 1) % PAGES, READ_ONLY, 1);
    (void)sys_resume(0);
}

void handle_with(void (*handler)(struct upcall_page *page))
{
    static char stack[4096] __attribute__((aligned(16)));
    struct upcall_page *page = page_of(CLIENT);
    take(page);
    page->sp = (uintptr_t)stack + sizeof(stack);
    page->entry = (uintptr_t)handler;
}

static void write(uint32_t i)
{
    *(volatile char *)PAGE(i) = 1;
}

static void trap_rows(void)
{
    (void)frames_unmap(FRAMES, 1);
    handle_with(first);
    mask(MASK_OFF);
    ROW("page fault, to the handler's first instruction", NOTHING,
        (void)touch((void *)PAGE(0)), NOTHING);
    handle_with(skip);
    ROW("trap: page fault, handler, back", NOTHING,
        (void)touch((void *)PAGE(0)), NOTHING);
    ROW("undefined instruction, handler, back", NOTHING, undefined(), NOTHING);
    handle_with(begin_resume);
    ROW("resume", NOTHING, (void)touch((void *)PAGE(0)), NOTHING);
    handle_with(map_it);
    ROW("page fault, map in the handler, retry", (void)frames_unmap(FRAMES, 1),
        write(0), NOTHING);
    mask(MASK_ON);
}

static void protect_rows(void)
{
    ROW("prot1", NOTHING, e = frames_protect(FRAMES, READ_ONLY, 1),
        (void)frames_protect(FRAMES, READ_WRITE, 1));
    ROW("unprot1", (void)frames_protect(FRAMES, READ_ONLY, 1),
        e = frames_protect(FRAMES, READ_WRITE, 1), NOTHING);
    ROW("prot100, by page", NOTHING, e = protect_all(READ_ONLY),
        (void)protect_all(READ_WRITE));
    ROW("unprot100, by page", (void)protect_all(READ_ONLY),
        e = protect_all(READ_WRITE), NOTHING);
    ROW("prot100, by stretch", NOTHING,
        e = sys_stretch_attach(STRETCH, CPTR_SELF_DOMAIN, READ_ONLY),
        (void)sys_stretch_attach(STRETCH, CPTR_SELF_DOMAIN, READ_WRITE));
    ROW("unprot100, by stretch",
        (void)sys_stretch_attach(STRETCH, CPTR_SELF_DOMAIN, READ_ONLY),
        e = sys_stretch_attach(STRETCH, CPTR_SELF_DOMAIN, READ_WRITE), NOTHING);
}

static void appel_rows(void)
{
    mask(MASK_OFF);
    handle_with(allow_and_protect);
    ROW("appel1", (void)frames_protect(FRAMES + run, READ_ONLY, 1), write(run),
        NOTHING);
    handle_with(allow);
    (void)protect_all(READ_WRITE);
    ROW(
        "appel2, 100 pages", NOTHING,
        {
            e = protect_all(READ_ONLY);
            for (uint32_t i = 0; i < PAGES; i++) {
                write(i * 37 % PAGES);
            }
        },
        NOTHING);
    handle_with(allow_stretch);
    ROW("appel1, by stretch",
        (void)sys_stretch_attach(STRETCH, CPTR_SELF_DOMAIN, READ_ONLY),
        write(run), NOTHING);
    mask(MASK_ON);
}

void fault_rows(void)
{
    pages_make();
    trap_rows();
    protect_rows();
    appel_rows();
    pages_end();
}
