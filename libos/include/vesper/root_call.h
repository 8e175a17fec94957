/* SPDX-License-Identifier: BSL-1.0
 *
 * Protected calls to the root server (root.h). Context: any thread. Short: the
 * whole domain waits meanwhile.
 */
#pragma once

#include <stdint.h>
#include <abi/abi.h>

/* Send w[0..7] (and lend, if it is not 0, a LOAN(); see call.h); w holds the
 * answer. Returns w[0] of the answer: 0 or a positive errno; EPIPE: no root;
 * EFAULT: that cannot be lent. */
int root_call(uint64_t w[8], uint64_t loan);

/* Say once on the console that the libc function `name` is not there; sets
 * errno to ENOSYS. Returns -1. */
int unimplemented(const char *name);
