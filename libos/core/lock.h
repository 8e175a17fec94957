/* SPDX-License-Identifier: BSL-1.0
 *
 * The linker takes picolibc's own do-nothing locks unless ours are there before
 * it looks: start.c names this function, and so brings them.
 */
#pragma once

void lock_keep(void);
