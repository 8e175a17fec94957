/* SPDX-License-Identifier: BSL-1.0
 *
 * Event bits inside the domain; the public half is in <vesper/thread.h>.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Masked. Hand bits to the threads that wait for them; keep the others. */
void event_arrived(uint64_t bits);

/* Not masked. As event_wait, but until the counter reaches the deadline;
 * DEADLINE_NONE: for ever. */
uint64_t event_await(uint64_t mask, uint64_t deadline, bool *interrupted);

/* Not masked. One bit, as if somebody had signalled it. */
void event_post(int bit);
