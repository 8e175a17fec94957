/* SPDX-License-Identifier: BSL-1.0
 *
 * Starts a borrower, lends it `letter` for one call, and lets it go on. With an
 * argument, the borrower does not answer.
 *
 *   lender [keep]
 */
#include <inttypes.h>
#include <stdio.h>
#include <abi/calls.h>
#include <vesper/call.h>
#include <vesper/start.h>
#include <vesper/thread.h>

#include "libos/core/slots.h"

#define RETRY_NS 10000000ull

static uint64_t letter[] = {30, 200, 1000};

static bool is_there(cptr_t slot)
{
    uint64_t info, address, word;
    return sys_cap_identify(slot, &info, &address, &word) == ERR_OK;
}

/* The pipe's end is what the borrower waits for after the call. */
static FILE *borrower_start(cptr_t gate, const char *how)
{
    char command[64];
    snprintf(command, sizeof(command), "/tests/borrower %u %" PRIu64 " %s",
             (unsigned)start_self->id, (uint64_t)gate, how);
    return popen(command, "w");
}

int main(int argc, char **argv)
{
    cptr_t gate = slot_take();
    FILE *borrower = borrower_start(gate, argc > 1 ? argv[1] : "");
    uint64_t w[8] = {(uintptr_t)letter, sizeof(letter) / sizeof(letter[0])};
    if (borrower == NULL) {
        perror("lender");
        return 1;
    }
    while (!is_there(gate)) {
        thread_sleep_until(time_ns() + RETRY_NS);
    }
    printf("lender %u lends\n", (unsigned)start_self->id);
    fflush(stdout);
    enum abi_error e = call_endpoint(w, gate | CALL_LEND, 0,
                                     LOAN((uintptr_t)letter, RIGHT_READ));
    printf("lender: %s, the sum is %" PRIu64 "\n", abi_error_name(e), w[0]);
    fflush(stdout);
    return pclose(borrower) == 0 ? 0 : 1;
}
