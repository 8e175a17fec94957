/* SPDX-License-Identifier: BSL-1.0
 *
 * Frames in consecutive slots, all of them or up to the first that the kernel
 * refuses: its error is returned then, and those before it are done. The system
 * calls may stop earlier, at an interrupt; these go on. Arguments and errors
 * are those of the calls in docs/abi-reference.md, but count is any number.
 */
#pragma once

#include <abi/calls.h>

/* Make a call on n frames, which says how many are done, until all are. */
#define FRAMES_ALL(call)                                                       \
    enum abi_error e = ERR_OK;                                                 \
    for (uint64_t n, done; count > 0 && e == ERR_OK; count -= done) {          \
        n = count < FRAME_RANGE_MAX ? count : FRAME_RANGE_MAX;                 \
        e = (call);                                                            \
        frame = CPTR_NEXT(frame, done);                                        \
    }                                                                          \
    return e

static inline enum abi_error frames_map(cptr_t frame, cptr_t stretch,
                                        uint64_t va, uint64_t rights,
                                        uint64_t count)
{
    FRAMES_ALL(sys_frame_map(frame, stretch, va, rights, n, &done, &va));
}

static inline enum abi_error frames_remap(cptr_t frame, cptr_t stretch,
                                          uint64_t va, uint64_t rights,
                                          uint64_t count)
{
    FRAMES_ALL(sys_frame_remap(frame, stretch, va, rights, n, &done, &va));
}

static inline enum abi_error frames_unmap(cptr_t frame, uint64_t count)
{
    FRAMES_ALL(sys_frame_unmap(frame, n, &done));
}

static inline enum abi_error frames_protect(cptr_t frame, uint64_t rights,
                                            uint64_t count)
{
    FRAMES_ALL(sys_frame_protect(frame, rights, n, &done));
}
