/* SPDX-License-Identifier: BSL-1.0
 *
 * Protected calls from C, as docs/abi.md has them: eight words go, eight words
 * come back, the callee works on the caller's time. Context: any thread; the
 * whole domain waits meanwhile, so what takes long goes by channel.h.
 *
 * A call may lend: LOAN(address, rights) is the stretch of 2 MiB around an
 * address, which the callee then has at that same address, so that pointers in
 * it hold, with READ, READ|WRITE or READ|EXEC, no more than the caller has. It
 * costs the same for 4 KiB and for 2 MiB. It lasts until the call ends, however
 * it ends; what the callee touches afterwards faults, and its crash report
 * names the lender and the variable, if the memory is one. The callee may lend
 * it on with calls of its own, and sees in x10 what it has.
 *
 *     struct list *first = ...;
 *     uint64_t w[8] = {SUM, (uint64_t)(uintptr_t)first};
 *     enum abi_error e = call_endpoint(w, endpoint | CALL_LEND, 0,
 *                                      LOAN(first, RIGHT_READ));
 *
 * All that lies in the stretch can be seen: what is lent belongs into memory
 * of its own (memory_run_take in memory.h).
 */
#pragma once

#include <stdint.h>
#include <abi/abi.h>

/* Call the endpoint in a slot of this domain's own CNode | CALL_x. w: the
 * message, then the answer. cap: with CALL_CAP, the slot of a capability to
 * copy along; loan: with CALL_LEND, what is lent.
 * ERR_OK: answered. Else w is as it was, and nothing was lent or is lent any
 * more:
 *   EMPTY, TYPE, RIGHTS, SLOT   the endpoint, or the capability to send
 *   BUSY      with CALL_NOWAIT: it would have to wait; with CALL_LEND: the
 *             callee has that stretch already
 *   PEER_DEAD, TIMEOUT, DEADLOCK  nobody answers, the call was given up, it
 *             would wait for itself
 *   RIGHTS, UNMAPPED  the caller does not have what it lends
 *   RANGE, WX   flags or rights that there are not
 *   FULL      the callee takes no capability now
 *   NOTABLE   the callee's domain has no table for one more GiB of addresses
 */
enum abi_error call_endpoint(uint64_t w[8], uint64_t endpoint_and_flags,
                             cptr_t cap, uint64_t loan);
