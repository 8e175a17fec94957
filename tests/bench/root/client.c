/* SPDX-License-Identifier: BSL-1.0
 *
 * The domain that passes the marked regions. It runs masked, except where a row
 * is about upcalls.
 */
#include "tests/bench/root/rows.h"

#include <stddef.h>

/* What the counter must say of these is in scripts/bench. */
static void proof(void)
{
    ROW("proof: empty region", NOTHING, NOTHING, NOTHING);
    ROW("proof: 100 nops", NOTHING,
        __asm__ volatile(".rept 100\n\tnop\n\t.endr"), NOTHING);
    ROW("proof: loop of 2,001 instructions", NOTHING,
        __asm__ volatile("mov x0, #1000\n"
                         "1:\tsubs x0, x0, #1\n\tb.ne 1b"
                         :
                         :
                         : "x0", "cc"),
        NOTHING);
    ROW("proof: a system call and 3 nops", NOTHING,
        __asm__ volatile("svc #0\n\tnop\n\tnop\n\tnop"
                         :
                         :
                         : "x0", "memory"),
        NOTHING);
}

void client_main(uint64_t m)
{
    (void)m;
    page_of(CLIENT)->save_slot = 0;
    proof();
    cap_rows();
    memory_rows();
    fault_rows();
    call_rows();
    lend_rows();
    event_rows();
    state_rows();
    row_end("end");
    for (;;) {
        (void)sys_block(~0ull);
    }
}
