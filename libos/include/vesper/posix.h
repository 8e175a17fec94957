/* SPDX-License-Identifier: BSL-1.0
 *
 * The seam between core and the POSIX layer.
 */
#pragma once

/* Called by core once, on the main thread, before main, when threads, memory
 * and start_self are ready. A program with POSIX is linked with -u posix_init
 * (in Meson: user_program); in others core calls nothing. */
void posix_init(void);
