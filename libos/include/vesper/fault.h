/* SPDX-License-Identifier: BSL-1.0
 *
 * What a program's handler of a fault was called for.
 *
 * A handler of SIGSEGV, SIGBUS, SIGILL, SIGTRAP or SIGSYS (sigaction, signal)
 * runs on the thread that faulted, on its stack, whatever thread that is; also
 * if the fault is of a region whose page is lost (<vesper/paging.h>: EIO of the
 * card, memory taken back) and no handler of its own was set there. If it
 * returns, the instruction is tried again; it may leave by longjmp or
 * siglongjmp. sa_mask and SA_NODEFER do not count: a fault inside the handler,
 * on the same thread, ends the program as if there were none. So does a fault
 * while the signal is blocked or ignored, one in a critical section of libos,
 * and one for which the thread's stack has no room (1 KiB).
 *
 * As everywhere, what the interrupted code held stays held: who leaves by
 * longjmp from inside malloc or stdio must not use it any more.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct fault_info {
    int signal;
    const void *address; /* that was accessed; NULL if no access failed */
    bool write;
    uintptr_t pc; /* of the instruction */
};

/* In such a handler: of the calling thread's fault. Its struct sigaction has no
 * sa_sigaction in picolibc. Elsewhere undefined, or NULL. */
const struct fault_info *fault_info(void);
