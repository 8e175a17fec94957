/* SPDX-License-Identifier: BSL-1.0
 *
 * Texts of errors that picolibc does not know.
 */
#pragma once

/* Does nothing; called by posix_init, so that the linker takes these texts and
 * not libc's empty ones. */
void posix_error_text_keep(void);
