/* SPDX-License-Identifier: BSL-1.0
 *
 * The same paths when there is much of something: how cost grows. A row's name
 * is `AXIS N: PATH`; scripts/bench draws a plot for each axis.
 */
#include "tests/bench/root/rows.h"

#include <stdio.h>

#define FRAME  C_FREE
#define COPIES (C_FREE + 600)

static const char *name(const char *axis, uint32_t n, const char *path)
{
    static char line[80];
    (void)snprintf(line, sizeof(line), "%s %u: %s", axis, n, path);
    return line;
}

static void with_capabilities(uint32_t n)
{
    const char *axis = "capabilities";
    ROW(name(axis, n, "cap_copy"), NOTHING,
        e = sys_cap_copy(FRAME + 1, FRAME, RIGHTS_ALL, 0, 0),
        sys_cap_delete(FRAME + 1));
    ROW(name(axis, n, "cap_delete"),
        (void)sys_cap_copy(FRAME + 1, FRAME, RIGHTS_ALL, 0, 0),
        e = sys_cap_delete(FRAME + 1), NOTHING);
    uint64_t w[8] = {0};
    ROW(name(axis, n, "call and reply"), NOTHING,
        e = call_endpoint(w, C_ENDPOINT, 0, 0), NOTHING);
}

static void capabilities(void)
{
    static const uint32_t axis[] = {1, 10, 100, 1000, 3000};
    expect(make_one(0, FRAME, TYPE_FRAME, PAGE_LOG2), "frame");
    uint32_t copies = 0;
    for (uint32_t i = 0; i < sizeof(axis) / sizeof(axis[0]); i++) {
        for (; copies < axis[i]; copies++) {
            expect(sys_cap_copy(COPIES + copies, FRAME, RIGHTS_ALL, 0, 0),
                   "copies");
        }
        with_capabilities(axis[i]);
    }
    (void)sys_cap_revoke(C_MEMORY);
}

static void with_pages(uint32_t n, uint32_t frame)
{
    const char *axis = "pages";
    uint64_t va = client_range + n * PAGE_BYTES;
    ROW(name(axis, n, "frame_map"), NOTHING,
        e = frames_map(frame, FRAME, va, READ_WRITE, 1),
        (void)frames_unmap(frame, 1));
    ROW(name(axis, n, "frame_unmap"),
        (void)frames_map(frame, FRAME, va, READ_WRITE, 1),
        e = frames_unmap(frame, 1), NOTHING);
    ROW(name(axis, n, "stretch_attach"), NOTHING,
        e = sys_stretch_attach(FRAME, C_PEER, READ_ONLY),
        (void)sys_stretch_detach(FRAME, C_PEER));
}

static void pages(void)
{
    static const uint32_t axis[] = {1, 8, 64, 511};
    expect(sys_stretch_create(FRAME, C_MEMORY, C_RANGE, client_range, 0),
           "stretch");
    uint32_t mapped = 0;
    for (uint32_t i = 0; i < sizeof(axis) / sizeof(axis[0]); i++) {
        for (; mapped < axis[i]; mapped++) {
            uint32_t slot = FRAME + 1 + mapped;
            expect(make_one(1 + mapped / 64, slot, TYPE_FRAME, PAGE_LOG2),
                   "frame");
            expect(frames_map(slot, FRAME, client_range + mapped * 4096ull,
                              READ_WRITE, 1),
                   "map");
        }
        expect(make_one(20, COPIES, TYPE_FRAME, PAGE_LOG2), "frame");
        with_pages(axis[i], COPIES);
        (void)sys_cap_revoke(C_MEMORY + 20);
    }
    for (uint32_t i = 0; i < 12; i++) {
        (void)sys_cap_revoke(C_MEMORY + i);
    }
}

static void domains(void)
{
    static const uint32_t axis[] = {6, 20, 80, 235};
    const char *what = "domains";
    uint64_t w[8] = {0};
    page_of(CLIENT)->entry = (uintptr_t)wait_entry;
    for (uint32_t i = 0; i < sizeof(axis) / sizeof(axis[0]); i++) {
        crowd(axis[i]);
        page_of(PEER)->entry = (uintptr_t)peer_block;
        ROW(name(what, axis[i], "call and reply"), NOTHING,
            e = call_endpoint(w, C_ENDPOINT, 0, 0), NOTHING);
        ROW(name(what, axis[i], "scheduler of domains"), NOTHING,
            e = sys_event_signal(C_EVENT), NOTHING);
        page_of(PEER)->entry = (uintptr_t)peer_first;
        ROW(name(what, axis[i], "event that wakes a domain"), NOTHING,
            e = sys_event_signal(C_EVENT), NOTHING);
    }
}

void state_rows(void)
{
    capabilities();
    pages();
    domains();
}
