/* SPDX-License-Identifier: BSL-1.0
 *
 * The accounts of the threads (<vesper/accounts.h>), which sched.c keeps up to
 * date. Masked.
 */
#pragma once

#include "state.h"

/* A new thread, which has its name, gets one; it has had nothing. */
void account_open(struct thread *t);

/* t is to run no more: what it had, and has until another runs, goes to the
 * account of those that ended. */
void account_close(struct thread *t);

/* Its name has changed. */
void account_name(const struct thread *t);

/* Not masked. False: no thread of that id runs, or has yet to; id 0: the one
 * that asks. */
bool account_read(uint32_t id, uint64_t *ns);
