/* SPDX-License-Identifier: BSL-1.0
 *
 * The operation that gate.c adds to the root server's protocol.
 */
#pragma once

/* w1 domain, w2 empty slot of its: there comes the right to call an endpoint of
 * the caller; badge: the caller's id. ESRCH, ENOMEM, EIO. */
#define ROOT_GATE 0x65746167u
