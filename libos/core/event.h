/* SPDX-License-Identifier: BSL-1.0
 *
 * Event bits inside the domain; the public half is in <vesper/thread.h>.
 */
#pragma once

#include <stdint.h>

/* Masked. Hand bits to the threads that wait for them; keep the others. */
void event_arrived(uint64_t bits);

/* Not masked. One bit, as if somebody had signalled it. */
void event_post(int bit);
